"""The batch system's document: what it prints works, with the results it says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests import ROOT
from tests.python.support.as_printed import assert_is_printed
from tests.python.support.asking import one, rows, value
from tests.python.support.receivers import HOST, Mailbox
from tests.python.support.running import RunningRunner
from tests.python.support.web_running import TOKEN, Web

TABLES = (
    "batch_execution_logs",
    "batch_monitoring_alerts",
    "batch_performance_summary",
    "batch_workflow_config",
    "batch_monitoring_config",
)
STEPS = ["CM-DMRU", "D1-IMD", "C1-PPBTR", "F1-FLUSH", "CM_BSGGN", "BILLRESTSMS"]
ENDPOINTS = ("active-alerts", "batch-logs", "batch-timeline", "batch-health")
PREFIX = "/api/ami-operational"
STATEMENTS = (
    "SELECT COUNT(*) FROM batch_workflow_config;",
    "SELECT COUNT(*) FROM batch_execution_logs;",
    "SELECT * FROM batch_execution_logs ORDER BY created_at DESC LIMIT 10;",
    "SELECT * FROM batch_monitoring_alerts WHERE acknowledged = false;",
)


@pytest.fixture
def day(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A business day of theirs, read from a table as their billing system keeps its runs in."""
    now = datetime.now(UTC)

    def ago(**length: float) -> datetime:
        return now - timedelta(**length)

    connection.execute("set search_path = monitoring, public")
    connection.execute(
        "select apply_workflow(%s::text)",
        [(ROOT / "examples" / "batch" / "billing.json").read_text()],
    )
    connection.execute(
        "create table public.ccb_runs (batch_nbr text, batch_cd text, status text, start_dttm"
        " timestamptz, end_dttm timestamptz, upd_dttm timestamptz, rec_proc_cnt int, rec_cnt int,"
        " message text)"
    )
    connection.execute("grant select on public.ccb_runs to monitoring_reader")
    runs = [
        ("1", "CM-DMRU", "CP", ago(hours=7), ago(hours=5), ago(hours=5), 9000, 9000, None),
        ("2", "D1-IMD", "RN", ago(minutes=263), None, ago(minutes=1), 194094, 400000, None),
        ("3", "C1-PPBTR", "ER", ago(minutes=40), ago(minutes=5), ago(minutes=5), 0, 100,
         "ORA-12545 Connection timeout"),
        ("4", "CM_BSGGN", "RN", ago(minutes=100), None, ago(minutes=61), 50, 100, None),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into public.ccb_runs values (%s, %s, %s, %s, %s, %s, %s, %s, %s)", runs
        )
    connection.execute(
        """select register_run_source('ccb', 'public.ccb_runs',
            '{"run_id": "batch_nbr", "task_type": "batch_cd", "status": "status",
              "started_at": "start_dttm", "finished_at": "end_dttm", "updated_at": "upd_dttm",
              "records_done": "rec_proc_cnt", "records_total": "rec_cnt",
              "error_message": "message"}',
            '{"RN": "running", "CP": "completed", "ER": "failed"}')"""
    )
    connection.execute("select sync_source('ccb')")
    connection.execute(
        "update active_tasks set progress_at = %s where task_type = 'CM_BSGGN'", [ago(minutes=61)]
    )
    connection.execute("select evaluate_alerts()")
    return connection


def alerts_about(connection: psycopg.Connection[Any], step: str) -> dict[str, dict[str, Any]]:
    """Return the alerts about a step by their kind."""
    found = rows(connection, f"select * from batch_monitoring_alerts where step_name = '{step}'")
    return {row["kind"]: row for row in found if row["status"] == "firing"}


def test_all_of_it_is_printed_so() -> None:
    assert_is_printed(
        "003",
        *(f"**{table}**" for table in TABLES),
        *STEPS,
        *(f"GET  {PREFIX}/{name}" for name in ENDPOINTS),
        f"POST {PREFIX}/acknowledge-alert/:id",
        *STATEMENTS,
        "Scheduler interval: **15 minutes**",
        "Frontend auto-refresh: **30 minutes**",
        "Data retention: **60 days**",
        "Stuck batch threshold: **60 minutes**",
        "Business day starts: **5 AM**",
    )


def test_five_tables_can_be_asked_as_printed(day: psycopg.Connection[Any]) -> None:
    day.execute("set role monitoring_reader")
    for table in TABLES:
        assert rows(day, f"select * from {table}"), table
    six, four, newest, open_alerts = (rows(day, each.rstrip(";")) for each in STATEMENTS)
    assert [row["step_name"] for row in rows(
        day, "select step_name from batch_workflow_config order by position"
    )] == STEPS  # fmt: skip
    assert (six[0]["count"], four[0]["count"]) == (6, 4)
    assert [run["step_name"] for run in newest] == ["C1-PPBTR", "CM_BSGGN", "D1-IMD", "CM-DMRU"]
    assert {alert["kind"] for alert in open_alerts} >= {"failed", "long", "stuck"}


def test_settings_are_those_it_names(day: psycopg.Connection[Any]) -> None:
    assert one(day, "select * from v_sources where source_name = 'ccb'")["every_seconds"] == 900
    kept = rows(day, "select category, keep from v_retention where table_name = 'finished_tasks'")
    assert {row["keep"] for row in kept if row["category"] in STEPS} == {timedelta(days=60)}
    assert {row["category"] for row in kept} >= set(STEPS)
    dates = one(
        day,
        "select business_date_of('2026-01-15 04:59+01', 'billing') as before,"
        " business_date_of('2026-01-15 05:00+01', 'billing') as after",
    )
    assert dates["after"] - dates["before"] == timedelta(days=1)
    rules = rows(day, "select thresholds from v_alert_rules where rule_name = 'task_stuck'")
    assert rules == [{"thresholds": {"critical": 3600}}]


def test_a_failed_batch_is_critical_with_its_reason(day: psycopg.Connection[Any]) -> None:
    failed = alerts_about(day, "C1-PPBTR")["failed"]
    assert failed["severity"] == "critical"
    assert "ORA-12545 Connection timeout" in failed["reason"]


def test_a_stuck_batch_is_critical(day: psycopg.Connection[Any]) -> None:
    stuck = alerts_about(day, "CM_BSGGN")["stuck"]
    assert (stuck["severity"], stuck["threshold"]) == ("critical", 3600)
    assert "made no progress for 1 h 1 min" in stuck["summary"]


def test_a_long_batch_is_a_warning_with_what_is_expected(day: psycopg.Connection[Any]) -> None:
    long = alerts_about(day, "D1-IMD")["long"]
    assert long["severity"] == "medium"
    assert "has been running for 4 h 23 min" in long["summary"]
    assert long["reason"] == "expected 30 min, 12.3 records a second (threshold 20)"


def test_critical_alerts_are_mailed_to_both_receivers_with_their_reason(
    dsn: str, connection: psycopg.Connection[Any], request: pytest.FixtureRequest
) -> None:
    connection.execute(
        "select monitoring.define_notification_channel('mail', '{alert_emails}',"
        " p_minimum_severity => 'critical')"
    )
    request.getfixturevalue("day")
    with Mailbox() as mailbox:
        environment = {
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(mailbox.port),
            "SMTP_FROM": "alerts@dpdc.example",
            "ALERT_EMAILS": "admin1@dpdc.example,admin2@dpdc.example",
        }
        with RunningRunner(dsn, "--once", environment=environment) as running:
            assert running.wait() == 0
    assert {mail["To"] for mail in mailbox.mails} == {"admin1@dpdc.example", "admin2@dpdc.example"}
    for mail in mailbox.mails:
        text = mail.get_content() if not mail.is_multipart() else str(mail)
        assert "CRITICAL" in text
        assert "ORA-12545 Connection timeout" in text


def test_the_endpoints_answer_under_their_paths(day: psycopg.Connection[Any], dsn: str) -> None:
    with Web(dsn, api_paths=(PREFIX,)) as web:
        alerts = web.get(f"{PREFIX}/active-alerts", status="firing")
        assert alerts["counts"]["by_severity"]["critical"] == 2
        assert alerts["counts"]["by_kind"] | {"late": 0, "other": 0} == {
            "failed": 1, "stuck": 1, "long": 1, "late": 0, "other": 0,
        }  # fmt: skip
        logs = web.rows(f"{PREFIX}/batch-logs", status="failed")
        assert [run["error_message"] for run in logs] == ["ORA-12545 Connection timeout"]
        timeline = web.rows(f"{PREFIX}/batch-timeline")
        assert [step["step_name"] for step in timeline] == STEPS
        (health,) = web.rows(f"{PREFIX}/batch-health")
        assert health["success_percent"] == 50.0
        assert [each["error_message"] for each in health["recent_failures"]] == [
            "ORA-12545 Connection timeout"
        ]
        number = alerts["rows"][0]["alert_id"]
        answer = web.client.post(
            f"{PREFIX}/acknowledge-alert/{number}", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert answer.status_code == 200
        left = web.get(f"{PREFIX}/active-alerts", status="firing")
        assert number not in {alert["alert_id"] for alert in left["rows"]}
    assert value(
        day, "select count(*) from batch_monitoring_alerts where acknowledged"
    ) == 1  # fmt: skip


def test_the_timeline_has_its_words(day: psycopg.Connection[Any]) -> None:
    words = {
        row["step_name"]: row["status"]
        for row in rows(day, "select step_name, status from v_batch_timeline")
    }
    assert set(words.values()) <= {
        "pending", "running", "complete", "failed", "late", "skipped", "unknown",
    }  # fmt: skip
    figures = value(day, "select get_dashboard_cards()")
    assert figures["success_percent_7_days"] == 50.0
    assert figures["failed_24_hours"] == 1
    assert figures["active_alerts"]["critical"] == 2
