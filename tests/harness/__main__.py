"""The commands of the test harness."""

import sys
from pathlib import Path

import click
import psycopg

from docs.site.diagrams import write_diagrams
from pgvigil.demo.server_binaries import (
    ServerError,
    find_binaries,
    installed_binaries,
    major_version,
)
from tests.harness.databases import create_database, disposable_server, install_pgvigil
from tests.harness.errors import HarnessError
from tests.harness.kept import KeptServer
from tests.harness.matrix import TIME_ZONES, find_version, run_matrix
from tests.harness.parts import run_parts
from tests.harness.pgtap import find_tests, prepare_database, run_pg_prove
from tests.harness.plpgsql_check import find_findings
from tests.harness.shipped_lists import PAGES, with_shipped_lists
from tests.harness.site import with_list_of_pages
from tests.harness.sql_api import render, with_lists_of_roles

# The version of Debian 12, where pgTAP and plpgsql_check come from.
_DEBIAN = 15


@click.group()
def main() -> None:
    """Start a server, install pgvigil and prove its SQL."""


@main.command()
@click.option("--pg", type=int, default=None, help="PostgreSQL major version (15 where present).")
@click.argument("files", nargs=-1, type=click.Path(exists=True))
def pgtap(pg: int | None, files: tuple[str, ...]) -> None:
    """Run FILES, or all pgTAP tests, through pg_prove."""
    tests = find_tests(files)
    with disposable_server(find_version(pg or _usual_version())) as server:
        result = run_pg_prove(server, prepare_database(server), tests)
    click.echo(result.output, nl=False)
    if not result.passed:
        sys.exit(result.exit_code or 1)


@main.command("try")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True))
def try_files(files: tuple[str, ...]) -> None:
    """Run pgTAP FILES on the kept server, after loading what has changed since."""
    kept = KeptServer(find_version(_usual_version()))
    kept.start()
    result = kept.prove(files)
    click.echo(result.output, nl=False)
    if not result.passed:
        sys.exit(result.exit_code or 1)


@main.command()
@click.option("--stop", is_flag=True, help="Stop the server instead.")
def db(stop: bool) -> None:
    """Keep a server with pgvigil and pgTAP, and print how to connect."""
    kept = KeptServer(find_version(_usual_version()))
    if stop:
        click.echo("stopped" if kept.stop() else "no server runs")
    else:
        click.echo(f"psql '{kept.start()}'")


@main.command(hidden=True)
@click.argument("binaries", type=click.Path(file_okay=False, path_type=Path))
@click.argument("home", type=click.Path(file_okay=False, path_type=Path))
def keep(binaries: Path, home: Path) -> None:
    """Be the process that holds the kept server."""
    KeptServer(binaries, home).keep()


@main.command()
def plpgsql_check() -> None:
    """Check every PL/pgSQL body; a warning is a failure."""
    with disposable_server(find_version(_usual_version())) as server:
        routines, findings = find_findings(server, prepare_database(server))
    for finding in findings:
        click.echo(finding)
    click.echo(f"plpgsql_check: {routines} routines, {len(findings)} findings")
    if findings or not routines:
        sys.exit(1)


@main.command()
@click.option(
    "--pg", "versions", type=int, multiple=True, default=tuple(TIME_ZONES), show_default=True
)
@click.argument("files", nargs=-1, type=click.Path(exists=True))
def matrix(versions: tuple[int, ...], files: tuple[str, ...]) -> None:
    """Run FILES, or all pgTAP tests, on every supported PostgreSQL."""
    all_passed = True
    for summary, result in run_matrix(versions, files):
        if not result.passed:
            all_passed = False
            click.echo(result.output, nl=False)
        click.echo(summary)
    if not all_passed:
        sys.exit(1)


@main.command()
def parts() -> None:
    """Run all parts of `make test` side by side."""
    results = run_parts()
    click.echo("\n" + "\n".join(map(str, results)))
    if not all(result.passed for result in results):
        sys.exit(1)


@main.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
def docs(directory: Path) -> None:
    """Write what documents in DIRECTORY say by the catalogue and by the navigation of the site."""
    write_diagrams(directory / "images")
    entrance = directory / "README.md"
    entrance.write_text(with_list_of_pages(entrance.read_text()))
    with disposable_server(find_version(_usual_version())) as server:
        create_database(server, "reference")
        install_pgvigil(server, "reference")
        with psycopg.connect(server.dsn("reference")) as connection:
            (directory / "sql-api.md").write_text(render(connection))
            security = directory / "security.md"
            security.write_text(with_lists_of_roles(security.read_text(), connection))
            for name in PAGES:
                page = directory / name
                page.write_text(with_shipped_lists(page.read_text(), connection))


def _usual_version() -> int:
    installed = [major_version(binaries) for binaries in installed_binaries()]
    if _DEBIAN in installed:
        return _DEBIAN
    version = major_version(find_binaries())
    click.echo(f"PostgreSQL {_DEBIAN} is not installed; using {version}", err=True)
    return version


if __name__ == "__main__":
    try:
        main()
    except (HarnessError, ServerError) as error:
        sys.exit(str(error))
