"""``python -m bench.sizes``: what rows and roll-ups take on disk, and whether the formula holds."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench.pgbench import cpu_seconds
from bench.scratch import scratch_server
from pgvigil.demo.server_binaries import find_binaries, major_version

HOURS = 20
_AT_ONCE = 5000
SPACE = """
select coalesce(sum(pg_total_relation_size(i.inhrelid)), 0)
from pg_inherits i where i.inhparent = to_regclass('monitoring.' || %s)
"""
# Each value that falls into a cell of its own takes a smallint and a bigint.
BUCKETS = """
select count(*), coalesce(sum(cardinality((r.histogram).cells)), 0)::bigint
from monitoring.rollups r where r.source = %s
"""


@dataclass(frozen=True)
class Kind:
    """What is recorded, by which function, into which table, and what roll-ups call it."""

    name: str
    function: str
    table: str
    source: str | None = None


KINDS = (
    Kind("task", "record_finished_tasks", "finished_tasks", "tasks"),
    Kind("error", "record_errors", "errors", "errors"),
    Kind("metric", "record_metrics", "metric_samples", "metrics"),
    Kind("log line", "record_logs", "log_lines"),
)


@dataclass
class Sizes:
    """Bytes and CPU of one kind."""

    row_bytes: float
    buckets: int
    cells: int
    bucket_bytes: float
    recording_cpu: float
    roll_up_cpu: float


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--rows", default=200_000, show_default=True, help="Rows of each kind.")
@click.option("--names", default=100, show_default=True, help="Names of each kind.")
def main(pg: int | None, rows: int, names: int) -> None:
    """Record each kind in two shapes, and compare the second with what the first foretells."""
    console = Console(width=120)
    binaries = find_binaries(pg)
    console.print(f"PostgreSQL {major_version(binaries)}")
    table = Table("kind", "rows", "names", "bytes a row", "buckets", "cells", "bytes a bucket",
                  "foretold bytes a bucket", "recording: CPU s a million", "roll-up")  # fmt: skip
    for shape in ((rows, names), (rows // 4, names * 10)):
        with (
            scratch_server(binaries) as server,
            psycopg.connect(server.dsn("bench"), autocommit=True) as connection,
        ):
            for kind in KINDS:
                yesterday = datetime.now(UTC).date() - timedelta(days=1)
                connection.execute(
                    "select monitoring.prepare_backfill(%s, %s)", [kind.table, yesterday]
                )
                sizes = _measure(connection, kind, *shape)
                table.add_row(kind.name, *(f"{n:,}" for n in shape), *_cells(sizes))
    console.print(table)


def foretold(cells_a_bucket: float) -> float:
    """Bytes of a bucket with its part of the index, by the formula in docs/sizing.md."""
    return 390 + 14 * cells_a_bucket if cells_a_bucket else 270


def _cells(sizes: Sizes) -> Iterator[str]:
    yield f"{sizes.row_bytes:,.0f}"
    yield f"{sizes.buckets:,}"
    if sizes.buckets:
        cells = sizes.cells / sizes.buckets
        yield from (f"{cells:,.1f}", f"{sizes.bucket_bytes:,.0f}", f"{foretold(cells):,.0f}")
    else:
        yield from ("", "", "")
    yield f"{sizes.recording_cpu:,.0f}"
    yield f"{sizes.roll_up_cpu:,.1f}"


def _measure(connection: psycopg.Connection[Any], kind: Kind, rows: int, names: int) -> Sizes:
    pid = connection.info.backend_pid
    connection.execute("truncate monitoring.rollups")
    began = cpu_seconds(pid)
    for batch in _batches(rows, names):
        connection.execute(f"select monitoring.{kind.function}(%s)".encode(), [json.dumps(batch)])
    recorded = cpu_seconds(pid)
    connection.execute("select monitoring.roll_up()")
    rolled_up = cpu_seconds(pid)
    connection.execute("vacuum monitoring.rollups")
    space = connection.execute(SPACE, [kind.table]).fetchone()
    late = connection.execute(
        f"select count(*) from monitoring.late_{kind.table}".encode()
    ).fetchone()
    buckets = connection.execute(BUCKETS, [kind.source]).fetchone()
    rollups = connection.execute(SPACE, ["rollups"]).fetchone()
    if space is None or buckets is None or rollups is None or late is None or late[0]:
        raise RuntimeError(f"not every {kind.name} is where it belongs")
    million = rows / 1e6
    return Sizes(
        float(space[0]) / rows, buckets[0], buckets[1],
        float(rollups[0]) / buckets[0] if buckets[0] else 0,
        (recorded - began) / million, (rolled_up - recorded) / million,
    )  # fmt: skip


def _batches(rows: int, names: int) -> Iterator[list[dict[str, Any]]]:
    """Rows of the last hours that any of the functions takes, each with a name by chance."""
    chance = random.Random(rows)
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    for first in range(0, rows, _AT_ONCE):
        yield [
            _row(chance, n, chance.randrange(names), end - timedelta(hours=HOURS * (1 - n / rows)))
            for n in range(first, min(first + _AT_ONCE, rows))
        ]


def _row(chance: random.Random, number: int, name: int, at: datetime) -> dict[str, Any]:
    ms = chance.lognormvariate(6, 0.7)
    return {
        "task_id": f"import-{number}", "task_type": f"type {name}", "status": "completed",
        "start_time": (at - timedelta(milliseconds=ms)).isoformat(), "end_time": at.isoformat(),
        "error_type": f"E{name}", "severity": "medium", "occurred_at": at.isoformat(),
        "message": f"stage {name} could not read document {number} after {ms:.0f} ms",
        "component": f"component {name % 20}", "level": "INFO", "logged_at": at.isoformat(),
        "metric_name": f"metric {name}", "value": ms, "recorded_at": at.isoformat(),
    }  # fmt: skip


if __name__ == "__main__":
    main()
