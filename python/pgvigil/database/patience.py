"""Connections that do not wait for ever."""

import asyncio
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen
from psycopg.pq.abc import PGconn

from pgvigil.database.documents import tame_documents
from pgvigil.database.far_times import take_far_times
from pgvigil.database.words import length_of_time

_T = TypeVar("_T")
_SECONDS_BETWEEN_LOOKS = 0.1


class ImpatientConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that gives up when the server is silent for too long.

    A statement_timeout lives in the server, so it helps neither against a dead network nor
    against a frozen server.
    """

    patience = 5.0

    def __init__(self, pgconn: PGconn, *args: Any, **kwargs: Any) -> None:
        """Take over a connection; times beyond those of Python are read as the last of them."""
        super().__init__(pgconn, *args, **kwargs)
        take_far_times(self)
        tame_documents(self)

    def wait(self, gen: PQGen[_T], *args: Any, **kwargs: Any) -> _T:
        """Wait as psycopg does, but raise OperationalError after `patience` seconds."""
        return super().wait(self._until(gen, time.monotonic() + self.patience), *args, **kwargs)

    def _until(self, gen: PQGen[_T], deadline: float) -> Generator[Any, Any, _T]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > deadline:
                    gen.close()
                    raise psycopg.OperationalError(
                        f"no answer within {length_of_time(self.patience)}"
                    )
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


class HastyConnection(psycopg.AsyncConnection[Any]):
    """A connection that is closed as soon as nobody waits for it any more.

    The driver would first have the server cancel what it does, and wait for that: half a minute
    where the server is frozen. A time limit in the server ends it there.
    """

    def __init__(self, pgconn: PGconn, *args: Any, **kwargs: Any) -> None:
        """Take over a connection; times beyond those of Python are read as the last of them."""
        super().__init__(pgconn, *args, **kwargs)
        take_far_times(self)
        tame_documents(self)

    async def wait(self, gen: PQGen[_T], *args: Any, **kwargs: Any) -> _T:
        """Wait as psycopg does, but close the connection at once when that is cancelled."""
        if not args:
            # Without an interval it would look all the time, and keep a processor busy.
            kwargs.setdefault("interval", _SECONDS_BETWEEN_LOOKS)
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, *args, **kwargs)
        except (asyncio.CancelledError, KeyboardInterrupt):
            self.pgconn.finish()
            raise
