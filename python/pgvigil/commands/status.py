"""``pgvigil status``."""

import sys

import click
from rich.console import Console
from rich.table import Table

from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.options import dsn_option
from pgvigil.database.connections import connect
from pgvigil.database.words import count_of
from pgvigil.faces.plain import plain
from pgvigil.install.status import Partitions, Status, read_status

_CODE = {
    "current": "this version's",
    "other": "not this version's: run pgvigil migrate",
    "unknown": "loaded by plain psql, so not compared; pgvigil migrate settles it",
    "missing": "none: run pgvigil migrate",
}


@click.command()
@dsn_option
@json_option
def command(dsn: str, as_json: bool) -> None:
    """Tell what is installed in a database and what is missing.

    Exits with 1 when pgvigil is not installed there.
    """
    with connect(dsn) as connection:
        status = read_status(connection)
    if as_json:
        print_json(status.as_json())
    else:
        _print(status)
    sys.exit(0 if status.installed else 1)


def _print(status: Status) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("database", f"{status.database}, as {status.user}")
    table.add_row("server", f"PostgreSQL {status.server_version}")
    table.add_row("package", f"pgvigil {status.package_version}")
    if status.installed:
        _add_installation(table, status)
    else:
        table.add_row("installed", "nothing: pgvigil is not in this database; run pgvigil migrate")
    Console(highlight=False, markup=False).print(table)


def _add_installation(table: Table, status: Status) -> None:
    table.add_row("installed", f"pgvigil {status.version}" if status.version else "tables only")
    table.add_row("migrations", f"{len(status.applied)} applied, newest {status.applied[-1]}")
    table.add_row("  pending", ", ".join(status.pending) or "none")
    if status.unknown:
        table.add_row("  unknown", f"{', '.join(status.unknown)}: this package is older")
    loaded = f" (loaded {status.code_loaded_at})" if status.code_loaded_at else ""
    table.add_row("code", _CODE[status.code] + loaded)
    if status.version:
        table.add_row("roles", _roles(status))
    for known in status.freshness:
        words = known.detail if known.is_known else f"NOT KNOWN: {known.detail}"
        table.add_row(plain(known.subject), plain(words))
    for entry in status.partitions:
        table.add_row(entry.table, _describe(entry))


def _roles(status: Status) -> str:
    if status.missing_roles:
        return f"missing: {', '.join(status.missing_roles)}"
    if status.grants_are_stale:
        return "all there, but not granted everything yet: run pgvigil migrate"
    return "all there"


def _describe(entry: Partitions) -> str:
    count = count_of(entry.partitions, "partition")
    if entry.days_ahead is None:
        return "no partition yet"
    if entry.days_ahead < 0:
        return f"{count}, none for today"
    return f"{count}, {count_of(entry.days_ahead, 'day')} ahead"
