"""Something to export, and what the files hold that it becomes."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import psycopg
import pypdf
import pytest

from pgvigil.faces.export import Span, export

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = Span(NOON - timedelta(hours=24), NOON + timedelta(hours=1))
BAD_TEXT = "=cmd|'/c calc'!A0 \"quoted\", and; more\nsecond line\x01 \u00fc \u540d"


@pytest.fixture
def busy(connection: psycopg.Connection) -> psycopg.Connection:
    """A database with something of every kind at noon of a day."""
    connection.execute("set monitoring.now = '2026-01-15 12:00+00'")
    for statement, *arguments in (
        ("select monitoring.start_task_tracking('runs', 'load', 7)",),
        ("select monitoring.update_task_progress('runs', 3, 12, '{\"pages\": 3}')",),
        ("select monitoring.start_task_tracking('ends', 'load')",),
        ("select monitoring.complete_task_tracking('ends', 'failed', 9, '{\"scan\": 8.5}')",),
        ("select monitoring.record_error('ends', 'E', 'high', %s, 'c', '{\"a\": [1, null]}')",
         BAD_TEXT),
        ("select monitoring.record_performance_metric('m', 'gauge', -2.5, 'ms')",),
        ("select monitoring.record_log('c', 'INFO', 'said')",),
        ("select monitoring.apply_workflow('{\"workflow\": \"w\", \"steps\":"
         " [{\"step\": \"load\"}]}')",),
        ("select monitoring.log_invalid_records('d', '[\"P-1\"]', 'SEUNO')",),
        ("select monitoring.track_status_changes('d',"
         " '[{\"record_key\": \"P-1\", \"status\": \"OPEN\"}]'::jsonb)",),
        ("select monitoring.evaluate_alerts()",),
        ("select monitoring.update_system_health('api', 'shop', 'healthy', 12.5)",),
        ("select monitoring.record_queue_metrics('q', 3)",),
        ("select monitoring.track_record_products('d',"
         " '[{\"record_key\": \"P-1\", \"products\": [\"A\"]}]')",),
        ("select monitoring.log_program_execution('d', '2026-01-15', '{\"valid_records\": 7}',"
         " 12.5)",),
        ("select monitoring.update_daily_summary('d', '2026-01-15')",),
    ):  # fmt: skip
        connection.execute(statement.encode(), arguments or None)
    return connection


def exported(
    connection: psycopg.Connection, what: str, file_format: str, span: Span = DAY, **options: Any
) -> bytes:
    """Return an export as one piece."""
    return b"".join(export(connection, what, file_format, span, **options))


def lines(connection: psycopg.Connection, what: str, **options: Any) -> list[dict[str, str]]:
    """Return the lines of an export as CSV."""
    text = exported(connection, what, "csv", **options).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sheets(document: bytes) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each sheet of a workbook."""
    book = openpyxl.load_workbook(io.BytesIO(document))
    return [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]


def pages(document: bytes) -> str:
    """Return the text of a PDF."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(document)).pages)
