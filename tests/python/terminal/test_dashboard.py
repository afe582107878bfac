"""The dashboard can be read at 80 columns, without colour, and when there is nothing to see."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from pgvigil.client import MonitoringClient
from pgvigil.commands.cli import main
from pgvigil.database.connections import open_connection
from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import NotInstalledError
from pgvigil.faces.terminal import overview, read_state
from pgvigil.faces.terminal.picture import draw_within
from pgvigil.faces.words import age, duration, name
from pgvigil.install import migrate
from tests.python.support.alerting import Alarms
from tests.python.support.asking import make_just_installed

COMMAND = [sys.executable, "-c", "from pgvigil.commands.cli import main; main()", "dashboard"]


def drawn(dsn: str, width: int = 80, height: int | None = None) -> str:
    """Return the dashboard as plain text."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with open_connection(dsn) as connection:
        picture = overview(connection)
    console.print(picture() if height is None else draw_within(console, picture, height))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def busy_dsn(dsn: str) -> str:
    """A database with something of everything, some of it with awkward names."""
    long = "a-very-long-name-" + "x" * 200
    now = datetime.now(UTC)
    with MonitoringClient(dsn, component="[bold]tests[/bold]", on_error="raise") as monitor:
        for number in range(30):
            monitor.start_task(f"type {number}", task_id=f"{number} {long}", items_total=200)
            monitor.update_task(f"{number} {long}", items_done=number)
        monitor.record_finished_tasks(
            [
                {
                    "task_id": f"t{number}",
                    "task_type": f"type {number % 3}" if number % 4 else long,
                    "status": "completed" if number % 5 else "failed",
                    "start_time": now - timedelta(seconds=number),
                    "end_time": now,
                }
                for number in range(40)
            ]
        )
        for number, severity in enumerate(["low", "medium", "high", "critical"] * 5):
            monitor.record_error(
                None, f"{long}{number}", severity, f"[red]text[/red]\n\x1b[31mred\x07 {long}"
            )
        monitor.update_system_health("db", "main", "healthy", 1.5)
        monitor.update_system_health("service", long, "unhealthy", None, "down " * 30)
        monitor.record_queue_metrics("名前" * 40, 10**9, 1, 2, 3, 86400 * 400.0)
        monitor.record_queue_metrics("mail", 0)
    return dsn


def test_an_empty_database_says_so_and_what_to_do(dsn: str) -> None:
    text = drawn(dsn)
    assert "0 running · last 24 h: 0 ended, 0 errors · 0 of 0 not healthy" in text
    assert "select monitoring.start_task_tracking('my-first-task', 'import');" in text


def test_it_says_first_what_it_does_not_know(dsn: str, connection: psycopg.Connection) -> None:
    make_just_installed(connection)
    text = " ".join(drawn(dsn).split())
    assert text.startswith(
        "pgvigil is not up to date: no alert rule has ever run; no job has ever begun; "
        "nothing was ever rolled up. Jobs are run by `pgvigil run` or pg_cron. pgvigil ·"
    )
    connection.execute("call monitoring.run_due_jobs()")
    first, second = drawn(dsn).splitlines()[:2]
    assert re.fullmatch(r"Up to date: alert rules ran \d+ s ago; a job .*; .* ago\. *", first)
    assert second.startswith("pgvigil · ")
    connection.execute("select monitoring.start_task_tracking('t', 'load')")
    assert "No alert is open." in drawn(dsn)
    connection.execute("update monitoring.jobs set last_started_at = now() - interval '3 hours'")
    assert drawn(dsn).startswith("pgvigil is not up to date: a job began 3 h ago. Jobs")


def test_what_it_tells_to_try_works(dsn: str, connection: psycopg.Connection) -> None:
    for statement in re.findall(r"select monitoring\..*;", drawn(dsn)):
        connection.execute(statement.encode())
    assert "1 ended (100 % ok)" in drawn(dsn)
    assert "No task is running." in drawn(dsn)
    assert "No queue was seen in the last 24 hours." in drawn(dsn)


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int, busy_dsn: str) -> None:
    assert max(cell_len(line) for line in drawn(busy_dsn, width).splitlines()) <= width


def test_everything_is_there_without_colour(busy_dsn: str) -> None:
    text = drawn(busy_dsn, 120)
    assert "30 running · last 24 h: 40 ended (80 % ok), 20 errors · 1 of 2 not healthy" in text
    for block in ("RUNNING TASKS", "TASKS, 24 H", "ERRORS, 24 H", "HEALTH", "QUEUES"):
        assert f"\n{block} " in text
    assert "Not known whether an alert is open: no alert rule has ever run." in text
    assert "… and 15 more" in text
    assert "By severity: 5 critical, 5 high, 5 medium, 5 low" in text
    assert re.search(r"service a-very-long-.*… +unhealthy", text)
    assert re.search(r"1,000,000,000 +\+0 +1 +400 d", text)


def test_a_queue_that_was_not_measured_lately_says_so(
    dsn: str, connection: psycopg.Connection
) -> None:
    for queue, ago in (("mail", "1 minute"), ("parcels", "3 hours")):
        connection.execute(
            "select monitoring.record_queue_metrics(%s, 5, p_recorded_at => now() - %s::interval)",
            [queue, ago],
        )
    lines = drawn(dsn)[drawn(dsn).index("QUEUES") :].splitlines()[1:3]
    assert [line.split("  ")[0] for line in lines] == ["mail", "3 h ago: parcels"]


def test_the_worst_comes_first(busy_dsn: str) -> None:
    text = drawn(busy_dsn)
    assert text.index("unhealthy") < text.index("healthy ", text.index("unhealthy") + 9)
    assert text.index("critical ") < text.index("high ")


def test_the_worst_alerts_are_shown_with_number_state_and_age(
    dsn: str, connection: psycopg.Connection
) -> None:
    alarms = Alarms(connection)
    alarms.rule("backlog")
    for number in range(20):
        alarms.find("backlog", f"queue {number}", "low", None, f"queue {number}: 60 waiting")
    alarms.find("backlog", "billing", "critical", None, "queue billing: 612 waiting")
    alarms.find("backlog", "mail", "critical", None, "queue mail: 900 waiting")
    alarms.evaluate()
    worst = alarms.number("backlog", "mail")
    connection.execute(
        "select monitoring.acknowledge_alert(%s)", [alarms.number("backlog", "billing")]
    )
    text = drawn(dsn)
    title, first, second, *rest = text[text.index("OPEN ALERTS") :].splitlines()
    assert title.split()[2:] == ["id", "severity", "state", "since"]
    assert re.fullmatch(
        rf"queue mail: 900 waiting +{worst}  critical  firing +(now|\d+ s) *", first
    )
    assert "low" in second
    assert rest[13].rstrip() == "… and 7 more"
    assert max(map(len, text.splitlines())) <= 80
    # Worse than most, and last: somebody takes care of it.
    shown = CliRunner().invoke(main, ["alerts", "--dsn", dsn]).output
    assert "seen by" not in shown
    assert "acknowledged by postgres" in shown.splitlines()[-1]


def test_what_fires_is_on_the_first_screen_whatever_else_there_is(
    busy_dsn: str, connection: psycopg.Connection
) -> None:
    make_just_installed(connection)
    alarms = Alarms(connection)
    alarms.rule("backlog")
    for number in range(20):
        alarms.find("backlog", f"queue {number}", "critical", None, f"queue {number}: 60 waiting")
    alarms.evaluate()
    connection.execute(
        "select monitoring.acknowledge_alert(alert_id) from monitoring.v_active_alerts"
    )
    alarms.find("backlog", "billing", "critical", None, "queue billing: 612 waiting")
    alarms.evaluate()
    screen = drawn(busy_dsn, 80, 23).splitlines()
    assert len(screen) <= 23
    (line,) = [line for line in screen if "queue billing: 612 waiting" in line]
    assert "firing" in line
    assert screen[screen.index(line) - 1].startswith("OPEN ALERTS")


def test_texts_from_outside_can_neither_style_nor_control_the_terminal(busy_dsn: str) -> None:
    text = drawn(busy_dsn, 200)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]text[/red]  [31mred" in text


@pytest.mark.parametrize("height", [24, 30, 50])
def test_it_fits_the_height_of_the_terminal(height: int, busy_dsn: str) -> None:
    text = drawn(busy_dsn, 80, height)
    assert height - 10 < len(text.splitlines()) <= height
    assert "QUEUES" in text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "-"), (0, "0 s"), (0.0123, "0.012 ms"), (1.5, "1.5 ms"), (12.34, "12.3 ms"),
        (999.4, "999 ms"), (1000, "1 s"), (90_000, "1 min 30 s"), (7_200_000, "2 h"),
        (864_000_000, "10 d"), (10**12, "11574 d 1 h"),
    ],
)  # fmt: skip
def test_durations_carry_their_unit(milliseconds: float | None, text: str) -> None:
    assert duration(milliseconds).plain == text


def test_names_stay_on_one_line() -> None:
    assert name("a\nb\tc\x1bd\u202ee").plain == "a b c d e"
    assert name(None).plain == "-"


def test_ages_are_never_negative() -> None:
    assert age("2024-05-01T00:00:01+00:00", "2024-05-01T00:00:00+00:00").plain == "now"
    assert age("2024-05-01T00:00:00+00:00", "2024-05-01T00:00:07.9+00:00").plain == "7 s"


# The command


def test_piped_output_is_plain(busy_dsn: str) -> None:
    environment = {**os.environ, "PGVIGIL_DSN": busy_dsn}
    result = subprocess.run(COMMAND, capture_output=True, check=True, env=environment)
    assert b"\x1b" not in result.stdout
    assert "\npgvigil · test_" in result.stdout.decode()


def test_a_terminal_of_another_encoding_is_no_reason_to_fail(busy_dsn: str) -> None:
    environment = {**os.environ, "PGVIGIL_DSN": busy_dsn, "PYTHONIOENCODING": "latin-1"}
    result = subprocess.run(COMMAND, capture_output=True, check=True, env=environment)
    assert "RUNNING TASKS" in result.stdout.decode("latin-1")


def test_a_database_without_pgvigil_is_named_as_such(empty_dsn: str) -> None:
    with open_connection(empty_dsn) as connection, pytest.raises(NotInstalledError):
        read_state(connection)
    result = CliRunner().invoke(main, ["dashboard", "--dsn", empty_dsn])
    assert result.exit_code == 1
    assert "Hint: Run `pgvigil migrate` on it first." in result.stderr


def test_a_server_that_is_away_is_an_error_when_shown_once() -> None:
    result = CliRunner().invoke(main, ["dashboard", "--dsn", "postgresql://127.0.0.1:1/x"])
    assert result.exit_code == 1
    assert "Connection refused" in result.stderr


class Terminal:
    """A program in a terminal of 80 by 30."""

    def __init__(self, *words: str) -> None:
        """Start ``pgvigil dashboard`` with the given words."""
        self.seen = ""
        self._master, slave = pty.openpty()
        environment = {**os.environ, "COLUMNS": "80", "LINES": "30", "TERM": "xterm"}
        self.process = subprocess.Popen(
            [*COMMAND, *words], stdin=slave, stdout=slave, stderr=slave, env=environment
        )
        os.close(slave)

    def wait_for(self, text: str) -> None:
        """Read what is shown until a text appears that was not there before."""
        deadline = time.monotonic() + 30
        self.seen = ""
        while text not in self.seen:
            assert time.monotonic() < deadline, f"{text!r} did not appear in {self.seen!r}"
            if select.select([self._master], [], [], 0.1)[0]:
                self.seen += os.read(self._master, 65536).decode(errors="replace")

    def close(self) -> int:
        """End the program by Ctrl-C and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            os.close(self._master)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    server = PostgresServer(tmp_path / "server")
    with server:
        migrate(server.dsn())
        yield server


def test_watching_says_when_the_server_is_away_and_recovers(own_server: PostgresServer) -> None:
    dsn, port = own_server.dsn(), own_server.port
    terminal = Terminal("--watch", "0.2", "--dsn", dsn)
    try:
        terminal.wait_for("Nothing was recorded in this database")
        own_server.stop()
        terminal.wait_for("No answer from the server since")
        terminal.wait_for("Below is the last known state.")
        with PostgresServer(own_server.home, port=port), MonitoringClient(dsn) as monitor:
            monitor.record_queue_metrics("mail", 5)
            terminal.wait_for("QUEUES")
            assert "No answer from the server" not in terminal.seen.split("QUEUES")[0][-2000:]
    finally:
        exit_code = terminal.close()
    assert exit_code == 0


def test_watching_can_start_before_the_server() -> None:
    terminal = Terminal("--watch", "0.2", "--dsn", "postgresql://127.0.0.1:1/x")
    try:
        terminal.wait_for("No answer from the server since")
    finally:
        assert terminal.close() == 0


def test_watching_without_a_terminal_prints_one_state_below_the_other(dsn: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--watch", "0.1", "--dsn", dsn], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as lines:
        headings = [next(lines) for _ in range(20)]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert sum(line.startswith("pgvigil · ") for line in headings) > 1
    assert "\x1b" not in "".join(headings)
