"""One record of a file as it stands there."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from pgvigil.client.backfill.forms import Form
from pgvigil.client.backfill.kinds import Kind
from pgvigil.exceptions import PgvigilError


class UnknownColumnsError(PgvigilError):
    """The file's header names columns that this kind of record does not have."""


class BadLineError(Exception):
    """A line that cannot be a record; the message says why."""


@dataclass(frozen=True)
class Line:
    """One record of the file as it stands there."""

    number: int
    """Number of its first line, from 1."""
    text: str
    """Its text unchanged, with the line end; a quoted CSV cell may span several lines."""
    kind: Kind | None = None
    row: dict[str, Any] = field(default_factory=dict)
    """Its columns that are not null."""
    fault: str | None = None
    """Why it is no record, if it is none."""


def row_of(form: Form, values: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return what a line says as a record.

    Raises:
        BadLineError: it says something that cannot be turned into one.
    """
    try:
        return form.row(values, names)
    except (TypeError, ValueError, AttributeError) as error:
        raise BadLineError(f"the line is not one of {form.name}: {error}") from error
