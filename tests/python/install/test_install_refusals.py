"""What `pgvigil migrate` and its rollback refuse, with what message, leaving nothing changed."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgvigil
from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import (
    ChangedMigrationError,
    CodeFailedError,
    DatabaseNotReadyError,
    MigrationFailedError,
    NewerDatabaseError,
    RollbackRefusedError,
)
from pgvigil.install import Migrated, migrate, roll_back, single_file
from pgvigil.install.files import CHECKSUMS, read_migrations
from pgvigil.resources import migrations_directory
from tests.harness.clients import rows, run, run_pgvigil, run_psql

NAMES = [migration.migration_id for migration in read_migrations()]


@pytest.fixture
def role(server: PostgresServer, empty_dsn: str) -> Iterator[str]:
    """A role without any right, gone after the test."""
    name = "pgvigil_nobody"
    run(empty_dsn, f"create role {name} login")
    yield name
    run(empty_dsn, f"drop owned by {name} cascade", f"drop role {name}")


def as_role(dsn: str, role: str, **more: str) -> str:
    return make_conninfo(dsn, options=f"-c role={role}", **more)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations, with checksums, which is used in place of the package's own."""
    copy = tmp_path / "migrations"
    shutil.copytree(migrations_directory(), copy)
    lines = [
        f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(copy.glob("*.sql"))
    ]
    (copy / CHECKSUMS).write_text("".join(lines))
    monkeypatch.setattr("pgvigil.install.files.migrations_directory", lambda: copy)
    return copy


# -- migrations


@pytest.mark.parametrize("ending", [".sql", ".rollback.sql"])
def test_a_changed_released_migration_is_refused_by_name(
    package: Path, empty_dsn: str, ending: str
) -> None:
    file = package / f"{NAMES[1]}{ending}"
    file.write_text(file.read_text() + "-- harmless\n")
    with pytest.raises(ChangedMigrationError, match=f"{NAMES[1]}{ending} was changed"):
        migrate(empty_dsn)
    file.unlink()
    with pytest.raises(ChangedMigrationError, match=f"{NAMES[1]}{ending} is missing"):
        migrate(empty_dsn)
    assert rows(empty_dsn, "select to_regnamespace('monitoring')") == [(None,)]


def test_a_migration_that_is_not_released_yet_runs_without_a_checksum(
    package: Path, dsn: str
) -> None:
    new = package / "9999_new.sql"
    new.write_text(
        f"-- depends: {NAMES[-1]}\ncreate table monitoring.new (one integer);\n"
        "insert into monitoring.installed_migrations (migration_id) values ('9999_new');\n"
    )
    assert migrate(dsn).applied == ["9999_new"]


def test_a_failing_migration_leaves_nothing_behind_and_is_named(package: Path, dsn: str) -> None:
    (package / "9999_new.sql").write_text(
        f"-- depends: {NAMES[-1]}\ncreate table monitoring.new (one integer);\nselect nonsense;\n"
    )
    with pytest.raises(MigrationFailedError, match=r"9999_new failed: .*nonsense"):
        migrate(dsn)
    assert rows(dsn, "select to_regclass('monitoring.new')") == [(None,)]
    assert rows(dsn, "select monitoring.version()") == [(pgvigil.__version__,)]


def test_the_released_checksums_hold_for_every_migration_of_the_package() -> None:
    directory = migrations_directory()
    lines = [
        f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(directory.glob("*.sql"))
    ]
    # When one is new: make checksums.
    assert (directory / CHECKSUMS).read_text() == "".join(lines)


def test_every_migration_can_be_rolled_back() -> None:
    assert [item.path.name for item in read_migrations() if not item.rollback_path.exists()] == []


@pytest.mark.parametrize("name", ["0002_tasks", "0005_logs"])
def test_a_database_of_an_unreleased_state_is_refused_and_stays_as_it_is(
    server: PostgresServer, dsn: str, name: str
) -> None:
    run(
        dsn,
        f"update monitoring.installed_migrations set migration_id = '{name}'"
        f" where migration_id = '{NAMES[int(name[:4]) - 1]}'",
    )
    before = rows(dsn, "select migration_id from monitoring.installed_migrations")
    said = rf"was installed from an unreleased state of pgvigil: it has {name}"
    for step in (migrate, roll_back):
        with pytest.raises(DatabaseNotReadyError, match=said) as refused:
            step(dsn)
        assert "drop schema monitoring" in (refused.value.hint or "")
    file = server.home / "single.sql"
    file.write_text(single_file(), encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run_psql(server, str(conninfo_to_dict(dsn)["dbname"]), "-1", "-f", file)
    assert re.search(said, failed.value.output)
    assert rows(dsn, "select migration_id from monitoring.installed_migrations") == before


def test_a_database_that_is_newer_than_the_package_is_refused(dsn: str) -> None:
    run(dsn, "insert into monitoring.installed_migrations (migration_id) values ('9999_future')")
    with pytest.raises(NewerDatabaseError, match="9999_future"):
        migrate(dsn)
    with pytest.raises(NewerDatabaseError, match="9999_future"):
        roll_back(dsn)
    assert "9999_future: this package is older" in run_pgvigil(dsn, "status").stdout


def test_a_standby_or_read_only_database_is_refused(empty_dsn: str) -> None:
    with pytest.raises(DatabaseNotReadyError, match="read-only"):
        migrate(make_conninfo(empty_dsn, options="-c default_transaction_read_only=on"))


def test_a_caller_who_may_not_create_schemas_is_told_what_to_ask_for(
    empty_dsn: str, role: str
) -> None:
    with pytest.raises(DatabaseNotReadyError, match=f"{role} may not create schemas") as refused:
        migrate(as_role(empty_dsn, role))
    assert f"create schema monitoring authorization {role}" in (refused.value.hint or "")
    run(empty_dsn, "create schema monitoring")
    with pytest.raises(DatabaseNotReadyError, match="belongs to somebody else"):
        migrate(as_role(empty_dsn, role))


def test_another_role_than_the_installer_is_told_what_to_ask_for(dsn: str) -> None:
    run(dsn, "create role pgvigil_other")
    try:
        with pytest.raises(DatabaseNotReadyError, match="pgvigil_other may not read") as refused:
            migrate(as_role(dsn, "pgvigil_other"))
        assert "grant monitoring_admin to pgvigil_other;" in (refused.value.hint or "")
    finally:
        run(dsn, "drop role pgvigil_other")


def test_a_schema_made_beforehand_and_a_search_path_serve_a_caller_without_other_rights(
    empty_dsn: str, role: str
) -> None:
    run(empty_dsn, f"create schema monitoring authorization {role}")
    with pytest.raises(DatabaseNotReadyError, match="may not create tables in schema public"):
        migrate(as_role(empty_dsn, role))
    run(empty_dsn, f'create schema "own place" authorization {role}')
    dsn = make_conninfo(empty_dsn, options=f'-c role={role} -c search_path="own\\ place"')
    assert migrate(dsn).applied == NAMES
    assert migrate(dsn) == Migrated([], False)
    where = "select schemaname from pg_tables where tablename like '%yoyo%' group by 1"
    assert rows(empty_dsn, where) == [("own place",)]


# -- rollback


def test_a_rollback_drops_what_the_migration_made_and_the_code_that_needs_it(dsn: str) -> None:
    lines: list[str] = []
    assert roll_back(dsn, report=lines.append) == NAMES[-1]
    assert f"rolled back {NAMES[-1]}" in lines
    assert "`pgvigil migrate` brings everything back" in lines[-1]
    left = "select from pg_proc where pronamespace = 'monitoring'::regnamespace"
    assert rows(dsn, left) == []
    assert rows(dsn, "select from pg_views where schemaname = 'monitoring'") == []
    assert rows(dsn, "select max(migration_id) from monitoring.installed_migrations") == [
        (NAMES[-2],)
    ]


def test_data_of_earlier_migrations_survive_a_rollback(dsn: str) -> None:
    run(dsn, "select monitoring.start_task_tracking('t', 'type')")
    roll_back(dsn)
    migrate(dsn)
    assert rows(dsn, "select task_id from monitoring.processing_metrics") == [("t",)]


def test_a_rollback_refuses_to_take_away_what_others_built_on_the_views(dsn: str) -> None:
    run(dsn, "create view public.report as select * from monitoring.processing_metrics")
    with pytest.raises(RollbackRefusedError, match=r"view report depends on .*processing_metrics"):
        roll_back(dsn)
    assert rows(dsn, "select max(migration_id) from monitoring.installed_migrations") == [
        (NAMES[-1],)
    ]
    assert rows(dsn, "select monitoring.version()") == [(pgvigil.__version__,)]


def test_a_rollback_without_its_file_is_refused_rather_than_done_silently(
    package: Path, dsn: str
) -> None:
    (package / CHECKSUMS).unlink()
    (package / f"{NAMES[-1]}.rollback.sql").unlink()
    with pytest.raises(RollbackRefusedError, match=f"{NAMES[-1]}.rollback.sql is missing"):
        roll_back(dsn)


def test_nothing_installed_is_nothing_to_roll_back(empty_dsn: str) -> None:
    with pytest.raises(RollbackRefusedError, match="no migration to roll back"):
        roll_back(empty_dsn)


# -- event triggers of the database


_AUDIT = """
create table public.ddl_log (what text);
create function public.audit() returns event_trigger language plpgsql {rights} as $$
begin
    insert into {log} (what) values (tg_tag);
end
$$;
create event trigger audit on ddl_command_end execute function public.audit();
"""


@pytest.mark.parametrize(
    ("rights", "log", "works"),
    [
        ("security definer", "public.ddl_log", True),
        ("security definer", "ddl_log", False),
        ("", "public.ddl_log", False),
    ],
)
def test_an_event_trigger_that_fails_is_blamed_by_name(
    empty_dsn: str, role: str, rights: str, log: str, works: bool
) -> None:
    run(
        empty_dsn,
        f"grant create on schema public to {role}",
        f"create schema monitoring authorization {role}",
        _AUDIT.format(rights=rights, log=log),
    )
    if works:
        assert migrate(as_role(empty_dsn, role)).code_loaded
        return
    with pytest.raises((MigrationFailedError, CodeFailedError)) as refused:
        migrate(as_role(empty_dsn, role))
    assert "ddl_log" in str(refused.value)
    assert "It is public.audit() that failed, at its line 3" in (refused.value.hint or "")
    assert "disable the event trigger" in (refused.value.hint or "")
    run(empty_dsn, "alter event trigger audit disable")
    assert migrate(as_role(empty_dsn, role)).code_loaded
