"""All senders of this process: what becomes of them when it forks or ends."""

import atexit
import logging
import os
import sys
import threading
import time
import weakref
from typing import Protocol

from pgvigil.database.words import count_of

_SECONDS_AT_EXIT = 2.0

logger = logging.getLogger("pgvigil")


class AnySender(Protocol):
    """What a sender can do that matters here."""

    @property
    def dsn(self) -> str:
        """Which database it sends to."""

    def flush(self, timeout: float) -> bool:
        """Wait until all is in the database; return whether it is."""

    def close(self, timeout: float) -> None:
        """Send what waits for so long at most, and keep the rest."""

    def waiting(self) -> int:
        """Return how many records are nowhere but in memory."""

    def leave_to_parent(self) -> None:
        """Forget what the parent process will send."""


_all: "weakref.WeakSet[AnySender]" = weakref.WeakSet()
_ended = threading.Event()


def register(sender: AnySender) -> None:
    """Have a sender drained at the end of the process, and begin anew in children."""
    _all.add(sender)


def flush_all(dsn: str, timeout: float) -> bool:
    """Wait until all that this process has told a database, through any client, is there.

    Returns:
        Whether it is; what is not goes on its way later.
    """
    deadline = time.monotonic() + timeout
    senders = [sender for sender in list(_all) if sender.dsn == dsn]
    return all(sender.flush(deadline - time.monotonic()) for sender in senders)


def drain_in_children_of_multiprocessing(sender: AnySender) -> None:
    """Have a child of `multiprocessing`, which knows no atexit, drain as well."""
    process, util = (sys.modules.get(f"multiprocessing.{name}") for name in ("process", "util"))
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(sender, _close, args=(sender,), exitpriority=0)


def have_ended() -> bool:
    """Tell whether the end of the process has closed them; what comes now is only kept."""
    return _ended.is_set()


def _close_all() -> None:
    _ended.set()
    for sender in list(_all):
        _close(sender)


def _close(sender: AnySender) -> None:
    sender.close(_SECONDS_AT_EXIT)
    warn_of_loss(sender)


def warn_of_loss(sender: AnySender) -> None:
    """Log what is in memory alone at the end of the process."""
    lost = sender.waiting()
    if lost:
        logger.warning("pgvigil lost %s at the end of the program", count_of(lost, "record"))


def _leave_all_to_parent() -> None:
    for sender in list(_all):
        sender.leave_to_parent()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_leave_all_to_parent)
