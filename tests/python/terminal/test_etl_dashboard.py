"""The dashboard of ETL can be read at 80 columns, and written to a file."""

import csv
import json
import subprocess
from pathlib import Path

import pytest
from rich.cells import cell_len

from pgvigil import MonitoringClient
from pgvigil.client.etl import ETLAlertManager, ETLLogger, ETLMonitor, PerformanceTracker
from tests.harness.clients import run_pgvigil


def dashboard(dsn: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return run_pgvigil(dsn, "dashboard", "etl", *map(str, options))


def shown(dsn: str, *options: str) -> str:
    result = dashboard(dsn, *options)
    assert (result.returncode, result.stderr) == (0, "")
    assert max(cell_len(line) for line in result.stdout.splitlines()) <= 80
    return result.stdout


@pytest.fixture
def busy_dsn(dsn: str) -> str:
    """A database with an execution that went badly, one that runs and one with an awkward name."""
    with MonitoringClient(dsn, on_error="raise") as client:
        monitor, logger, tracker = ETLMonitor(client), ETLLogger(client), PerformanceTracker(client)
        with (
            monitor.execution("bad", total_fixtures=100, total_chunks=2) as execution,
            execution.chunk(1, total_fixtures=50) as chunk,
        ):
            with tracker.track_operation("parse", 50):
                chunk.count_fixtures(successful=30, failed=20)
            logger.error("row 17 is [bold]broken[/bold]\x1b[31m", {"row": 17})
        client.start_etl_execution("名前 [red]" + "x" * 200, total_fixtures=10**9)
        client.start_etl_execution("away")
        client.finish_etl_execution("away", "FAILED", error_message="the feed\nis away " * 30)
        client.log_etl_event("WARNING", None, "said outside " * 30)
        client.record_etl_metric(None, "m" * 250, 1e90, "u" * 200, tags={"t": "v" * 200})
    ETLAlertManager(dsn).check_system_alerts()
    return dsn


def test_an_empty_database_says_so(dsn: str) -> None:
    text = shown(dsn, "--logs", "--metrics", "--alerts")
    assert "0 running · 0 completed · 0 failed · 0 cancelled" in text
    for line in (
        "No ETL execution runs, and none has ended in the last 24 hours.",
        "Not known whether an alert is open: no alert rule has ever run.",
        "No ETL metric was recorded.",
        "No log line of ETL was recorded.",
    ):
        assert line in text


def test_executions_are_told_in_a_line_each(busy_dsn: str) -> None:
    text = shown(busy_dsn, "--alerts")
    assert "1 running · 1 completed · 1 failed · 0 cancelled" in text
    (bad,) = [line for line in text.splitlines() if line.startswith("bad")]
    assert bad.split()[:5] == ["bad", "COMPLETED", "50/100", "20", "1/2"]
    assert "0/1,000,000,000" in text
    assert "LOG" not in text
    assert "\x1b" not in text


def test_more_is_shown_when_asked_for(busy_dsn: str) -> None:
    text = shown(busy_dsn, "--logs", "--metrics", "--alerts")
    assert "row 17 is [bold]broken[/bold]" in text
    (line,) = [line for line in text.splitlines() if " ERROR etl " in line]
    assert line[8:].startswith(" ERROR etl exec:bad chunk:1 row 17 is [bold]broken[/bold]")
    (metric,) = [line for line in text.splitlines() if line.startswith("parse_duration")]
    assert metric.split()[3] == "1"
    assert "ETL execution bad: " in text
    unasked = shown(busy_dsn)
    for title in ("OPEN ALERTS", "METRICS, LAST 24 H", "LOG, NEWEST FIRST"):
        assert title in text
        assert title in unasked
    assert "\x1b" not in text


def test_one_execution_is_told_in_detail(busy_dsn: str) -> None:
    text = shown(busy_dsn, "--execution-id", "bad", "--logs", "--alerts", "--metrics")
    assert "ETL execution bad · COMPLETED · attempt 1" in text
    assert "50/100 · 30 well, 20 failed · ok 60 %" in text
    assert "1/2 · 0 running, 1 completed, 0 failed" in text
    assert "errors    1" in text
    assert "said outside" not in text
    assert "EXECUTIONS" not in text


def test_an_execution_that_failed_says_why(busy_dsn: str) -> None:
    text = shown(busy_dsn, "--execution-id", "away")
    assert "failed    the feed is away" in text


def test_an_unknown_execution_is_none(busy_dsn: str) -> None:
    result = dashboard(busy_dsn, "--execution-id", "unheard")
    assert result.returncode == 1
    assert "There is no ETL execution unheard." in result.stdout


def test_everything_can_be_written_as_json(busy_dsn: str, tmp_path: Path) -> None:
    target = tmp_path / "etl.json"
    options = ("--logs", "--metrics", "--alerts", "--export", target)
    assert dashboard(busy_dsn, *options).stdout == ""
    document = json.loads(target.read_text())
    assert set(document) == {
        "health", "freshness", "execution", "executions", "logs", "metrics", "alerts",
    }  # fmt: skip
    assert document["health"]["executions"]["COMPLETED"] == 1
    assert {row["execution_id"][:4] for row in document["executions"]} == {"bad", "away", "名前 ["}
    assert {row["rule_name"] for row in document["alerts"]} >= {"item_error_rate_high"}
    assert dashboard(busy_dsn, "--execution-id", "bad", "--export", target).returncode == 0
    document = json.loads(target.read_text())
    assert document["execution"]["statistics"]["failed_fixtures"] == 20
    assert [row["execution_id"] for row in document["executions"]] == ["bad"]


@pytest.mark.parametrize(
    ("options", "column", "value"),
    [
        ((), "execution_id", "bad"),
        (("--logs",), "details", '{"row": 17}'),
        (("--metrics",), "metric_name", "parse_duration"),
        (("--alerts",), "rule_name", "item_error_rate_high"),
    ],
)
def test_a_table_can_be_written_as_csv(
    busy_dsn: str, tmp_path: Path, options: tuple[str, ...], column: str, value: str
) -> None:
    target = tmp_path / "etl.csv"
    assert dashboard(busy_dsn, *options, "--export", target).returncode == 0
    with target.open(newline="") as file:
        assert value in [row[column] for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--export", "etl.xml"), "ends neither in .json nor in .csv"),
        (("--logs", "--alerts", "--export", "etl.csv"), "a .csv holds one table"),
        (("--export", "no/such/folder.json"), "cannot write no/such/folder.json"),
    ],
)
def test_what_cannot_be_written_is_told(dsn: str, options: tuple[str, ...], message: str) -> None:
    result = dashboard(dsn, *options)
    assert result.returncode != 0
    assert message in " ".join(result.stderr.split())


def test_the_general_dashboard_is_as_before(busy_dsn: str) -> None:
    result = run_pgvigil(busy_dsn, "dashboard")
    assert result.returncode == 0
    assert "RUNNING TASKS" in result.stdout


def test_the_database_may_be_named_before_or_after_etl(busy_dsn: str) -> None:
    elsewhere = "postgresql://127.0.0.1:1/nothing"
    before = run_pgvigil(elsewhere, "dashboard", "--dsn", busy_dsn, "etl")
    after = run_pgvigil(elsewhere, "dashboard", "etl", "--dsn", busy_dsn)
    assert before.returncode == after.returncode == 0
    assert "bad" in before.stdout
