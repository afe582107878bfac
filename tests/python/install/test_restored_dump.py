"""A dump restored on another server, whose transactions have other numbers, goes on counting."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgvigil.demo.server import PostgresServer
from pgvigil.install.grants import ROLES
from tests.harness.clients import clean_environment, rows, run
from tests.harness.databases import create_database, disposable_server

BURN = """do $$ begin for i in 1 .. 20000 loop perform txid_current(); commit; end loop; end $$"""

RECORD = """
    select
        monitoring.record_performance_metric('rows', 'gauge', {number}),
        monitoring.record_error('t', 'Timeout', 'high', 'no answer'),
        monitoring.update_system_health('service', 'web', 'healthy'),
        monitoring.record_queue_metrics('billing', 5),
        monitoring.start_task_tracking('t{number}', 'load'),
        monitoring.complete_task_tracking('t{number}')
"""

# What is stored, and not what the views add to it.
STILL_NEW = """
    select table_name from monitoring.rollup_progress
    where monitoring._has_new_rows(table_name, '-infinity', 'infinity')
"""
COUNTED = """
    select source, sum(row_count)::integer from monitoring.rollups
    where resolution = 'day' and row_count > 0 group by source order by source
"""


@pytest.fixture(scope="module")
def other_server(server: PostgresServer) -> Iterator[PostgresServer]:
    """A server with the roles, and with nothing else yet."""
    with disposable_server(server.binaries) as running:
        run(running.dsn(), *(f"create role {role} nologin" for role in ROLES))
        yield running


@pytest.mark.parametrize("ahead", ["the old server", "the new server"])
def test_roll_ups_count_all_that_is_recorded_after_a_restore_once(
    server: PostgresServer, other_server: PostgresServer, dsn: str, tmp_path: Path, ahead: str
) -> None:
    run(dsn if ahead == "the old server" else other_server.dsn(), BURN)
    run(dsn, RECORD.format(number=1), "select monitoring.roll_up()", RECORD.format(number=2))

    restored = restore(server, dsn, other_server, ahead.split()[1], tmp_path)
    before_the_first_roll_up = RECORD.format(number=3)
    run(restored, before_the_first_roll_up, "select monitoring.roll_up()", RECORD.format(number=4))
    run(restored, *["select monitoring.roll_up()"] * 2)

    assert rows(restored, COUNTED) == [
        ("errors", 4), ("health", 4), ("metrics", 4), ("queues", 4 * 5), ("tasks", 4)
    ]  # fmt: skip
    assert rows(restored, STILL_NEW) == []


def restore(
    server: PostgresServer, dsn: str, target: PostgresServer, name: str, directory: Path
) -> str:
    """Dump a database, restore it on another server and return its URI there."""
    dump = directory / "dump.sql"
    tool = server.binaries
    environment = clean_environment()
    subprocess.run([tool / "pg_dump", "-f", dump, "-d", dsn], check=True, env=environment)
    database = f"restored_{name}"
    create_database(target, database)
    restored = target.dsn(database)
    subprocess.run(
        [tool / "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", dump, restored],
        check=True,
        env=environment,
    )
    return restored
