"""`python -m tests.fuzz`: a campaign in a server of its own; `make fuzz` runs it."""

import secrets
import sys
from contextlib import ExitStack

import click
import psycopg

from pgvigil.demo.server_binaries import find_binaries
from tests.fuzz.aftermath import troubles_of
from tests.fuzz.campaign import LOGINS, Campaign, Report, prepare
from tests.harness.databases import create_database, disposable_server, install_pgvigil
from tests.harness.matrix import find_version
from tests.python.support.web_data import fill


@click.command()
@click.option("--calls", default=100_000, show_default=True, help="How many calls to make.")
@click.option("--seconds", default=3600.0, show_default=True, help="Stop after so long.")
@click.option("--seed", type=int, default=None, help="Makes the same calls again.")
@click.option("--pg", type=int, default=None, help="PostgreSQL major version.")
def main(calls: int, seconds: float, seed: int | None, pg: int | None) -> None:
    """Call every public function as every role; exit with 1 when an outcome is undocumented."""
    chosen = secrets.randbelow(10**6) if seed is None else seed
    click.echo(f"seed {chosen}")
    with ExitStack() as stack:
        binaries = find_version(pg) if pg else find_binaries()
        server = stack.enter_context(disposable_server(binaries))
        create_database(server, "fuzz")
        install_pgvigil(server, "fuzz")
        dsn = server.dsn("fuzz", via_socket=True)
        with psycopg.connect(dsn, autocommit=True) as connection:
            fill(connection)
        prepare(dsn)
        dsns = {
            role: server.dsn("fuzz", user=login, via_socket=True) for role, login in LOGINS.items()
        }
        report = Campaign(dsn, dsns, chosen).run(calls, seconds)
        click.echo(report)
        troubles = list(troubles_of(dsn, dsns))
    for trouble in troubles:
        click.echo(f"AFTERWARDS {trouble}")
    click.echo(_verdict(report, troubles))
    if report.wrong or troubles:
        sys.exit(1)


def _verdict(report: Report, troubles: list[str]) -> str:
    return (
        f"{report.calls} calls, {len(report.wrong)} kinds of wrong outcomes,"
        f" {sum(report.known.values())} known ones, {len(troubles)} troubles afterwards"
    )


if __name__ == "__main__":
    main()
