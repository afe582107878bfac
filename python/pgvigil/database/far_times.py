"""Times that PostgreSQL holds and Python cannot: they are shown as the last, or first, that it can.

A row of the year 20000, or of no end at all, must not keep all others from being read.
"""

from datetime import UTC, date, datetime
from math import copysign, isfinite
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

# A day from the end, so that they can be told in every time zone.
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
"""What stands for all times before year 1."""
LATEST = datetime(9999, 12, 30, tzinfo=UTC)
"""What stands for all times after year 9999."""

LONGEST = 1e18
"""What stands for a length without end, in whatever unit."""

_TYPES = ("timestamptz", "timestamp", "date")


class _TolerantLoader(Loader):
    """Reads as the loader that was there before, and what that cannot as the nearest it can."""

    plain: type[Any]
    earliest: date
    latest: date

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._plain = self.plain(oid, context)

    def load(self, data: Buffer) -> Any:
        try:
            return self._plain.load(data)
        except psycopg.DataError:
            return self.earliest if _is_early(bytes(data).decode()) else self.latest


def take_far_times(context: AdaptContext) -> None:
    """Let a connection, or cursor, read rows whose times lie beyond those of Python.

    Args:
        context: what reads; cursors that it has given out already go on as before.
    """
    for name in _TYPES:
        kind = context.adapters.types[name]
        plain = context.adapters.get_loader(kind.oid, Format.TEXT)
        if plain is None or issubclass(plain, _TolerantLoader):
            continue
        ends: dict[str, date] = {"earliest": EARLIEST, "latest": LATEST}
        if name == "timestamp":
            ends = {
                "earliest": EARLIEST.replace(tzinfo=None),
                "latest": LATEST.replace(tzinfo=None),
            }
        elif name == "date":
            ends = {"earliest": EARLIEST.date(), "latest": LATEST.date()}
        loader = type(f"Tolerant_{name}", (_TolerantLoader,), {"plain": plain, **ends})
        context.adapters.register_loader(kind.oid, loader)


class _FiniteLoader(Loader):
    """Reads a number; of what has no end as much as serves."""

    def load(self, data: Buffer) -> float:
        value = float(bytes(data))
        return value if isfinite(value) else copysign(LONGEST, value)


def take_endless_lengths(context: AdaptContext) -> None:
    """Let a connection read lengths of time without end as numbers, for what JSON can hold.

    Args:
        context: what reads; cursors that it has given out already go on as before.
    """
    context.adapters.register_loader("float8", _FiniteLoader)


def read_time(text: str) -> datetime:
    """Return the time that stands in a document of the database, or the nearest Python has."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return EARLIEST if _is_early(text) else LATEST


def _is_early(text: str) -> bool:
    return text.startswith("-") or text.endswith("BC")
