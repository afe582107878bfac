"""`create extension pgvigil` brings an installer; what that installs is in dumps, and stays."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from extension.build import build
from pgvigil import __version__
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import embedded_binaries, installed_binaries, major_version
from pgvigil.install import Migrated, extension_script, migrate, roll_back
from pgvigil.install.files import Code, read_migrations
from tests.harness.clients import clean_environment, dump_installation, may, rows, run, run_psql
from tests.harness.databases import OWNER, create_database, disposable_server, memory_directory
from tests.python.support.next_release import NextRelease, make_next_release

BINARIES = [path for path in (embedded_binaries(), *installed_binaries()) if path is not None]
NEWEST = read_migrations()[-1].migration_id
INSTALLED = f"pgvigil {__version__} is installed"
INSTALL = ("-c", "create extension pgvigil", "-c", "select pgvigil_install()")
COUNTED = """
    select
        (select count(*) from monitoring.processing_metrics),
        (select count(*) from monitoring.error_tracking),
        (select count(*) from monitoring.performance_monitoring where value = 3)
"""
OBJECTS = """
    select oid::regclass::text, relkind::text, relowner::regrole::text from pg_class
    where relnamespace = 'monitoring'::regnamespace
    union all
    select oid::regprocedure::text, prokind::text, proowner::regrole::text from pg_proc
    where pronamespace = 'monitoring'::regnamespace
    order by 1
"""
_numbers = count(1)


@pytest.fixture(scope="module")
def next_release(tmp_path_factory: pytest.TempPathFactory) -> NextRelease:
    """A release that comes after this one."""
    return make_next_release(tmp_path_factory.mktemp("next"))


@contextmanager
def with_room_for_extensions(binaries: Path) -> Iterator[tuple[PostgresServer, Path]]:
    """Run a server, and yield the directory where it looks for extensions of ours."""
    with TemporaryDirectory(prefix="pgvigil-extension-", dir=memory_directory()) as name:
        home = Path(name)
        settings: dict[str, str] = {}
        if major_version(binaries) >= 18:
            place = home / "share" / "extension"
            place.mkdir(parents=True)
            settings["extension_control_path"] = f"{home}/share:$system"
        else:
            binaries, place = copy_of(binaries, home)
        # Whoever the server runs as is to see it.
        for directory in [home, *(each for each in home.rglob("*") if each.is_dir())]:
            directory.chmod(0o755)
        with disposable_server(binaries, settings) as server:
            yield server, place


def copy_of(binaries: Path, home: Path) -> tuple[Path, Path]:
    """Copy the programs of a server; return them, and where they look for extensions.

    A server finds its files from where its program is, by the same steps as where it was built.
    """
    asked = [str(binaries / "pg_config"), "--sharedir"]
    share = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    root = Path(os.path.commonpath([share, binaries]))
    copied, files = home / binaries.relative_to(root), home / share.relative_to(root)
    shutil.copytree(binaries, copied)
    (copied.parent / "lib").symlink_to(binaries.parent / "lib")
    files.mkdir(parents=True)
    for entry in share.iterdir():
        if entry.name != "extension":
            (files / entry.name).symlink_to(entry)
    shutil.copytree(share / "extension", files / "extension")
    return copied, files / "extension"


@pytest.fixture(scope="module", params=BINARIES, ids=str)
def any_server(
    request: pytest.FixtureRequest, next_release: NextRelease
) -> Iterator[PostgresServer]:
    """Each PostgreSQL that this machine has, with the extension in its place."""
    with with_room_for_extensions(request.param) as (server, place):
        build(place)
        code = Code(next_release.manifest)
        newer = extension_script(read_migrations(next_release.migrations), code)
        (place / f"pgvigil--{__version__}--9.9.9.sql").write_text(newer)
        yield server


@pytest.fixture
def database(any_server: PostgresServer) -> str:
    """Name of an empty database in which it is always the same instant."""
    name = f"extension_{next(_numbers)}"
    create_database(any_server, name)
    run(any_server.dsn(), f"alter database {name} set monitoring.now = '2026-03-01 12:00+00'")
    return name


@pytest.fixture(scope="module")
def migrated(any_server: PostgresServer) -> str:
    """What `pgvigil migrate` makes of an empty database."""
    create_database(any_server, "migrated")
    run(any_server.dsn(), "alter database migrated set monitoring.now = '2026-03-01 12:00+00'")
    migrate(any_server.dsn("migrated", user=OWNER, via_socket=True))
    return dump_installation(any_server, "migrated")


def members(dsn: str) -> object:
    query = """
        select array_agg(pg_describe_object(classid, objid, objsubid)) from pg_depend
        where refclassid = 'pg_extension'::regclass and deptype = 'e'
            and refobjid = (select oid from pg_extension where extname = 'pgvigil')
    """
    return rows(dsn, query)[0][0]


def test_it_installs_what_migrate_does_and_nothing_when_run_again(
    any_server: PostgresServer, database: str, migrated: str
) -> None:
    dsn = any_server.dsn(database)
    said = run_psql(any_server, database, *INSTALL)
    assert f"applied {NEWEST}\n" in said
    assert f" {INSTALLED}\n" in said
    assert dump_installation(any_server, database) == migrated
    assert members(dsn) == ["function pgvigil_install(boolean)"]
    assert f" {INSTALLED} already\n" in run_psql(any_server, database, *INSTALL[2:])
    said = run_psql(any_server, database, "-c", "select pgvigil_install(true)")
    assert f" {INSTALLED}\n" in said
    owner = any_server.dsn(database, user=OWNER, via_socket=True)
    assert migrate(owner) == Migrated([], False)
    assert dump_installation(any_server, database) == migrated
    roll_back(owner)
    assert f"applied {NEWEST}\n" in run_psql(any_server, database, *INSTALL[2:])
    assert dump_installation(any_server, database) == migrated


def test_it_leaves_nothing_in_the_session_and_nothing_to_others(
    any_server: PostgresServer, database: str
) -> None:
    dsn = any_server.dsn(database, user=OWNER, via_socket=True)
    with psycopg.connect(dsn) as connection:
        settings = "select name, setting from pg_settings where source in ('client', 'session')"
        connection.execute("create extension pgvigil")
        before = connection.execute(settings).fetchall()
        connection.execute("select pgvigil_install()")
        assert connection.execute(settings).fetchall() == before
    with psycopg.connect(any_server.dsn(database)) as connection:
        assert not may(connection, "monitoring_writer", "select pgvigil_install()")


def test_a_schema_of_somebody_else_is_refused(any_server: PostgresServer, database: str) -> None:
    dsn = any_server.dsn(database)
    run(dsn, f"create schema monitoring authorization {OWNER}", "create table monitoring.mine ()")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        run_psql(any_server, database, *INSTALL)
    assert "holds what is not pgvigil's" in refused.value.output
    assert members(dsn) == ["function pgvigil_install(boolean)"]
    assert rows(dsn, "select to_regclass('monitoring.alerts')") == [(None,)]


def test_a_dump_has_all_rows_and_is_restored_with_the_extension_and_without(
    any_server: PostgresServer, database: str
) -> None:
    dsn = any_server.dsn(database)
    run_psql(any_server, database, *INSTALL)
    run(
        dsn,
        "select monitoring.start_task_tracking('t', 'load')",
        "select monitoring.complete_task_tracking('t')",
        "select monitoring.record_error('t', 'Timeout', 'high', 'no answer')",
        "select monitoring.record_performance_metric('rows', 'gauge', 3)",
    )
    before = rows(dsn, OBJECTS)
    assert len(before) > 1000
    assert rows(dsn, COUNTED) == [(1, 1, 1)]
    copied = restore(any_server, database)
    assert rows(copied, COUNTED) == [(1, 1, 1)]
    name = copied.rpartition("/")[2]
    assert rows(copied, OBJECTS) == before
    assert f" {INSTALLED} already\n" in run_psql(any_server, name, *INSTALL[2:])
    assert members(copied) == ["function pgvigil_install(boolean)"]
    run(copied, "drop extension pgvigil")
    assert rows(copied, COUNTED) == [(1, 1, 1)]
    run(copied, "select monitoring.start_task_tracking('later', 'load')")
    copied = restore(any_server, name)
    assert rows(copied, COUNTED) == [(2, 1, 1)]


def restore(server: PostgresServer, database: str) -> str:
    """Dump a database and restore it beside itself; return the URI of the copy."""
    name = f"extension_{next(_numbers)}"
    create_database(server, name)
    tools, quiet = server.binaries, ["-Xq", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null"]
    environment = clean_environment()
    dump = subprocess.run(
        [tools / "pg_dump", "-d", server.dsn(database)],
        capture_output=True,
        check=True,
        env=environment,
    )
    subprocess.run(
        [tools / "psql", *quiet, server.dsn(name)], input=dump.stdout, check=True, env=environment
    )
    return server.dsn(name)


def test_a_later_release_upgrades_it_and_keeps_the_rows(
    any_server: PostgresServer, database: str, next_release: NextRelease
) -> None:
    dsn = any_server.dsn(database)
    run_psql(any_server, database, *INSTALL)
    run(dsn, "select monitoring.start_task_tracking('t', 'load')")
    update = "alter extension pgvigil update to '9.9.9'"
    said = run_psql(any_server, database, "-c", update, *INSTALL[2:])
    applied = [line for line in said.splitlines() if "applied" in line]
    assert len(applied) == len(next_release.pending())
    assert members(dsn) == ["function pgvigil_install(boolean)"]
    query = "select task_id from monitoring.v_realtime_processing_status"
    assert rows(dsn, query) == [("t",)]


def test_the_script_holds_only_what_extensions_may() -> None:
    script = extension_script()
    assert script.isascii()
    assert not [line for line in script.splitlines() if line.startswith("\\")]
