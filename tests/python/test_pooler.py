"""Behind a PgBouncer of before 1.21: nothing is lost, and nothing of ours is left to others."""

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from pgvigil.exceptions import DatabaseNotReadyError
from pgvigil.install import Migrated, migrate, roll_back
from pgvigil.pooling import is_pooled, shares_sessions
from pgvigil.server import PostgresServer
from tests.harness.clients import rows
from tests.python.pooler import left_behind, needs_pgbouncer, pooler, through

pytestmark = needs_pgbouncer

_CLEAN = (0, 0, None, '"$user", public')
_PROGRAM = """
import sys
from pgvigil.client import MonitoringClient
from pgvigil.recording import link
if sys.argv[3] == "unaware":
    link.is_pooled = lambda connection: False
monitor = MonitoringClient(sys.argv[1], component=sys.argv[2])
for number in range(100):
    with monitor.task(f"{sys.argv[2]} {number}", "pooled", input_size=number) as task:
        task.metric("m", number)
print(monitor.dropped)
"""


@pytest.fixture
def port(server: PostgresServer) -> Iterator[int]:
    """A pool of two sessions, which are handed on after each transaction."""
    with pooler(server) as listening:
        yield listening


@pytest.mark.parametrize("programs", ["aware", "unaware"])
def test_four_programs_with_two_sessions_lose_nothing(dsn: str, port: int, programs: str) -> None:
    """Unaware ones find no sign of a pooler, as with one that passes the greeting on."""
    command = [sys.executable, "-c", _PROGRAM, through(dsn, port)]
    running = [
        subprocess.Popen(
            [*command, f"p{number}", programs], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for number in range(4)
    ]
    ended = [process.communicate(timeout=100) for process in running]
    assert [(out, err) for out, err in ended] == [(b"0\n", b"")] * 4
    query = (
        "select count(*), count(*) filter (where status = 'completed'), count(distinct task_id)"
        " from monitoring.processing_metrics"
    )
    assert rows(dsn, query) == [(400, 400, 400)]
    query = "select count(*), sum(value) from monitoring.performance_monitoring"
    assert rows(dsn, query) == [(400, 4 * sum(range(100)))]
    if programs == "aware":
        assert left_behind(port, dsn) == {"one": _CLEAN, "other": _CLEAN}


def test_a_pooler_is_told_from_a_server_and_its_modes_from_each_other(
    server: PostgresServer, dsn: str, port: int
) -> None:
    with psycopg.connect(dsn) as direct:
        assert not is_pooled(direct)
    with psycopg.connect(through(dsn, port)) as pooled:
        assert is_pooled(pooled)
    assert [shares_sessions(through(dsn, port)) for _ in range(10)] == [True] * 10
    with pooler(server, "session", 10) as other:
        with psycopg.connect(through(dsn, other)) as pooled:
            assert is_pooled(pooled)
        assert not shares_sessions(through(dsn, other))


@pytest.mark.parametrize("size", [1, 2, 20])
def test_an_installer_refuses_a_pool_of_transactions_and_leaves_nothing_in_it(
    server: PostgresServer, empty_dsn: str, size: int
) -> None:
    with pooler(server, size=size) as port:
        with pytest.raises(DatabaseNotReadyError, match="pooler in transaction mode") as refused:
            migrate(through(empty_dsn, port))
        assert "session mode" in (refused.value.hint or "")
        assert rows(empty_dsn, "select to_regnamespace('monitoring')") == [(None,)]
        assert rows(empty_dsn, "select tablename from pg_tables where schemaname='public'") == []
        if size > 1:
            assert left_behind(port, empty_dsn) == {"one": _CLEAN, "other": _CLEAN}
        migrate(empty_dsn)
        with pytest.raises(DatabaseNotReadyError, match="pooler in transaction mode"):
            roll_back(through(empty_dsn, port))
        assert migrate(empty_dsn) == Migrated([], False)


def test_an_installer_that_escapes_notice_leaves_nothing_behind_all_the_same(
    server: PostgresServer, empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.install.session.is_pooled", lambda connection: False)
    with pooler(server, size=6) as port:
        assert migrate(through(empty_dsn, port)).code_loaded
        assert migrate(through(empty_dsn, port)) == Migrated([], False)
        roll_back(through(empty_dsn, port))
        assert left_behind(port, empty_dsn) == {"one": _CLEAN, "other": _CLEAN}
    assert migrate(empty_dsn).code_loaded
