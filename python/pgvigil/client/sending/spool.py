"""Batches on disk, for as long as the database is away.

A file belongs to one process, which holds a lock beside it for as long as it lives. What a process
leaves behind is adopted by the next one that records for the same database.
"""

import fcntl
import hashlib
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict

_SUFFIX = ".spool"
_MAKE = """
    create table if not exists batches (
        place integer primary key,
        sender text not null,
        number integer not null,
        records integer not null,
        body text not null
    )
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sent at once."""

    sender: str
    """Name of the process that made it, a UUID."""
    number: int
    """Its number among that process's batches, from 1."""
    records: int
    """How many records it holds."""
    body: str
    """Members of the object that `record_batch()` takes, without the braces."""
    place: int | None = None
    """Where it is in its spool; None when it is not in one."""


class Spool:
    """A first-in-first-out store of batches in one file; for one thread."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        """Open the file, or make it, and lock it.

        Args:
            path: where it is.
            most_bytes: so much the batches in it may take.

        Raises:
            OSError: it cannot be made there, or another process has it (`BlockingIOError`).
            sqlite3.Error: it is no spool, or damaged.
        """
        self.path = path
        self._most_bytes = most_bytes
        self._lock = _locked(path)
        try:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = normal")
            self._database.execute(_MAKE)
            self._bytes: int
            self._batches: int
            self._bytes, self._batches = self._database.execute(
                "select coalesce(sum(length(body)), 0), count(*) from batches"
            ).fetchone()
        except BaseException:
            self._lock.close()
            raise

    @classmethod
    def create(cls, directory: Path, dsn: str, most_bytes: int) -> Self:
        """Make a spool for this process.

        Raises:
            OSError: no file can be made there.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(directory / f"{_beginning(dsn)}{uuid.uuid4().hex}{_SUFFIX}", most_bytes)

    @classmethod
    def adopt(cls, directory: Path, dsn: str, most_bytes: int) -> Iterator[Self]:
        """Yield the spools that processes left behind which recorded for the same database."""
        for path in sorted(directory.glob(f"{_beginning(dsn)}*{_SUFFIX}")):
            with suppress(OSError, sqlite3.Error):  # somebody else's, or of no use to anybody
                yield cls(path, most_bytes)

    def __len__(self) -> int:
        """Return how many batches are in it."""
        return self._batches

    def append(self, batch: Batch) -> bool:
        """Put a batch at the end; return whether there was room for it.

        Raises:
            sqlite3.Error: the disk is full or gone.
        """
        if self._bytes + len(batch.body) > self._most_bytes:
            return False
        self._database.execute(
            "insert into batches (sender, number, records, body) values (?, ?, ?, ?)",
            (batch.sender, batch.number, batch.records, batch.body),
        )
        self._bytes += len(batch.body)
        self._batches += 1
        return True

    def first(self) -> Batch | None:
        """Return the batch that has been in it longest, or None."""
        row = self._database.execute(
            "select sender, number, records, body, place from batches order by place limit 1"
        ).fetchone()
        return None if row is None else Batch(*row)

    def remove(self, batch: Batch) -> None:
        """Take a batch out that `first` returned."""
        self._database.execute("delete from batches where place = ?", (batch.place,))
        self._bytes -= len(batch.body)
        self._batches -= 1
        if self._batches == 0:
            self._database.execute("pragma wal_checkpoint(truncate)")
            self._database.execute("vacuum")

    def close(self) -> None:
        """Close it; a file with nothing in it goes away."""
        is_empty = self._batches == 0
        self._database.close()
        if is_empty:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)
            _lock_path(self.path).unlink(missing_ok=True)
        self._lock.close()

    def forget(self) -> None:
        """Give it up in a child process, to whose parent it belongs."""
        self._lock.close()


def usual_directory() -> Path:
    """Return where spools are kept unless somebody says otherwise, for the present user."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "pgvigil" / "spool"


def _beginning(dsn: str) -> str:
    """Return what the names of spools for one database begin with."""
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.Error:
        parts = {"host": dsn}
    wanted = [str(parts.get(name, "")) for name in ("host", "port", "dbname", "user", "service")]
    return (
        hashlib.sha256("\0".join(wanted).encode(errors="backslashreplace")).hexdigest()[:16] + "-"
    )


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _locked(path: Path) -> IO[bytes]:
    """Return the open file whose lock says that this process has the spool."""
    while True:
        lock = _lock_path(path).open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it may have removed it in between.
            if _lock_path(path).exists() and os.path.samestat(
                os.fstat(lock.fileno()), _lock_path(path).stat()
            ):
                return lock
        except BaseException:
            lock.close()
            raise
        lock.close()
