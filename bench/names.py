"""``python -m bench.names``: what a program costs that sends a new name with each call."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench.pgbench import cpu_seconds
from bench.scratch import scratch_server
from pgvigil.demo.server_binaries import find_binaries, major_version

MINUTE = "roll_up(), a minute's worth of new ones"
ASKED = {
    "roll_up(), all of them new": "select monitoring.roll_up()",
    "roll_up(), nothing new": "select monitoring.roll_up()",
    MINUTE: "select monitoring.roll_up()",
    "evaluate_alerts(), the first time": "select monitoring.evaluate_alerts()",
    "evaluate_alerts(), again": "select monitoring.evaluate_alerts()",
    "get_dashboard_summary()": "select monitoring.get_dashboard_summary()",
    "get_dashboard_cards()": "select monitoring.get_dashboard_cards()",
    "v_active_alerts": "select * from monitoring.v_active_alerts",
    "v_queue_performance": "select * from monitoring.v_queue_performance",
    "v_system_health_summary": "select * from monitoring.v_system_health_summary",
    "v_task_statistics": "select * from monitoring.v_task_statistics",
    "error_groups": "select * from monitoring.error_groups",
}
SAMPLES = """
select
    count(monitoring.update_system_health('service', 'component ' || n, 'unhealthy')),
    count(monitoring.record_queue_metrics('queue ' || n, 5000, 0, 0, 0, 90000))
from generate_series(%s::integer, %s) as n
"""
MINUTES_A_DAY = 1440
_AT_ONCE = 5000


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--names", default=100_000, show_default=True, help="Names of each kind.")
def main(pg: int | None, names: int) -> None:
    """Send the names, and ask what people and jobs ask."""
    console = Console(width=100)
    binaries = find_binaries(pg)
    with (
        scratch_server(binaries) as server,
        psycopg.connect(server.dsn("bench"), autocommit=True) as connection,
    ):
        for first in range(0, names, _AT_ONCE):
            _send(connection, range(first, min(first + _AT_ONCE, names)))
        version = major_version(binaries)
        console.print(f"PostgreSQL {version}, {names:,} names of each of six kinds")
        console.print(_measure(connection, range(names, names + names // MINUTES_A_DAY)))


def _send(connection: psycopg.Connection[Any], numbers: range) -> None:
    for function, rows in _rows(numbers):
        connection.execute(f"select monitoring.{function}(%s)".encode(), [json.dumps(rows)])
    connection.execute(SAMPLES, [numbers.start, numbers.stop - 1])


def _rows(numbers: range) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    now = datetime.now(UTC).isoformat()
    statuses = ("completed", "failed")
    yield (
        "record_finished_tasks",
        [
            {
                "task_id": f"task {n}",
                "task_type": f"type {n}",
                "status": statuses[n % 2],
                "end_time": now,
            }
            for n in numbers
        ],
    )
    yield (
        "record_errors",
        [
            {"error_type": f"E{n}", "severity": "critical", "message": f"no word{n}"}
            for n in numbers
        ],
    )
    yield "record_metrics", [{"metric_name": f"metric {n}", "value": n} for n in numbers]


def _measure(connection: psycopg.Connection[Any], of_a_minute: range) -> Table:
    table = Table("asked", "seconds", "CPU seconds", "rows", "kB")
    pid = connection.info.backend_pid
    for name, query in ASKED.items():
        if name == MINUTE:
            _send(connection, of_a_minute)
        began, used = time.perf_counter(), cpu_seconds(pid)
        rows = connection.execute(query.encode()).fetchall()
        seconds, used = time.perf_counter() - began, cpu_seconds(pid) - used
        size = len(json.dumps(rows, default=str)) / 1000
        table.add_row(name, f"{seconds:.2f}", f"{used:.2f}", f"{len(rows):,}", f"{size:,.0f}")
    return table


if __name__ == "__main__":
    main()
