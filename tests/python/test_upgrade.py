"""An upgrade of what an earlier pgvigil installed, with its code and its rows in place."""

import gzip
from pathlib import Path

import pytest

from pgvigil.server import PostgresServer
from tests.harness.clients import dump_installation, rows, run, run_psql
from tests.python.test_install_equality import (
    Way,
    any_server,
    by_migrate,
    by_single_file,
    database,
    fresh,
)

__all__ = ["any_server", "database", "fresh"]  # fixtures

ROOT = Path(__file__).parents[2]
EARLIER = sorted((Path(__file__).parent.parent / "upgrade").glob("*.sql.gz"))

RECORD = (
    "select monitoring.start_task_tracking('t', 'load')",
    "select monitoring.complete_task_tracking('t')",
    "select monitoring.start_task_tracking('running', 'load')",
    "select monitoring.record_error('t', 'Timeout', 'high', 'no answer', 'web')",
    "select monitoring.resolve_error_group(fingerprint) from monitoring.error_groups",
    "select monitoring.record_performance_metric('rows', 'gauge', 12)",
    "select monitoring.update_system_health('service', 'web', 'healthy')",
    "select monitoring.record_queue_metrics('billing', 5)",
    "select monitoring.record_log('web', 'INFO', 'hello')",
)

COUNTED = """
    select source, sum(row_count)::integer from monitoring.rollups
    where resolution = 'day' and row_count > 0 group by source order by source
"""


def test_there_are_earlier_versions_to_upgrade_from() -> None:
    assert EARLIER


@pytest.mark.parametrize("way", [by_migrate, by_single_file])
@pytest.mark.parametrize("earlier", EARLIER, ids=lambda path: path.name)
def test_an_upgrade_ends_like_a_fresh_installation_and_keeps_what_was_recorded(
    any_server: PostgresServer, database: str, fresh: str, earlier: Path, way: Way
) -> None:
    installation = any_server.home / "earlier.sql"
    installation.write_bytes(gzip.decompress(earlier.read_bytes()))
    run_psql(any_server, database, "-q", "-1", "-f", installation)
    dsn = any_server.dsn(database)
    run(dsn, *RECORD)

    way(any_server, database)

    assert dump_installation(any_server, database) == fresh
    run(dsn, "select monitoring.roll_up()")
    assert rows(dsn, COUNTED) == [
        ("errors", 1), ("health", 1), ("metrics", 1), ("queues", 5), ("tasks", 1)
    ]  # fmt: skip
    assert rows(dsn, "select status, occurrences from monitoring.error_groups") == [("resolved", 1)]
    assert rows(dsn, "select task_id from monitoring.v_realtime_processing_status") == [
        ("running",)
    ]
    assert rows(dsn, "select message from monitoring.application_logs") == [("hello",)]


# Migration 0010 takes away what code before it calls; those after it must not.
@pytest.mark.parametrize("earlier", EARLIER[1:], ids=lambda path: path.name)
def test_a_task_can_fail_after_the_migrations_and_before_the_new_code(
    any_server: PostgresServer, database: str, earlier: Path
) -> None:
    installation = any_server.home / "earlier.sql"
    installation.write_bytes(gzip.decompress(earlier.read_bytes()))
    run_psql(any_server, database, "-q", "-1", "-f", installation)
    dsn = any_server.dsn(database)
    fail = (
        "select monitoring.start_task_tracking('t', 'load')",
        "select monitoring.complete_task_tracking('t', 'failed')",
    )
    run(dsn, *fail)
    installed = rows(dsn, "select migration_id from monitoring.installed_migrations")
    pending = [
        path
        for path in sorted((ROOT / "migrations").glob("*.sql"))
        if not path.name.endswith(".rollback.sql") and (path.stem,) not in installed
    ]
    assert pending

    for path in pending:
        run_psql(any_server, database, "-q", "-1", "-f", path)
    run(dsn, *fail)

    assert rows(dsn, "select task_id, attempt from monitoring.unsuccessful_attempts") == [("t", 2)]
