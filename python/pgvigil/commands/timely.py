"""Work that ends in time, whatever it waits for."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

_T = TypeVar("_T")


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """Return the result of some work, done in a process of its own that is killed when time is up.

    Nothing less ends a look-up of a name or a read from a disk that hangs.

    Args:
        seconds: the time that there is.
        work: what to do; must not raise, and return what can be pickled.

    Raises:
        TimeoutError: the time was up.
        EOFError: the process ended without a result.
    """
    context = get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(writer, work))
    process.start()
    writer.close()
    try:
        if not reader.poll(seconds):
            raise TimeoutError
        result: _T = reader.recv()
        return result
    finally:
        process.kill()
        process.join()
        reader.close()


def _send(writer: Connection, work: Callable[[], Any]) -> None:
    writer.send(work())
