"""Whether a thread is at work for pgvigil itself: what is logged meanwhile is not recorded."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Threads(threading.local):
    depth = 0


_threads = _Threads()


@contextmanager
def own_work() -> Iterator[None]:
    """Have the block count as work of pgvigil itself, in this thread."""
    _threads.depth += 1
    try:
        yield
    finally:
        _threads.depth -= 1


def is_own_work() -> bool:
    """Tell whether this thread is at work for pgvigil itself."""
    return _threads.depth > 0
