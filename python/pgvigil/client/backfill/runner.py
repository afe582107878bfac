"""A backfill from beginning to end: read, number, load in batches, put bad lines aside."""

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from pgvigil.client.backfill.kinds import KINDS, Kind
from pgvigil.client.backfill.lines import Line
from pgvigil.client.backfill.loader import BatchLoader, Policy
from pgvigil.client.backfill.numbering import Numbering, number_of_content
from pgvigil.client.backfill.source import Source
from pgvigil.exceptions import PgvigilError

Complain = Callable[[int, str], None]

BATCH_LINES = 1000
_BATCH_CHARACTERS = 8 * 1024 * 1024
# A bulk call makes at most 100 missing days, and a day of the file may touch two UTC days.
_BATCH_DAYS = 50


class BrokenFileError(PgvigilError):
    """The file cannot be read to its end."""


@dataclass
class Outcome:
    """How a backfill went, in lines."""

    read: int = 0
    new: int = 0
    known: int = 0
    rejected: int = 0
    running: int = 0
    """Lines of tasks that had not ended, which are left out."""
    partitions: int = 0
    """Partitions of past days that were made."""
    expired: Counter[Policy] = field(default_factory=Counter)
    """Lines that the next clean-up removes, by table and category of its retention."""


@dataclass
class Listener:
    """What is told while a backfill goes on."""

    complain: Complain = lambda number, why: None
    """Is called with the number of each bad line and what is wrong with it."""
    report: Callable[[Outcome], None] = lambda outcome: None
    """Is called after each batch with the outcome so far."""
    show: Callable[[Line], None] = lambda line: None
    """Is called in a dry run with the first twenty lines that would be new."""
    warn: Callable[[Policy], None] = lambda policy: None
    """Is called with table and category before the first line is loaded that retention removes."""


@dataclass
class _Batch:
    lines: list[Line] = field(default_factory=list)
    characters: int = 0
    days: set[str] = field(default_factory=set)

    def add(self, line: Line) -> bool:
        """Take a line and tell whether the batch is full."""
        self.lines.append(line)
        self.characters += len(line.text)
        if line.kind is not None:
            self.days.add(str(line.row.get(line.kind.time_column))[:10])
        return (
            len(self.lines) >= BATCH_LINES
            or self.characters >= _BATCH_CHARACTERS
            or len(self.days) >= _BATCH_DAYS
        )


class _RejectFile:
    """Lines put aside, unchanged, with the header of a CSV file; made when the first one comes."""

    def __init__(self, path: Path | None, source: Source) -> None:
        self._path = path
        self._source = source
        self._is_begun = False

    def write(self, line: Line) -> None:
        if self._path is None:
            return
        mode = "a" if self._is_begun else "w"
        with self._path.open(mode, encoding="utf-8", errors="surrogateescape", newline="") as file:
            if not self._is_begun:
                file.write(self._source.header)
            file.write(line.text if line.text.endswith("\n") else line.text + "\n")
        self._is_begun = True


class Loading:
    """Lines on their way into the database, by kind and in batches."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        listener: Listener,
        *,
        put_aside: Callable[[Line], None] = lambda line: None,
        dry_run: bool = False,
    ) -> None:
        """Begin without a line.

        Args:
            connection: in autocommit mode; every batch is a transaction of its own.
            listener: is told how it goes.
            put_aside: called with each line that is rejected.
            dry_run: have the database check everything and keep nothing.
        """
        self.outcome = Outcome()
        self._listener = listener
        self._put_aside = put_aside
        self._batches = {name: _Batch() for name in KINDS}
        self._numbering = Numbering()
        self._loader = BatchLoader(
            connection, self._reject, dry_run=dry_run, show=listener.show, warn=listener.warn
        )
        self.outcome.expired = self._loader.expired

    def add(self, lines: Iterable[Line]) -> None:
        """Load lines, but for the last ones, which wait for more.

        Raises:
            psycopg.Error: the database failed; batches before this stay.
        """
        for line in lines:
            self.outcome.read += 1
            fault = line.fault or _prepare(line, self._numbering)
            if line.fault is None and _is_running(line):
                self.outcome.running += 1
            elif line.kind is None or fault is not None:
                self._reject(line, fault or "")
            elif self._batches[line.kind.name].add(line):
                self._load(line.kind)

    def finish(self) -> Outcome:
        """Load what waits, and return how it all went.

        Raises:
            psycopg.Error: the database failed; batches before this stay.
        """
        for kind in KINDS.values():
            if self._batches[kind.name].lines:
                self._load(kind)
        return self.outcome

    def _load(self, kind: Kind) -> None:
        lines = self._batches[kind.name].lines
        self._batches[kind.name] = _Batch()
        new, known = self._loader.load(kind, lines)
        self.outcome.new, self.outcome.known = self.outcome.new + new, self.outcome.known + known
        self.outcome.partitions = self._loader.partitions
        self._listener.report(self.outcome)

    def _reject(self, line: Line, why: str) -> None:
        self.outcome.rejected += 1
        self._put_aside(line)
        self._listener.complain(line.number, why)


def backfill(
    connection: psycopg.Connection[Any],
    source: Source,
    *,
    rejects: Path | None,
    dry_run: bool = False,
    listener: Listener | None = None,
) -> Outcome:
    """Load a file; running it again adds nothing, and continues a run that broke off.

    Args:
        connection: in autocommit mode; every batch is a transaction of its own.
        source: the open file.
        rejects: file to put bad lines into; None for nowhere.
        dry_run: have the database check everything and keep nothing.
        listener: is told how it goes.

    Raises:
        UnknownColumnsError: the file's header names unknown columns; nothing was loaded.
        psycopg.Error: the database failed; batches before this stay.
        BrokenFileError: the file cannot be read to its end; what could be read is loaded.
    """
    put_aside = _RejectFile(None if dry_run else rejects, source).write
    loading = Loading(connection, listener or Listener(), put_aside=put_aside, dry_run=dry_run)
    reader = _Reader(source)
    loading.add(reader)
    outcome = loading.finish()
    if reader.broken is not None:
        raise BrokenFileError(
            f"The file cannot be read after line {reader.last}: {reader.broken}"
        ) from reader.broken
    return outcome


class _Reader:
    """Reads as far as a file can be read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.last = 0
        self.broken: Exception | None = None

    def __iter__(self) -> Iterator[Line]:
        try:
            for line in self._source.lines():
                self.last = line.number
                yield line
        except (EOFError, OSError, zlib.error) as error:  # a file that is cut off, or damaged
            self.broken = error


def _is_running(line: Line) -> bool:
    return (
        line.kind is KINDS["tasks"]
        and "end_time" not in line.row
        and str(line.row.get("status")).lower() == "running"
    )


def _prepare(line: Line, numbering: Numbering) -> str | None:
    """Number a line; return what is wrong when it could not be loaded twice without doubling."""
    kind, row = line.kind, line.row
    if kind is None:
        return None
    if kind.time_column not in row:
        return f"{kind.time_column} is missing: a line without it would be doubled by a second run"
    if kind.id_column is not None and kind.id_column not in row:
        if kind.can_repeat:
            row[kind.id_column] = numbering.number(kind.name, row)
        else:
            row[kind.id_column] = number_of_content(kind.name, row)
    return None
