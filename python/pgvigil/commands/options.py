"""Options that several subcommands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

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
