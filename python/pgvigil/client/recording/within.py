"""Recording within a transaction of the program: committed with its rows, or undone with them."""

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from contextlib import nullcontext
from typing import Any, TypeVar, cast

import psycopg

from pgvigil.client.recording.answers import Answer, AsyncTaskId, note, tell_of_failure
from pgvigil.client.recording.asking import Asking, Call
from pgvigil.client.recording.awaited import AwaitedCalls
from pgvigil.client.recording.borrowed import AsyncBorrowedLink, BorrowedLink
from pgvigil.client.recording.run_names import RunNames
from pgvigil.client.recording.tracking import TrackingCalls
from pgvigil.client.recording.troubles import Troubles, is_silenced, silenced

_T = TypeVar("_T")


class WithinTransaction(TrackingCalls):
    """Records over a connection of the program's own; made by `MonitoringClient.on`.

    What is recorded is a part of the transaction that the connection is in: it is committed with
    the program's rows, and undone with them. Each call waits for the database and returns what that
    says. A call that fails leaves the transaction as it was. It is for one transaction, or several
    one after another, and for as many threads as the connection itself.
    """


class WithinAsyncTransaction(AwaitedCalls):
    """Does what `WithinTransaction` does, over an asynchronous connection.

    Its calls have to be awaited: one that is not is made when the next one is awaited, and lost,
    which is counted and logged, where none is.
    """


class AskingWithin(Asking):
    """Has functions called over somebody else's connection."""

    def __init__(
        self,
        troubles: Troubles,
        connection: psycopg.Connection[Any],
        runs: RunNames,
        flush: Callable[[], object],
    ) -> None:
        """Borrow a connection.

        Args:
            troubles: what is told of what goes wrong.
            connection: which one.
            runs: those that the client has begun.
            flush: has the database told of them.
        """
        super().__init__(troubles, BorrowedLink(connection, troubles.raises), RunNames(runs))
        self._connection = connection
        self._flush = flush

    def _carry_out(self, call: Call) -> Any:
        if call.is_early():
            self._flush()
        self._connection.add_notice_handler(self._troubles.warned)
        try:
            return super()._carry_out(call)
        finally:
            self._connection.remove_notice_handler(self._troubles.warned)


class AskingWithinLoop(Asking):
    """Has functions called over somebody else's asynchronous connection, when that is awaited."""

    name_type = AsyncTaskId

    def __init__(
        self,
        troubles: Troubles,
        connection: psycopg.AsyncConnection[Any],
        runs: RunNames,
        flush: Callable[[], object],
    ) -> None:
        """Borrow a connection; arguments as for `AskingWithin`."""
        super().__init__(troubles, AsyncBorrowedLink(connection, troubles.raises), RunNames(runs))
        self._connection = connection
        self._flush = flush
        self._waiting: deque[_Waiting] = deque()
        self._turn = asyncio.Lock()

    def __del__(self) -> None:
        """Count what nobody has awaited."""
        lost = sum(waiting.call.at_stake for waiting in self._waiting)
        if lost:
            error = RuntimeError("calls over an asynchronous connection have to be awaited")
            self._troubles.lose(lost, "not awaited", "cannot record", error)

    def _carry_out(self, call: Call) -> "LoopAnswer[Any]":
        waiting = _Waiting(call)
        self._waiting.append(waiting)
        return LoopAnswer(self, waiting)

    async def settle(self, wanted: "_Waiting") -> None:
        """Make the calls that wait, in their order, until this one has been made."""
        while not wanted.is_made:
            async with self._turn:
                if not wanted.is_made:
                    await self._make(self._waiting.popleft())

    async def _make(self, waiting: "_Waiting") -> None:
        call = waiting.call
        if call.is_early():
            await asyncio.to_thread(self._flush)
        self._connection.add_notice_handler(self._troubles.warned)
        try:
            with (
                silenced() if waiting.is_silenced else nullcontext(),
                self._troubles.of_call(call.function, call.at_stake),
            ):
                found = await self._link.call(call.function, call.arguments())
                waiting.value = call.answer(found)
        except Exception as error:
            waiting.error = error
            if waiting.is_left_alone:
                tell_of_failure(error)
        finally:
            waiting.is_made = True
            self._connection.remove_notice_handler(self._troubles.warned)


class _Waiting:
    """A call that is yet to be made, and what has come of it."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.is_silenced = is_silenced()
        self.is_made = False
        self.is_left_alone = False
        self.value = call.otherwise
        self.error: Exception | None = None


class LoopAnswer(Answer[_T]):
    """What a call over an asynchronous connection will return."""

    def __init__(self, asking: AskingWithinLoop, waiting: _Waiting) -> None:
        """Hold what is yet to come."""
        super().__init__()
        self._asking = asking
        self._waiting = waiting
        self._is_awaited = False
        note(self)

    def __await__(self) -> Generator[Any, None, _T]:
        """Make the call, after those before it; see `Answer`."""
        self._is_awaited = True
        yield from self._asking.settle(self._waiting).__await__()
        if self._waiting.error is not None:
            raise self._waiting.error
        return cast(_T, self._waiting.value)

    @property
    def value(self) -> _T | None:
        """What it is; None for as long as that is not known."""
        return cast("_T | None", self._waiting.value)

    def __del__(self) -> None:
        """Have the log told of a failure that nobody waits for."""
        self._waiting.is_left_alone = not self._is_awaited
        if self._waiting.is_left_alone and self._waiting.error is not None:
            tell_of_failure(self._waiting.error)
