"""Behind a PgBouncer of before 1.21: nothing is lost, and nothing of ours is left to others."""

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from pgvigil.client import MonitoringClient
from pgvigil.client.recording.sqlstates import Remedy, remedy
from pgvigil.database.pooling import is_pooled, shares_sessions
from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import DatabaseNotReadyError
from pgvigil.install import Migrated, migrate, roll_back
from tests import ROOT
from tests.harness.clients import rows, run, run_pgvigil
from tests.python.support.pooler import left_behind, needs_pgbouncer, pooler, through
from tests.python.support.web_running import Web

pytestmark = needs_pgbouncer

_CLEAN = (0, 0, None, '"$user", public')
_PROGRAM = """
import sys
from pgvigil.client import MonitoringClient
from pgvigil.client.recording import link
if sys.argv[3] == "unaware":
    link.is_pooled = lambda connection: False
monitor = MonitoringClient(sys.argv[1], component=sys.argv[2])
for number in range(100):
    with monitor.task("pooled", task_id=f"{sys.argv[2]} {number}", input_size=number) as task:
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
    server: PostgresServer, dsn: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(dsn) as direct:
        assert not is_pooled(direct)
    with psycopg.connect(through(dsn, port)) as pooled:
        assert is_pooled(pooled)
    monkeypatch.setattr("pgvigil.database.pooling._SECONDS_KEPT", 0.0)
    assert [shares_sessions(through(dsn, port)) for _ in range(10)] == [True] * 10
    with pooler(server, "statement") as other:
        assert shares_sessions(through(dsn, other))
    for settings in ("", "server_round_robin = 1"):
        for size in (1, 2, 3, 10):
            with pooler(server, size=size, settings=settings) as other:
                assert shares_sessions(through(dsn, other)), (size, settings)
    for size in (3, 10):
        with pooler(server, "session", size) as other:
            with psycopg.connect(through(dsn, other)) as pooled:
                assert is_pooled(pooled)
            assert not shares_sessions(through(dsn, other))


@pytest.mark.parametrize("size", [1, 20])
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
    monkeypatch.setattr("pgvigil.database.connections.is_pooled", lambda connection: False)
    with pooler(server, size=6) as port:
        assert migrate(through(empty_dsn, port)).code_loaded
        assert migrate(through(empty_dsn, port)) == Migrated([], False)
        roll_back(through(empty_dsn, port))
        assert left_behind(port, empty_dsn) == {"one": _CLEAN, "other": _CLEAN}
    assert migrate(empty_dsn).code_loaded


def test_who_needs_a_session_of_its_own_is_refused_a_shared_one(dsn: str, port: int) -> None:
    pooled = through(dsn, port)
    for arguments in (
        ["migrate"],
        ["migrate", "--rollback", "--yes"],
        ["run", "--once"],
        ["up", "--port", "0"],
        ["up", "--port", "0", "--no-migrate"],
        ["sync"],
        ["backfill", "tasks", "/dev/null"],
        ["import", str(ROOT / "examples" / "moving-in" / "etl.json")],
    ):
        result = run_pgvigil(pooled, *arguments)
        assert result.returncode == 1, arguments
        assert "pooler in transaction mode" in result.stderr, arguments
    assert "transaction mode" in run_pgvigil(pooled, "doctor").stdout
    assert left_behind(port, dsn) == {"one": _CLEAN, "other": _CLEAN}


def test_who_reads_and_decides_does_so_through_a_shared_one(dsn: str, port: int) -> None:
    pooled = through(dsn, port)
    for arguments in (
        ["status"],
        ["dashboard"],
        ["dashboard", "batch"],
        ["alerts"],
        ["alerts", "history"],
        ["check"],
        ["export", "tasks"],
        ["config", "show"],
    ):
        # What they find in a database where nothing has run is no matter here.
        result = run_pgvigil(pooled, *arguments)
        assert "Error" not in result.stderr, (arguments, result.stderr)
    with Web(pooled) as web:
        for _ in range(12):
            for path in ("api/summary", "api/tasks", "metrics", "api/errors"):
                assert web.client.get(path).status_code == 200, path
    assert left_behind(port, dsn) == {"one": _CLEAN, "other": _CLEAN}


def test_an_export_of_the_web_leaves_no_role_in_a_shared_session(dsn: str, port: int) -> None:
    run(dsn, "select monitoring.start_task_tracking('t', 'x')")
    with Web(through(dsn, port)) as web:
        for _ in range(3):
            assert web.client.get("api/export/tasks", params={"format": "csv"}).status_code == 200
    with psycopg.connect(through(dsn, port), prepare_threshold=None) as connection:
        assert connection.execute("select current_user::text").fetchone() == ("postgres",)
    assert left_behind(port, dsn) == {"one": _CLEAN, "other": _CLEAN}


def test_a_session_that_only_reads_is_given_up_for_one_that_writes(dsn: str) -> None:
    with MonitoringClient(dsn) as monitor:
        run(dsn, f"alter database {name_of(dsn)} set default_transaction_read_only = on")
        task_id = monitor.start_task("x", task_id="t")
        assert not monitor.flush(1)
        run(
            dsn + "?options=-cdefault_transaction_read_only%3Doff",
            f"alter database {name_of(dsn)} reset default_transaction_read_only",
        )
        assert monitor.flush(20), "it stays with a session that is of no use"
        assert task_id.attempt == 1


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("26000", Remedy.REPEAT_UNPREPARED),
        ("42P05", Remedy.REPEAT_UNPREPARED),
        ("08P01", Remedy.REPEAT_UNPREPARED),
        ("08006", Remedy.GIVE_UP_SESSION),
        ("25006", Remedy.GIVE_UP_SESSION),
        ("53300", Remedy.GIVE_UP_SESSION),
        ("53100", Remedy.GIVE_UP_SESSION),
        ("57P01", Remedy.GIVE_UP_SESSION),
        ("57P03", Remedy.GIVE_UP_SESSION),
        ("57014", Remedy.REST),
        ("55P03", Remedy.REST),
        ("PV001", Remedy.REFUSE),
        ("42883", Remedy.REFUSE),
        ("42501", Remedy.REFUSE),
    ],
)
def test_each_error_has_its_remedy(code: str, what: Remedy) -> None:
    assert remedy(psycopg.errors.lookup(code)() if not code.startswith("PV") else own(code)) is what


def name_of(dsn: str) -> str:
    with psycopg.connect(dsn) as connection:
        return connection.info.dbname


def own(code: str) -> psycopg.Error:
    """Return an error of ours, for which the driver has no class."""
    error = psycopg.DatabaseError()
    error.sqlstate = code
    return error


def test_a_pooler_that_drops_what_the_dsn_asks_for_is_refused(
    server: PostgresServer, empty_dsn: str
) -> None:
    role = "options=-crole%3Dpgvigil_owner"
    path = "options=--search-path%3Dpublic"
    with pooler(server, "session", 10) as port:
        for option in (role, path):
            with pytest.raises(DatabaseNotReadyError, match="does not pass on the option"):
                migrate(f"{through(empty_dsn, port)}?{option}")
        assert rows(empty_dsn, "select to_regnamespace('monitoring')") == [(None,)]
        assert migrate(through(empty_dsn, port)).code_loaded
        assert left_behind(port, empty_dsn) == {"one": _CLEAN, "other": _CLEAN}
    assert migrate(f"{empty_dsn}?{path}") == Migrated([], False)
