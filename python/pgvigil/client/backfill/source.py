"""Reading a file as records, one at a time: CSV or JSON, plain or gzipped, or standard input."""

import gzip
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self, cast

from pgvigil.client.backfill.csv_lines import CsvLines
from pgvigil.client.backfill.forms import Form
from pgvigil.client.backfill.json_lines import JsonArray, JsonLines
from pgvigil.client.backfill.lines import Line, UnknownColumnsError

_READERS: dict[str, type[CsvLines] | type[JsonLines]] = {
    "csv": CsvLines,
    "jsonl": JsonLines,
    "json": JsonArray,
}
FORMATS = tuple(_READERS)
_FOR_PEOPLE = {b"PK\x03\x04": "a workbook or an archive", b"%PDF": "a PDF"}


class Source:
    """A file open for reading, which knows how far it has been read."""

    def __init__(
        self, path: str, forms: Sequence[Form] | None, file_format: str | None = None
    ) -> None:
        """Open a file.

        Args:
            path: the file, gzipped if its name or beginning says so; ``-`` is standard input.
            forms: those that the records may be in, where they do not say so themselves; None
                when their columns are to tell.
            file_format: one of ``FORMATS``; told from name or beginning when None.

        Raises:
            OSError: it cannot be opened.
            UnknownColumnsError: it is of a format that is not read.
        """
        self._raw = _open(path)
        self.size = None if path == "-" else Path(path).stat().st_size
        """Bytes of the file as stored; None when unknown."""
        self._text = _as_text(self._raw)
        try:
            self.format = file_format or self._guess_format(path)
        except UnknownColumnsError:
            self.close()
            raise
        self._lines = _READERS[self.format](self._text, forms)

    @property
    def header(self) -> str:
        """The header of a CSV file as it stands there; empty for others."""
        return self._lines.header if isinstance(self._lines, CsvLines) else ""

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
            EOFError: the file is cut off.
        """
        for line in self._lines:
            if line.fault is None and not _is_unicode(line.text):
                yield Line(line.number, line.text, fault="the line is not UTF-8")
            else:
                yield line

    def _guess_format(self, path: str) -> str:
        stem = path.lower().removesuffix(".rejected").removesuffix(".gz")
        beginning = self._text.buffer.peek(64)[:64]  # type: ignore[attr-defined]
        for mark, what in _FOR_PEOPLE.items():
            if beginning.startswith(mark):
                raise UnknownColumnsError(
                    f"{path} is {what}, which is not read.",
                    hint="Export CSV or JSONL: these hold times to the microsecond.",
                )
        first = beginning.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if stem.endswith(".csv"):
            return "csv"
        if stem.endswith((".jsonl", ".ndjson")) or (stem.endswith(".json") and first != b"["):
            return "jsonl"
        return {b"{": "jsonl", b"[": "json"}.get(first, "csv")


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
