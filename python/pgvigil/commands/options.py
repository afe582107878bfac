"""Options that several subcommands share."""

import getpass
import re
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import click

from pgvigil.database.words import length_of_time

_Function = TypeVar("_Function", bound=Callable[..., Any])


def dsn_option(function: _Function) -> _Function:
    """Add ``--dsn``, passed on as ``dsn``: a URI, key=value pairs, or empty for libpq's PG*."""
    return click.option(
        "--dsn",
        envvar="PGVIGIL_DSN",
        default="",
        metavar="DSN",
        help="Database, as a URI or as key=value pairs. Default: PGVIGIL_DSN, else libpq's "
        "own PGHOST, PGDATABASE and so on.",
    )(function)


def option_group(*options: Callable[[Any], Any]) -> Callable[[_Function], _Function]:
    """Return what adds several options, in the order in which the help lists them."""

    def add(function: _Function) -> _Function:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def who_and_why(function: _Function) -> _Function:
    """Add who decided, by default the user who is logged in here, and a note."""
    by = click.option("--by", default=getpass.getuser, help="Your name. Default: your login name.")
    note = click.option("-m", "--note", metavar="TEXT", help="Why, for the history.")
    return by(note(function))


log_format_option = click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
log_level_option = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)


class Duration(click.ParamType[float]):
    """A length of time such as 500ms, 10s, 2m, 1h or 7d; a bare number is seconds."""

    name = "duration"
    _UNITS: ClassVar = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

    def __init__(self, least: float = 0.0) -> None:
        """Refuse what is shorter than so many seconds."""
        self._least = least

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return seconds."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|)", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is not a length of time; write 10s, 2m, 1h or 7d", param, ctx)
        seconds = float(found[1]) * self._UNITS[found[2]]
        if seconds < self._least:
            self.fail(f"{value!r} is less than {length_of_time(self._least)}", param, ctx)
        return seconds


def since_option(default: str) -> Callable[[_Function], _Function]:
    """Add ``--since``, passed on in seconds: how far back."""
    return click.option(
        "--since",
        type=Duration(),
        default=default,
        show_default=True,
        metavar="TIME",
        help="How far back, such as 90m, 24h or 7d.",
    )


def search_option(where: str) -> Callable[[_Function], _Function]:
    """Add ``--search``: only what has a text in it, in capitals or not."""
    return click.option("--search", metavar="TEXT", help=f"Only those with TEXT in {where}.")


def limit_option(function: _Function) -> _Function:
    """Add ``--limit``: how many rows at most."""
    return click.option(
        "--limit",
        type=click.IntRange(1, 10_000),
        default=50,
        show_default=True,
        help="Most rows to list.",
    )(function)
