"""The dashboard of ETL, by the name that some teams know it by: `pgvigil dashboard etl`."""

import sys

from pgvigil.commands.dashboard import command

if __name__ == "__main__":
    command(["etl", *sys.argv[1:]], prog_name="pgvigil dashboard")
