"""Exports: made by a thread with a connection of its own, and sent as fast as they are taken."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

import psycopg

from pgvigil.database.connections import read_now
from pgvigil.database.dsn import complete_dsn
from pgvigil.database.patience import ImpatientConnection
from pgvigil.database.roles import BECOME, LIMIT, MAY_BECOME, READER
from pgvigil.faces.export import ExportError, Span, export, parse_span
from pgvigil.faces.web.database import BusyError

_MOST_AT_ONCE = 2
_PIECES_AHEAD = 8
_SECONDS_TO_BE_TAKEN = 60.0
# A million rows are sorted before the first of them comes.
_SECONDS_TO_ANSWER = 600.0
_SECONDS_TO_CONNECT = 5


class NotTakenError(Exception):
    """Nobody took what was made for too long."""


@dataclass(frozen=True)
class Order:
    """What is to be exported."""

    what: str
    file_format: str
    from_at: datetime | None
    to_at: datetime | None


class Exporter:
    """Makes a few exports at a time, apart from the connections for short questions."""

    def __init__(self, dsn: str) -> None:
        """Describe a database; nothing is opened before the first export.

        Raises:
            DatabaseNotReadyError: the DSN cannot be parsed.
        """
        self._dsn = complete_dsn(dsn, "pgvigil web export", _SECONDS_TO_CONNECT)
        self._under_way = 0

    async def begin(self, order: Order) -> "Making":
        """Begin an export, which goes on until all is taken or it is given up.

        Raises:
            BusyError: as many as may be are under way.
            ExportError: it cannot be made.
            psycopg.Error: the database is away, or refuses.
        """
        if self._under_way >= _MOST_AT_ONCE:
            raise BusyError
        loop = asyncio.get_running_loop()
        making = Making(self._dsn, order, loop)
        self._under_way += 1
        making.start(lambda: loop.call_soon_threadsafe(self._end))
        try:
            # Shielded: the thread is to tell even when nobody waits for it any more.
            await asyncio.shield(asyncio.wrap_future(making.begun))
        except BaseException:
            making.give_up()
            raise
        return making

    def _end(self) -> None:
        self._under_way -= 1


class Making:
    """One export under way; only its thread uses the connection."""

    def __init__(self, dsn: str, order: Order, loop: asyncio.AbstractEventLoop) -> None:
        """Describe an export; `Exporter.begin` makes one."""
        self.begun: Future[Span] = Future()
        self._dsn = dsn
        self._order = order
        self._loop = loop
        self._queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(_PIECES_AHEAD)
        self._is_unwanted = threading.Event()

    @property
    def span(self) -> Span:
        """The time that it is about."""
        return self.begun.result()

    def start(self, end: Callable[[], object]) -> None:
        """Start the thread; `end` is called when it is through."""

        def run() -> None:
            # The loop may be over by now.
            with suppress(RuntimeError):
                try:
                    self._make()
                finally:
                    end()

        threading.Thread(target=run, name="export", daemon=True).start()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield what has been made; an error breaks the answer off, so that it shows."""
        while (piece := await self._queue.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def give_up(self) -> None:
        """Have the thread end soon, unless it has ended."""
        self._is_unwanted.set()
        # It may be waiting for room.
        while not self._queue.empty():
            self._queue.get_nowait()

    def _break_off(self) -> None:
        self.give_up()
        self._queue.put_nowait(NotTakenError())

    def _make(self) -> None:
        try:
            with _transaction(self._dsn) as connection:
                span = _span(connection, self._order)
                made = export(connection, self._order.what, self._order.file_format, span)
                with closing(made) as pieces:
                    self.begun.set_result(span)
                    if all(self._hand_over(piece) for piece in pieces):
                        self._hand_over(None)
        except Exception as error:
            if self.begun.done():
                self._hand_over(error)
            else:
                self.begun.set_exception(error)

    def _hand_over(self, piece: bytes | Exception | None) -> bool:
        """Pass on a piece once there is room for it; tell whether somebody still takes them."""
        putting = asyncio.run_coroutine_threadsafe(self._queue.put(piece), self._loop)
        try:
            putting.result(_SECONDS_TO_BE_TAKEN)
        except TimeoutError:
            putting.cancel()
            # Whoever comes back after all must not wait for the rest, nor take it for complete.
            self._loop.call_soon_threadsafe(self._break_off)
            return False
        return not self._is_unwanted.is_set()


def _span(connection: psycopg.Connection[tuple[object, ...]], order: Order) -> Span:
    from_text = order.from_at.isoformat() if order.from_at else None
    to_text = order.to_at.isoformat() if order.to_at else None
    try:
        return parse_span(from_text, to_text, read_now(connection))
    except ValueError as error:
        raise ExportError(str(error)) from error


@contextmanager
def _transaction(dsn: str) -> Iterator[ImpatientConnection]:
    """Begin a transaction that only reads, with a reader's rights where the login may have them."""
    with ImpatientConnection.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        connection.patience = _SECONDS_TO_ANSWER
        connection.read_only = True
        with connection.transaction():
            connection.execute(LIMIT, {"limit": f"{_SECONDS_TO_ANSWER:g}s"})
            row = connection.execute(MAY_BECOME, {"role": READER}).fetchone()
            if row and row[0]:
                connection.execute(BECOME, {"role": READER})
            yield connection
