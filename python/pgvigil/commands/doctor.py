"""``pgvigil doctor``."""

import sys
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.options import dsn_option
from pgvigil.install.doctor import Check, examine

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@click.command()
@json_option
@dsn_option
def command(as_json: bool, dsn: str) -> None:
    """Check server, installation and rights; name a remedy for each fault.

    Exits with 1 when a check failed; warnings do not count.
    """
    checks = list(examine(dsn))
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        _print(checks)
    sys.exit(1 if any(check.level == "fail" for check in checks) else 0)


def _print(checks: list[Check]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        text = Text(check.finding)
        if check.remedy:
            text.append(f"\n-> {check.remedy}", style="italic")
        table.add_row(Text(check.level, style=_STYLES[check.level]), check.name, text)
    Console(highlight=False, markup=False).print(table)
