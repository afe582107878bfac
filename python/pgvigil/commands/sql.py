"""``pgvigil sql``."""

import click

from pgvigil.install import single_file


@click.command()
def command() -> None:
    """Print the whole installation as one SQL file.

    Run the file with `psql -v ON_ERROR_STOP=1 -1 -f`; it installs, upgrades and needs no Python.
    """
    click.echo(single_file(), nl=False)
