"""`MonitoringClient`: records what a Python program does, without ever breaking or slowing it."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, overload

import psycopg

from pgvigil.client.recording.asking import Asking
from pgvigil.client.recording.link import DatabaseLink
from pgvigil.client.recording.run_names import TaskId
from pgvigil.client.recording.source_link import SourceLink
from pgvigil.client.recording.task import TrackedTask, current_task
from pgvigil.client.recording.telling import Telling, through
from pgvigil.client.recording.tracking import TrackingCalls
from pgvigil.client.recording.troubles import Troubles
from pgvigil.client.recording.within import (
    AskingWithin,
    AskingWithinLoop,
    WithinAsyncTransaction,
    WithinTransaction,
)
from pgvigil.client.sending.backlog import usual_directory
from pgvigil.client.sending.sender import Sender

__all__ = ["MonitoringClient", "TaskId", "TrackedTask", "current_task"]

_TO_TELL_OF_STARTS = 2.0  # seconds
_LEAST_PATIENCE = 15.0  # seconds; nobody waits for the thread that sends


class MonitoringClient(TrackingCalls):
    """Records tasks, errors, metrics, logs, health, queues, ETL and what becomes of business rows.

    Calls return at once; a thread sends what they say, half a second later at most, over a
    connection of its own, so that it stays when the program rolls back. While the database is away
    records wait in memory and on disk. One client may be shared by all threads; a child process
    begins anew. What is lost all the same is counted in `dropped`, told to the database when it is
    back, and to the logger ``pgvigil`` at most once a minute.

    Times without a zone are local times.
    """

    def __init__(
        self,
        dsn: str | None = None,
        *,
        component: str | None = None,
        worker_id: str | None = None,
        on_error: Literal["log", "raise"] = "log",
        connect_timeout: float = 2.0,
        statement_timeout: float = 5.0,
        flush_interval: float = 0.5,
        queue_bytes: int = 16 << 20,
        spool: bool | str | Path = True,
        spool_bytes: int = 64 << 20,
    ) -> None:
        """Make a client; nothing is opened yet.

        Args:
            dsn: connection URI; when None, ``PGVIGIL_DSN`` or libpq's own environment.
            component: program, service or stage that errors, metrics and log lines come from.
            worker_id: who does the work; ``host:pid`` when None.
            on_error: what happens to what is wrong. ``log``: a bad argument is repaired as far as
                can be and logged, a missing right or function is logged; calls return at once, and
                a thread sends what they say. ``raise``, for tests: calls wait for the database,
                and what is wrong raises. A database that is away never raises.
            connect_timeout: seconds for opening a connection, at least 2.
            statement_timeout: seconds for a call that waits for the database.
            flush_interval: seconds that a record waits for others, to be sent with them.
            queue_bytes: so much may wait in memory.
            spool: whether records are kept on disk while the database is away, or the directory
                for that; True for the usual one, ``$XDG_STATE_HOME/pgvigil/spool``.
            spool_bytes: so much may wait there.

        Raises:
            ValueError: ``on_error`` is neither of the two.
        """
        if on_error not in ("log", "raise"):
            raise ValueError(f'on_error is "log" or "raise", not {on_error!r}')
        dsn = os.environ.get("PGVIGIL_DSN", "") if dsn is None else dsn
        waits = on_error == "raise"
        troubles = Troubles(waits)

        def link(patience: float, rests: bool) -> DatabaseLink:
            return SourceLink(
                dsn,
                application_name=f"pgvigil {component}" if component else "pgvigil client",
                connect_timeout=connect_timeout,
                statement_timeout=patience,
                is_strict=waits,
                rests=rests,
                on_warning=troubles.warned,
            )

        self._link = link(statement_timeout, True)
        self._line = link(max(statement_timeout, _LEAST_PATIENCE), False)
        self._sender = Sender(
            through(self._line),
            dsn=dsn,
            interval=flush_interval,
            most_bytes=queue_bytes,
            directory=_directory(spool),
            spool_bytes=spool_bytes,
        )
        sender = self._sender
        troubles.lost_on_the_way = lambda: sender.lost
        asking = self._asking_through(self._link, troubles)
        telling = None if waits else Telling(troubles, self._sender, asking.name_type)
        super().__init__(component, worker_id, troubles, asking, telling)

    @property
    def dsn(self) -> str:
        """The database that is recorded in, as given or as ``PGVIGIL_DSN`` says."""
        return self._sender.dsn

    def __enter__(self) -> Self:
        """Return the client; `close` is called at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send what waits, and close the connections."""
        self.close()

    @overload
    def on(self, connection: psycopg.Connection[Any]) -> WithinTransaction: ...
    @overload
    def on(self, connection: psycopg.AsyncConnection[Any]) -> WithinAsyncTransaction: ...
    def on(
        self, connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]
    ) -> WithinTransaction | WithinAsyncTransaction:
        """Return the same calls within the transaction that a connection is in.

        What they record is committed with the program's own rows, and undone with them. They wait
        for the database, and leave the transaction as it was where something is wrong with them.

        Args:
            connection: one of psycopg, in whichever state; where it commits by itself, each call is
                a transaction. The calls of an `AsyncConnection` have to be awaited.

        Raises:
            TypeError: it is no connection of psycopg 3.
        """
        about = self.component, self._worker_id, self._troubles
        known = self._telling.runs, lambda: self._sender.flush(_TO_TELL_OF_STARTS)
        if isinstance(connection, psycopg.Connection):
            return WithinTransaction(*about, AskingWithin(self._troubles, connection, *known))
        if isinstance(connection, psycopg.AsyncConnection):
            asking = AskingWithinLoop(self._troubles, connection, *known)
            return WithinAsyncTransaction(*about, asking)
        raise TypeError(
            "on() takes a psycopg.Connection or psycopg.AsyncConnection, "
            f"not {type(connection).__module__}.{type(connection).__qualname__}"
        )

    @property
    def waiting(self) -> int:
        """Records that are in memory alone: neither in the database yet, nor on disk."""
        return self._sender.waiting()

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all that was told before is in the database.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether it is; what is not goes on its way later.
        """
        return self._sender.flush(timeout)

    def close(self, timeout: float = 2.0) -> None:
        """Send what waits and close the connections; a later call opens them again.

        Args:
            timeout: seconds that sending may take; what is left then stays in the spool.
        """
        self._sender.close(timeout)
        self._line.close()
        self._link.close()

    def _asking_through(self, link: DatabaseLink, troubles: Troubles) -> Asking:
        """Return the way of calls whose answer is wanted."""
        return Asking(troubles, link)


def _directory(spool: bool | str | Path) -> Path | None:
    if isinstance(spool, bool):
        try:
            return usual_directory() if spool else None
        except RuntimeError:  # a user without a home
            return None
    return Path(spool)
