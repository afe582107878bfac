"""Workbooks for spreadsheets (xlsx)."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pgvigil.faces.export.table import Table, needed

# The file format allows no more.
MOST_ROWS = 1_048_576
_LONGEST_TEXT = 32_767
# What a spreadsheet counts exactly; longer numbers are shown as text.
_EXACT = 10**15
_PIECE = 256 * 1024
_WIDTH = 18
_FORMATS = {"time": "yyyy-mm-dd hh:mm:ss.000", "day": "yyyy-mm-dd"}


def write_workbook(table: Table) -> Iterator[bytes]:
    """Yield a table as a workbook: times and numbers as such, and no text as a formula.

    It is made on disk: its first byte can only be written after the last row was read.
    """
    xlsxwriter = needed("xlsxwriter")
    with TemporaryDirectory(prefix="pgvigil-") as directory:
        path = Path(directory) / "export.xlsx"
        options = {"constant_memory": True, "tmpdir": directory, "remove_timezone": True}
        with xlsxwriter.Workbook(str(path), options) as workbook:
            workbook.set_properties(
                {"title": f"pgvigil {table.title}", "comments": f"Times are in {table.zone}."}
            )
            _fill(workbook, table)
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def _fill(workbook: Any, table: Table) -> None:
    bold = workbook.add_format({"bold": True})
    formats = {name: workbook.add_format({"num_format": code}) for name, code in _FORMATS.items()}
    sheet, number, line = None, 0, MOST_ROWS
    for row in table.rows:
        if line >= MOST_ROWS:
            _finish(sheet, table, line)
            number += 1
            sheet, line = _new_sheet(workbook, table, number, bold), 1
        for place, value in enumerate(row):
            _write(sheet, line, place, value, table, formats)
        line += 1
    if sheet is None:
        sheet, line = _new_sheet(workbook, table, 1, bold), 1
    _finish(sheet, table, line)


def _new_sheet(workbook: Any, table: Table, number: int, bold: Any) -> Any:
    sheet = workbook.add_worksheet(table.title if number == 1 else f"{table.title} {number}")
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(table.columns) - 1, _WIDTH)
    for place, name in enumerate(table.columns):
        sheet.write_string(0, place, name, bold)
    return sheet


def _finish(sheet: Any, table: Table, lines: int) -> None:
    if sheet is not None:
        sheet.autofilter(0, 0, lines - 1, len(table.columns) - 1)


def _write(
    sheet: Any, line: int, place: int, value: Any, table: Table, formats: Mapping[str, Any]
) -> None:
    """Write a cell by the method for its type: what is a text can become nothing else."""
    if isinstance(value, Decimal):
        value = float(value)
    if value is None:
        return
    if isinstance(value, datetime):
        sheet.write_datetime(line, place, value.astimezone(table.zone), formats["time"])
    elif isinstance(value, date):
        sheet.write_datetime(line, place, value, formats["day"])
    elif isinstance(value, bool):
        sheet.write_boolean(line, place, value)
    elif isinstance(value, int | float) and abs(value) < _EXACT:
        sheet.write_number(line, place, value)
    else:
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        sheet.write_string(line, place, _fitting(text))


def _fitting(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
