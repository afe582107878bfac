"""Sending what processes have left behind that are no more."""

import logging
import time
from collections.abc import Callable

from pgvigil.client.sending.backlog import Backlog
from pgvigil.client.sending.batch import Batch, SpoolError

_BETWEEN = 60.0  # seconds from one look for files to the next

logger = logging.getLogger("pgvigil")


class Adoption:
    """Sends the files that others have left, a little at a time: our own records come first."""

    def __init__(self, backlog: Backlog, send: Callable[[Batch], object]) -> None:
        """Describe it.

        Args:
            backlog: knows where files are.
            send: sends a batch, or raises.
        """
        self.is_unfinished = False
        """Whether there is more to send."""
        self._backlog = backlog
        self._send = send
        self._again_at = 0.0

    def go_on(self, until: float) -> None:
        """Send until a moment of the monotonic clock, unless all was sent a moment ago."""
        if time.monotonic() < self._again_at:
            return
        self.is_unfinished = True
        for spool in self._backlog.left_behind():
            try:
                while (batch := spool.first()) is not None:
                    if time.monotonic() >= until:
                        return
                    self._send(batch)
                    spool.remove(batch)
            except SpoolError as error:
                logger.warning("pgvigil cannot read records in %s: %s", spool.path, error)
            finally:
                spool.close()
        self.is_unfinished = False
        self._again_at = time.monotonic() + _BETWEEN
