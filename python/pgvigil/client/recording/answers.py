"""What asynchronous calls return: it may be awaited, and need not be."""

import asyncio
import functools
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from pgvigil.client.recording.run_names import TaskId

_T = TypeVar("_T")
_P = ParamSpec("_P")
_Self = TypeVar("_Self")

logger = logging.getLogger("pgvigil")

_collected: ContextVar["list[Answer[Any]] | None"] = ContextVar("pgvigil_collected", default=None)


class _LikeCoroutine:
    """Has `asyncio.run` and `create_task` take what can be awaited, as they take a coroutine."""

    _of_tasks: "WeakKeyDictionary[asyncio.Task[Any], Generator[Any, None, Any]] | None" = None

    def __await__(self) -> Generator[Any, None, Any]:
        raise NotImplementedError

    def send(self, value: Any) -> Any:
        """Go on with waiting."""
        return self._steps().send(value)

    def throw(self, *error: Any) -> Any:
        """Go on with waiting, by an exception."""
        return self._steps().throw(*error)

    def close(self) -> None:
        """Wait no longer."""

    def _steps(self) -> Generator[Any, None, Any]:
        """Return what the present task waits by; several may wait for one answer."""
        task = asyncio.current_task()
        assert task is not None, "it is a task that takes it for a coroutine"
        if self._of_tasks is None:
            self._of_tasks = WeakKeyDictionary()
        if task not in self._of_tasks:
            self._of_tasks[task] = self.__await__()
        return self._of_tasks[task]


class Answer(_LikeCoroutine, Generic[_T]):
    """What a call returns: await it to have its value, or leave it alone."""

    def __init__(
        self, value: "_T | Answer[_T] | None" = None, after: Sequence["Answer[Any]"] = ()
    ) -> None:
        """Hold a value.

        Args:
            value: what it is, or the answer that will have it.
            after: answers that have to be there first.
        """
        self._value = value
        self._after = after

    def __await__(self) -> Generator[Any, None, _T]:
        """Wait for the value, where it is not known yet.

        Raises:
            Exception: the call has failed, and ``on_error`` is ``raise``.
        """
        for answer in self._after:
            yield from answer.__await__()
        if isinstance(self._value, Answer):
            return (yield from self._value.__await__())
        return self._value  # type: ignore[return-value]

    @property
    def value(self) -> _T | None:
        """What it is; None for as long as that is not known."""
        return self._value.value if isinstance(self._value, Answer) else self._value

    def __bool__(self) -> bool:
        """Tell whether it is known, and true."""
        return bool(self.value)

    def __repr__(self) -> str:
        """Return how it looks to a programmer."""
        return f"<{type(self).__name__} {self.value!r}>"


class ThreadAnswer(Answer[_T]):
    """What a call in another thread will return."""

    def __init__(
        self, future: Future[_T], within: float | None = None, otherwise: _T | None = None
    ) -> None:
        """Hold what is yet to come.

        Args:
            future: what will have it.
            within: seconds to wait for it.
            otherwise: what it is where it is not there by then.
        """
        super().__init__(otherwise)
        self._future = future
        self._within = within
        self._is_awaited = False
        note(self)

    def __await__(self) -> Generator[Any, None, _T]:
        """Wait for the value, without holding up the event loop; see `Answer`."""
        self._is_awaited = True
        if not self._future.done():
            yield from _until_done(self._future, self._within).__await__()
        if not self._future.done():
            return (yield from super().__await__())
        return self._future.result()

    @property
    def value(self) -> _T | None:
        """What it is; None for as long as that is not known."""
        if self._future.done() and self._future.exception() is None:
            return self._future.result()
        return None

    def __del__(self) -> None:
        """Have the log told of a failure that nobody waits for."""
        if not self._is_awaited:
            self._future.add_done_callback(_tell_log)


class AsyncTaskId(_LikeCoroutine, TaskId):
    """The name of a run, which may be awaited, to have the attempt known where calls wait."""

    def __await__(self) -> Generator[Any, None, "AsyncTaskId"]:
        """Wait until the database knows the run, where calls wait for it."""
        if isinstance(self.answer, Answer):
            yield from self.answer.__await__()
        return self


@contextmanager
def collected() -> Iterator[list[Answer[Any]]]:
    """Collect the answers to calls that are made in the block."""
    answers: list[Answer[Any]] = []
    token = _collected.set(answers)
    try:
        yield answers
    finally:
        _collected.reset(token)


def note(answer: Answer[Any]) -> None:
    """Add an answer to those that are being collected."""
    answers = _collected.get()
    if answers is not None:
        answers.append(answer)


def later(
    method: Callable[Concatenate[_Self, _P], _T],
) -> Callable[Concatenate[_Self, _P], Answer[_T]]:
    """Return a method that can be awaited in place of one that waits."""

    @functools.wraps(method)
    def call(self: _Self, /, *args: _P.args, **kwargs: _P.kwargs) -> Answer[_T]:
        with collected() as answers:
            result = method(self, *args, **kwargs)
        answer = Answer(result, answers)
        if answers:
            note(answer)
        return answer

    return call


def named(
    method: Callable[Concatenate[_Self, _P], TaskId],
) -> Callable[Concatenate[_Self, _P], AsyncTaskId]:
    """Return a method whose name of a run can be awaited."""

    @functools.wraps(method)
    def call(self: _Self, /, *args: _P.args, **kwargs: _P.kwargs) -> AsyncTaskId:
        name = method(self, *args, **kwargs)
        return name if isinstance(name, AsyncTaskId) else AsyncTaskId(name)

    return call


async def _until_done(future: Future[Any], within: float | None) -> None:
    loop = asyncio.get_running_loop()
    is_done = asyncio.Event()

    def tell(_: Future[Any]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(is_done.set)

    future.add_done_callback(tell)
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await is_done.wait()


def _tell_log(future: Future[Any]) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        tell_of_failure(error)


def tell_of_failure(error: BaseException) -> None:
    """Have the log told of a refusal that is raised nowhere."""
    logger.error("pgvigil refused a call that nobody waits for: %s", error)
