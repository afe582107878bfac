"""``python -m bench.expected_runs``: what thousands of expected runs cost those who ask."""

from typing import Any

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench.pgbench import cpu_seconds
from bench.scratch import scratch_server
from pgvigil.demo.server_binaries import find_binaries, major_version

# Half of them by the clock at times of their own, the rest at times that many share.
EXPECTED = """
select count(monitoring.define_expected_runs(
    'job ' || n,
    (array[
        (n %% 60) || ' * * * *', (n %% 60) || ' ' || (n %% 24) || ' * * *',
        '*/5 * * * *', '10 minutes'
    ])[1 + n %% 4],
    (array['UTC', 'Europe/Berlin'])[1 + n %% 2],
    p_counts => (array['starts', 'successes'])[1 + n %% 2]
))
from generate_series(1, %s) as n
"""
RAN = """
select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
    'task_id', 'run ' || n, 'task_type', 'job ' || n, 'status', 'completed',
    'start_time', clock_timestamp() - interval '1 minute', 'end_time', clock_timestamp()
)))
from generate_series(%s::integer, %s) as n
"""
ASKED = {
    "roll_up(), a run of each": "select monitoring.roll_up()",
    "evaluate_alerts(), the first time": "select monitoring.evaluate_alerts()",
    "evaluate_alerts(), again": "select monitoring.evaluate_alerts()",
    "v_expected_runs": "select * from monitoring.v_expected_runs",
    "request_urgent_evaluation()": "select monitoring.request_urgent_evaluation()",
    "evaluate_alerts(), nothing expected": "select monitoring.evaluate_alerts()",
}
_AT_ONCE = 5000


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--runs", default=10_000, show_default=True, help="Expected runs.")
def main(pg: int | None, runs: int) -> None:
    """Have the runs expected, let each come once, and ask what people and jobs ask."""
    console = Console(width=100)
    binaries = find_binaries(pg)
    with (
        scratch_server(binaries) as server,
        psycopg.connect(server.dsn("bench"), autocommit=True) as connection,
    ):
        connection.execute(EXPECTED, [runs])
        for first in range(1, runs + 1, _AT_ONCE):
            connection.execute(RAN, [first, min(first + _AT_ONCE - 1, runs)])
        console.print(f"PostgreSQL {major_version(binaries)}, {runs:,} expected runs")
        console.print(_measure(connection))


def _measure(connection: psycopg.Connection[Any]) -> Table:
    table = Table("asked", "CPU, ms")
    pid = connection.info.backend_pid
    for name, query in ASKED.items():
        if name.endswith("nothing expected"):
            connection.execute("delete from monitoring.expected_runs")
        used = cpu_seconds(pid)
        connection.execute(query.encode()).fetchall()
        table.add_row(name, f"{(cpu_seconds(pid) - used) * 1000:,.0f}")
    return table


if __name__ == "__main__":
    main()
