"""An upgrade to the next release, made up, beside programs that go on recording."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import MigrationFailedError
from pgvigil.install import migrate, session
from pgvigil.install.files import read_migrations
from pgvigil.resources import sql_directory
from tests.harness.clients import dump_installation, rows, run_psql, run_yoyo
from tests.harness.databases import OWNER, create_database, drop_database
from tests.harness.plpgsql_check import MORE_COLUMNS
from tests.python.support.next_release import JOB, NextRelease, former_signatures, make_next_release
from tests.python.support.programs_beside import programs_beside
from tests.python.support.role_calls import ADOPTION, ALERTS, CALLS, FLEET, SOURCE, TABLE
from tests.python.support.running import wait_until

_numbers = count(1)
_SECONDS_OF_WAITING = 0.3
# What code that is still in use may call, or make rows of.
_TAKES_AWAY = re.compile(
    r"\b(drop\s+(function|view|type|table|column|domain|trigger)|rename\s+(to|column)|alter\s+type"
    r"|cascade|alter\s+column\s+\w+\s+(type|set\s+not\s+null)|truncate)\b"
)

Way = Callable[[PostgresServer, str, NextRelease, pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> NextRelease:
    """The release to upgrade to."""
    return make_next_release(tmp_path_factory.mktemp("next_release"))


@pytest.fixture
def database(server: PostgresServer, template: str) -> Iterator[str]:
    """Name of a database with this release."""
    name = f"upgrade_{next(_numbers)}"
    create_database(server, name, template)
    yield name
    drop_database(server, name)


def by_migrate(
    server: PostgresServer, database: str, release: NextRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    release.use(monkeypatch)
    migrate(server.dsn(database, user=OWNER, via_socket=True))


def by_single_file(
    server: PostgresServer, database: str, release: NextRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = server.home / "next_release.sql"
    file.write_text(release.single_file(), encoding="utf-8")
    until_it_gets_its_locks(lambda: run_psql(server, database, "-1", "-f", file))


def by_yoyo(
    server: PostgresServer, database: str, release: NextRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_it_gets_its_locks(
        lambda: run_yoyo(server, database, "apply", migrations=release.migrations)
    )
    until_it_gets_its_locks(lambda: run_psql(server, database, "-1", "-f", release.manifest))


def until_it_gets_its_locks(step: Callable[[], str]) -> None:
    """Run it again while it gives up its locks, as `docs/install.md` has people do."""
    for _ in range(50):
        try:
            step()
        except subprocess.CalledProcessError as error:
            if "lock timeout" not in error.output:
                raise
            time.sleep(0.3)
        else:
            return
    raise AssertionError("it never got its locks")


WAYS = [by_migrate, by_single_file, by_yoyo]


@pytest.mark.parametrize("way", WAYS)
def test_programs_beside_an_upgrade_fail_nowhere_and_lose_nothing(
    server: PostgresServer,
    database: str,
    release: NextRelease,
    monkeypatch: pytest.MonkeyPatch,
    way: Way,
) -> None:
    dsn = server.dsn(database)
    with programs_beside(dsn) as programs:
        time.sleep(0.5)
        before = sum(programs.recorded.values())
        began = time.monotonic()
        way(server, database, release, monkeypatch)
        took = time.monotonic() - began
        beside = sum(programs.recorded.values()) - before
        time.sleep(0.5)
    print(f"{way.__name__}: {took:.2f} s, {beside} calls beside it, {programs}")
    assert programs.failures == []
    assert beside > 0
    with psycopg.connect(dsn) as connection:
        assert programs.lost(connection) == {}
    assert rows(dsn, f"select monitoring.{JOB}()") == [(0,)]
    if way is not by_single_file:
        assert programs.longest_wait <= _SECONDS_OF_WAITING


def test_transactions_that_stay_open_hold_up_the_upgrade_and_nobody_else(
    server: PostgresServer,
    database: str,
    release: NextRelease,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dsn = server.dsn(database)
    lines: list[str] = []
    release.use(monkeypatch)
    with programs_beside(dsn, seconds_open=1.0) as programs:
        time.sleep(0.3)
        migrate(server.dsn(database, user=OWNER, via_socket=True), report=lines.append)
    print(programs)
    assert "waiting for transactions that use what is to be changed" in lines
    assert programs.failures == []
    assert programs.longest_wait <= _SECONDS_OF_WAITING
    with psycopg.connect(dsn) as connection:
        assert programs.lost(connection) == {}


def test_an_upgrade_that_never_gets_its_locks_says_how_to_find_who_has_them(
    server: PostgresServer,
    database: str,
    release: NextRelease,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dsn = server.dsn(database)
    monkeypatch.setattr(session, "SECONDS_TO_WAIT", 1)
    release.use(monkeypatch)
    with psycopg.connect(dsn) as program:
        program.execute("select monitoring.record_error('t', 'Timeout', 'high', 'no answer')")
        with pytest.raises(MigrationFailedError, match="0911_errors failed") as failed:
            migrate(server.dsn(database, user=OWNER, via_socket=True))
    assert "pg_locks" in (failed.value.hint or "")
    installed = "select migration_id from monitoring.installed_migrations where migration_id > '09'"
    assert rows(dsn, installed) == [("0910_finished_tasks",)]


def test_a_reader_who_stays_holds_up_the_code_and_no_other_reader(
    server: PostgresServer, database: str
) -> None:
    dsn = server.dsn(database)
    view = "select count(*) from monitoring.processing_metrics"
    lines: list[str] = []
    with psycopg.connect(dsn) as reader, ThreadPoolExecutor() as pool:
        reader.execute(view)
        owner = server.dsn(database, user=OWNER, via_socket=True)
        upgrade = pool.submit(migrate, owner, reload=True, report=lines.append)
        wait_until(lambda: bool(lines))
        assert rows(make_conninfo(dsn, options="-c statement_timeout=20s"), view) == [(0,)]
        reader.rollback()
        assert upgrade.result(timeout=60).code_loaded


@pytest.mark.parametrize("way", WAYS)
def test_an_upgrade_ends_like_a_fresh_installation(
    server: PostgresServer, release: NextRelease, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    dumps = []
    for is_fresh in (True, False):
        name = f"upgrade_{next(_numbers)}"
        create_database(server, name)
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            # So that days have the same names on both sides of a midnight.
            connection.execute(f"alter database {name} set monitoring.now = '2026-03-01 12:00+00'")
        if not is_fresh:
            migrate(server.dsn(name, user=OWNER, via_socket=True))
        with monkeypatch.context() as patches:
            way(server, name, release, patches)
        dumps.append(dump_installation(server, name))
        drop_database(server, name)
    assert "log_region" in dumps[0]
    assert dumps[1] == dumps[0]


def test_older_code_goes_on_between_the_migrations_and_the_newer_code(
    server: PostgresServer, database: str, release: NextRelease
) -> None:
    with psycopg.connect(server.dsn(database), autocommit=True) as connection:
        for statement in (ALERTS, SOURCE, ADOPTION, FLEET, TABLE):
            connection.execute(statement)
        before = outcomes(connection)
        for path in release.pending():
            run_psql(server, database, "-q", "-1", "-f", path)
        assert outcomes(connection) == before
        # A runner goes on as well: a job comes with its code, and is due from then on.
        connection.execute("call monitoring.run_due_jobs()")
        plan = f"select runs, last_status from monitoring.jobs where job_name = '{JOB}'"
        assert connection.execute(plan).fetchall() == []
        run_psql(server, database, "-q", "-1", "-f", release.manifest)
        connection.execute("call monitoring.run_due_jobs()")
        assert connection.execute(plan).fetchall() == [(1, "completed")]


def test_a_column_more_in_every_table_harms_no_call(server: PostgresServer, database: str) -> None:
    """As it is between a migration and its code; plpgsql_check looks at each body in that state."""
    with psycopg.connect(server.dsn(database), autocommit=True) as connection:
        for statement in (ALERTS, SOURCE, ADOPTION, FLEET, TABLE):
            connection.execute(statement)
        before = outcomes(connection)
        connection.execute(MORE_COLUMNS)
        assert outcomes(connection) == before


def outcomes(connection: psycopg.Connection) -> dict[str, str | None]:
    """Call every public function and read every view; return the SQLSTATEs."""
    views = connection.execute(
        "select relname from pg_class"
        " where relnamespace = 'monitoring'::regnamespace and relkind = 'v'"
    ).fetchall()
    calls = [f"select monitoring.{call}" for call in CALLS.values()]
    calls += [f"select * from monitoring.{view}" for (view,) in views]
    found: dict[str, str | None] = {}
    for call in calls:
        with connection.transaction(force_rollback=True):
            try:
                connection.execute(call.encode())
                found[call] = None
            except psycopg.Error as error:
                found[call] = error.sqlstate
    assert list(found.values()).count(None) > 0.9 * len(found)
    return found


def test_no_migration_takes_away_what_older_code_uses(release: NextRelease) -> None:
    taken = {
        item.migration_id: _TAKES_AWAY.findall(without_comments(item.path.read_text()))
        for item in read_migrations(release.migrations)
    }
    assert {name: found for name, found in taken.items() if found} == {}
    for statement in ("drop function monitoring.f (text)", "alter table t rename column a to b"):
        assert _TAKES_AWAY.search(statement)


def without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*|'(?:[^']|'')*'", "", text)


@pytest.mark.parametrize("is_next", [False, True])
def test_a_function_that_takes_the_place_of_a_former_one_takes_its_calls(
    server: PostgresServer, database: str, release: NextRelease, is_next: bool
) -> None:
    """A call that has begun goes on by the older code, and looks up by name what that calls."""
    if is_next:
        for path in (*release.pending(), release.manifest):
            run_psql(server, database, "-q", "-1", "-f", path)
    sql = release.manifest.parent if is_next else sql_directory()
    former = former_signatures(sql)
    assert former or not is_next
    with psycopg.connect(server.dsn(database)) as connection:
        for signature in former:
            name, types = signature.rstrip(")").split("(")
            number = len(types.split(","))
            takers = connection.execute(
                """
                select from pg_proc
                where pronamespace = 'monitoring'::regnamespace
                    and proname = %(name)s
                    and pronargs > %(number)s
                    and pronargs - pronargdefaults <= %(number)s
                    and (proargtypes::oid[])[0:%(number)s - 1] = %(types)s::regtype[]::oid[]
                """,
                {"name": name, "number": number, "types": f"{{{types}}}"},
            ).fetchall()
            assert len(takers) == 1, signature
