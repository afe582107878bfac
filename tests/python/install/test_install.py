"""`pgvigil migrate` installs, goes on where it was cut off, and finds its way to the database."""

import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgvigil
from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import CodeFailedError, InstallError, LockedError
from pgvigil.install import Migrated, migrate
from pgvigil.install.files import Code, read_migrations
from pgvigil.install.loader import load_code
from pgvigil.install.yoyo_runner import find_schema
from tests.harness.clients import rows, run
from tests.harness.databases import create_database, drop_database
from tests.python.support.running import wait_until

NAMES = [migration.migration_id for migration in read_migrations()]
PACKAGE = Path(pgvigil.__file__).parent


# -- what a run does


def test_a_first_run_applies_everything_and_a_second_finds_nothing_to_do(empty_dsn: str) -> None:
    first: list[str] = []
    second: list[str] = []
    assert migrate(empty_dsn, report=first.append) == Migrated(NAMES, True)
    assert migrate(empty_dsn, report=second.append) == Migrated([], False)
    assert [line for line in first if line.startswith("applied")] == [f"applied {n}" for n in NAMES]
    assert first[-1] == f"loaded the functions and views of pgvigil {pgvigil.__version__}"
    assert second == [f"pgvigil {pgvigil.__version__}: nothing to do"]


def test_the_database_says_the_version_of_the_package(connection: psycopg.Connection) -> None:
    row = connection.execute("select monitoring.version()").fetchone()
    assert row == (pgvigil.__version__,)


def test_code_is_loaded_again_when_its_checksum_differs_or_when_asked(empty_dsn: str) -> None:
    dsn = empty_dsn
    migrate(dsn)
    assert migrate(dsn) == Migrated([], False)
    assert migrate(dsn, reload=True) == Migrated([], True)
    run(dsn, "update monitoring.installed_code set checksum = 'of another version'")
    assert migrate(dsn) == Migrated([], True)
    assert rows(dsn, "select checksum from monitoring.installed_code") == [(Code().checksum,)]


def test_code_that_fails_changes_nothing_and_names_file_and_line(tmp_path: Path, dsn: str) -> None:
    (tmp_path / "install.sql").write_text("\\ir one.sql\n\\ir two.sql\n")
    (tmp_path / "one.sql").write_text("create view monitoring.new as select 1 as one;\n")
    (tmp_path / "two.sql").write_text("select 1;\n\nselect nonsense;\n")
    with (
        psycopg.connect(dsn, autocommit=True) as connection,
        pytest.raises(CodeFailedError, match=r"sql/two\.sql line 3 failed: .*nonsense"),
    ):
        load_code(connection, Code(tmp_path / "install.sql"))
    assert rows(dsn, "select to_regclass('monitoring.new')") == [(None,)]


def test_code_is_read_by_following_the_manifest_and_refuses_other_psql_lines(
    tmp_path: Path,
) -> None:
    (tmp_path / "install.sql").write_text("-- all\n\\ir deep/one.sql\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.sql").write_text("select 1;\n")
    assert [file.name for file in Code(tmp_path / "install.sql").files] == ["deep/one.sql"]
    (tmp_path / "deep" / "one.sql").write_text("\\set x 1\nselect 1;\n")
    with pytest.raises(InstallError, match=r"only psql understands: \\set x 1"):
        Code(tmp_path / "install.sql").files  # noqa: B018


def test_the_checksum_of_the_code_depends_on_names_order_and_text(tmp_path: Path) -> None:
    def checksum(first: str, second: str, text: str) -> str:
        (tmp_path / "install.sql").write_text(f"\\ir {first}\n\\ir {second}\n")
        (tmp_path / first).write_text(text)
        (tmp_path / second).write_text("select 2;")
        return Code(tmp_path / "install.sql").checksum

    sums = [
        checksum("a.sql", "b.sql", "select 1;"),
        checksum("b.sql", "a.sql", "select 1;"),
        checksum("a.sql", "b.sql", "select 1; "),
        checksum("a.sql", "c.sql", "select 1;"),
    ]
    assert len(set(sums)) == len(sums)
    assert checksum("a.sql", "b.sql", "select 1;") == sums[0]


# -- several at once, and those that were killed


def wait_until_someone_waits_for_a_lock(dsn: str) -> None:
    deadline = time.monotonic() + 20
    query = (
        "select from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
    )
    while not rows(dsn, query):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.02)


def test_a_second_run_waits_for_the_first_and_finds_nothing_to_do(empty_dsn: str) -> None:
    lines: list[str] = []
    with ThreadPoolExecutor() as pool, psycopg.connect(empty_dsn, autocommit=True) as first:
        first.execute("select pg_advisory_lock(hashtext('pgvigil.migrate'))")
        second: Future[Migrated] = pool.submit(migrate, empty_dsn, report=lines.append)
        wait_until_someone_waits_for_a_lock(empty_dsn)
        wait_until(lambda: bool(lines))
        assert lines == ["waiting for another installer to finish with this database"]
        assert rows(empty_dsn, "select to_regnamespace('monitoring')") == [(None,)]
        first.execute("select pg_advisory_unlock(hashtext('pgvigil.migrate'))")
        assert second.result(timeout=30) == Migrated(NAMES, True)


def test_of_four_runs_at_once_one_installs(empty_dsn: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate, [empty_dsn] * 4))
    assert sorted(len(result.applied) for result in done) == [0, 0, 0, len(NAMES)]


def test_the_wait_is_not_ended_by_the_limits_of_a_role(empty_dsn: str) -> None:
    # Until it waits, each statement must be through in that time on a busy machine as well.
    limits = "-c statement_timeout=1s -c lock_timeout=1s -c idle_session_timeout=1s"
    impatient = make_conninfo(empty_dsn, options=limits)
    with ThreadPoolExecutor() as pool, psycopg.connect(empty_dsn, autocommit=True) as first:
        first.execute("select pg_advisory_lock(hashtext('pgvigil.migrate'))")
        second = pool.submit(migrate, impatient)
        wait_until_someone_waits_for_a_lock(empty_dsn)
        time.sleep(1.2)  # longer than each of the limits
        assert not second.done()
        first.execute("select pg_advisory_unlock(hashtext('pgvigil.migrate'))")
        # What happens next has a second for each statement, which a busy machine may not keep.
        second.exception(timeout=30)
    assert migrate(empty_dsn).applied == NAMES or migrate(empty_dsn) == Migrated([], False)


def test_a_killed_run_is_taken_up_by_the_next(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn) as obstacle:
        obstacle.execute("create schema monitoring")  # until this ends nobody else can
        command = [sys.executable, "-m", "pgvigil", "migrate", "--dsn", empty_dsn]
        victim = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until_someone_waits_for_a_lock(empty_dsn)
        victim.kill()
        victim.wait(timeout=30)
        assert rows(empty_dsn, "select count(*) from yoyo_lock") == [(1,)]
        obstacle.rollback()
    assert migrate(empty_dsn).applied == NAMES
    assert rows(empty_dsn, "select count(*) from yoyo_lock") == [(0,)]


def test_a_lock_of_plain_yoyo_is_respected_and_named(
    empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.install.yoyo_runner._LOCK_WAIT_SECONDS", 0.1)
    migrate(empty_dsn)
    run(empty_dsn, "insert into yoyo_lock (locked, ctime, pid) values (1, now(), 4711)")
    with pytest.raises(LockedError, match="4711") as refused:
        migrate(empty_dsn)
    assert "delete from public.yoyo_lock" in (refused.value.hint or "")


@pytest.mark.parametrize("name", [NAMES[0], NAMES[-1]])
def test_a_run_killed_between_a_migration_and_yoyos_mark_is_put_right(
    empty_dsn: str, name: str
) -> None:
    migrate(empty_dsn)
    run(empty_dsn, f"delete from _yoyo_migration where migration_id = '{name}'")
    assert migrate(empty_dsn) == Migrated([], False)
    marked = rows(empty_dsn, "select migration_id from _yoyo_migration order by 1")
    assert marked == [(name,) for name in NAMES]


def test_a_schema_dropped_by_hand_is_installed_anew(empty_dsn: str) -> None:
    migrate(empty_dsn)
    run(empty_dsn, "drop schema monitoring cascade")
    assert migrate(empty_dsn) == Migrated(NAMES, True)


# -- where yoyo's tables live, and how a DSN is understood


def test_yoyos_tables_stay_out_of_schema_monitoring_even_when_it_leads_the_path(
    empty_dsn: str,
) -> None:
    dsn = make_conninfo(empty_dsn, options="-c search_path=monitoring,public")
    assert migrate(dsn).applied == NAMES
    assert migrate(dsn) == Migrated([], False)
    where = "select schemaname from pg_tables where tablename like '%yoyo%' group by 1"
    assert rows(dsn, where) == [("public",)]
    with psycopg.connect(dsn) as connection:
        assert find_schema(connection) == "public"


@pytest.mark.parametrize("form", ["uri", "pairs", "socket uri", "socket pairs", "environment"])
def test_every_form_of_dsn_is_understood_with_odd_names_and_passwords(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    user, password, database = "odd @:/% user", "p@ss:w/o%rd '\\ #?&=", "odd % / ? = # 'db'"
    create_database(server, database)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        statement = sql.SQL("create role {} login superuser password {}")
        connection.execute(statement.format(sql.Identifier(user), sql.Literal(password)))
    parts = {"dbname": database, "user": user, "password": password, "port": str(server.port)}
    parts["host"] = server.socket_directory if "socket" in form else "127.0.0.1"
    try:
        assert migrate(to_form(parts, form, monkeypatch)).applied == NAMES
    finally:
        drop_database(server, database)
        run(server.dsn(), f'drop role "{user}"')


def to_form(parts: dict[str, str], form: str, monkeypatch: pytest.MonkeyPatch) -> str:
    if "pairs" in form:
        return make_conninfo(**parts, sslmode="prefer", connect_timeout="10")
    if form == "environment":
        for name in ("host", "port", "user", "password"):
            monkeypatch.setenv(f"PG{name.upper()}", parts[name])
        monkeypatch.setenv("PGDATABASE", parts["dbname"])
        return ""
    user, password = quote(parts["user"], safe=""), quote(parts["password"], safe="")
    dbname = quote(parts["dbname"], safe="")
    if form == "uri":
        return f"postgresql://{user}:{password}@127.0.0.1:{parts['port']}/{dbname}?sslmode=prefer"
    query = urlencode({"host": parts["host"], "port": parts["port"]}, quote_via=quote)
    return f"postgresql://{user}:{password}@/{dbname}?{query}"


def test_only_one_module_knows_yoyo() -> None:
    knows = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(
            line.startswith(("import yoyo", "from yoyo")) for line in path.read_text().splitlines()
        )
    ]
    assert knows == ["install/yoyo_runner.py"]
