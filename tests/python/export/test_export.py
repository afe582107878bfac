"""Exports hold what the views hold, in every format, however much it is, and nothing dangerous."""

import io
import json
import sys
import tracemalloc
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import psycopg
import pytest
from psycopg.rows import dict_row

from pgvigil.exceptions import MissingExtraError
from pgvigil.faces.export import FORMATS, KINDS, ExportError, Span, export
from pgvigil.faces.export.document import MOST_ROWS
from pgvigil.faces.export.paper import Paper
from tests.python.support.asking import rows, value
from tests.python.support.exporting import BAD_TEXT, DAY, NOON, busy, exported, lines, pages, sheets

__all__ = ["busy"]  # a fixture

BERLIN = ZoneInfo("Europe/Berlin")
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1d1"]


def plain(found: Any) -> Any:
    """Return a value as JSON has it."""
    return found.isoformat() if isinstance(found, datetime | date) else float(found)


# What is in it


@pytest.mark.parametrize("what", list(KINDS))
def test_all_formats_hold_the_same_rows_as_the_view(what: str, busy: psycopg.Connection) -> None:
    with busy.cursor(row_factory=dict_row) as cursor:
        ends = {"from": DAY.from_at, "to": DAY.to_at}
        expected = cursor.execute(KINDS[what].query.encode(), ends).fetchall()
    assert expected, "there is something to export"
    found = json.loads(exported(busy, what, "json"))
    assert found == json.loads(json.dumps(expected, default=plain))
    assert [list(row) for row in found] == [list(row) for row in expected]
    jsonl = exported(busy, what, "jsonl").decode().splitlines()
    assert [json.loads(line) for line in jsonl] == found
    assert [row.keys() for row in lines(busy, what)] == [row.keys() for row in expected]
    (sheet,) = sheets(exported(busy, what, "xlsx"))
    assert sheet[0] == tuple(expected[0])
    assert len(sheet) == len(expected) + 1
    assert f"{len(expected)} row" in pages(exported(busy, what, "pdf"))


def test_texts_numbers_times_and_json_survive_in_csv(busy: psycopg.Connection) -> None:
    (error,) = lines(busy, "errors", is_exact=True)
    assert error["message"] == BAD_TEXT
    assert json.loads(error["details"]) == {"a": [1, None]}
    assert error["occurred_at"] == "2026-01-15T12:00:00+00:00"
    assert error["stack"] == ""
    (metric,) = lines(busy, "metrics")
    assert metric["value"] == "-2.5"


def test_cells_of_a_workbook_have_the_types_of_their_values(busy: psycopg.Connection) -> None:
    document = exported(busy, "metrics", "xlsx", zone=BERLIN)
    sheet = openpyxl.load_workbook(io.BytesIO(document)).active
    cells = dict(zip((cell.value for cell in sheet[1]), sheet[2], strict=True))
    assert (cells["value"].value, cells["value"].data_type) == (-2.5, "n")
    assert cells["recorded_at"].value == datetime(2026, 1, 15, 13)
    assert cells["metric_name"].data_type in ("s", "inlineStr")
    assert sheet.freeze_panes == "A2"
    document = exported(busy, "batch", "xlsx")
    (heading, *_, ended) = sheets(document)[0]
    assert dict(zip(heading, ended, strict=True))["business_date"] == datetime(2026, 1, 15)


def test_nothing_recorded_is_a_file_without_rows(connection: psycopg.Connection) -> None:
    header = exported(connection, "tasks", "csv").decode()
    assert header.startswith("task_id,task_type,status,")
    assert header.endswith("\r\n")
    assert header.count("\n") == 1
    assert exported(connection, "tasks", "jsonl") == b""
    assert json.loads(exported(connection, "tasks", "json")) == []
    assert [len(sheet) for sheet in sheets(exported(connection, "tasks", "xlsx"))] == [1]
    assert "0 rows" in pages(exported(connection, "tasks", "pdf"))


def test_a_span_has_its_beginning_and_not_its_end(connection: psycopg.Connection) -> None:
    for hour in range(3):
        connection.execute(
            "select monitoring.record_performance_metric('m', 'gauge', %s, p_recorded_at => %s)",
            [float(hour), NOON + timedelta(hours=hour)],
        )
    span = Span(NOON, NOON + timedelta(hours=2))
    found = json.loads(exported(connection, "metrics", "json", span))
    assert [row["value"] for row in found] == [0, 1]


def test_a_task_counts_when_it_ends_and_a_running_one_when_it_began(
    busy: psycopg.Connection,
) -> None:
    def tasks() -> list[str]:
        return [row["task_id"] for row in lines(busy, "tasks") if row["task_type"] == "load"]

    assert tasks() == ["ends", "runs"]
    busy.execute("set monitoring.now = '2026-01-16 12:00+00'")
    busy.execute("select monitoring.complete_task_tracking('runs')")
    assert tasks() == ["ends"]


def test_an_alert_is_in_every_span_in_which_it_was_open(busy: psycopg.Connection) -> None:
    started = value(busy, "select min(started_at) from monitoring.alerts")
    assert json.loads(exported(busy, "alerts", "json"))
    before = Span(started - timedelta(hours=1), started)
    assert json.loads(exported(busy, "alerts", "json", before)) == []
    days_later = Span(started + timedelta(days=3), started + timedelta(days=4))
    assert json.loads(exported(busy, "alerts", "json", days_later))


# Formulas


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_text_becomes_a_formula(formula: str, connection: psycopg.Connection) -> None:
    connection.execute("set monitoring.now = '2026-01-15 12:00+00'")
    connection.execute("select monitoring.record_log('c', 'INFO', %s)", [formula])
    (line,) = lines(connection, "logs")
    assert line["message"] == f"'{formula}"
    (exact,) = lines(connection, "logs", is_exact=True)
    assert exact["message"] == formula
    sheet = openpyxl.load_workbook(io.BytesIO(exported(connection, "logs", "xlsx"))).active
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
    assert [cell.value for cell in sheet[2] if str(cell.value).endswith(formula[-1])]


# Sizes


def test_memory_stays_bounded(connection: psycopg.Connection) -> None:
    connection.execute(
        "select monitoring.record_performance_metric('m', 'gauge', 1, p_recorded_at => %s)",
        [NOON - timedelta(hours=12)],
    )
    connection.execute(
        "insert into monitoring.late_metric_samples (metric_name, metric_type, value, recorded_at)"
        " select 'm' || n, 'gauge', n, '2026-01-15'::timestamptz + n * interval '1 s'"
        " from generate_series(1, 30000) n"
    )
    for file_format in ("csv", "json", "jsonl", "xlsx"):
        assert sum(map(len, export(connection, "metrics", file_format, Span(NOON, NOON)))) < 9000
        tracemalloc.start()
        size = sum(map(len, export(connection, "metrics", file_format, DAY)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size > 500_000
        # The rows together take many times as much.
        assert peak < 4_000_000, f"{file_format} took {peak:,} bytes"


def test_rows_beyond_a_sheet_go_to_the_next(
    busy: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy.execute("select monitoring.record_log('c', 'INFO', n::text) from generate_series(1, 4) n")
    monkeypatch.setattr("pgvigil.faces.export.workbook.MOST_ROWS", 3)
    found = sheets(exported(busy, "logs", "xlsx"))
    assert [len(sheet) for sheet in found] == [3, 3, 2]
    assert {sheet[0] for sheet in found} == {found[0][0]}


def test_what_a_cell_cannot_hold_is_kept_as_text_or_visibly_cut(
    connection: psycopg.Connection,
) -> None:
    connection.execute("set monitoring.now = '2026-01-15 12:00+00'")
    connection.execute(
        "select monitoring.record_error('t', 'E', 'low', 'm', p_stack => repeat('s', 40000))"
    )
    # Told singly it would be rounded: counts are taken as floats there.
    connection.execute(
        """
        select monitoring.record_finished_tasks(
            '[{"task_id": "t", "task_type": "load", "input_size": 9007199254740993,
                "end_time": "2026-01-15 12:00+00"}]'
        )
        """
    )
    error, task = (sheets(exported(connection, what, "xlsx"))[0] for what in ("errors", "tasks"))
    (stack,) = (text for text in error[1] if isinstance(text, str) and text.startswith("ss"))
    assert (len(stack), stack[-1]) == (32767, "…")
    assert "9007199254740993" in task[1]


def test_a_pdf_of_too_many_rows_is_refused_before_its_first_byte(
    connection: psycopg.Connection,
) -> None:
    connection.execute("set monitoring.now = '2026-01-15 12:00+00'")
    connection.execute(
        "select monitoring.record_log('c', 'INFO', 'x') from generate_series(1, %s)",
        [MOST_ROWS + 1],
    )
    with pytest.raises(ExportError, match="at most 2,000 rows") as refusal:
        export(connection, "logs", "pdf", DAY)
    assert refusal.value.hint == "Take a shorter span, or another format."
    assert len(lines(connection, "logs")) == MOST_ROWS + 1


# Pages


def test_a_pdf_shows_times_in_the_zone_asked_for(busy: psycopg.Connection) -> None:
    text = pages(exported(busy, "errors", "pdf", zone=BERLIN))
    assert "2026-01-15 13:00:00" in text
    assert "Europe/Berlin" in text
    assert "quoted" in text


def test_a_pdf_does_without_the_fonts_of_the_machine() -> None:
    paper = Paper("caf\u00e9 \u540d", has_fonts=False)
    paper.table({"name": 1, "items>": 1}, [["\u00fc \u540d\n\x07", "1,234"]])
    text = pages(paper.output())
    assert "caf\u00e9 ?" in text
    assert "\u00fc ?" in text
    assert "1,234" in text


# Calling it


def test_what_is_not_known_is_refused_with_what_is(connection: psycopg.Connection) -> None:
    with pytest.raises(ExportError, match="'cats' cannot be exported") as refusal:
        export(connection, "cats", "csv", DAY)
    assert "tasks" in str(refusal.value.hint)
    with pytest.raises(ExportError, match="'doc' is not a format") as refusal:
        export(connection, "tasks", "doc", DAY)
    assert "xlsx" in str(refusal.value.hint)


@pytest.mark.parametrize(("file_format", "module"), [("xlsx", "xlsxwriter"), ("pdf", "fpdf")])
def test_a_missing_package_is_told(
    file_format: str,
    module: str,
    connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as refusal:
        export(connection, "tasks", file_format, DAY)
    told = f"the format {file_format} needs more: pip install 'pgvigil[server]'"
    assert str(refusal.value) == told
    assert value(connection, "select 1") == 1


@pytest.mark.parametrize("file_format", list(FORMATS))
def test_an_export_that_is_given_up_leaves_the_connection_usable(
    file_format: str, busy: psycopg.Connection
) -> None:
    pieces = export(busy, "logs", file_format, DAY)
    next(pieces)
    pieces.close()
    assert rows(busy, "select name from pg_cursors") == []
    assert busy.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_reader_may_export_everything_and_a_writer_nothing(busy: psycopg.Connection) -> None:
    busy.execute("set role monitoring_reader")
    for what in KINDS:
        assert exported(busy, what, "jsonl")
    busy.execute("set role monitoring_writer")
    for what in KINDS:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            export(busy, what, "csv", DAY)
