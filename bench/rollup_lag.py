"""``python -m bench.rollup_lag``: how late roll-ups are while a transaction is left open."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench.scratch import scratch_server
from pgvigil.demo.server_binaries import find_binaries, major_version

RECORD = "select monitoring.record_performance_metric('metric-%s', 'gauge', 1)"
# Committed rows that are in no roll-up, and those that would be in none if a roll-up took only what
# is older than the oldest open transaction of the cluster.
LATE = """
select
    (
        select extract(epoch from clock_timestamp() - min(m.recorded_at))
        from monitoring._marked_metrics as m where m.is_new
    )::float8,
    extract(epoch from clock_timestamp() - min(s.recorded_at))::float8,
    count(*)
from monitoring.metric_samples as s
where s.recorded_xid >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
"""


@dataclass
class Phase:
    """What was seen while something was going on."""

    roll_ups: list[float] = field(default_factory=list)
    lag: float = 0
    lag_of_watermark: float = 0
    held_up_by_watermark: int = 0


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--seconds", default=120, show_default=True, help="Length of each phase.")
@click.option(
    "--every", default=2.0, show_default=True, help="Seconds from one roll-up to the next."
)
def main(pg: int | None, seconds: int, every: float) -> None:
    """Record all the time, roll up again and again, and print how late rows come in."""
    console = Console(width=110)
    binaries = find_binaries(pg)
    with scratch_server(binaries) as server:
        dsn, elsewhere = server.dsn("bench"), server.dsn()
        phases = {}
        with _recording(dsn), psycopg.connect(dsn, autocommit=True) as connection:
            phases["nothing is open"] = _watch(connection, seconds, every)
            with _left_open(dsn, 1, RECORD % "long"):
                phases["a transaction that has recorded is open"] = _watch(
                    connection, seconds, every
                )
            with _left_open(elsewhere, 1):
                phases["one of another database is open"] = _watch(connection, seconds, every)
            with _left_open(elsewhere, 80):
                phases["eighty of them are open"] = _watch(connection, seconds, every)
        console.print(
            f"PostgreSQL {major_version(binaries)}, {seconds} s each, a roll-up every {every:g} s"
        )
        console.print(_table(phases))


def _watch(connection: psycopg.Connection[Any], seconds: float, every: float) -> Phase:
    """Roll up again and again; look just after each, when what it could take is in."""
    phase = Phase()
    # What an earlier phase has left open ended with it.
    connection.execute("select monitoring.roll_up()")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(every)
        began = time.perf_counter()
        connection.execute("select monitoring.roll_up()")
        phase.roll_ups.append(time.perf_counter() - began)
        lag, lag_of_watermark, held_up = connection.execute(LATE).fetchone() or (0, 0, 0)
        phase.lag = max(phase.lag, lag or 0)
        phase.lag_of_watermark = max(phase.lag_of_watermark, lag_of_watermark or 0)
        phase.held_up_by_watermark = max(phase.held_up_by_watermark, held_up)
    return phase


@contextmanager
def _recording(dsn: str) -> Iterator[None]:
    """Let two programs record, some hundred times a second."""
    stop = threading.Event()

    def record(number: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            while not stop.wait(0.003):
                connection.execute((RECORD % number).encode())

    threads = [threading.Thread(target=record, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def _left_open(dsn: str, count: int, statement: str = "select txid_current()") -> Iterator[None]:
    """Keep transactions open that have a number."""
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(psycopg.connect(dsn)).execute(statement.encode())
        yield


def _table(phases: dict[str, Phase]) -> Table:
    table = Table(
        "while", "roll-up, median", "longest", "oldest row not in", "by watermark", "rows"
    )
    for name, phase in phases.items():
        table.add_row(
            name,
            f"{statistics.median(phase.roll_ups) * 1e3:.0f} ms",
            f"{max(phase.roll_ups) * 1e3:.0f} ms",
            f"{phase.lag:.1f} s",
            f"{phase.lag_of_watermark:.1f} s",
            f"{phase.held_up_by_watermark:,}",
        )
    return table


if __name__ == "__main__":
    main()
