"""The configuration for sql_exporter works with Debian's, and shows the figures of the views."""

import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from tests import ROOT
from tests.harness.clients import clean_environment
from tests.harness.tools import program

CONFIGURATION = ROOT / "examples" / "prometheus" / "sql_exporter.yml"
ADDRESS = "postgres://pgvigil_reader@/app?host=/var/run/postgresql&sslmode=disable"
READER = "sql_exporter_reader"
NAMES = re.findall(r"- name: (pgvigil_\w+)", CONFIGURATION.read_text())
SAMPLE = re.compile(r"(?P<name>\w+)\{(?P<labels>.*)\} (?P<value>\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# They say where the figure comes from.
PLACE = {"database", "driver", "host", "sql_job", "user"}


@pytest.fixture
def reader(server: PostgresServer, connection: psycopg.Connection) -> Iterator[str]:
    """The address of the database for someone who has the role monitoring_reader."""
    connection.execute(f"create role {READER} login password 'secret'".encode())
    connection.execute(f"grant monitoring_reader to {READER}".encode())
    yield (
        f"postgres://{READER}:secret@127.0.0.1:{server.port}/{connection.info.dbname}"
        "?sslmode=disable"
    )
    connection.execute(f"drop role {READER}".encode())


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def scraped(address: str, directory: Path) -> str:
    """Run sql_exporter until it has asked everything, and return what Prometheus would get."""
    text = CONFIGURATION.read_text()
    assert text.count(ADDRESS) == 1
    configuration = directory / "sql_exporter.yml"
    configuration.write_text(text.replace(ADDRESS, address))
    place = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            program("prometheus-sql-exporter"),
            "-config.file",
            configuration,
            "-web.listen-address",
            place,
        ],
        env=clean_environment() | {"PATH": os.environ["PATH"], "LOGLEVEL": "info"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    page = ""
    try:
        deadline = time.monotonic() + 30
        while page.count("sql_exporter_last_scrape_failed{") < len(NAMES):
            assert time.monotonic() < deadline, f"it did not ask everything: {page}"
            time.sleep(0.1)
            try:
                with urllib.request.urlopen(f"http://{place}/metrics", timeout=5) as answer:
                    page = answer.read().decode()
            except OSError:
                continue
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=20)
    assert '"level":"error"' not in said, said
    return page


def figures(page: str, name: str) -> dict[tuple[str, ...], float]:
    """Return the values of a figure by its labels, in the order of their names."""
    found = {}
    for sample in SAMPLE.finditer(page):
        if sample["name"] == f"sql_{name}":
            labels = dict(LABEL.findall(sample["labels"]))
            key = tuple(labels[each] for each in sorted(labels.keys() - PLACE))
            found[key] = float(sample["value"])
    return found


def test_it_shows_what_the_views_show_to_a_reader(
    reader: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    for statement in (
        "start_task_tracking('runs', 'load')",
        "start_task_tracking('ends', 'load')",
        "complete_task_tracking('ends', 'failed')",
        "record_error('ends', 'E \"quoted\"', 'high', 'm')",
        "record_queue_metrics('mail', 60, p_oldest_ready_seconds => 12.5)",
        "update_system_health('service', 'api', 'unhealthy')",
        "update_system_health('database', 'main', 'degraded')",
        """apply_workflow('{"workflow": "w", "steps": [{"step": "load"}, {"step": "later"}]}')""",
        "evaluate_alerts()",
    ):
        connection.execute(f"select monitoring.{statement}".encode())
    page = scraped(reader, tmp_path)
    assert figures(page, "pgvigil_tasks_running")["running", "load"] == 1
    assert figures(page, "pgvigil_tasks_last_day")["failed", "load"] == 1
    assert figures(page, "pgvigil_tasks_last_day")["completed", "load"] == 0
    assert ("p95", "load") in figures(page, "pgvigil_task_duration_seconds")
    assert figures(page, "pgvigil_errors_last_day") == {
        ("occurrences", "", 'E \\"quoted\\"', "high"): 1
    }
    assert figures(page, "pgvigil_queue") == {
        ("pending", "mail"): 60, ("processing", "mail"): 0, ("age", "mail"): 12.5,
    }  # fmt: skip
    assert figures(page, "pgvigil_component_up") == {
        ("up", "api", "service"): 0, ("up", "main", "database"): 1,
    }  # fmt: skip
    assert figures(page, "pgvigil_batch_steps")["steps", "w"] == 2
    counted = connection.execute(
        "select severity, count(*) from monitoring.v_active_alerts group by severity"
    ).fetchall()
    alerts = figures(page, "pgvigil_alerts_active")
    assert len(alerts) == 8
    assert {key[1]: value for key, value in alerts.items() if value} == dict(counted)
    assert figures(page, "pgvigil_check")["partitions", "ok"] == 1


def test_prometheus_accepts_it_even_with_nothing_recorded(reader: str, tmp_path: Path) -> None:
    page = scraped(reader, tmp_path)
    failed = re.findall(r"sql_exporter_last_scrape_failed\{.*\} (\S+)", page)
    assert failed == ["0"] * len(NAMES)
    result = subprocess.run(
        [program("promtool"), "check", "metrics"], input=page, capture_output=True, text=True
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
