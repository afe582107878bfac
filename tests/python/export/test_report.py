"""The daily report says what the database says, safely, and goes along with daily summaries."""

import base64
import email.message
import email.policy
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
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
from tests.python.support.page_data import NOW, fill, set_clock
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
    if file_format == "pdf":
        return text_of(document)
    if file_format == "eml":
        return both_parts(document)
    return document.decode()


def both_parts(document: bytes) -> str:
    mail = email.message_from_bytes(document, policy=email.policy.default)
    plain, page = (part.get_content() for part in mail.iter_parts())
    return f"{plain}\n{without_markup(page)}"


def without_markup(page: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page))


def squeezed(connection: psycopg.Connection, file_format: str) -> str:
    """What is said, in small letters on one line: the rest depends on what it is written as."""
    text = written(connection, file_format)
    return " ".join((without_markup(text) if file_format == "html" else text).lower().split())


@pytest.mark.parametrize("file_format", list(FORMATS))
def test_it_tells_what_the_database_tells(file_format: str, busy: psycopg.Connection) -> None:
    text = squeezed(busy, file_format)
    report = value(busy, "select monitoring.get_daily_report()")
    for told in (
        report["headline"],
        *(verdict["summary"] for verdict in report["verdicts"]),
        *(job["summary"] for job in report["jobs"]["list"]),
        *(alert["summary"] for alert in report["alerts"]["open_list"]),
        f"Alerts open: {value(busy, 'select count(*) from monitoring.v_active_alerts')}",
        f"Tasks ended: {report['tasks']['ended']}",
        f"{report['tasks']['completed']} completed (50 %), {report['tasks']['failed']} failed",
        "All times are in Europe/Berlin.",
        value(busy, "select current_database()"),
    ):
        assert " ".join(told.lower().split()) in text


def test_a_verdict_names_the_failure_and_what_waits_for_it(busy: psycopg.Connection) -> None:
    (verdict,) = read_report(busy)["verdicts"]
    assert verdict["summary"] == (
        f"D1-IMD failed at 19:00: {AWKWARD}; 2 steps after it did not run: C1-PPBTR, BILLRESTSMS"
    )


def test_what_is_wrong_comes_first_and_its_steps_come_last(busy: psycopg.Connection) -> None:
    text = written(busy, "txt")
    assert text.startswith("IN TROUBLE: billing: D1-IMD failed at 19:00")
    assert text.index("ALERTS OPEN") < text.index("STEPS OF BILLING")
    assert "* CM-DMRU, complete, 18:00 to 18:20, records 1,000\n" in text
    assert "* CM_BSGGN, running, since 00:10 +1" in text


def test_a_mail_has_the_verdict_as_its_subject(busy: psycopg.Connection) -> None:
    document = make_report(read_report(busy), "eml").document
    mail = email.message_from_bytes(document, policy=email.policy.default)
    database = value(busy, "select current_database()")
    assert mail["Subject"].startswith(f"[{database}] billing: D1-IMD failed at 19:00: <script>")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_a_day_that_was_asked_for_is_named(busy: psycopg.Connection) -> None:
    report = make_report(read_report(busy, date(2026, 1, 12)))
    assert report.name == "report-2026-01-12.html"
    assert "<title>Daily report, Monday 12 January 2026: " in report.document.decode()
    assert make_report(read_report(busy), "pdf").name == "report-2026-01-14.pdf"


def test_texts_from_outside_are_no_markup(busy: psycopg.Connection) -> None:
    page = written(busy, "html")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;*&gt; \u00fc" in page
    assert not re.search(r"(src|href|url)\s*[=(]", page), "it needs nothing from elsewhere"


def test_alerts_lead_to_the_page_where_its_address_is_known(busy: psycopg.Connection) -> None:
    busy.execute("select monitoring.set_page_url('https://watch.example/a?b=\"c\"')")
    (alert, *_) = read_report(busy)["alerts"]["open_list"]
    address = f"https://watch.example/a?b=&quot;c&quot;/alerts/{alert['alert_id']}"
    assert f'<a href="{address}"' in written(busy, "html")


@pytest.mark.parametrize("file_format", list(FORMATS))
def test_nothing_recorded_is_a_report_too(file_format: str, connection: psycopg.Connection) -> None:
    text = squeezed(connection, file_format)
    for told in (
        "Not known whether all is well: no alert rule has ever run",
        "Not known: alerts: no alert rule has ever run.",
        "No workflow and no expected run is configured, so nothing can be missing or late.",
        "Alerts: not known",
        "Tasks ended: 0",
    ):
        assert told.lower() in text
    assert read_report(connection)["state"] == "unknown"


def test_all_times_are_in_the_zone_asked_for(busy: psycopg.Connection) -> None:
    report = read_report(busy, zone=ZoneInfo("Asia/Tokyo"))
    text = " ".join(make_report(report, "txt").document.decode().split())
    assert "All times are in Asia/Tokyo." in text
    assert "billing: D1-IMD failed at 03:00: " in text
    assert "CM-DMRU, complete, 02:00 +1 to 02:20 +1" in text


def test_more_than_fits_is_counted(busy: psycopg.Connection) -> None:
    report = read_report(busy)
    (alert, *_) = report["alerts"]["open_list"]
    report["alerts"] |= {"open": 200, "open_list": [alert] * 50}
    report["errors"]["kinds"] = 41
    report["news"]["news"] = 40
    text = " ".join(make_report(report, "txt").document.decode().split())
    assert "The worst 6 are here, of 200." in text
    assert "The worst 1 kinds are here; there are 40 more." in text
    assert f"And {40 - len(report['news']['list'])} more." in text


def test_a_reason_is_told_once_and_whose_an_alert_is(busy: psycopg.Connection) -> None:
    report = read_report(busy)
    (alert, *_) = report["alerts"]["open_list"]
    report["alerts"]["open_list"] = [
        alert | {"summary": summary, "reason": reason, "owner": owner, "acknowledged_by": by}
        for summary, reason, owner, by in (
            ("failed: disk full", "IoError: disk full", "team", None),
            ("queue stalled", "no worker", None, None),
            ("slow", None, "team", "ann"),
        )
    ]
    text = " ".join(make_report(report, "txt").document.decode().split())
    assert re.search(
        r"\* \w+, failed: disk full, since [^*]*, team, not acknowledged"
        r" \* \w+, queue stalled: no worker, since [^*]*, nobody's yet"
        r" \* \w+, slow, since [^*]*, ann has it ",
        text,
    )


def test_a_text_of_others_is_no_mark_of_ours(busy: psycopg.Connection) -> None:
    report = read_report(busy)
    (alert, *_) = report["alerts"]["open_list"]
    report["alerts"]["open_list"] = [
        alert | {"summary": "done", "reason": None, "severity": "high"}
    ]
    page = make_report(report).document.decode()
    assert re.search(r"<td[^>]*><span[^>]*>high</span></td><td[^>]*>done</td>", page)


def test_records_are_told_against_what_is_usual(busy: psycopg.Connection) -> None:
    report = read_report(busy)
    (verdict,) = report["verdicts"]
    verdict["records"] = [
        {"step_name": name, "records": records, "usual_from": 900, "usual_to": 1100,
         "is_unusual": records != 1000}
        for name, records in (("usual", 1000), ("few", 7), ("without", None))
    ]  # fmt: skip
    text = text_of(make_report(report, "pdf").document)
    assert "Records, unlike usual: 2" in text
    assert text.index("few 7 900 to 1,100 unusual") < text.index("usual 1,000 900 to 1,100")
    assert "without none 900 to 1,100 unusual" in text


def test_a_usual_day_is_one_page_of_a4(connection: psycopg.Connection) -> None:
    fill(connection)
    set_clock(connection, NOW - timedelta(hours=14))
    report = read_report(connection)
    assert report["state"] == "well"
    (page,) = pypdf.PdfReader(io.BytesIO(make_report(report, "pdf").document)).pages
    width, height = (float(side) / 72 * 25.4 for side in page.mediabox[2:])
    assert (round(width), round(height)) == (210, 297)


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
    assert "Daily report, Tuesday 13 January 2026" in text_of(path.read_bytes())
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
    _, _, verdict = mail["Subject"].partition("] ")
    assert verdict.startswith("Not known whether all is well: ")
    plain, page, _ = (part.get_content() for part in mail.walk() if not part.is_multipart())
    assert " ".join(plain.split()).startswith(verdict)
    assert "No workflow and no expected run is configured" in plain
    assert page.startswith("<!doctype html>")
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
