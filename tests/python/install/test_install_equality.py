"""The three ways in lead to the same database, whichever is used first and whichever goes on.

The clock stands still in these databases, so that partitions have the same names on both sides of
a midnight. Besides that nothing is made equal by force; see `dump_installation`.
"""

from collections.abc import Callable, Iterator
from itertools import count, permutations
from pathlib import Path

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import embedded_binaries, installed_binaries, major_version
from pgvigil.install import migrate, roll_back, single_file
from pgvigil.install.files import read_migrations
from pgvigil.resources import sql_directory
from tests.harness.clients import dump_installation, run_psql, run_yoyo
from tests.harness.databases import OWNER, create_database, disposable_server

MIGRATIONS = read_migrations()
BINARIES = [path for path in (embedded_binaries(), *installed_binaries()) if path is not None]
_numbers = count(1)

Way = Callable[[PostgresServer, str], object]


@pytest.fixture(scope="module", params=BINARIES, ids=str)
def any_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """Each PostgreSQL that this machine has."""
    with disposable_server(request.param) as running:
        yield running


@pytest.fixture
def database(any_server: PostgresServer) -> str:
    """Name of an empty database in which it is always the same instant."""
    return new_database(any_server)


@pytest.fixture(scope="module")
def fresh(any_server: PostgresServer) -> str:
    """What `pgvigil migrate` makes of an empty database."""
    name = new_database(any_server)
    by_migrate(any_server, name)
    return dump_installation(any_server, name)


def new_database(server: PostgresServer) -> str:
    name = f"equality_{next(_numbers)}"
    create_database(server, name)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"alter database {name} set monitoring.now = '2026-03-01 12:00+00'")
    return name


def by_migrate(server: PostgresServer, database: str) -> list[str]:
    return migrate(server.dsn(database, user=OWNER, via_socket=True)).applied


def by_single_file(server: PostgresServer, database: str) -> str:
    file = server.home / "pgvigil.sql"
    file.write_text(single_file(), encoding="utf-8")
    return run_psql(server, database, "-1", "-f", file)


def by_yoyo(server: PostgresServer, database: str) -> str:
    said = run_yoyo(server, database, "apply")
    run_psql(server, database, "-1", "-f", sql_directory() / "install.sql")
    return said


WAYS = [by_migrate, by_single_file, by_yoyo]


def apply_first(server: PostgresServer, database: str, number: int) -> None:
    """Bring a database to the state of a package with only so many migrations."""
    files = [argument for item in MIGRATIONS[:number] for argument in ("-f", item.path)]
    run_psql(server, database, "-1", *files)


def test_a_fresh_installation_has_something_to_compare(fresh: str) -> None:
    assert "CREATE FUNCTION monitoring.start_task_tracking(" in fresh
    assert "CREATE VIEW monitoring.processing_metrics" in fresh
    assert "GRANT SELECT ON TABLE monitoring.processing_metrics TO monitoring_reader" in fresh
    assert f"('{MIGRATIONS[-1].migration_id}',)" in fresh


@pytest.mark.parametrize("way", [by_single_file, by_yoyo])
def test_the_other_ways_make_the_same_as_migrate(
    any_server: PostgresServer, database: str, fresh: str, way: Way
) -> None:
    way(any_server, database)
    assert dump_installation(any_server, database) == fresh


@pytest.mark.parametrize("way", [by_migrate, by_single_file])
def test_what_a_database_takes_a_backslash_for_makes_no_difference(
    any_server: PostgresServer, database: str, fresh: str, way: Way
) -> None:
    with psycopg.connect(any_server.dsn(), autocommit=True) as connection:
        connection.execute(f"alter database {database} set standard_conforming_strings = off")
        way(any_server, database)
        # The dump would be written in that way.
        connection.execute(f"alter database {database} reset standard_conforming_strings")
    assert dump_installation(any_server, database) == fresh


@pytest.mark.parametrize(("first", "second"), list(permutations(WAYS, 2)))
def test_any_way_goes_on_from_any_other_without_a_change(
    any_server: PostgresServer, database: str, fresh: str, first: Way, second: Way
) -> None:
    first(any_server, database)
    by_migrate(any_server, database)  # tells yoyo what psql did, as plain yoyo cannot know
    second(any_server, database)
    assert dump_installation(any_server, database) == fresh


@pytest.mark.parametrize("first", [by_single_file, by_yoyo])
def test_migrate_finds_no_migration_to_run_after_another_way(
    any_server: PostgresServer, database: str, first: Way
) -> None:
    first(any_server, database)
    assert by_migrate(any_server, database) == []


def test_the_single_file_changes_nothing_the_second_time_and_says_so(
    any_server: PostgresServer, database: str
) -> None:
    by_single_file(any_server, database)
    with psycopg.connect(any_server.dsn(database)) as connection:
        query = b"select xmin::text, loaded_at from monitoring.installed_code"
        before = connection.execute(query).fetchall()
        said = by_single_file(any_server, database)
        assert connection.execute(query).fetchall() == before
    assert said.startswith("pgvigil")
    assert said.endswith("is installed already\n")
    assert said.count("\n") == 1


def test_the_single_file_is_one_transaction_without_the_option_as_well(
    any_server: PostgresServer, database: str, fresh: str
) -> None:
    file = any_server.home / "pgvigil.sql"
    file.write_text(single_file(), encoding="utf-8")
    broken = any_server.home / "broken.sql"
    text = single_file()
    end = text.index("-- ---------- the end")
    broken.write_text(f"{text[:end]}select broken;\n{text[end:]}", encoding="utf-8")
    with pytest.raises(Exception, match="non-zero exit status"):
        run_psql(any_server, database, "-f", broken)
    with psycopg.connect(any_server.dsn(database)) as connection:
        assert connection.execute("select to_regnamespace('monitoring')").fetchone() == (None,)
    assert "WARNING" not in run_psql(any_server, database, "-f", file)
    assert dump_installation(any_server, database) == fresh


# Every earlier state goes each way on one of the servers; all on all of them would take minutes.
@pytest.mark.parametrize("number", range(1, len(MIGRATIONS)))
def test_an_upgrade_from_any_earlier_state_ends_like_a_fresh_installation(
    any_server: PostgresServer, database: str, fresh: str, number: int
) -> None:
    way = (by_migrate, by_single_file)[(number + major_version(any_server.binaries)) % 2]
    apply_first(any_server, database, number)
    way(any_server, database)
    assert dump_installation(any_server, database) == fresh


def test_plain_yoyo_upgrades_what_migrate_installed(
    any_server: PostgresServer, database: str, fresh: str
) -> None:
    by_migrate(any_server, database)
    roll_back(any_server.dsn(database, user=OWNER, via_socket=True))
    by_yoyo(any_server, database)
    assert dump_installation(any_server, database) == fresh


def test_a_rollback_of_the_newest_and_a_migrate_end_like_a_fresh_installation(
    any_server: PostgresServer, database: str, fresh: str
) -> None:
    dsn = any_server.dsn(database, user=OWNER, via_socket=True)
    migrate(dsn)
    assert roll_back(dsn) == MIGRATIONS[-1].migration_id
    assert migrate(dsn).applied == [MIGRATIONS[-1].migration_id]
    assert dump_installation(any_server, database) == fresh


def test_rollbacks_down_to_nothing_and_a_migrate_end_like_a_fresh_installation(
    any_server: PostgresServer, database: str, fresh: str
) -> None:
    dsn = any_server.dsn(database, user=OWNER, via_socket=True)
    names = [migration.migration_id for migration in MIGRATIONS]
    migrate(dsn)
    assert [roll_back(dsn) for _ in names] == names[::-1]
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select to_regnamespace('monitoring')").fetchone() == (None,)
    assert migrate(dsn).applied == names
    assert dump_installation(any_server, database) == fresh


def test_the_manifest_names_every_code_file_once() -> None:
    root = sql_directory()
    manifest = (root / "install.sql").read_text().splitlines()
    named = [line.split()[1] for line in manifest if line.startswith("\\ir ")]
    present = {str(path.relative_to(root)) for path in Path(root).rglob("*.sql")} - {"install.sql"}
    # Adapters are loaded by those who want them.
    by_hand = {str(path.relative_to(root)) for path in Path(root, "adapters").glob("*.sql")}
    assert sorted(named) == sorted(present - by_hand)
