"""``python -m bench.fleet``: what many members cost a hub, and what a hub costs each of them.

All databases are in one server. Each member has new rows of all its names before each reading, so
that every hour and day is told again; figures are seconds of CPU.
"""

import asyncio
import json
import os
import resource
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench.pgbench import cpu_seconds
from bench.scratch import scratch_server
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import find_binaries, major_version
from pgvigil.outside.fleet.reading import Reading
from pgvigil.outside.secrets import Secrets

_MINUTES_A_ROLLUP = 5


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--members", default=50, show_default=True)
@click.option("--names", default=1000, show_default=True, help="Task types of each member.")
@click.option("--rounds", default=3, show_default=True, help="Readings with roll-ups.")
def main(pg: int | None, members: int, names: int, rounds: int) -> None:
    """Make the members, and read them with and without their roll-ups."""
    binaries = find_binaries(pg)
    with scratch_server(binaries) as server:
        dsns = _make_members(server, members, names)
        with psycopg.connect(server.dsn("bench"), autocommit=True) as hub:
            for number in range(members):
                hub.execute(
                    "select monitoring.register_fleet_member(%s, %s)",
                    [f"member {number}", f"MEMBER_{number}"],
                )
            table = _measure(server, hub, dsns, names, rounds)
        console = Console(width=100)
        version = major_version(binaries)
        console.print(
            f"PostgreSQL {version}, {members} members of {names:,} names, {rounds} rounds"
        )
        console.print(table)


def _make_members(server: PostgresServer, members: int, names: int) -> list[str]:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for number in range(members):
            connection.execute(f"create database member_{number} template bench".encode())
    dsns = [server.dsn(f"member_{number}") for number in range(members)]
    for number, dsn in enumerate(dsns):
        os.environ[f"MEMBER_{number}"] = dsn
        _work(dsn, names)
    return dsns


def _work(dsn: str, names: int) -> None:
    now = datetime.now(UTC).isoformat()
    tasks = [
        {"task_id": f"t {n}", "task_type": f"type {n}", "end_time": now, "duration_ms": 1 + n}
        for n in range(names)
    ]
    with psycopg.connect(dsn, autocommit=True) as member:
        member.execute("select monitoring.record_finished_tasks(%s)", [json.dumps(tasks)])
        member.execute("select monitoring.roll_up()")


def _measure(
    server: PostgresServer,
    hub: psycopg.Connection[Any],
    dsns: Sequence[str],
    names: int,
    rounds: int,
) -> Table:
    table = Table("all members read", "hub's session", "members' sessions", "runner")
    first = _read_all(server, hub, len(dsns))
    table.add_row("the first time", *_cells(first))
    full, plain = [], []
    for _ in range(rounds):
        for dsn in dsns:
            _work(dsn, names)
        hub.execute("update monitoring.fleet_member_states set rollups_asked_at = '-infinity'")
        full.append(_read_all(server, hub, len(dsns)))
        plain.append(_read_all(server, hub, len(dsns)))
    with_rollups, without = _median(full), _median(plain)
    table.add_row("with roll-ups", *_cells(with_rollups))
    table.add_row("without", *_cells(without))
    # Once in so many minutes they are read as well.
    minute = [
        (one + (_MINUTES_A_ROLLUP - 1) * other) / _MINUTES_A_ROLLUP
        for one, other in zip(with_rollups, without, strict=True)
    ]
    table.add_row("a minute", *_cells(minute))
    table.add_row("% of a core", *(f"{100 * seconds / 60:.2f}" for seconds in minute))
    table.add_row("% of a core, each", *("", f"{100 * minute[1] / 60 / len(dsns):.3f}", ""))
    return table


def _read_all(
    server: PostgresServer, hub: psycopg.Connection[Any], members: int
) -> tuple[float, float, float]:
    used = [0.0, _sessions(server), _own()]
    hub_seconds = asyncio.run(_read(server.dsn("bench"), members))
    time.sleep(0.5)  # for the server to see that the last sessions have ended
    return hub_seconds, _sessions(server) - used[1] - hub_seconds, _own() - used[2]


async def _read(dsn: str, members: int) -> float:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as hub:
        pid = hub.info.backend_pid
        gate = asyncio.Semaphore(16)

        async def one(number: int) -> None:
            async with gate:
                reading = Reading(hub, f"member {number}", Secrets())
                await reading.run()
                assert reading.error is None, reading.error

        await asyncio.gather(*(one(number) for number in range(members)))
        return cpu_seconds(pid)


def _sessions(server: PostgresServer) -> float:
    """Return the CPU of all sessions of a server, those that are over included."""
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    return cpu_seconds(pid)


def _own() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _median(rows: Sequence[Sequence[float]]) -> list[float]:
    return [sorted(column)[len(column) // 2] for column in zip(*rows, strict=True)]


def _cells(values: Sequence[float]) -> list[str]:
    return [f"{value:.2f} s" for value in values]


if __name__ == "__main__":
    main()
