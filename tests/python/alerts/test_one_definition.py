"""What is told in several places is told alike: how many tasks failed, the order of severities."""

import re
from typing import get_args

import psycopg
from click.testing import CliRunner

from pgvigil.client import MonitoringClient
from pgvigil.commands.cli import main
from pgvigil.database.queries.alerts import SEVERITIES
from pgvigil.faces.web.parameters import Severity
from tests.python.support.web_running import Web

_ENDS = {"completed": 5, "failed": 4, "timeout": 3, "lost": 2, "cancelled": 1}
_FAILED = 9
_TRENDS: dict[str, str] = {"what": "tasks", "hours": "24"}


def test_all_faces_count_the_same_tasks_as_failed(dsn: str, web: Web) -> None:
    with MonitoringClient(dsn, on_error="raise") as monitor:
        for status, count in _ENDS.items():
            for number in range(count):
                monitor.start_task("import", task_id=f"{status} {number}")
                monitor.complete_task(f"{status} {number}", status)
    get = web.client.get
    figures = get("/metrics").text
    found = re.search(r'^pgvigil_tasks_failed_last_day\{task_type="import"\} (\S+)$', figures, re.M)
    assert found is not None
    points = get("/api/trends", params=_TRENDS).json()
    shown = {
        "card": get("/api/cards").json()["cards"]["failed_24_hours"],
        "summary": get("/api/summary").json()["tasks"]["failed"],
        "metrics": float(found[1]),
        "trend": sum(point["value"] for point in points["rows"] if point["series"] == "failed"),
    }
    assert shown == dict.fromkeys(shown, _FAILED)
    terminal = CliRunner().invoke(main, ["dashboard", "tasks", "--dsn", dsn]).output
    assert f"15 ended, {_FAILED} failed, 1 cancelled" in terminal
    # Each of them is in the list below as well.
    assert len(re.findall(r"(?:failed|timeout|lost) \d", terminal)) >= _FAILED


def test_the_severities_are_those_of_the_database_in_its_order(
    connection: psycopg.Connection,
) -> None:
    row = connection.execute("select monitoring.severities()").fetchone()
    assert row is not None
    assert row[0] == list(SEVERITIES) == list(get_args(Severity))
