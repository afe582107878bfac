"""Exports over HTTP: the same files as those of the command, made while they are sent."""

import io
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import httpx
import openpyxl
import psycopg
import pytest

from pgvigil.faces.export import FORMATS, KINDS, Span, export
from pgvigil.faces.web.routes.export import Format, What
from tests.python.support.running import wait_until
from tests.python.support.web_running import Web

_EXPORTING = "select count(*) from pg_stat_activity where application_name = 'pgvigil web export'"


@pytest.fixture(scope="module")
def span() -> Span:
    """A span that holds all that there is."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(today - timedelta(days=30), today + timedelta(days=1))


@pytest.fixture
def busy(dsn: str, connection: psycopg.Connection[Any]) -> Iterator[Web]:
    """A service over many rows."""
    connection.execute(
        "select monitoring.record_logs(jsonb_agg(jsonb_build_object('component', 'c', 'level',"
        " 'INFO', 'message', repeat('x', 2000)))) from generate_series(1, 20000)"
    )
    with Web(dsn) as web:
        yield web


def test_all_that_can_be_exported_is_offered() -> None:
    assert get_args(What) == tuple(KINDS)
    assert get_args(Format) == tuple(FORMATS)


@pytest.mark.parametrize("what", list(KINDS))
@pytest.mark.parametrize("file_format", ["csv", "json", "jsonl"])
def test_a_file_is_that_of_the_command(
    filled_web: Web, filled_dsn: str, span: Span, what: str, file_format: str
) -> None:
    asked = {
        "format": file_format, "from": span.from_at.isoformat(), "to": span.to_at.isoformat()
    }  # fmt: skip
    answer = filled_web.client.get(f"/api/export/{what}", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == FORMATS[file_format].media_type
    assert re.fullmatch(
        rf'attachment; filename="{what}-\w+-\w+\.{file_format}"',
        answer.headers["content-disposition"],
    )
    with psycopg.connect(filled_dsn, autocommit=True) as opened:
        known = b"".join(export(opened, what, file_format, span))
    # What runs has been at it a little longer each time it is read.
    assert _without_ages(answer.content) == _without_ages(known)
    # Of these three there is nothing here; that they hold something is tried with the command.
    assert answer.content.strip() or what in ("products", "runs", "summaries")


def _without_ages(content: bytes) -> bytes:
    return re.sub(rb"\d+\.\d+", b"0.0", content)


def test_a_workbook_can_be_opened(filled_web: Web) -> None:
    answer = filled_web.client.get("/api/export/errors?format=xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    assert sheet.max_row > 10


def test_a_document_is_one(filled_web: Web) -> None:
    assert filled_web.client.get("/api/export/alerts?format=pdf").content.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("everything", 422),
        ("tasks?format=doc", 422),
        ("tasks?from=yesterday", 422),
        ("tasks?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 400),
        ("tasks?to=1900-01-01T00:00:00Z", 400),
    ],
)
def test_what_makes_no_sense_is_refused(filled_web: Web, path: str, status: int) -> None:
    answer = filled_web.client.get(f"/api/export/{path}")
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_document_of_too_many_rows_is_refused(busy: Web) -> None:
    answer = busy.client.get("/api/export/logs?format=pdf")
    assert answer.status_code == 400
    assert answer.json()["hint"]


def test_many_rows_come_as_they_are_taken_and_short_questions_need_not_wait(
    busy: Web, connection: psycopg.Connection[Any]
) -> None:
    with busy.client.stream("GET", "/api/export/logs?format=jsonl") as answer:
        pieces = answer.iter_bytes()
        assert next(pieces)
        assert busy.rows("/api/queues") == []
        size = sum(map(len, pieces))
    assert size > 20_000 * 2000
    wait_until(lambda: connection.execute(_EXPORTING).fetchone() == (0,), 10)


def test_an_export_that_nobody_takes_any_more_ends(
    busy: Web, connection: psycopg.Connection[Any]
) -> None:
    with busy.client.stream("GET", "/api/export/logs?format=jsonl") as answer:
        pieces = answer.iter_bytes()  # kept: the connection ends with it
        assert next(pieces)
        assert connection.execute(_EXPORTING).fetchone() == (1,)
    wait_until(lambda: connection.execute(_EXPORTING).fetchone() == (0,), 10)


def test_an_export_that_is_taken_up_again_too_late_breaks_off(
    busy: Web, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.faces.web.exporting._SECONDS_TO_BE_TAKEN", 0.3)
    with busy.client.stream("GET", "/api/export/logs?format=jsonl", timeout=10) as answer:
        pieces = answer.iter_bytes()
        next(pieces)
        wait_until(lambda: connection.execute(_EXPORTING).fetchone() == (0,), 10)
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)


def test_only_a_few_exports_are_made_at_once(busy: Web) -> None:
    def slowly(_: int) -> int:
        with busy.client.stream("GET", "/api/export/logs?format=jsonl") as answer:
            time.sleep(2)
            return answer.status_code

    with ThreadPoolExecutor(3) as pool:
        told = sorted(pool.map(slowly, range(3)))
    assert told == [200, 200, 503]
    # And afterwards there is room again.
    wait_until(lambda: busy.client.get("/api/export/errors").status_code == 200, 10)


def test_a_database_that_is_away_is_said_to_be() -> None:
    with Web("postgresql://u:secret@127.0.0.1:1/none") as web:
        answer = web.client.get("/api/export/tasks")
    assert (answer.status_code, answer.json()["detail"]) == (503, "the database is unavailable")


def test_a_database_without_pgvigil_is_said_to_be(empty_dsn: str) -> None:
    with Web(empty_dsn) as web:
        assert web.client.get("/api/export/tasks").status_code == 503
