"""What may stand in an address, and how the database takes it."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AwareDatetime, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

Severity = Literal["low", "medium", "high", "critical"]
Kind = Literal["failed", "stuck", "long", "late", "other"]
"""What kind of trouble an alert is about."""
NAME: dict[str, Any] = {"min_length": 1, "max_length": 255, "pattern": r"^[^\x00]*$"}
"""What holds of a name as recorded; the database has none with a NUL in it."""
Text = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
"""A name as recorded; the database has none with a NUL in it."""

GivenText = Annotated[str, Query(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
"""The same, where it must be given."""
ErrorNumber = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""Number of an error or a log line; one that a backfill chose is negative."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:.*?(?P<offset>Z|z|[+\- ]\d\d:?\d\d)?")
_OFTEN = "Such as 2026-11-22T09:30:00Z, with its offset from UTC, or a day such as 2026-11-22"
_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
            {"type": "null"},
        ]
    }
)


def _only_written_out(value: Any) -> Any:
    """Refuse numbers, which would count as seconds since 1970."""
    if isinstance(value, str) and value[4:5] != "-":
        raise PydanticCustomError("no_date", "write it as 2026-11-22 or 2026-11-22T09:30:00Z")
    return value


def _only_with_offset(value: Any) -> Any:
    """Refuse times that do not say where; in an address a + that is not quoted is a blank."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return _only_written_out(value)
    if found["offset"] is None:
        raise PydanticCustomError("no_offset", "write it with its offset, as 2026-11-22T09:30:00Z")
    return value[: found.start("offset")] + found["offset"].replace(" ", "+")


def day_of(text: Any) -> date | None:
    """Return the day that a text names; None when it names none, or a time."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except (TypeError, ValueError):
        return None


def midnight(day: date, days_later: int = 0) -> datetime:
    """Return when a day begins in UTC, or a day so much later or earlier, if there is any."""
    try:
        day += timedelta(days=days_later)
    except OverflowError:
        day = date.max if days_later > 0 else date.min
    return datetime.combine(day, time(), UTC)


def _moment_of(days_later: int) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        day = day_of(value)
        return _only_with_offset(value) if day is None else midnight(day, days_later)

    return read


From = Annotated[
    AwareDatetime | None,
    BeforeValidator(_moment_of(0)),
    _SCHEMA,
    Query(description=f"{_OFTEN}, which means its beginning in UTC."),
]
To = Annotated[
    AwareDatetime | None,
    BeforeValidator(_moment_of(1)),
    _SCHEMA,
    Query(description=f"{_OFTEN}, which means its end in UTC: the day is in the span."),
]
DayOrMoment = Annotated[
    AwareDatetime | date | None,
    BeforeValidator(lambda value: day_of(value) or _only_with_offset(value)),
    _SCHEMA,
    Query(description=f"{_OFTEN}, which means the business day of the workflow."),
]
Day = Annotated[date | None, BeforeValidator(_only_written_out), Query()]
