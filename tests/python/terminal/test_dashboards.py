"""The dashboards of tasks, alerts and workflows: at 80 columns, without colour, and watched."""

import io
import json
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from rich.cells import cell_len
from rich.console import Console

from pgvigil.database.connections import open_connection
from pgvigil.faces.terminal.alerts import alerts
from pgvigil.faces.terminal.batch import batch
from pgvigil.faces.terminal.picture import Face, draw_within
from pgvigil.faces.terminal.tasks import tasks
from tests import ROOT
from tests.harness.clients import run_pgvigil
from tests.python.support.alerting import Alarms
from tests.python.terminal.test_dashboard import COMMAND, Terminal

BILLING = ROOT / "examples" / "batch" / "billing.json"
FACES: dict[str, Face] = {"tasks": tasks, "alerts": alerts, "batch": batch}
SUBCOMMANDS = ["overview", "tasks", "alerts", "etl", "batch", "records"]
LONG = "a-very-long-name-" + "x" * 200


def shown(dsn: str, *options: str) -> str:
    result = run_pgvigil(dsn, "dashboard", *options)
    assert (result.returncode, result.stderr) == (0, "")
    assert max(map(cell_len, result.stdout.splitlines()), default=0) <= 80
    assert "\x1b" not in result.stdout
    return result.stdout


def drawn(dsn: str, face: Face, width: int, height: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with open_connection(dsn) as connection:
        console.print(draw_within(console, face(connection), height))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def billing_with_today_open(now: datetime) -> str:
    """Return the workflow of billing with its cut-over half a day from now."""
    workflow = json.loads(BILLING.read_text())
    there = now.astimezone(ZoneInfo(workflow["time_zone"])) + timedelta(hours=12)
    return json.dumps({**workflow, "cutover": f"{there:%H}:00"})


@pytest.fixture
def busy_dsn(dsn: str, connection: psycopg.Connection) -> str:
    """A database with tasks, alerts and a workflow, some with awkward names."""
    now = datetime.now(UTC)
    for number in range(30):
        connection.execute(
            "select monitoring.start_task_tracking(%s, %s)", [f"{number} {LONG}", LONG]
        )
        connection.execute(
            "select monitoring.complete_task_tracking(%s, 'failed', p_metadata => %s)",
            [f"{number} {LONG}", '{"error_message": "[red]the feed\\nis away\\u001b[31m"}'],
        )
    connection.execute("select monitoring.start_task_tracking('runs', 'load', p_items_total => 4)")
    connection.execute("select monitoring.update_task_progress('runs', 3)")
    connection.execute("select monitoring.apply_workflow(%s)", [billing_with_today_open(now)])
    connection.execute(
        "select monitoring.start_task_tracking('up', 'CM-DMRU', p_items_total => 1000,"
        " p_started_at => %s)",
        [now - timedelta(minutes=10)],
    )
    connection.execute("select monitoring.update_task_progress('up', 600)")
    alarms = Alarms(connection)
    alarms.rule("backlog")
    for number in range(20):
        alarms.find("backlog", f"queue {number}", "low", None, f"queue {number}: 60 waiting")
    alarms.find("backlog", "billing", "critical", None, "queue billing: 612 waiting")
    alarms.evaluate()
    connection.execute(
        "select monitoring.acknowledge_alert(%s, 'looking', 'ann')",
        [alarms.number("backlog", "billing")],
    )
    return dsn


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_an_empty_database_is_no_reason_to_fail(subcommand: str, dsn: str) -> None:
    assert "\npgvigil" in shown(dsn, subcommand)


@pytest.mark.parametrize("height", [24, 50])
@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_each_fits_the_terminal(face: Face, width: int, height: int, busy_dsn: str) -> None:
    lines = drawn(busy_dsn, face, width, height).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert len(lines) <= height


def test_tasks_tell_what_runs_how_types_do_and_what_failed(busy_dsn: str) -> None:
    text = shown(busy_dsn, "tasks")
    assert "2 running · last 24 h: 30 ended, 30 failed, 0 cancelled" in text
    assert "75 %" in text
    assert "TASKS, 24 H" in text
    first = text[text.index("FAILED, 24 H") :].splitlines()[1]
    assert first.startswith("29 a-very-long-")
    assert "[red]the feed is" in first
    assert "… and 15 more" in text


def test_tasks_that_failed_without_a_message_tell_their_last_error(
    dsn: str, connection: psycopg.Connection
) -> None:
    for attempt in ("first", "second"):
        connection.execute("select monitoring.start_task_tracking('bill', 'ocr')")
        for message in ("slow", f"{attempt} blank"):
            connection.execute(
                "select monitoring.record_error('bill', 'ScanError', 'high', %s)", [message]
            )
        connection.execute("select monitoring.complete_task_tracking('bill', 'failed')")
    text = shown(dsn, "tasks")
    lines = text[text.index("FAILED, 24 H") :].splitlines()[1:3]
    assert [line.split()[-2:] for line in lines] == [["second", "blank"], ["first", "blank"]]


def test_alerts_tell_what_is_open_who_looks_and_what_happened(busy_dsn: str) -> None:
    text = shown(busy_dsn, "alerts")
    assert "21 open: 1 critical, 0 high, 0 medium, 20 low" in text
    # Worse than the others, but last: somebody takes care of it.
    assert text[text.index("OPEN ALERTS") :].splitlines()[1].startswith("queue 0: 60 waiting")
    assert "… and 6 more" in text
    newest = text[text.index("LAST 24 H") :].splitlines()[1]
    assert "acknowledged  ann" in newest
    assert "RULES THAT FAIL" not in text


@pytest.mark.parametrize("subcommand", [*SUBCOMMANDS, "etl --alerts"])
def test_each_says_first_what_it_does_not_know(subcommand: str, dsn: str) -> None:
    text = shown(dsn, *subcommand.split())
    assert text.startswith("pgvigil is not up to date: no alert rule has ever run;")
    assert "No alert is open." not in text


def test_a_rule_that_fails_is_told(busy_dsn: str, connection: psycopg.Connection) -> None:
    connection.execute("insert into monitoring.scratch_failures values ('backlog')")
    connection.execute("select monitoring.evaluate_alerts()")
    text = shown(busy_dsn, "alerts")
    line = text[text.index("RULES THAT FAIL") :].splitlines()[1]
    assert line.split()[:2] == ["backlog", "1"]
    assert "is broken, on purpose" in line


def test_batch_tells_how_far_each_step_is_and_until_when(
    busy_dsn: str, connection: psycopg.Connection
) -> None:
    text = shown(busy_dsn, "batch")
    assert "in Europe/Berlin" in text
    assert "1 running" in text
    (line,) = [line for line in text.splitlines() if line.startswith("CM-DMRU")]
    assert line.split()[1] == "running"
    assert "60%" in line
    assert " 600 " in line
    eta = connection.execute(
        "select to_char(eta_at at time zone 'Europe/Berlin', 'HH24:MI')"
        " from monitoring.v_batch_timeline where step_name = 'CM-DMRU'"
    ).fetchone()
    assert eta is not None
    minute = int(eta[0][-2:])
    assert any(f":{(minute + by) % 60:02}" in line.split("~")[1] for by in (-1, 0, 1))


def test_another_business_day_and_one_workflow_can_be_chosen(busy_dsn: str) -> None:
    text = shown(busy_dsn, "batch", "--date", "2026-01-13", "--workflow", "billing")
    assert "business day 2026-01-13" in text
    result = run_pgvigil(busy_dsn, "dashboard", "batch", "--workflow", "none")
    assert result.returncode == 1
    assert 'there is no workflow "none"' in result.stderr


def test_records_tell_what_is_invalid_statuses_changes_and_runs(
    dsn: str, connection: psycopg.Connection
) -> None:
    for statement in (
        """log_invalid_records('proposals', '[{"record_key": "P-1", "group": "north"},
            {"record_key": "P-2", "group": "north"}]', 'DUPLICATA', 1)""",
        "log_invalid_records('proposals', '[\"P-1\"]', 'SEUNO')",
        "resolve_invalid_records('proposals', array['P-1'], p_validation_type => 'SEUNO')",
        """track_status_changes('proposals', '[{"record_key": "P-1", "status": "OPEN"},
            {"record_key": "P-2", "status": "OPEN"}]'::jsonb, 'SYSTEM')""",
        """track_status_changes('proposals', '[{"record_key": "P-2", "status": "DONE"}]'::jsonb,
            'BOT')""",
        """log_program_execution('proposals', '2026-01-15',
            '{"total_records_queried": 48000, "invalid_duplicata": 2}', 83.5)""",
    ):
        connection.execute(f"select monitoring.{statement}".encode())
    text = shown(dsn, "records")
    assert "2 invalid · 2 with a status" in text

    def first_of(block: str) -> list[str]:
        return text[text.index(block) :].splitlines()[1].split()

    assert first_of("INVALID ")[:5] == ["proposals", "DUPLICATA", "north", "2", "1"]
    assert first_of("STATUSES")[:3] == ["proposals", "DONE", "1"]
    assert first_of("CHANGES, 24 H")[:4] == ["proposals/P-2", "OPEN", "DONE", "BOT"]
    assert "proposals/P-1/SEUNO" in text
    run = first_of("RUNS, 7 DAYS")
    assert run[:6] == ["proposals", "2026-01-15", "full", "completed", "48,000", "2"]


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_each_can_be_watched(subcommand: str, dsn: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, subcommand, "--watch", "0.1", "--dsn", dsn], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as stream:
        headings = 0
        while headings < 2:
            headings += next(stream).startswith("pgvigil")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_watching_may_be_said_before_the_subcommand_as_well(busy_dsn: str) -> None:
    terminal = Terminal("--watch", "0.2", "--dsn", busy_dsn, "batch")
    try:
        terminal.wait_for("CM-DMRU")
        terminal.wait_for("BILLRESTSMS")
    finally:
        assert terminal.close() == 0


def test_an_execution_can_be_watched(dsn: str, connection: psycopg.Connection) -> None:
    connection.execute("select monitoring.start_etl_execution('run-7', '{}')")
    terminal = Terminal("etl", "--execution-id", "run-7", "--watch", "0.2", "--dsn", dsn)
    try:
        terminal.wait_for("run-7")
        connection.execute("select monitoring.finish_etl_execution('run-7', 'COMPLETED')")
        terminal.wait_for("COMPLETED")
    finally:
        assert terminal.close() == 0
