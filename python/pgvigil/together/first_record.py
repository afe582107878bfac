"""Saying when the first record of a program has arrived."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import datetime

import psycopg

from pgvigil.database.dsn import complete_dsn
from pgvigil.database.log import log
from pgvigil.database.queries.arrivals import ARRIVALS
from pgvigil.database.queries.state import NOW

_SHORTEST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_GROWTH = 1.05
_SECONDS_TO_ANSWER = 15.0


async def tell_first_record(dsn: str) -> None:
    """Look until a program has recorded something from now on, and say what it was.

    What pgvigil records of itself does not count. A database that is away is no matter: others
    say so.
    """
    since: datetime | None = None
    for pause in _pauses():
        try:
            async with asyncio.timeout(_SECONDS_TO_ANSWER):
                since, what = await _look(dsn, since)
        except (psycopg.Error, TimeoutError):
            what = None
        if what is not None:
            log(logging.INFO, f"the first record has arrived: {what}")
            return
        await asyncio.sleep(pause)


async def _look(dsn: str, since: datetime | None) -> tuple[datetime, str | None]:
    """Return since when is looked for records, and what has been recorded first, if anything."""
    connection = await psycopg.AsyncConnection.connect(
        complete_dsn(dsn, "pgvigil up"), autocommit=True, prepare_threshold=None
    )
    try:
        if since is None:
            row = await (await connection.execute(NOW)).fetchone()
            assert row is not None
            since = row[0]
        for kind, query in ARRIVALS.items():
            row = await (await connection.execute(query, {"since": since})).fetchone()
            if row is not None:
                return since, f"{kind} {row[0]}"
        return since, None
    finally:
        await connection.close()


def _pauses() -> Iterator[float]:
    """Yield seconds between two looks: few at the beginning, when somebody is waiting."""
    pause = _SHORTEST_PAUSE
    while True:
        yield pause
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)
