"""Using clients of both kinds, within loops and without."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec

from pgvigil.client import MonitoringClient
from pgvigil.client.recording.answers import Answer

_P = ParamSpec("_P")


def in_a_loop(test: Callable[_P, Coroutine[Any, Any, None]]) -> Callable[_P, None]:
    """Return a test that is a coroutine as one that is not."""

    @functools.wraps(test)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def awaited(answer: Awaitable[Any]) -> Any:
    """Return what a call returns, in a coroutine."""
    return await answer


def flush(client: MonitoringClient) -> None:
    """Wait until all that was told is recorded."""
    assert _now(client.flush)


def close(client: MonitoringClient) -> None:
    """Send what waits, and close the connections."""
    _now(client.close)


def _now(call: Callable[[], Any]) -> Any:
    answer = call()
    return asyncio.run(awaited(answer)) if isinstance(answer, Answer) else answer
