"""What earlier releases have installed can be upgraded, and keeps its names, shapes and rows."""

import gzip
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil import __version__
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import embedded_binaries, installed_binaries
from pgvigil.install import migrate, single_file
from pgvigil.resources import migrations_directory, sql_directory
from tests import ROOT
from tests.harness.clients import dump_installation, run_psql, run_yoyo
from tests.harness.databases import OWNER, create_database, disposable_server
from tests.python.support.role_calls import ALERTS, CALLS, SOURCE, TABLE

RELEASES = sorted((ROOT / "tests" / "upgrade").glob("*.sql.gz"))
BINARIES = [path for path in (embedded_binaries(), *installed_binaries()) if path is not None]
_PART = re.compile(r"^-- ---------- migrations/(\S+) ----------\n\n", re.MULTILINE)
_numbers = count(1)

Way = Callable[[PostgresServer, str], object]
# Functions that people may call, each with its parameters; a later release may add some at the end
# that have defaults.
_FUNCTIONS = """
    select
        p.proname, p.proargnames[1 : p.pronargs], p.proargtypes::oid[]::regtype[]::text[],
        p.pronargdefaults
    from pg_catalog.pg_proc p
    where p.pronamespace = 'monitoring'::regnamespace and p.proname !~ '^_'
"""
_COLUMNS = """
    select c.relname, a.attname, a.atttypid::regtype::text
    from pg_catalog.pg_class c
    inner join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'v' and c.relname !~ '^_'
"""
# What was recorded, whatever a later release adds to it.
_COUNTS = (
    "processing_metrics", "error_tracking", "performance_monitoring", "v_application_logs",
    "system_health", "queue_monitoring", "invalid_records", "status_history",
    "v_realtime_processing_status", "alerts",
)  # fmt: skip


@pytest.fixture(scope="module", params=BINARIES, ids=str)
def any_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """Each PostgreSQL that this machine has."""
    with disposable_server(request.param) as running:
        yield running


@pytest.fixture
def new_database(any_server: PostgresServer) -> Callable[[], str]:
    """A function that makes databases in which it is always the same instant."""

    def make_one() -> str:
        name = f"earlier_{next(_numbers)}"
        create_database(any_server, name)
        with psycopg.connect(any_server.dsn(), autocommit=True) as connection:
            connection.execute(f"alter database {name} set monitoring.now = '2026-03-01 12:00+00'")
        return name

    return make_one


def by_migrate(server: PostgresServer, database: str) -> None:
    migrate(server.dsn(database, user=OWNER, via_socket=True))


def by_single_file(server: PostgresServer, database: str) -> None:
    file = server.home / "pgvigil.sql"
    file.write_text(single_file(), encoding="utf-8")
    run_psql(server, database, "-q", "-1", "-f", file)


def by_yoyo(server: PostgresServer, database: str) -> None:
    migrate(server.dsn(database, user=OWNER, via_socket=True))  # tells yoyo what psql did
    run_yoyo(server, database, "apply")
    run_psql(server, database, "-q", "-1", "-f", sql_directory() / "install.sql")


def install(server: PostgresServer, database: str, release: Path) -> None:
    """Install an earlier release, and record with its code what there is to record."""
    file = server.home / "earlier.sql"
    file.write_bytes(gzip.decompress(release.read_bytes()))
    run_psql(server, database, "-q", "-1", "-f", file)
    with psycopg.connect(server.dsn(database), autocommit=True) as connection:
        for statement in (ALERTS, SOURCE, TABLE):
            connection.execute(statement)
        refused = {}
        for call in (*CALLS.values(), "start_task_tracking('running', 'type')"):
            try:
                connection.execute(f"select monitoring.{call}".encode())
            except psycopg.Error as error:
                refused[call] = error.sqlstate or ""
    # A function that came later, one that asks for another state, a name that is not known.
    allowed = ("42883", "25001", "PV")
    assert {call for call, state in refused.items() if not state.startswith(allowed)} == set()


def counted(connection: psycopg.Connection) -> dict[str, int]:
    """Return how many rows views have that people look at."""
    found: dict[str, int] = {}
    for view in _COUNTS:
        row = connection.execute(f"select count(*) from monitoring.{view}".encode()).fetchone()
        assert row is not None
        found[view] = row[0]
    return found


def test_the_version_in_the_code_is_kept_once_it_is_released() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    released = set(re.findall(r"^## \[(\d\S*)\]", changelog, re.MULTILINE))
    assert {path.name.removesuffix(".sql.gz") for path in RELEASES} == released
    assert __version__ in released


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_a_released_migration_is_as_it_was(release: Path) -> None:
    parts = _PART.split(gzip.decompress(release.read_bytes()).decode())[1:]
    migrations = dict(zip(parts[::2], parts[1::2], strict=True))
    assert migrations
    for name, part in migrations.items():
        text = (migrations_directory() / name).read_text(encoding="utf-8").rstrip()
        assert f"\\if :pgvigil_pending\n{text}\n\\echo" in part, f"{name} was edited"


@pytest.mark.parametrize("way", [by_migrate, by_single_file, by_yoyo])
@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_an_upgrade_keeps_the_rows_and_what_programs_and_people_use(
    any_server: PostgresServer, new_database: Callable[[], str], release: Path, way: Way
) -> None:
    database = new_database()
    install(any_server, database, release)
    with psycopg.connect(any_server.dsn(database), autocommit=True) as connection:
        before = counted(connection)
        functions = connection.execute(_FUNCTIONS).fetchall()
        columns = set(connection.execute(_COLUMNS).fetchall())
        way(any_server, database)
        assert counted(connection) == before
        assert all(before.values()), "the earlier release recorded too little to compare"
        now = connection.execute(_FUNCTIONS).fetchall()
        assert columns - set(connection.execute(_COLUMNS).fetchall()) == set()
    missing = [each[:3] for each in functions if not any(takes(other, each) for other in now)]
    assert missing == []


def takes(function: tuple[Any, ...], calls: tuple[Any, ...]) -> bool:
    """Whether a function takes all calls that were made to an earlier one."""
    name, names, types, defaults = function
    former_name, former_names, former_types, former_defaults = calls
    number = len(former_types)
    return (
        name == former_name
        and (names or [])[:number] == (former_names or [])
        and types[:number] == former_types
        and len(types) - defaults <= number - former_defaults
    )


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_an_upgrade_ends_like_a_fresh_installation(
    any_server: PostgresServer, new_database: Callable[[], str], release: Path
) -> None:
    dumps = []
    for is_fresh in (True, False):
        database = new_database()
        if not is_fresh:
            file = any_server.home / "earlier.sql"
            file.write_bytes(gzip.decompress(release.read_bytes()))
            run_psql(any_server, database, "-q", "-1", "-f", file)
        by_migrate(any_server, database)
        dumps.append(dump_installation(any_server, database))
    assert dumps[1] == dumps[0]
