"""``pgvigil check`` is a monitoring plugin: an exit code, one line, figures, never a traceback."""

import re
import socket
import time
from collections.abc import Iterator

import psycopg
import pytest

from pgvigil.commands.timely import within
from pgvigil.database.freshness import Freshness
from pgvigil.faces.plugin import Level, Limits, judge, unknown
from tests.harness.clients import run, run_pgvigil
from tests.python.support.alerting import Alarms
from tests.python.support.asking import make_just_installed

FIGURE = r"[a-z_]+=\d+;\d*;\d*;\d*"
LINE = re.compile(rf"PGVIGIL (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+( \| {FIGURE}( {FIGURE})*)?")


@pytest.fixture
def well(connection: psycopg.Connection) -> Alarms:
    """A database in which nothing is late and no alert fires."""
    connection.execute("update monitoring.jobs set next_run_at = now() + interval '1 day'")
    alarms = Alarms(connection)
    alarms.rule("backlog")
    alarms.evaluate()
    return alarms


def checked(dsn: str, *options: str) -> tuple[int, list[str]]:
    """Return the exit code and the lines; the first has the form of a plugin's."""
    result = run_pgvigil(dsn, "check", *options)
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert LINE.fullmatch(lines[0]), lines
    assert not any("|" in line for line in lines[1:])
    return result.returncode, lines


def test_all_is_well(dsn: str, well: Alarms) -> None:
    assert checked(dsn) == (
        0,
        [
            "PGVIGIL OK - no alert | critical=0;;0;0 high=0;0;;0 medium=0;0;;0 low=0;;;0 "
            "acknowledged=0;;;0 silenced=0;;;0 self_check=0;0;;0"
        ],
    )


def test_alerts_are_counted_and_the_worst_is_told_first(dsn: str, well: Alarms) -> None:
    well.find("backlog", "billing", "critical", None, "queue billing: 612 | waiting")
    well.find("backlog", "mail", "critical", None, "queue mail: 700 waiting")
    well.find("backlog", "scans", "high", None, "queue scans: 300 waiting")
    well.evaluate()
    code, lines = checked(dsn)
    assert code == 2
    assert lines[0].startswith(
        "PGVIGIL CRITICAL - 2 critical, 1 high: queue billing: 612 / waiting | critical=2;;0;0 "
    )
    assert [re.sub(r"\d+ backlog", "N backlog", line) for line in lines[1:]] == [
        "critical N backlog: queue billing: 612 / waiting",
        "critical N backlog: queue mail: 700 waiting",
        "high N backlog: queue scans: 300 waiting",
    ]


@pytest.mark.parametrize(
    ("severity", "options", "code"),
    [
        ("low", [], 0),
        ("medium", [], 1),
        ("high", [], 1),
        ("critical", [], 2),
        ("high", ["--critical-from", "high"], 2),
        ("low", ["--warning-from", "low"], 1),
        ("medium", ["--warning-from", "high"], 0),
        ("low", ["--critical-from", "low"], 2),
    ],
)
def test_the_severity_decides(
    severity: str, options: list[str], code: int, dsn: str, well: Alarms
) -> None:
    well.find("backlog", "billing", severity, None, "queue billing: 612 waiting")
    well.evaluate()
    found, lines = checked(dsn, *options)
    assert found == code
    assert f"{severity}=1;" in lines[0]


def test_what_is_pending_does_not_count(dsn: str, well: Alarms) -> None:
    well.rule("slow", for_evaluations=2)
    well.find("slow", "billing", "critical")
    well.evaluate()
    assert checked(dsn)[0] == 0
    well.evaluate()
    assert checked(dsn)[0] == 2


def test_acknowledged_and_silenced_alerts_count_unless_they_are_to_be_ignored(
    dsn: str, connection: psycopg.Connection, well: Alarms
) -> None:
    well.find("backlog", "billing", "critical", None, "queue billing: 612 waiting")
    well.find("backlog", "mail", "high", None, "queue mail: 300 waiting", {"queue": "mail"})
    well.evaluate()
    connection.execute(
        "select monitoring.acknowledge_alert(%s, p_by => 'ann')",
        [well.number("backlog", "billing")],
    )
    connection.execute("""select monitoring.silence_alerts('{"queue": "mail"}')""")
    code, lines = checked(dsn)
    assert code == 2
    assert "acknowledged=1;;;0 silenced=1;;;0" in lines[0]
    # What nobody looks after comes first.
    assert re.search(r"\(silence \d+\)$", lines[1])
    assert lines[2].endswith("(acknowledged by ann)")
    assert checked(dsn, "--ignore-acknowledged")[0] == 1
    code, lines = checked(dsn, "--ignore-acknowledged", "--ignore-silenced")
    assert (code, len(lines)) == (0, 1)
    assert "no alert that counts, 2 that do not" in lines[0]


def test_trouble_with_pgvigil_itself_counts(dsn: str, well: Alarms) -> None:
    run(dsn, "update monitoring.jobs set consecutive_failures = 1, last_status = 'failed'"
        " where job_name = 'make_partitions'")  # fmt: skip
    code, lines = checked(dsn)
    assert code == 2
    assert lines[0].startswith(
        "PGVIGIL CRITICAL - 1 about pgvigil itself: job make_partitions failed: "
    )
    assert "self_check=1;0;;0" in lines[0]
    assert lines[1].startswith("pgvigil itself: job make_partitions failed: ")


def test_a_scheduler_that_stands_still_is_critical(dsn: str, well: Alarms) -> None:
    run(dsn, "update monitoring.jobs set next_run_at = now() - interval '1 hour'")
    code, lines = checked(dsn)
    assert code == 2
    assert "about pgvigil itself: scheduler late: " in lines[0]


def test_rules_that_nobody_evaluates_are_critical(
    dsn: str, connection: psycopg.Connection, well: Alarms
) -> None:
    connection.execute(
        "update monitoring.alert_rule_states set evaluated_at = now() - interval '1 hour'"
    )
    code, lines = checked(dsn)
    assert code == 2
    assert "about pgvigil itself: alerts late: rules evaluated at " in lines[0]


def test_what_is_only_late_is_a_warning() -> None:
    late = {"check_name": "retention", "status": "late", "detail": "behind with alerts"}
    fine = {"check_name": "scheduler", "status": "ok", "detail": "running"}
    known = Freshness("alerts", None, "current", True, 0, "alert rules ran 0 s ago")
    verdict = judge([], [late, fine], Limits(), known)
    assert verdict.level is Level.WARNING
    assert verdict.text.count("\n") == 1


def test_a_reader_may_check(dsn: str, well: Alarms) -> None:
    assert checked(f"{dsn}?options=-c%20role%3Dmonitoring_reader")[0] == 0


# Nothing is known


def unknown_because(dsn: str, *options: str) -> str:
    """Return the only line of a check that could find out nothing."""
    code, lines = checked(dsn, *options)
    assert code == 3
    (line,) = lines
    assert line.startswith("PGVIGIL UNKNOWN - ")
    return line


def test_where_no_rule_has_run_nothing_is_known(dsn: str, connection: psycopg.Connection) -> None:
    # self_check() has no reason to complain yet.
    make_just_installed(connection)
    code, lines = checked(dsn)
    assert code == 3
    assert lines[0].startswith(
        "PGVIGIL UNKNOWN - alerts are not known: no alert rule has ever run | critical=0;"
    )


def test_where_rules_are_not_to_run_nothing_is_known(
    dsn: str, connection: psycopg.Connection, well: Alarms
) -> None:
    well.find("backlog", "billing", "high", None, "queue billing: 300 waiting")
    well.evaluate()
    run(dsn, "select monitoring.disable_job('evaluate_alerts')")
    assert checked(dsn)[0] == 1
    connection.execute(
        "update monitoring.alert_rule_states set evaluated_at = now() - interval '1 hour'"
    )
    code, lines = checked(dsn)
    assert code == 3
    assert "alerts are not known: alert rules are not run: job evaluate_alerts" in lines[0]
    assert "; 1 high: queue billing" in lines[0]
    # What is known to be critical stays so.
    assert checked(dsn, "--critical-from", "high")[0] == 2


def test_a_server_that_is_away_is_unknown() -> None:
    assert "Connection refused" in unknown_because("postgresql://127.0.0.1:1/x")
    assert "/nowhere" in unknown_because("host=/nowhere")
    unknown_because("not a dsn")


def test_a_database_without_pgvigil_is_unknown(empty_dsn: str) -> None:
    assert "This database does not have pgvigil." in unknown_because(empty_dsn)


def test_lacking_rights_are_unknown(dsn: str) -> None:
    line = unknown_because(f"{dsn}?options=-c%20role%3Dmonitoring_writer")
    assert "permission denied" in line


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port at which somebody takes calls and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_server_that_is_silent_is_unknown_in_time(silent_port: int) -> None:
    began = time.monotonic()
    line = unknown_because(f"postgresql://127.0.0.1:{silent_port}/x", "--timeout", "500ms")
    assert line == "PGVIGIL UNKNOWN - no answer within 500 ms"
    assert time.monotonic() - began < 30


def test_a_wrong_option_is_unknown_and_not_critical() -> None:
    result = run_pgvigil("", "check", "--critical-from", "awful")
    assert result.returncode == 3
    assert "Traceback" not in result.stderr


def test_a_reason_of_many_lines_becomes_one() -> None:
    assert unknown("first | part\nsecond").text == "PGVIGIL UNKNOWN - first / part"
    assert unknown(" \n").text == "PGVIGIL UNKNOWN - no reason given"


def test_work_that_ends_without_a_result_is_told() -> None:
    with pytest.raises(EOFError):
        within(20, lambda: _die())
    with pytest.raises(TimeoutError):
        within(0.05, lambda: time.sleep(20))
    assert within(20, lambda: 7) == 7


def _die() -> None:
    import os

    os._exit(1)
