"""Connections that a test leaves open are noticed in that test, not whenever they are collected.

psycopg warns when an open connection is collected, which is an error here. One that belongs to a
cycle of objects is collected at any time later, in the midst of another test.
"""

import gc
from collections import deque
from typing import Any
from weakref import ref

from psycopg import BaseConnection

_opened: deque[ref[BaseConnection[Any]]] = deque()


def watch() -> None:
    """Note every connection from now on."""
    make = BaseConnection.__init__

    def note(self: BaseConnection[Any], *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        _opened.append(ref(self))

    BaseConnection.__init__ = note  # type: ignore[method-assign]


def collect_abandoned() -> None:
    """Collect what was opened since the last time and can be closed by nobody any more.

    What is open in the hands of a service of several tests stays. A collection takes about as long
    as an ordinary test, so it is left out where all was closed, as nearly always.
    """
    is_any_open = False
    while _opened:  # threads of services may add to it
        connection = _opened.popleft()()
        is_any_open |= connection is not None and not connection.closed
    connection = None
    if is_any_open:
        gc.collect()
