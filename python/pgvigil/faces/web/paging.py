"""Lists in pages: each names where the next one begins, so that none is skipped or shown twice."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from psycopg.rows import DictRow
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from pgvigil.faces.web.database import Reader
from pgvigil.faces.web.problems import INVALID_CURSOR, ProblemError

MOST_ROWS = 1000


class Row(BaseModel):
    """A row of a view; columns that it does not name are left out."""

    model_config = ConfigDict(extra="ignore")


RowT = TypeVar("RowT", bound=Row)


class Rows(BaseModel, Generic[RowT]):
    """A list, or a page of one."""

    rows: list[RowT]
    next: str | None = None
    """Pass it as `after` to have the next page; null: this is the last."""
    as_of: datetime
    """When the database answered, by its clock."""


Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Most rows to return.")]
After = Annotated[
    str | None,
    Query(max_length=2000, description="`next` of the page before; none for the first page."),
]


# A place comes back from the caller: what no column holds is no place.
RowNumber = Annotated[int, Field(ge=0, le=2**63 - 1)]
Attempt = Annotated[int, Field(ge=0, le=2**31 - 1)]


@dataclass(frozen=True)
class Part:
    """A part of a list with an order of its own: such as what runs, before what has ended."""

    query: str
    """Takes what is asked for, `limit`, and in pages the place before the page."""
    place: Mapping[str, Any] = field(default_factory=dict)
    """Columns that say where a row stands, with their types; they are passed as `after_COLUMN`."""
    is_kept: bool = False
    """Whether one plan suits all values, since none of them tells which days are to be read."""
    is_asked_for: Callable[[Mapping[str, Any]], bool] = lambda asked: True
    """Whether it is part of the list, by what is asked for."""

    @property
    def shape(self) -> TypeAdapter[Any]:
        """The values of `place`, in a cursor."""
        shape: Any = tuple
        return TypeAdapter(shape[tuple(self.place.values())])


async def read_page(
    reader: Reader,
    parts: Sequence[Part],
    asked: Mapping[str, Any],
    after: str | None,
    limit: int | None,
) -> tuple[list[DictRow], str | None]:
    """Return the rows of a page, and where the next one begins; of no limit, all rows.

    Raises:
        ProblemError: `after` does not come from this list.
    """
    parts = [part for part in parts if part.is_asked_for(asked)]
    first, place = _read_cursor(after, parts)
    found: list[tuple[int, DictRow]] = []
    for number, part in enumerate(parts[first:], first):
        before = place if number == first and place else (None,) * len(part.place)
        values = {
            **asked,
            **{f"after_{name}": value for name, value in zip(part.place, before, strict=True)},
        }
        if limit is not None:
            # One more tells whether there is another page.
            values["limit"] = limit + (1 if part.place else 0) - len(found)
        rows = await reader.rows(part.query, values or None, part.is_kept)
        found += [(number, row) for row in rows]
        if limit is not None and len(found) > limit:
            number, last = found[limit - 1]
            cursor = _write_cursor(number, [last[name] for name in parts[number].place])
            return [row for _, row in found[:limit]], cursor
    return [row for _, row in found], None


def _write_cursor(number: int, place: Sequence[Any]) -> str:
    text = json.dumps([number, *place], default=datetime.isoformat, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None, parts: Sequence[Part]) -> tuple[int, tuple[Any, ...]]:
    if cursor is None:
        return 0, ()
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        number, *place = json.loads(text)
        if not isinstance(number, int) or not 0 <= number < len(parts):
            raise ValueError
        return number, parts[number].shape.validate_json(json.dumps(place))
    except (ValueError, TypeError, RecursionError):
        raise ProblemError(
            INVALID_CURSOR,
            "the value of after does not come from this list",
            "Pass `next` of the page before, unchanged.",
        ) from None
