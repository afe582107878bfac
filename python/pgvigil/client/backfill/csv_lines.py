"""Records of a CSV file, as views, exports and programs of others write them."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from pgvigil.client.backfill import exact_json
from pgvigil.client.backfill.forms import Form
from pgvigil.client.backfill.kinds import TEXTS
from pgvigil.client.backfill.lines import BadLineError, Line, UnknownColumnsError, row_of
from pgvigil.client.backfill.recognition import UnknownFormError, form_of, known_name

# A message in a CSV cell may be longer than the csv module expects.
csv.field_size_limit(16 * 1024 * 1024)

_CELL = re.compile(r'("(?:[^"]|"")*"|[^,\r\n]*)(?:,|\r?\n|\r|$)')
_PUT_BEFORE_FORMULA = re.compile("'+[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


class CsvLines:
    """The records of a CSV file, one by one."""

    def __init__(self, text: IO[str], forms: Sequence[Form] | None) -> None:
        """Read a file whose records are in one of these forms; in any form when None."""
        self.header = ""
        """The header as it stands there."""
        self._recorder = _Recorder(text)
        self._reader = csv.reader(self._recorder, strict=True)
        self._forms = forms

    def __iter__(self) -> Iterator[Line]:
        """Yield the records; those that are none carry their fault.

        Raises:
            UnknownColumnsError: the header names unknown columns.
        """
        names = next(self._reader, None)
        self.header, _ = self._recorder.take()
        if names is None:
            return  # an empty file
        shape = _shape(names, self.header, self._forms)
        while True:
            fault, cells = None, None
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                fault = f"not CSV: {error}"
            text, number = self._recorder.take()
            if cells is None and fault is None:
                return
            if cells == []:
                continue  # an empty line
            yield _line(shape, number, text, cells, fault)


@dataclass(frozen=True)
class _Shape:
    """What the header says of the lines below it."""

    form: Form
    columns: list[str]
    has_marked_formulas: bool
    """Whether texts that a spreadsheet would take for formulas have an apostrophe before them."""
    quotes_all: bool
    """Whether all cells are quoted, those of nothing as well."""


def _shape(names: list[str], header: str, forms: Sequence[Form] | None) -> _Shape:
    columns = [known_name(name) for name in names]
    if not any(columns):
        raise UnknownColumnsError("The file does not begin with the names of its columns.")
    if len(columns) == 1 and "\t" in header:
        raise UnknownColumnsError(
            "The columns of the file are separated by tabs.",
            hint="CSV is read: write it by copy ... to ... with (format csv, header).",
        )
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise UnknownColumnsError(f"The header has {', '.join(map(repr, twice))} twice.")
    try:
        form = form_of(columns, forms)
    except UnknownFormError as error:
        raise UnknownColumnsError(str(error), hint=error.hint) from None
    return _Shape(
        form,
        columns,
        # As exports write them: all columns of a view, and lines that end as in the RFC.
        has_marked_formulas=header.endswith("\r\n") and form.columns == set(columns),
        quotes_all=all(cell.startswith('"') for cell in _CELL.findall(header.rstrip("\r\n"))[:-1]),
    )


def _line(
    shape: _Shape, number: int, text: str, cells: list[str] | None, fault: str | None
) -> Line:
    if cells is None:
        return Line(number, text, shape.form.kind, fault=fault)
    if len(cells) != len(shape.columns):
        fault = f"the line has {len(cells)} cells and the header {len(shape.columns)}"
        return Line(number, text, fault=fault)
    try:
        row = row_of(shape.form, _values(shape, text, cells), shape.columns)
    except (BadLineError, exact_json.NotJsonError) as error:
        return Line(number, text, fault=str(error))
    return Line(number, text, shape.form.kind, row)


def _values(shape: _Shape, text: str, cells: list[str]) -> dict[str, Any]:
    """Return the cells that are not null, by their columns."""
    if '""' in text:
        written: list[str] = _CELL.findall(text)[: len(cells)]
        empty = {"", '""'} if shape.quotes_all else {""}
    else:
        written, empty = cells, {""}
    values: dict[str, Any] = {}
    for name, cell, raw in zip(shape.columns, cells, written, strict=True):
        if raw in empty or (name not in TEXTS and cell in ("", "\\N")):
            continue
        if shape.has_marked_formulas and _PUT_BEFORE_FORMULA.match(cell):
            cell = cell[1:]
        values[name] = exact_json.loads(cell, name) if name in shape.form.documents else cell
    return values


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
