"""``python -m bench``: measure the write path in a server of its own."""

import click
from rich.console import Console

from bench.bulk import measure_bulk
from bench.scratch import make_bare_tables, scratch_server
from bench.write_path import measure_contention, measure_recording, measure_unchecked_tasks
from pgvigil.demo.server_binaries import find_binaries, major_version


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--seconds", default=5, show_default=True, help="Length of one run of one script.")
@click.option("--rounds", default=5, show_default=True, help="Runs of each script; odd is best.")
def main(pg: int | None, seconds: int, rounds: int) -> None:
    """Measure in a server of its own and print the ratios."""
    console = Console(width=100)
    binaries = find_binaries(pg)
    with scratch_server(binaries) as server:
        make_bare_tables(server, binaries)
        console.print(f"PostgreSQL {major_version(binaries)}, medians of {rounds} of {seconds} s")
        console.print(measure_recording(server, binaries, seconds, rounds))
        console.print(measure_unchecked_tasks(server, binaries, seconds, rounds))
        console.print(measure_contention(server, binaries, seconds, rounds))
        console.print(measure_bulk(server.dsn("bench", via_socket=True), rounds * 5))


if __name__ == "__main__":
    main()
