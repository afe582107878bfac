"""What may stand in an address, and how the database takes it."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

Severity = Literal["low", "medium", "high", "critical"]
Text = Annotated[str | None, Query(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
"""A name as recorded; the database has none with a NUL in it."""


def _only_written_out(value: Any) -> Any:
    """Refuse numbers, which would count as seconds since 1970."""
    if isinstance(value, str) and value[4:5] != "-":
        raise PydanticCustomError("no_date", "write it as 2026-11-22 or 2026-11-22T09:30:00Z")
    return value


Moment = Annotated[
    AwareDatetime | None,
    BeforeValidator(_only_written_out),
    Query(description="Such as 2026-11-22T09:30:00Z, with its offset from UTC."),
]
Day = Annotated[date | None, BeforeValidator(_only_written_out), Query()]
