"""Batches that wait to be sent: in memory for a moment, on disk while the database is away."""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from pgvigil.client.sending.spool import Batch, Spool

logger = logging.getLogger("pgvigil")


class Backlog:
    """A first-in-first-out store of batches. What is in memory is older than what is on disk."""

    def __init__(self, dsn: str, most_bytes: int, directory: Path | None, spool_bytes: int) -> None:
        """Make an empty one.

        Args:
            dsn: which database the batches are for.
            most_bytes: so much may wait in memory where there is no disk.
            directory: where spools are; None for none.
            spool_bytes: so much may wait on disk.
        """
        self._dsn = dsn
        self._most_bytes = most_bytes
        self._directory = directory
        self._spool_bytes = spool_bytes
        self._memory: deque[Batch] = deque()
        self._spool: Spool | None = None
        self._lock = threading.RLock()

    def is_empty(self) -> bool:
        """Tell whether nothing waits."""
        return not self._memory and (self._spool is None or not len(self._spool))

    def add(self, batch: Batch, is_away: bool) -> int:
        """Put a batch behind all others; return how many records were lost for lack of room.

        Args:
            batch: what to put.
            is_away: whether the database is, so that it is better kept on disk.
        """
        with self._lock:
            if is_away or (self._spool is not None and len(self._spool)):
                return self._to_disk(batch)
            self._memory.append(batch)
            return 0

    def first(self) -> Batch | None:
        """Return the batch that waits longest, or None."""
        with self._lock:
            if self._memory:
                return self._memory[0]
            return None if self._spool is None else self._spool.first()

    def remove(self, batch: Batch) -> None:
        """Take a batch out that `first` returned."""
        with self._lock:
            if batch.place is not None:
                if self._spool is not None:
                    self._spool.remove(batch)
            elif self._memory and self._memory[0] is batch:
                self._memory.popleft()
            # Else it was moved to disk in the meantime, and will be sent once more: it is known
            # there by its number.

    def move_to_disk(self) -> int:
        """Put all on disk; return how many records were lost for lack of room."""
        with self._lock:
            if not self._memory or self._directory is None:
                return 0
            waiting, self._memory = self._memory, deque()
            return sum(map(self._to_disk, waiting))

    def left_behind(self) -> Iterator[Spool]:
        """Yield what processes have left behind that are no more."""
        if self._directory is not None:
            yield from Spool.adopt(self._directory, self._dsn, self._spool_bytes)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._spool is not None:
                self._spool.close()
                self._spool = None

    def forget(self) -> None:
        """Give up, in a child process, what belongs to its parent."""
        if self._spool is not None:
            self._spool.forget()

    def _to_disk(self, batch: Batch) -> int:
        if self._directory is not None:
            try:
                if self._spool is None:
                    self._spool = Spool.create(self._directory, self._dsn, self._spool_bytes)
                return 0 if self._spool.append(batch) else batch.records
            except (OSError, sqlite3.Error) as error:
                logger.warning(
                    "pgvigil cannot keep records in %s, and keeps them in memory: %s",
                    self._directory, error,
                )  # fmt: skip
                self._directory = None
        if sum(len(waiting.body) for waiting in self._memory) + len(batch.body) > self._most_bytes:
            return batch.records
        self._memory.append(batch)
        return 0
