"""A backfill from beginning to end: read, number, load in batches, put bad lines aside."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from pgvigil.client.backfill.kinds import KINDS, Kind
from pgvigil.client.backfill.loader import BatchLoader
from pgvigil.client.backfill.numbering import Numbering, as_own_number, number_of_content
from pgvigil.client.backfill.source import Line, Source
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

    def __init__(
        self, path: Path | None, source: Source, outcome: Outcome, complain: Complain
    ) -> None:
        self._path = path
        self._source = source
        self._outcome = outcome
        self._complain = complain
        self._is_begun = False

    def reject(self, line: Line, why: str) -> None:
        self._outcome.rejected += 1
        self._write(line)
        self._complain(line.number, why)

    def _write(self, line: Line) -> None:
        if self._path is None:
            return
        mode = "a" if self._is_begun else "w"
        with self._path.open(mode, encoding="utf-8", errors="surrogateescape", newline="") as file:
            if not self._is_begun:
                file.write(self._source.header)
            file.write(line.text if line.text.endswith("\n") else line.text + "\n")
        self._is_begun = True


def backfill(
    connection: psycopg.Connection[Any],
    source: Source,
    *,
    rejects: Path | None,
    dry_run: bool = False,
    complain: Complain = lambda number, why: None,
    report: Callable[[Outcome], None] = lambda outcome: None,
    show: Callable[[Line], None] = lambda line: None,
) -> Outcome:
    """Load a file; running it again adds nothing, and continues a run that broke off.

    Args:
        connection: in autocommit mode; every batch is a transaction of its own.
        source: the open file.
        rejects: file to put bad lines into; None for nowhere.
        dry_run: have the database check everything and keep nothing.
        complain: called with the number of each bad line and what is wrong with it.
        report: called after each batch with the outcome so far.
        show: called in a dry run with the first twenty lines that would be new.

    Raises:
        UnknownColumnsError: the file's header names unknown columns; nothing was loaded.
        psycopg.Error: the database failed; batches before this stay.
        BrokenFileError: the file cannot be read to its end; what could be read is loaded.
    """
    outcome = Outcome()
    reject = _RejectFile(None if dry_run else rejects, source, outcome, complain).reject
    loader = BatchLoader(connection, reject, dry_run=dry_run, show=show)

    def load(kind: Kind) -> None:
        new, known = loader.load(kind, batches[kind.name].lines)
        outcome.new, outcome.known = outcome.new + new, outcome.known + known
        batches[kind.name] = _Batch()
        report(outcome)

    batches = {name: _Batch() for name in KINDS}
    numbering = Numbering()
    broken: Exception | None = None
    last = 0
    try:
        for line in source.lines():
            outcome.read += 1
            last = line.number
            fault = line.fault or _prepare(line, numbering)
            if line.kind is None or fault is not None:
                reject(line, fault or "")
            elif batches[line.kind.name].add(line):
                load(line.kind)
    except (EOFError, OSError, zlib.error) as error:  # a file that is cut off, or damaged
        broken = error
    for kind in KINDS.values():
        if batches[kind.name].lines:
            load(kind)
    if broken is not None:
        raise BrokenFileError(f"The file cannot be read after line {last}: {broken}") from broken
    return outcome


def _prepare(line: Line, numbering: Numbering) -> str | None:
    """Number a line; return what is wrong when it could not be loaded twice without doubling."""
    kind, row = line.kind, line.row
    if kind is None:
        return None
    if kind.time_column not in row:
        return f"{kind.time_column} is missing: a line without it would be doubled by a second run"
    if kind.id_column is not None:
        if kind.id_column in row:
            row[kind.id_column] = as_own_number(row[kind.id_column])
        elif kind.can_repeat:
            row[kind.id_column] = numbering.number(kind.name, row)
        else:
            row[kind.id_column] = number_of_content(kind.name, row)
    return None
