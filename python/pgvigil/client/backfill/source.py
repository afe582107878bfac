"""Reading a file as records, one at a time: CSV or JSONL, plain or gzipped, or standard input."""

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn, Self, cast

from pgvigil.client.backfill.kinds import KINDS, Kind
from pgvigil.exceptions import PgvigilError

# A message in a CSV cell may be longer than the csv module expects.
csv.field_size_limit(16 * 1024 * 1024)


class UnknownColumnsError(PgvigilError):
    """The file's header names columns that this kind of record does not have."""


class BadLineError(Exception):
    """A line that cannot be a record; the message says why."""


@dataclass(frozen=True)
class Line:
    """One record of the file as it stands there."""

    number: int
    """Number of its first line, from 1."""
    text: str
    """Its text unchanged, with the line end; a quoted CSV cell may span several lines."""
    kind: Kind | None = None
    row: dict[str, Any] = field(default_factory=dict)
    """Its columns that are not null."""
    fault: str | None = None
    """Why it is no record, if it is none."""


class Source:
    """A file open for reading, which knows how far it has been read."""

    def __init__(self, path: str, kind: Kind | None, file_format: str | None = None) -> None:
        """Open a file.

        Args:
            path: the file, gzipped if its name or beginning says so; ``-`` is standard input.
            kind: what the records are, where they do not say so themselves.
            file_format: ``csv`` or ``jsonl``; told from name or beginning when None.

        Raises:
            OSError: it cannot be opened.
        """
        self.kind = kind
        self.header = ""
        """The header of a CSV file as it stands there."""
        self._raw = _open(path)
        self.size = None if path == "-" else Path(path).stat().st_size
        """Bytes of the file as stored; None when unknown."""
        self._text = _as_text(self._raw)
        self.format = file_format or self._guess_format(path)

    def position(self) -> int:
        """Return how many bytes of the stored file have been read; 0 for standard input."""
        return self._raw.tell() if self.size is not None else 0

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self.size is not None:
            self._text.close()
            self._raw.close()

    def __enter__(self) -> Self:
        """Return the source; it is closed at the end."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the file."""
        self.close()

    def lines(self) -> Iterator[Line]:
        """Yield the records one by one; those that are none carry their fault.

        Raises:
            UnknownColumnsError: the header of a CSV file names unknown columns.
            EOFError: a gzipped file is cut off.
        """
        for line in self._csv_lines() if self.format == "csv" else self._json_lines():
            if line.fault is None and not _is_unicode(line.text):
                yield Line(line.number, line.text, fault="the line is not UTF-8")
            else:
                yield line

    def _guess_format(self, path: str) -> str:
        stem = path.lower().removesuffix(".rejected").removesuffix(".gz")
        if stem.endswith(".csv"):
            return "csv"
        if stem.endswith((".jsonl", ".ndjson", ".json")):
            return "jsonl"
        beginning: bytes = self._text.buffer.peek(64)  # type: ignore[attr-defined]
        return "jsonl" if beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "csv"

    def _json_lines(self) -> Iterator[Line]:
        for number, text in enumerate(self._text, start=1):
            if not text.isspace():
                try:
                    kind, row = self._parse(text)
                    yield Line(number, text, kind, row)
                except BadLineError as fault:
                    yield Line(number, text, fault=str(fault))

    def _parse(self, text: str) -> tuple[Kind, dict[str, Any]]:
        row = parse_json(text, "the line")
        if not isinstance(row, dict):
            raise BadLineError("the line is not a JSON object")
        name = row.pop("kind", None)
        kind = self.kind if name is None else KINDS.get(str(name))
        if kind is None:
            wanted = ", ".join(KINDS)
            raise BadLineError(
                f'kind is not known: "{name}" (one of {wanted})'
                if name is not None
                else 'the line has no "kind" and none was given for the file'
            )
        unknown = sorted(set(row) - kind.columns)
        if unknown:
            raise BadLineError(f"{kind.name} have no column {', '.join(unknown)}")
        return kind, {name: value for name, value in row.items() if value is not None}

    def _csv_lines(self) -> Iterator[Line]:
        recorder = _Recorder(self._text)
        reader = csv.reader(recorder, strict=True)
        names = next(reader, None)
        self.header, _ = recorder.take()
        if names is None:
            return  # an empty file
        columns = [name.strip() for name in names]
        kind = self._check_header(columns)
        while True:
            fault, cells = None, None
            try:
                cells = next(reader, None)
            except csv.Error as error:
                fault = f"not CSV: {error}"
            text, number = recorder.take()
            if cells is None and fault is None:
                return
            if cells == []:
                continue  # an empty line
            yield _csv_line(kind, columns, cells, Line(number, text, kind, fault=fault))

    def _check_header(self, columns: list[str]) -> Kind:
        if self.kind is None:
            raise UnknownColumnsError(
                "A CSV file does not say what its records are.",
                hint=f"Give --kind: one of {', '.join(KINDS)}.",
            )
        if not columns:
            raise UnknownColumnsError("The file does not begin with the names of its columns.")
        unknown = sorted(set(columns) - self.kind.columns)
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if unknown or twice:
            raise UnknownColumnsError(
                f"{self.kind.name} have no column {', '.join(map(repr, unknown))}."
                if unknown
                else f"The header has {', '.join(map(repr, twice))} twice.",
                hint=f"The columns are: {', '.join(sorted(self.kind.columns))}.",
            )
        return self.kind


class _Recorder:
    """Hands lines on and keeps the text of those handed on since it was last asked."""

    def __init__(self, lines: IO[str]) -> None:
        self._lines = lines
        self._kept: list[str] = []
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._kept.append(line)
            yield line

    def take(self) -> tuple[str, int]:
        """Return the text since the last time and the number of its first line."""
        first, self._number = self._number + 1, self._number + len(self._kept)
        text = "".join(self._kept)
        self._kept.clear()
        return text, first


def _csv_line(kind: Kind, columns: list[str], cells: list[str] | None, line: Line) -> Line:
    """Return a CSV line with its cells as columns; empty cells are null."""
    if cells is None:
        return line
    if len(cells) != len(columns):
        fault = f"the line has {len(cells)} cells and the header {len(columns)}"
        return Line(line.number, line.text, fault=fault)
    row: dict[str, Any] = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
    try:
        for name in kind.documents & row.keys():
            row[name] = parse_json(row[name], name)
    except BadLineError as fault:
        return Line(line.number, line.text, fault=str(fault))
    return Line(line.number, line.text, kind, row)


def parse_json(text: str, what: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        BadLineError: it is not JSON; NaN and Infinity, which Python would take, are not.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadLineError(f"{what} is not JSON: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _is_unicode(text: str) -> bool:
    """Tell whether a text read with surrogates for bad bytes is without any."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_text(raw: io.BufferedReader) -> io.TextIOWrapper:
    """Return a byte stream as text, unzipped if it begins like gzip.

    Bytes that are not UTF-8 survive as surrogates, so that a rejected line is written unchanged.
    """
    stream = raw
    if raw.peek(2)[:2] == b"\x1f\x8b":
        stream = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=raw)))
    # newline="" keeps line ends as they are; csv wants that too.
    return io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")


def _open(path: str) -> io.BufferedReader:
    if path != "-":
        return Path(path).open("rb")
    stdin = sys.stdin.buffer
    if isinstance(stdin, io.BufferedReader):
        return stdin
    return io.BufferedReader(cast(io.RawIOBase, stdin))
