"""The daily report says what the database says, safely, and goes along with daily summaries."""

import base64
import io
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pypdf
import pytest

from pgvigil.exceptions import NumberOutOfRangeError
from pgvigil.faces.report import FORMATS, make_report, read_report
from tests import ROOT
from tests.harness.clients import run_pgvigil
from tests.python.support.asking import value
from tests.python.support.receivers import Mailbox, Webhook
from tests.python.support.running import RunningRunner
from tests.python.support.sending import Outbox

BILLING = ROOT / "examples" / "batch" / "billing.json"
AWKWARD = "<script>alert(1)</script> & <*> \u00fc"


@pytest.fixture
def busy(connection: psycopg.Connection) -> psycopg.Connection:
    """A database in which a business day went badly."""
    for at, statement, *arguments in (
        ("2026-01-12 05:00+01", "select monitoring.apply_workflow(%s)", BILLING.read_text()),
        ("2026-01-13 18:00+01",
         "select monitoring.start_task_tracking('a', 'CM-DMRU', p_items_total => 1000)"),
        ("2026-01-13 18:10+01", "select monitoring.update_task_progress('a', 1000)"),
        ("2026-01-13 18:20+01", "select monitoring.complete_task_tracking('a')"),
        ("2026-01-13 18:21+01", "select monitoring.start_task_tracking('b', 'D1-IMD')"),
        ("2026-01-13 19:00+01", "select monitoring.complete_task_tracking('b', 'failed')"),
        ("2026-01-13 19:00+01", "select monitoring.record_error('b', %s, 'high', %s)",
         AWKWARD, AWKWARD),
        ("2026-01-13 19:01+01", "select monitoring.evaluate_alerts()"),
        ("2026-01-14 00:10+01", "select monitoring.start_task_tracking('c', 'CM_BSGGN')"),
        ("2026-01-14 07:00+01", "select monitoring.evaluate_alerts()"),
    ):  # fmt: skip
        connection.execute("select set_config('monitoring.now', %s, false)", [at])
        connection.execute(statement.encode(), arguments or None)
    return connection


def text_of(document: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(document)).pages)


def written(connection: psycopg.Connection, file_format: str, day: date | None = None) -> str:
    document = make_report(read_report(connection, day), file_format).document
    return text_of(document) if file_format == "pdf" else document.decode()


@pytest.mark.parametrize("file_format", list(FORMATS))
def test_it_tells_the_business_day_alerts_tasks_and_errors(
    file_format: str, busy: psycopg.Connection
) -> None:
    text = written(busy, file_format)
    for told in (
        "billing, business day 2026-01-13",
        "6 steps: 1 complete, 1 running, 1 failed, ",
        "00:10 +1",
        "Times are in Europe/Berlin",
        "18:20",
        f"Alerts open: {value(busy, 'select count(*) from monitoring.v_active_alerts')}",
        "Tasks ended: 2",
        "1 completed (50",
        "Errors: 1",
    ):
        assert told in text


def test_a_day_that_was_asked_for_is_named(busy: psycopg.Connection) -> None:
    report = make_report(read_report(busy, date(2026, 1, 12)))
    assert report.name == "report-2026-01-12.html"
    assert "<title>Daily report of 2026-01-12</title>" in report.document.decode()
    assert make_report(read_report(busy), "pdf").name == "report-2026-01-14.pdf"


def test_texts_from_outside_are_no_markup(busy: psycopg.Connection) -> None:
    page = written(busy, "html")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;*&gt; \u00fc" in page
    assert not re.search(r"(src|href|url)\s*[=(]", page), "it needs nothing from elsewhere"


@pytest.mark.parametrize("file_format", list(FORMATS))
def test_nothing_recorded_is_a_report_too(file_format: str, connection: psycopg.Connection) -> None:
    text = written(connection, file_format)
    known = "Not known what is wrong: no alert rule has ever run."
    for told in ("Alerts: not known", known, "Tasks ended: 0", "Errors: 0"):
        assert told in text


def test_times_outside_workflows_are_in_the_zone_asked_for(busy: psycopg.Connection) -> None:
    page = make_report(read_report(busy), "html", ZoneInfo("Asia/Tokyo")).document.decode()
    assert "(Asia/Tokyo), made 2026-01-14 15:00" in page
    assert ">18:20<" in page


def test_more_than_fits_is_counted(busy: psycopg.Connection) -> None:
    report = read_report(busy)
    report["errors"]["kinds"] = 41
    assert "The worst 1 are below; there are 40 more." in make_report(report).document.decode()


def test_records_are_told_when_there_are_any(busy: psycopg.Connection) -> None:
    report = read_report(busy)
    assert "<h2>Records</h2>" not in make_report(report).document.decode()
    figures = ("runs", "records_queried", "valid_records", "invalid_records", "invalid_opened",
               "invalid_resolved", "invalid_open", "status_changes")  # fmt: skip
    report["records"] = [
        {"dataset": "proposals", "target_date": "2026-01-13"}
        | {name: 1000 + number for number, name in enumerate(figures)}
    ]
    text = text_of(make_report(report, "pdf").document)
    assert "proposals 2026-01-13 1,000 1,001 1,002 1,003 1,004 1,005 1,006 1,007" in text


def test_a_date_that_cannot_be_is_refused(connection: psycopg.Connection) -> None:
    with pytest.raises(NumberOutOfRangeError):
        read_report(connection, date(1969, 1, 1))


# The command


def test_the_command_writes_a_file_or_to_standard_output(dsn: str, tmp_path: Path) -> None:
    result = run_pgvigil(dsn, "report")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("<!doctype html>")
    path = tmp_path / "day.pdf"
    result = run_pgvigil(dsn, "report", "--date", "2026-01-13", "--out", str(path))
    assert (result.returncode, result.stdout) == (0, "")
    assert "Daily report of 2026-01-13" in text_of(path.read_bytes())
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_says_what_is_wrong(dsn: str) -> None:
    result = run_pgvigil(dsn, "report", "--date", "1969-01-01")
    assert result.returncode == 1
    assert "Hint: Give business_date as a date from 1970-01-01" in result.stderr
    assert run_pgvigil(dsn, "report", "--time-zone", "Mars").returncode == 2


# With daily summaries


def summary(outbox: Outbox, target: str) -> int:
    number = outbox.put(target, is_quiet=True)
    outbox.session.execute(
        "update monitoring.queued_notifications set kind = 'summary' where notification_id = %s",
        [number],
    )
    return number


def attachments(received: Any) -> list[tuple[str, bytes]]:
    return [
        (each["filename"], base64.b64decode(each["base64"])) for each in received["attachments"]
    ]


def test_a_summary_is_mailed_with_the_report(dsn: str, outbox: Outbox) -> None:
    summary(outbox, "MAIL")
    with (
        Mailbox() as mailbox,
        RunningRunner(
            dsn, "--once", "--report", "ops", environment={"MAIL": mailbox.url()}
        ) as running,
    ):
        assert running.wait() == 0
    (mail,) = mailbox.mails
    (attached,) = mail.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_filename() == f"report-{datetime.now(UTC):%Y-%m-%d}.pdf"
    assert "Daily report" in text_of(attached.get_content())


def test_only_summaries_of_the_channels_named_have_it(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    outbox.put("HOOK", is_quiet=True)
    summary(outbox, "HOOK")
    other = summary(outbox, "HOOK")
    outbox.session.execute(
        "update monitoring.queued_notifications set channel_name = 'other'"
        " where notification_id = %s",
        [other],
    )
    options = ("--once", "--report", "ops", "--report-format", "html")
    with RunningRunner(dsn, *options, environment={"HOOK": hook.url()}) as running:
        assert running.wait() == 0
    found = [attachments(each.document) for each in hook.received]
    assert sorted(map(len, found)) == [0, 0, 1]
    ((name, page),) = next(each for each in found if each)
    assert name.endswith(".html")
    assert page.startswith(b"<!doctype html>")


def test_a_report_that_fails_holds_no_summary_up(dsn: str, outbox: Outbox, hook: Webhook) -> None:
    summary(outbox, "HOOK")
    outbox.session.execute("drop function monitoring.get_daily_report")
    with RunningRunner(
        dsn, "--once", "--report", "ops", environment={"HOOK": hook.url()}
    ) as running:
        assert running.wait() == 0
    assert "is sent without the daily report" in running.text
    (received,) = hook.received
    assert json.dumps(received.document["attachments"]) == "[]"
