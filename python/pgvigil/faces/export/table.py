"""What the writers of all formats are given: named columns and rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from importlib import import_module
from typing import Any

from pgvigil.exceptions import MissingExtraError, PgvigilError
from pgvigil.faces.export.span import Span

_FORMATS = {"fpdf": "pdf", "xlsxwriter": "xlsx"}


class ExportError(PgvigilError):
    """Something cannot be exported as was asked for."""


class Json(str):
    """JSON as the database sent it: taken over as it is, rather than taken apart."""

    __slots__ = ()


@dataclass(frozen=True)
class Table:
    """Rows to be written, each of which can be had once."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    span: Span
    zone: tzinfo
    """Time zone in which times are written."""
    widths: Mapping[str, int]
    """Columns that fit a page, with the share of its width that each gets; > marks numbers."""
    is_exact: bool
    """Whether texts stay as they are, though a spreadsheet may take one for a formula."""


def in_zone(value: datetime, zone: tzinfo) -> str:
    """Return a time in ISO 8601, with its distance from UTC."""
    return value.astimezone(zone).isoformat()


def needed(module: str) -> Any:
    """Return a module of the extra ``server``.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(f"the format {_FORMATS[module]}") from error
