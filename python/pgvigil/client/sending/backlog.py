"""Batches that wait to be sent: in memory for a moment, on disk while the database is away."""

import logging
import os
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pgvigil.client.sending.batch import Batch, SpoolError

if TYPE_CHECKING:
    from pgvigil.client.sending.spool import Spool

logger = logging.getLogger("pgvigil")


class Backlog:
    """A first-in-first-out store of batches. What is on disk is older than what is in memory."""

    def __init__(self, dsn: str, directory: Path | None, spool_bytes: int) -> None:
        """Make an empty one.

        Args:
            dsn: which database the batches are for.
            directory: where spools are; None for none.
            spool_bytes: so much may wait on disk.
        """
        self._dsn = dsn
        self._directory = directory
        self._spool_bytes = spool_bytes
        self._memory: deque[Batch] = deque()
        self._spool: Spool | None = None
        self._lock = threading.RLock()
        self._is_refused = False
        self._lost = 0

    @property
    def takes_to_disk(self) -> bool:
        """Whether there is a disk, and it has taken what it was given last."""
        return self._directory is not None and not self._is_refused

    @property
    def is_on_disk(self) -> bool:
        """Whether something waits on disk."""
        return self._spool is not None and len(self._spool) > 0

    def is_empty(self) -> bool:
        """Tell whether nothing waits."""
        return not self._memory and not self.is_on_disk

    def add(self, batch: Batch) -> None:
        """Put a batch behind all others, in memory."""
        with self._lock:
            self._memory.append(batch)

    def settle(self) -> bool:
        """Put on disk what is in memory; return whether there is a disk that took all."""
        with self._lock:
            if self._directory is None:
                return False
            try:
                while self._memory:
                    if self._spool is None:
                        self._spool = _spools().create(
                            self._directory, self._dsn, self._spool_bytes
                        )
                    self._lost += self._spool.append(self._memory[0])
                    self._memory.popleft()
            except (OSError, SpoolError) as error:
                if not self._is_refused:
                    logger.warning(
                        "pgvigil cannot keep records in %s, and keeps them in memory: %s",
                        self._directory, error,
                    )  # fmt: skip
                self._is_refused = True
                return False
            self._is_refused = False
            return True

    def first(self) -> Batch | None:
        """Return the batch that waits longest, or None."""
        with self._lock:
            if self._spool is not None and self.is_on_disk:
                try:
                    found = self._spool.first()
                except SpoolError as error:
                    self._give_up_spool(self._spool, error)
                else:
                    if found is not None:
                        return found
            return self._memory[0] if self._memory else None

    def remove(self, batch: Batch) -> None:
        """Take out a batch that `first` returned, wherever it has been put since."""
        with self._lock:
            if self._memory and self._memory[0] is batch:
                self._memory.popleft()
            elif self._spool is not None:
                try:
                    self._spool.remove(batch)
                except SpoolError as error:
                    self._give_up_spool(self._spool, error)

    def take_losses(self) -> int:
        """Return how many records were lost since the last time, for lack of room or a disk."""
        with self._lock:
            lost, self._lost = self._lost, 0
            return lost

    def in_memory(self) -> int:
        """Return how many records are in memory alone."""
        with self._lock:
            return sum(batch.records for batch in self._memory)

    def left_behind(self) -> Iterator["Spool"]:
        """Yield what processes have left behind that are no more."""
        if self._directory is not None and any(self._directory.glob("*.spool")):
            yield from _spools().adopt(self._directory, self._dsn, self._spool_bytes)

    def close(self) -> bool:
        """Close the file; return whether something is left in it."""
        with self._lock:
            spool, self._spool = self._spool, None
            if spool is None:
                return False
            is_left = len(spool) > 0
            spool.close()
            return is_left

    def forget(self) -> None:
        """Give up, in a child process, what belongs to its parent."""
        if self._spool is not None:
            self._spool.forget()

    def _give_up_spool(self, spool: "Spool", error: Exception) -> None:
        """Go on without a file that has become unreadable."""
        logger.warning("pgvigil lost %d records in %s: %s", spool.records, spool.path, error)
        self._lost += spool.records
        self._spool = None
        spool.forget()


def state_directory() -> Path:
    """Return where we keep what is to outlast a program, for the present user."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "pgvigil"


def usual_directory() -> Path:
    """Return where spools are kept unless somebody says otherwise."""
    return state_directory() / "spool"


def _spools() -> "type[Spool]":
    """Return the class, loaded with SQLite when it is first needed."""
    from pgvigil.client.sending.spool import Spool

    return Spool
