"""The commands that list and show: tasks, jobs, errors, logs, queues, records, rules."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from pgvigil.commands.cli import main
from tests.python.support.alerting import Alarms

HOSTILE = "[red]evil[/red]\x1b[31m\r\nname\x07"
LISTS = ("tasks", "jobs", "errors", "logs", "queues", "records", "rules", "alerts")
COMMAND = [sys.executable, "-c", "from pgvigil.commands.cli import main; main()"]


@pytest.fixture(scope="module")
def filled(filled_dsn: str) -> str:
    """A database with something of everything, and names that would like to do harm."""
    with psycopg.connect(filled_dsn, autocommit=True) as connection:
        for statement in (
            "start_task_tracking(%(h)s || 'runs', %(h)s)",
            "record_error('t', %(h)s, 'critical', %(h)s || ' is broken', %(h)s)",
            "record_log(%(h)s, 'ERROR', %(h)s || ' line')",
            "record_log('quiet', 'DEBUG', 'nothing to see')",
            "record_queue_metrics(%(h)s, 1234, p_oldest_ready_seconds => 14700)",
            "log_invalid_records('orders', jsonb_build_array(jsonb_build_object("
            "'record_key', %(h)s, 'message', %(h)s)), 'not_null')",
            "roll_up()",
        ):
            cursor = psycopg.ClientCursor(connection)
            cursor.execute(f"select monitoring.{statement}".encode(), {"h": HOSTILE})
        alarms = Alarms(connection)
        alarms.rule("listed")
        alarms.find("listed", "x", "high", None, f"{HOSTILE} waits")
        alarms.evaluate()
    return filled_dsn


def run(dsn: str, *words: str, exit_code: int = 0) -> Result:
    """Run a command as another program would."""
    result = CliRunner().invoke(main, [*words, "--dsn", dsn])
    assert result.exit_code == exit_code, result.output
    return result


def document(dsn: str, *words: str) -> Any:
    """Return what a command prints for programs: JSON that everybody reads."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(run(dsn, *words, "--json").stdout, parse_constant=refuse)


@pytest.mark.parametrize("what", LISTS)
def test_each_row_is_a_line_for_programs(what: str, filled: str) -> None:
    text = run(filled, what).stdout
    rows = document(filled, what)
    assert rows
    assert "\x1b" not in text
    assert "\x07" not in text
    assert len(text.splitlines()) == len(rows) + (what != "logs")
    assert "…" not in text.splitlines()[0]


@pytest.mark.parametrize("what", LISTS)
def test_each_says_so_when_there_is_nothing(what: str, dsn: str) -> None:
    words = [what, "--search", "no such thing"] if what != "alerts" else [what, "--rule", "none"]
    result = CliRunner().invoke(main, [*words, "--dsn", dsn])
    assert result.exit_code == (3 if what == "alerts" else 0)
    assert result.stdout == ""
    assert re.match(r"No [a-z ]+\.\n|Not known", result.stderr)
    assert json.loads(CliRunner().invoke(main, [*words, "--json", "--dsn", dsn]).stdout) == []


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize("no_color", [True, False])
def test_a_terminal_gets_whole_lines_and_colour_unless_it_wants_none(
    what: str, no_color: bool, filled: str
) -> None:
    environment = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, what, "--dsn", filled],
        stdout=slave,
        env=environment | ({"NO_COLOR": "1"} if no_color else {}),
    )
    os.close(slave)
    seen = b""
    try:
        while part := os.read(master, 65536):
            seen += part
    except OSError:  # how a terminal says that nobody writes to it any more
        pass
    finally:
        os.close(master)
    assert process.wait(60) == 0
    styles = set(re.findall(rb"\x1b\[([0-9;]*)m", seen))
    assert bool({b"31", b"33", b"36", b"1;31"} & styles) is (not no_color) or what in (
        "queues", "records", "rules", "jobs",
    )  # fmt: skip
    # What a name says is never a command to the terminal.
    assert b"\x07" not in seen
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
    assert "[red]evil[/red]" in plain or "[red]" in plain or what == "rules"
    if what != "logs":
        assert max(cell_len(line) for line in plain.splitlines()) <= 80


def test_tasks_are_chosen_by_type_status_time_and_text(filled: str) -> None:
    everything = document(filled, "tasks", "--limit", "1000")
    for status in ("running", "completed", "failed"):
        chosen = document(filled, "tasks", "--status", status, "--limit", "1000")
        assert chosen == [row for row in everything if row["status"] == status]
        assert chosen
    kind = everything[-1]["task_type"]
    assert {row["task_type"] for row in document(filled, "tasks", "--type", kind)} == {kind}
    (evil,) = document(filled, "tasks", "--search", "EVIL")
    assert evil["status"] == "running"
    assert len(document(filled, "tasks", "--limit", "2")) == 2
    ended = [row for row in everything if row["end_time"]]
    assert datetime.fromisoformat(ended[0]["end_time"]).tzinfo is not None
    assert isinstance(ended[0]["duration_ms"], float | int | None)


def test_one_task_is_shown_with_its_errors_and_log_lines(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    for statement in (
        "start_task_tracking('bill', 'ocr')",
        "record_error('bill', 'ScanError', 'high', 'page 7 is torn')",
        "record_log('ocr', 'WARNING', 'it takes long', p_task_id => 'bill')",
        "complete_task_tracking('bill', 'failed')",
        "start_task_tracking('bill', 'ocr')",
        "update_task_progress('bill', 5, 10)",
    ):
        connection.execute(f"select monitoring.{statement}".encode())
    text = run(dsn, "tasks", "show", "bill").stdout
    assert text.startswith("Task bill\n")
    assert re.search(r"^status +running$", text, re.MULTILINE)
    assert re.search(r"^items +5 of 10$", text, re.MULTILINE)
    assert "page 7 is torn" in text
    shown = document(dsn, "tasks", "show", "bill")
    assert [row["status"] for row in shown["attempts"]] == ["running", "failed"]
    refused = run(dsn, "tasks", "show", "nobody", exit_code=1)
    assert "there is no task 'nobody'" in refused.stderr
    assert "Hint: " in refused.stderr


@pytest.mark.parametrize(
    ("what", "key"),
    [
        ("jobs", "job_name"), ("errors", "fingerprint"), ("queues", "queue_name"),
        ("rules", "rule_name"),
    ],
)  # fmt: skip
def test_what_is_listed_can_be_shown(what: str, key: str, filled: str) -> None:
    for row in document(filled, what, "--limit", "3"):
        shown = document(filled, what, "show", row[key])
        assert shown[key] == row[key]
        assert run(filled, what, "show", row[key]).stdout
    assert "Hint: " in run(filled, what, "show", "no such thing", exit_code=1).stderr


def test_errors_are_chosen_by_severity_and_component(filled: str) -> None:
    everything = document(filled, "errors", "--limit", "1000")
    critical = document(filled, "errors", "--severity", "critical")
    assert critical == [row for row in everything if row["severity"] == "critical"]
    (evil,) = document(filled, "errors", "--search", "evil", "--severity", "critical")
    assert evil in document(filled, "errors", "--component", evil["components"][0])
    begun = document(filled, "errors", "show", evil["fingerprint"][:12])
    assert begun["latest_occurrences"][0]["message"].endswith("is broken")
    assert "more than one group" in run(filled, "errors", "show", "", exit_code=1).stderr


def test_groups_of_errors_are_merged_and_split(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in ("one", "two", "twofold"):
            connection.execute(
                "select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => %s)", [name]
            )
    assert "one: 2 merged" in run(dsn, "errors", "merge", "o", "two", "twof").stdout
    (group,) = document(dsn, "errors")
    assert (group["fingerprint"], group["occurrences"]) == ("one", 3)
    assert group["merged_from"] == ["two", "twofold"]
    assert document(dsn, "errors", "show", "two")["fingerprint"] == "one"
    done = run(dsn, "errors", "split", "two", "one").stdout
    assert done == "two: a group of its own\none: was in none\n"
    assert len(document(dsn, "errors")) == 2
    assert "there is no error group" in run(dsn, "errors", "split", "x", exit_code=1).stderr


def test_records_are_chosen_and_shown(filled: str) -> None:
    (evil,) = document(filled, "records", "--dataset", "orders", "--search", "evil")
    assert (evil["status"], evil["validation_type"]) == ("open", "not_null")
    timeline = document(filled, "records", "show", "orders", evil["record_key"])["timeline"]
    assert timeline
    assert run(filled, "records", "show", "orders", evil["record_key"]).stdout
    assert "Hint: " in run(filled, "records", "show", "orders", "none", exit_code=1).stderr


def test_rules_that_fire_come_first(filled: str) -> None:
    rules = document(filled, "rules", "--limit", "1000")
    firing = [row["firing"] > 0 for row in rules]
    assert firing == sorted(firing, reverse=True)
    assert {row["rule_name"] for row in document(filled, "rules", "--troubled")} >= {"listed"}
    assert "waits" in run(filled, "rules", "show", "listed").stdout


def test_log_lines_are_chosen_by_level_component_and_task(filled: str) -> None:
    levels = {row["level"] for row in document(filled, "logs", "--level", "error")}
    assert levels <= {"ERROR", "CRITICAL"}
    assert levels
    (quiet,) = document(filled, "logs", "--component", "quiet")
    assert quiet["message"] == "nothing to see"
    assert "DEBUG     quiet: nothing to see" in run(filled, "logs", "--component", "quiet").stdout
    times = [row["logged_at"] for row in document(filled, "logs", "--limit", "1000")]
    assert times == sorted(times)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_log_lines_are_followed(
    options: list[str], dsn: str, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("select monitoring.record_log('api', 'INFO', 'the first')")
    process = subprocess.Popen(
        [*COMMAND, "logs", "--follow", "--level", "info", *options, "--dsn", dsn],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    # Whoever waits for a line that does not come should be told so.
    limit = threading.Timer(60, process.kill)
    limit.start()
    try:
        with process.stdout as lines:
            assert "the first" in next(lines)
            for level, message in (("DEBUG", "too quiet"), ("ERROR", "the second")):
                connection.execute("select monitoring.record_log('api', %s, %s)", [level, message])
            line = next(lines)
            assert "the second" in line
            if options:
                assert json.loads(line)["level"] == "ERROR"
            process.send_signal(signal.SIGINT)
            assert lines.read() == ""
            assert process.wait(60) == 0
    finally:
        limit.cancel()
        process.kill()
        process.wait()


def test_what_is_no_choice_is_refused_by_name(dsn: str) -> None:
    result = CliRunner().invoke(main, ["tasks", "--status", "fine", "--dsn", dsn])
    assert result.exit_code == 2
    assert "'fine'" in result.stderr
    assert "completed" in result.stderr


def test_a_database_without_pgvigil_is_named_as_such(empty_dsn: str, tmp_path: Path) -> None:
    for what in LISTS:
        result = CliRunner().invoke(main, [what, "--dsn", empty_dsn])
        assert result.exit_code == 1
        assert "pgvigil migrate" in result.stderr


def test_a_change_of_a_rule_is_tried_made_and_shown_with_who(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    query = "select 'mail' as fingerprint, 70 as value"
    connection.execute("select monitoring.create_alert_rule('deep', %s, '{\"high\": 50}')", [query])
    words = ("--days", "1", "--every", "1h", "--threshold", "critical=60", "--threshold", "low=5")
    tried = run(dsn, "rules", "backtest", "deep", *words).stdout
    assert "As it is: 1 alert (1 high), 1 d in all\n" in tried
    assert "As changed: 1 alert (1 critical), 1 d in all\n" in tried
    assert "Not known of the past: " in tried
    assert document(dsn, "rules", "backtest", "deep", "--days", "1")["as_changed"] is None

    said = ("--by", "ann", "-m", "nights", "--for", "5m")
    made = run(dsn, "rules", "set", "deep", "--threshold", "critical=60", *said).stdout
    assert made == "deep: critical > 60\n"
    for_mail = ("--threshold", "low=1", "--label", "queue=mail")
    run(dsn, "rules", "set", "deep", *for_mail, "--by", "ann")
    run(dsn, "rules", "set", "deep", "--threshold", "shipped", "--label", "queue=mail")
    run(dsn, "rules", "disable", "deep", "--by", "bob")
    shown = document(dsn, "rules", "show", "deep")
    assert (shown["state"], shown["for_seconds"], shown["overrides"]) == ("off", 300, [])
    assert shown["changes"][0]["changed_by"] == "bob"
    first = shown["changes"][-2]
    assert (first["changed_by"], first["note"]) == ("ann", "nights")
    plain = run(dsn, "rules", "show", "deep").stdout
    assert "is_enabled: True -> False" in plain

    run(dsn, "rules", "enable", "deep")
    for wrong in (("set", "deep"), ("set", "deep", "--threshold", "high"), ("set", "none")):
        assert run(dsn, "rules", *wrong, exit_code=2).output
    assert "no rule 'none'" in run(dsn, "rules", "reset", "none", exit_code=1).output
