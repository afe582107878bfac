"""Several parts in one program: they run until they are told to stop, or until one ends."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pgvigil.database.log import log, log_of
from pgvigil.exceptions import PgvigilError, explain


@dataclass(frozen=True)
class Part:
    """Something that runs beside others; told to stop twice, it hurries."""

    name: str
    run: Callable[[], Awaitable[object]]
    stop: Callable[[], None]


class PartEndedError(PgvigilError):
    """A part ended by itself, and with it the program."""


async def run_parts_until_stopped(parts: Sequence[Part], helper: Awaitable[object]) -> None:
    """Run all parts until SIGTERM or Ctrl-C; a second one hurries them.

    Args:
        parts: what belongs together: when one of them ends by itself, the others are stopped.
        helper: goes on beside them for as long as they do; its end is no matter.

    Raises:
        PartEndedError: a part ended by itself; the message names it.
    """
    group = _Group(parts)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, group.stop)
    helping = asyncio.ensure_future(helper)
    try:
        await group.run()
    finally:
        helping.cancel()
        await asyncio.wait([helping])


class _Group:
    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._is_stopping = False

    async def run(self) -> None:
        running = [asyncio.create_task(_run(part), name=part.name) for part in self._parts]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        ended = None if self._is_stopping else next(task for task in running if task.done())
        if ended is not None:
            log(logging.ERROR, f"{ended.get_name()} has ended, and so does all else")
            self.stop()
        await asyncio.wait(running)
        failed = [task for task in (ended, *running) if task and task.exception()]
        if failed or ended:
            raise _told([*failed, ended][0])

    def stop(self) -> None:
        if not self._is_stopping:
            log(logging.INFO, "stopping")
        self._is_stopping = True
        for part in self._parts:
            with log_of(part.name):
                part.stop()


async def _run(part: Part) -> None:
    with log_of(part.name):
        await part.run()


def _told(task: "asyncio.Task[None] | None") -> PartEndedError:
    assert task is not None
    error = task.exception()
    if error is None:
        return PartEndedError(f"{task.get_name()} ended without having been told to")
    reason = explain(error) or f"{type(error).__name__}: {error}"
    told = PartEndedError(f"{task.get_name()} failed: {reason}")
    # Whoever has to find out needs where it happened.
    told.__cause__ = error
    return told
