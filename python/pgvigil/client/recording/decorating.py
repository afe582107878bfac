"""Functions of all kinds as tasks: a run lasts from the first of its body to the last."""

import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import ExitStack
from typing import Any

from pgvigil.client.recording.task import Inside, TrackedTask

Function = Callable[..., Any]
NewTask = Callable[..., TrackedTask]
"""Makes the task of a call, from its arguments."""


def decorated(function: Function, new_task: NewTask) -> Function:
    """Return a function of the same kind, each run of which is a task."""
    if _is(inspect.isasyncgenfunction, function):
        wrapper = _async_generator(function, new_task)
    elif _is(inspect.iscoroutinefunction, function):
        wrapper = _coroutine(function, new_task)
    elif _is(inspect.isgeneratorfunction, function):
        wrapper = _generator(function, new_task)
    else:
        wrapper = _plain(function, new_task)
    return functools.wraps(function)(wrapper)


def name_of(function: Function) -> str:
    """Return what to call a function."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__qualname__", None) or type(function).__qualname__


def _is(kind: Callable[[Any], bool], function: Function) -> bool:
    return kind(function) or kind(type(function).__call__)


def _plain(function: Function, new_task: NewTask) -> Function:
    def run(*args: Any, **kwargs: Any) -> Any:
        with ExitStack() as stack:
            task = stack.enter_context(new_task(*args, **kwargs))
            result = function(*args, **kwargs)
            if not inspect.iscoroutine(result):
                return result
            # Another decorator's function, around one whose run has yet to begin.
            stack.pop_all()
            task.step_aside()
            return _rest(task, result)

    return run


async def _rest(task: TrackedTask, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run what a task that has begun consists of."""
    task.become_current()
    try:
        result = await coroutine
    except BaseException as error:
        await task.__aexit__(type(error), error, error.__traceback__)
        raise
    await task.__aexit__(None, None, None)
    return result


def _coroutine(function: Function, new_task: NewTask) -> Function:
    async def run(*args: Any, **kwargs: Any) -> Any:
        async with new_task(*args, **kwargs):
            return await function(*args, **kwargs)

    return run


def _generator(function: Function, new_task: NewTask) -> Function:
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        inside = Inside()
        with _Entered(inside, new_task(*args, **kwargs)):
            generator = function(*args, **kwargs)
            resume = functools.partial(generator.send, None)
            while True:
                try:
                    with inside:
                        value = resume()
                except StopIteration as end:
                    return end.value
                try:
                    resume = functools.partial(generator.send, (yield value))
                except BaseException as error:  # that of close(), too
                    resume = functools.partial(generator.throw, error)

    return run


def _async_generator(function: Function, new_task: NewTask) -> Function:
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inside = Inside()
        async with _Entered(inside, new_task(*args, **kwargs)):
            generator = function(*args, **kwargs)
            resume = functools.partial(_first_of, generator)
            while True:
                try:
                    with inside:
                        value = await resume()
                except StopAsyncIteration:
                    return
                try:
                    resume = functools.partial(generator.asend, (yield value))
                except BaseException as error:  # that of aclose(), too
                    resume = functools.partial(generator.athrow, error)

    return run


def _first_of(generator: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """Ask for the first value of a generator that is closed by the one around it, not by the loop.

    At its end a loop closes all generators that it knows at once, and one would get in the way of
    the other.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return generator.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)


class _Entered:
    """A task that is entered and left inside a generator."""

    def __init__(self, inside: Inside, task: TrackedTask) -> None:
        self._inside = inside
        self._task = task

    def __enter__(self) -> None:
        with self._inside:
            self._task.__enter__()

    def __exit__(self, *error: Any) -> None:
        with self._inside:
            self._task.__exit__(*error)

    async def __aenter__(self) -> None:
        with self._inside:
            await self._task.__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        with self._inside:
            await self._task.__aexit__(*error)
