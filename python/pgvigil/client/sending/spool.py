"""Batches on disk, for as long as the database is away.

A file belongs to one process, which holds a lock beside it for as long as it lives. What a process
leaves behind is adopted by the next one that records for the same database.
"""

import fcntl
import hashlib
import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from pgvigil.client.sending.batch import Batch, SpoolError

logger = logging.getLogger("pgvigil")

_SUFFIX = ".spool"
_MAKE = """
    create table if not exists batches (
        place integer primary key,
        sender text not null,
        number integer not null,
        records integer not null,
        body text not null,
        is_worth_less integer not null
    )
"""
_COLUMNS = "sender, number, records, body, is_worth_less"
_NAMES_OF_DATABASE = ("host", "hostaddr", "port", "dbname", "user", "service")
_ROOM_FOR_WORTH_LESS = 0.75


class Spool:
    """A first-in-first-out store of batches in one file; for one thread."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        """Open the file, or make it, and lock it.

        Args:
            path: where it is.
            most_bytes: so much the batches in it may take.

        Raises:
            OSError: it cannot be made there, or another process has it (`BlockingIOError`).
            SpoolError: it is no spool, or damaged.
        """
        self.path = path
        self._most_bytes = most_bytes
        self._lock = _locked(path)
        try:
            self._database = _opened(path)
            self._execute("pragma journal_mode = wal")
            self._execute("pragma synchronous = normal")
            self._execute(_MAKE)
            self._bytes: int
            self._batches: int
            self.records: int
            """How many records are in it."""
            ((self._bytes, self._batches, self.records),) = self._execute(
                "select coalesce(sum(length(cast(body as blob))), 0), count(*),"
                " coalesce(sum(records), 0) from batches where is_worth_less in (0, 1)"
            )
        except BaseException:
            self._lock.close()
            raise

    @classmethod
    def create(cls, directory: Path, dsn: str, most_bytes: int) -> Self:
        """Make a spool for this process.

        Raises:
            OSError: no file can be made there.
            SpoolError: the disk is full.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = directory / f"{_beginning(dsn)}{os.urandom(16).hex()}{_SUFFIX}"
        try:
            return cls(path, most_bytes)
        except BaseException:  # such as of a full disk, on which the next attempt makes another
            _remove(path)
            raise

    @classmethod
    def adopt(cls, directory: Path, dsn: str, most_bytes: int) -> Iterator[Self]:
        """Yield the spools that processes left behind which recorded for the same database."""
        for path in sorted(directory.glob(f"{_beginning(dsn)}*{_SUFFIX}")):
            try:
                spool = cls(path, most_bytes)
            except OSError:  # somebody else's
                continue
            except SpoolError as error:
                logger.warning("pgvigil cannot read the records in %s: %s", path, error)
                with suppress(OSError):
                    path.rename(path.with_suffix(".damaged"))
                continue
            yield spool

    def __len__(self) -> int:
        """Return how many batches are in it."""
        return self._batches

    def append(self, batch: Batch) -> int:
        """Put a batch at the end; return how many records were lost for lack of room.

        What is worth least makes room for the rest, and may take only a part of it. A batch that
        tells of losses finds room always.

        Raises:
            SpoolError: the disk is full or gone.
        """
        most = self._most_bytes * (_ROOM_FOR_WORTH_LESS if batch.is_worth_less else 1)
        lost = 0
        if not batch.is_worth_less and self._bytes + batch.size > most:
            lost = self._make_room(self._bytes + batch.size - most)
        if batch.records and self._bytes + batch.size > most:
            return lost + batch.records
        self._execute(
            f"insert into batches ({_COLUMNS}) values (?, ?, ?, ?, ?)",
            (batch.sender, batch.number, batch.records, batch.body, batch.is_worth_less),
        )
        self._count(batch, 1)
        return lost

    def first(self) -> Batch | None:
        """Return the batch that has been in it longest, or None."""
        found = self._select("order by place limit 1")
        return found[0] if found else None

    def remove(self, batch: Batch) -> None:
        """Take a batch out, wherever it is; do nothing when it is not in it."""
        for found in self._select(
            "where sender = ? and number = ? order by place limit 1", batch.sender, batch.number
        ):
            self._delete(found)
        if self._batches == 0:
            self._execute("pragma wal_checkpoint(truncate)")
            self._execute("vacuum")

    def _execute(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise SpoolError(str(error)) from error

    def _make_room(self, wanted: float) -> int:
        """Remove the newest of what is worth least; return how many records that were.

        The first of all may be on its way at the moment.
        """
        lost = 0
        while wanted > 0:
            found = self._select(
                "where is_worth_less and place > (select min(place) from batches)"
                " order by place desc limit 1"
            )
            if not found:
                break
            self._delete(found[0])
            wanted -= found[0].size
            lost += found[0].records
        return lost

    def _select(self, which: str, *values: str | int) -> list[Batch]:
        rows = self._execute(f"select {_COLUMNS}, place from batches {which}", values)
        return [
            Batch(sender, number, records, body, bool(is_worth_less), place)
            for sender, number, records, body, is_worth_less, place in rows
        ]

    def _delete(self, batch: Batch) -> None:
        self._execute("delete from batches where place = ?", (batch.place,))
        self._count(batch, -1)

    def _count(self, batch: Batch, by: int) -> None:
        self._bytes += by * batch.size
        self._batches += by
        self.records += by * batch.records

    def close(self) -> None:
        """Close it; a file with nothing in it goes away."""
        is_empty = self._batches == 0
        self._database.close()
        if is_empty:
            _remove(self.path)
        self._lock.close()

    def forget(self) -> None:
        """Give it up in a child process, to whose parent it belongs."""
        self._lock.close()


def _remove(path: Path) -> None:
    """Remove a spool with what belongs to it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    _lock_path(path).unlink(missing_ok=True)


def _beginning(dsn: str) -> str:
    """Return what the names of spools for one database begin with.

    What a DSN leaves out is in libpq's environment, and may be another database there.
    """
    try:
        parts = conninfo_to_dict(dsn)
        usual = {
            option.keyword.decode(): (option.val or b"").decode()
            for option in pq.Conninfo.get_defaults()
        }
    except (psycopg.Error, UnicodeError):
        parts, usual = {"host": dsn}, {}
    wanted = [str(parts.get(name) or usual.get(name, "")) for name in _NAMES_OF_DATABASE]
    return (
        hashlib.sha256("\0".join(wanted).encode(errors="backslashreplace")).hexdigest()[:16] + "-"
    )


def _opened(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)  # what is recorded is nobody else's business
    try:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise SpoolError(str(error)) from error


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
