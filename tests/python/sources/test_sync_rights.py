"""Who may call ``pgvigil sync``, and what others are told."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.harness.clients import run_pgvigil

ROLE = "pgvigil_sync_stranger"


@pytest.fixture
def stranger(connection: psycopg.Connection, dsn: str, tmp_path: Path) -> Iterator[str]:
    """Address as a role without rights, of a database with a source of each kind."""
    connection.execute("create table orders as select '1' as id, 'OPEN' as state, now() as at")
    connection.execute("grant select on orders to monitoring_reader")
    with sqlite3.connect(tmp_path / "elsewhere.db") as elsewhere:
        elsewhere.execute("create table orders as select '7' as id, 'OPEN' as state")
    for call in (
        """register_record_source('orders', 'apr', 'public.orders',
            '{"record_key": "id", "status": "state"}')""",
        """register_run_source('runs', 'public.orders',
            '{"run_id": "id", "status": "state", "started_at": "at", "finished_at": "at"}',
            '{"OPEN": "completed"}', 'night')""",
        "register_source_query('far', 'FAR', 'select id, state from orders', '{id,state}')",
    ):
        connection.execute(f"select monitoring.{call}".encode())
    connection.execute(f"create role {ROLE}".encode())
    yield make_conninfo(dsn, options=f"-c role={ROLE}")
    connection.execute(f"drop owned by {ROLE}".encode())
    connection.execute(f"drop role {ROLE}".encode())


@pytest.mark.parametrize(
    ("has", "name", "may_not", "lacks"),
    [
        (None, "orders", "see which sources there are", "monitoring_operator"),
        ("monitoring_reader", "orders", "read source orders", "monitoring_operator"),
        ("monitoring_reader", "runs", "read source runs", "monitoring_operator"),
        ("monitoring_operator", "far", "load query far", "monitoring_admin"),
    ],
)
@pytest.mark.parametrize("option", ["", "--dry-run"])
def test_whoever_lacks_a_right_is_told_which(
    option: str,
    has: str | None,
    name: str,
    may_not: str,
    lacks: str,
    stranger: str,
    connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("FAR", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    words = ["sync", name, *option.split()]
    if has:
        connection.execute(f"grant {has} to {ROLE}".encode())
    refused = run_pgvigil(stranger, *words)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{ROLE} may not {may_not}: permission denied" in refused.stderr
    assert f"Ask for: grant {lacks} to {ROLE};" in refused.stderr

    connection.execute(f"grant {lacks} to {ROLE}".encode())
    done = run_pgvigil(stranger, *words)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_source_that_may_not_be_read_is_no_lack_of_the_callers(
    dsn: str, stranger: str, connection: psycopg.Connection
) -> None:
    connection.execute("revoke select on orders from monitoring_reader")
    failed = run_pgvigil(dsn, "sync", "orders")
    assert failed.returncode == 1
    assert "cannot be read: permission denied for table orders" in failed.stdout


def test_a_database_without_pgvigil_is_told(empty_dsn: str) -> None:
    refused = run_pgvigil(empty_dsn, "sync")
    assert refused.returncode == 1
    assert "Run `pgvigil migrate` on it first." in refused.stderr
