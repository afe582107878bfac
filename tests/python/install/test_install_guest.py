"""An installer touches only what is ours: what others have there is named, and left as it was."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import (
    DatabaseNotReadyError,
    InstallError,
    LockedError,
    RollbackRefusedError,
)
from pgvigil.install import Migrated, migrate, roll_back, single_file
from pgvigil.install.files import read_migrations
from tests.harness.clients import rows, run, run_psql, run_yoyo
from tests.harness.databases import OWNER, create_database, drop_database

NAMES = [migration.migration_id for migration in read_migrations()]
CATALOGUE = """
select array_agg(x order by x) from (
    select format('schema %s %s', nspowner::regrole, nspacl) from pg_namespace
    where nspname = 'monitoring'
    union all
    select format('%s %s %s %s %s', oid::regclass, relkind, relowner::regrole, relacl,
        case when relkind = 'v' then pg_get_viewdef(oid) end)
    from pg_class where relnamespace = to_regnamespace('monitoring')
    union all
    select format('%s %s %s %s', oid::regprocedure, proowner::regrole, proacl, prosrc)
    from pg_proc where pronamespace = to_regnamespace('monitoring')
    union all
    select format('type %s %s', typname, typowner::regrole) from pg_type
    where typnamespace = to_regnamespace('monitoring')
) as t (x)
"""
THINGS = {
    "table orders": "create table monitoring.orders (id integer)",
    "view v_active_alerts": "create view monitoring.v_active_alerts as select 'theirs' as whose",
    "function version": "create function monitoring.version() returns text return 'theirs'",
    "procedure tidy": "create procedure monitoring.tidy() begin atomic select 1; end",
    "type finding": "create type monitoring.finding as (whose text)",
    "domain": "create domain monitoring.amount as numeric",
    "enum": "create type monitoring.mood as enum ('fine')",
    "sequence": "create sequence monitoring.numbers",
    "book": "create table monitoring.installed_migrations (migration_id integer)",
    "matview": "create materialized view monitoring.sums as select 1 as one",
    "collation": 'create collation monitoring.own from "C"',
}


def by_migrate(server: PostgresServer, database: str) -> str:
    try:
        return str(migrate(server.dsn(database)))
    except DatabaseNotReadyError as error:
        return f"refused: {error} {error.hint}"


def by_single_file(server: PostgresServer, database: str) -> str:
    file = server.home / "pgvigil.sql"
    file.write_text(single_file(), encoding="utf-8")
    return _psql(server, database, "-f", file)


def by_yoyo(server: PostgresServer, database: str) -> str:
    try:
        return run_yoyo(server, database, "apply")
    except subprocess.CalledProcessError as error:
        return f"refused: {error.output}"


def _psql(server: PostgresServer, database: str, *arguments: str | Path) -> str:
    try:
        return run_psql(server, database, *arguments)
    except subprocess.CalledProcessError as error:
        return f"refused: {error.output}"


def state(dsn: str) -> object:
    """Return everything about the schema that an installer could change."""
    return rows(dsn, CATALOGUE)[0][0]


def name_of(dsn: str) -> str:
    with psycopg.connect(dsn) as connection:
        return connection.info.dbname


# -- a schema that is somebody else's


@pytest.mark.parametrize("way", [by_migrate, by_single_file, by_yoyo])
def test_a_schema_of_somebody_else_is_refused_and_left_as_it_was(
    server: PostgresServer, empty_dsn: str, way: Callable[[PostgresServer, str], str]
) -> None:
    run(empty_dsn, "create role somebody_else", "create schema monitoring")
    try:
        for statement in THINGS.values():
            run(empty_dsn, statement)
        run(
            empty_dsn,
            "alter table monitoring.orders owner to somebody_else",
            "grant select on monitoring.v_active_alerts to public",
            # They would let us, which is no reason to.
            f"alter schema monitoring owner to {OWNER}",
        )
        before = state(empty_dsn)
        said = way(server, name_of(empty_dsn))
        assert "holds what is not pgvigil's" in said
        for name in ("orders", "version()", "amount", "numbers", "sums", "and 1 more"):
            assert name in said, said
        assert "rename yours" in said
        assert state(empty_dsn) == before
    finally:
        run(empty_dsn, "drop schema monitoring cascade", "drop role somebody_else")


@pytest.mark.parametrize("thing", THINGS)
def test_a_single_thing_makes_it_somebody_elses(
    server: PostgresServer, empty_dsn: str, thing: str
) -> None:
    run(empty_dsn, f"create schema monitoring authorization {OWNER}", THINGS[thing])
    before = state(empty_dsn)
    for way in (by_migrate, by_single_file, by_yoyo):
        assert "holds what is not pgvigil's" in way(server, name_of(empty_dsn))
        assert state(empty_dsn) == before
    assert rows(empty_dsn, "select from pg_tables where tablename = '_yoyo_migration'") == [()]


def test_a_book_of_the_same_form_that_names_no_migration_of_ours_is_somebody_elses(
    empty_dsn: str,
) -> None:
    run(
        empty_dsn,
        "create schema monitoring",
        "create table monitoring.installed_migrations"
        " (migration_id text, installed_at timestamptz default now())",
        "create table monitoring.installed_code"
        " (is_installed boolean, version text, checksum text)",
        "insert into monitoring.installed_migrations values ('0002_recording')",
    )
    before = state(empty_dsn)
    with pytest.raises(DatabaseNotReadyError, match=r"table monitoring\.installed_code"):
        migrate(empty_dsn)
    assert state(empty_dsn) == before


def test_an_empty_schema_that_was_made_for_us_is_ours(server: PostgresServer) -> None:
    for number, way in enumerate((by_migrate, by_single_file, by_yoyo)):
        name = f"made_for_us_{number}"
        create_database(server, name)
        run(
            server.dsn(name),
            f"create schema monitoring authorization {OWNER}",
            "alter default privileges in schema monitoring grant select on tables to public",
        )
        assert "refused" not in way(server, name)
        assert len(rows(server.dsn(name), "select from monitoring.installed_migrations")) == len(
            NAMES
        )
        drop_database(server, name)


# -- what others put beside ours


BESIDE = {
    "table monitoring.notes": "create table monitoring.notes (id integer)",
    "view monitoring.own_view": "create view monitoring.own_view as select 1 as one",
    "function monitoring.own_function(integer)": (
        "create function monitoring.own_function(integer) returns integer return 1"
    ),
    # Of the name of one of ours, and so what a call could mean.
    "function monitoring.version(integer)": (
        "create function monitoring.version(integer) returns integer return 1"
    ),
    "type monitoring.own_type": "create type monitoring.own_type as (one integer)",
    "sequence monitoring.own_numbers": "create sequence monitoring.own_numbers",
}


@pytest.mark.parametrize("whose", ["the superuser's", "the admin's"])
@pytest.mark.parametrize("thing", BESIDE)
def test_what_is_beside_ours_is_named_and_nothing_changed(
    server: PostgresServer, dsn: str, thing: str, whose: str
) -> None:
    become = "set role monitoring_admin;" if whose == "the admin's" else ""
    run(dsn, f"{become} {BESIDE[thing]}")
    before = state(dsn)
    if "function" not in thing or whose == "the admin's":  # else it would be handed to the admin
        assert migrate(dsn) == Migrated([], False)  # nothing to do, so nothing to touch
    for touching in (lambda: migrate(dsn, reload=True), lambda: roll_back(dsn)):
        with pytest.raises(DatabaseNotReadyError) as refused:
            touching()
        assert thing in str(refused.value)
        assert "Nothing was changed" in (refused.value.hint or "")
    run(dsn, "update monitoring.installed_code set version = '0.0.1', checksum = 'other'")
    with pytest.raises(DatabaseNotReadyError, match="not pgvigil's"):
        migrate(dsn)
    said = by_single_file(server, name_of(dsn))
    assert thing in said
    assert state(dsn) == before


def test_what_was_moved_away_hinders_nobody(dsn: str) -> None:
    run(dsn, "create table monitoring.notes (id integer)")
    with pytest.raises(DatabaseNotReadyError):
        roll_back(dsn)
    run(dsn, "alter table monitoring.notes set schema public")
    for _ in NAMES:
        roll_back(dsn)
    assert rows(dsn, "select to_regnamespace('monitoring'), to_regclass('notes')::text") == [
        (None, "notes")
    ]


def test_what_comes_between_two_rollbacks_is_not_dropped_either(dsn: str) -> None:
    roll_back(dsn)
    run(dsn, "create function monitoring.own() returns integer return 1")
    with pytest.raises(DatabaseNotReadyError, match=r"function monitoring.own\(\)"):
        roll_back(dsn)
    with pytest.raises(DatabaseNotReadyError, match=r"function monitoring.own\(\)"):
        migrate(dsn)


def test_an_older_installation_goes_by_its_owners(dsn: str) -> None:
    run(dsn, "delete from monitoring.installed_objects")
    assert migrate(dsn, reload=True).code_loaded
    run(
        dsn,
        "delete from monitoring.installed_objects",
        "create role pgvigil_guest",
        "create view monitoring.own_view as select 1 as one",
        "alter view monitoring.own_view owner to pgvigil_guest",
    )
    try:
        with pytest.raises(DatabaseNotReadyError, match=r"view monitoring\.own_view"):
            migrate(dsn, reload=True)
    finally:
        run(dsn, "drop view monitoring.own_view", "drop role pgvigil_guest")


def test_days_and_triggers_that_are_made_later_are_ours(dsn: str) -> None:
    run(
        dsn,
        "select monitoring.record_error("
        "'t', 'E', 'high', 'm', p_occurred_at => now() - interval '3 days')",
        "create table public.orders (id integer primary key, status text)",
        "grant select on public.orders to monitoring_admin",
        "select monitoring.attach_status_trigger('public.orders', array['id'], 'status')",
    )
    assert migrate(dsn, reload=True).code_loaded


# -- what needs ours from outside


OUTSIDE = {
    r"view report depends on .*processing_metrics": (
        "create view public.report as select * from monitoring.processing_metrics"
    ),
    r"column found of table checks depends on type monitoring\.finding": (
        "create table public.checks (found monitoring.finding)"
    ),
    r"constraint .* on table links depends on": (
        "create table public.links (m text references monitoring.installed_migrations)"
    ),
    r"view books depends on table monitoring\.installed_code": (
        "create view public.books as select * from monitoring.installed_code"
    ),
    r"function calls\(\) depends on function monitoring\.version": (
        "create function public.calls() returns text begin atomic select monitoring.version(); end"
    ),
    r"default value for column v of table versions depends on": (
        "create table public.versions (v text default monitoring.version())"
    ),
}


@pytest.mark.parametrize("said", OUTSIDE)
def test_a_rollback_takes_nothing_from_outside_along(dsn: str, said: str) -> None:
    run(dsn, OUTSIDE[said])
    before = state(dsn)
    with pytest.raises(RollbackRefusedError, match=said):
        roll_back(dsn)
    assert state(dsn) == before


def test_plain_yoyo_leaves_the_schema_while_somebody_else_has_something_in_it(
    server: PostgresServer,
) -> None:
    create_database(server, "plain")
    try:
        run_yoyo(server, "plain", "apply")
        run(server.dsn("plain"), "create table monitoring.notes (id integer)")
        with pytest.raises(subprocess.CalledProcessError) as refused:
            run_yoyo(server, "plain", "rollback", "--all")
        assert "table monitoring.notes" in refused.value.output
        assert rows(server.dsn("plain"), "select to_regclass('monitoring.notes') is null") == [
            (False,)
        ]
        run(server.dsn("plain"), "drop table monitoring.notes")
        run_yoyo(server, "plain", "rollback", "--all")
        assert rows(server.dsn("plain"), "select to_regnamespace('monitoring')") == [(None,)]
    finally:
        drop_database(server, "plain")


# -- the lock that keeps installers apart


def test_a_stranger_holds_up_no_upgrade(dsn: str) -> None:
    run(dsn, "create role pgvigil_stranger login")
    try:
        with psycopg.connect(dsn, autocommit=True) as stranger:
            stranger.execute("set role pgvigil_stranger")
            stranger.execute("select pg_advisory_lock(hashtext('pgvigil.migrate'))")
            with pytest.raises(psycopg.errors.InsufficientPrivilege), stranger.transaction():
                stranger.execute("lock table monitoring.installed_migrations in share mode")
            lines: list[str] = []
            assert migrate(dsn, reload=True, report=lines.append).code_loaded
            assert not [line for line in lines if "waiting" in line]
    finally:
        run(dsn, "drop role pgvigil_stranger")


@pytest.mark.parametrize("is_there", [True, False])
def test_who_waits_too_long_is_told_for_whom(
    server: PostgresServer,
    dsn: str,
    empty_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    is_there: bool,
) -> None:
    monkeypatch.setattr("pgvigil.install.session.SECONDS_TO_WAIT", 0.3)
    monkeypatch.setattr("pgvigil.install.bundle.SECONDS_TO_WAIT", 0.3)
    place = dsn if is_there else empty_dsn
    lock = "lock table monitoring.installed_migrations in share update exclusive mode"
    with psycopg.connect(place, application_name="long one") as holder:
        holder.execute(lock if is_there else "select pg_advisory_lock(hashtext('pgvigil.migrate'))")
        said = f"process {holder.info.backend_pid} of postgres \\(long one, "
        with pytest.raises(LockedError, match=said) as refused:
            migrate(place, reload=True)
        assert "pg_terminate_backend" in (refused.value.hint or "")
        assert said.replace("\\", "") in by_single_file(server, name_of(place))
    assert rows(place, "select count(*) from pg_locks where locktype = 'advisory'") == [(0,)]


def test_nobody_is_waited_for_without_end(
    server: PostgresServer, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.install.loader.SECONDS_TO_WAIT", 0.3)
    monkeypatch.setattr("pgvigil.install.bundle.SECONDS_TO_WAIT", 0.3)
    with psycopg.connect(dsn) as reader:
        reader.execute("select from monitoring.processing_metrics")
        for touching in (lambda: migrate(dsn, reload=True), lambda: roll_back(dsn)):
            with pytest.raises(InstallError, match="lock timeout") as refused:
                touching()
            assert "pg_stat_activity" in (refused.value.hint or "")
        file = server.home / "pgvigil.sql"
        file.write_text(single_file(), encoding="utf-8")
        said = _psql(server, name_of(dsn), "-v", "reload=1", "-f", file)
        assert "lock timeout" in said
    assert migrate(dsn, reload=True).code_loaded
