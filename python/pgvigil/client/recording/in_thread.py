"""Calls that wait for the database in a thread, so that an event loop goes on meanwhile."""

import contextvars
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from pgvigil.client.recording.answers import AsyncTaskId, ThreadAnswer
from pgvigil.client.recording.asking import Asking, Call
from pgvigil.client.recording.link import DatabaseLink
from pgvigil.client.recording.troubles import Troubles

_T = TypeVar("_T")


class Worker:
    """Runs functions one after another, in a thread that begins with the first of them.

    The end of the program waits until all have run.
    """

    def __init__(self) -> None:
        """Begin nothing yet."""
        self._pid = os.getpid()
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, function: Callable[[], _T]) -> "Future[_T]":
        """Have a function run, in the present context."""
        if os.getpid() != self._pid:
            self._pid, self._pool = os.getpid(), None  # the thread belongs to the parent
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "pgvigil-calls")
        run = partial(contextvars.copy_context().run, function)
        try:
            return self._pool.submit(run)
        except RuntimeError:  # no thread begins any more: nobody's loop is held up by now
            return _run(run)

    def end(self) -> None:
        """Let the thread end when all has run; the next function begins another."""
        pool, self._pool = self._pool, None
        if pool is not None and os.getpid() == self._pid:
            pool.shutdown(wait=False)


class AskingInThread(Asking):
    """Has functions called in order in a thread, and returns answers at once."""

    name_type = AsyncTaskId

    def __init__(self, troubles: Troubles, link: DatabaseLink, worker: Worker) -> None:
        """Send calls through a link in a thread, and tell of troubles."""
        super().__init__(troubles, link)
        self._worker = worker

    def _carry_out(self, call: Call) -> ThreadAnswer[Any]:
        return ThreadAnswer(self._worker.submit(partial(super()._carry_out, call)))


def _run(function: Callable[[], _T]) -> "Future[_T]":
    """Run a function here."""
    future: Future[_T] = Future()
    try:
        future.set_result(function())
    except BaseException as error:
        future.set_exception(error)
    return future
