"""Whose rights the queries of own rules have, however pgvigil was installed."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import embedded_binaries, installed_binaries
from pgvigil.install import migrate
from pgvigil.install.doctor import Check, examine
from pgvigil.install.grants import ROLES
from pgvigil.install.status import read_status
from pgvigil.resources import sql_directory
from tests.harness.clients import dsn_of, rows, run
from tests.harness.databases import OWNER, create_database, disposable_server

BINARIES = [path for path in (embedded_binaries(), *installed_binaries()) if path is not None]
OWNERS = """
    select proowner::regrole::text from pg_proc
    where pronamespace = 'monitoring'::regnamespace and proname = '_run_rule_query'
"""
MAKE = """
    select monitoring.create_alert_rule(
        'who', 'select current_user as fingerprint, 1 as value', '{"low": 0}')
"""
FIND = """
    select f.fingerprint
    from monitoring.alert_rules r cross join lateral monitoring._find_by_query(r, now()) f
    where r.rule_name = 'who'
"""


@pytest.fixture(params=BINARIES, ids=str)
def bare_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A server without our roles; ``plain`` may log in and owns database ``app``, no more."""
    with disposable_server(request.param) as running:
        run(running.dsn(), "create role plain login", "create database app owner plain")
        yield running


def own_rules_check(dsn: str) -> Check:
    """Return what the doctor says of own rules."""
    return next(check for check in examine(dsn) if check.name == "own rules")


def make_roles(server: PostgresServer) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for role in ROLES:
            connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))


def test_they_have_those_of_the_readers_after_an_ordinary_installation(
    bare_server: PostgresServer,
) -> None:
    run(bare_server.dsn(), "alter role plain createrole")
    dsn = dsn_of(bare_server, "app", "plain")
    migrate(dsn)
    assert rows(dsn, OWNERS) == [("monitoring_reader",)]
    assert own_rules_check(dsn).level == "ok"
    run(dsn, MAKE)
    assert rows(dsn, FIND) == [("monitoring_reader",)]
    assert not migrate(dsn).code_loaded
    assert migrate(dsn, reload=True).code_loaded
    assert rows(dsn, OWNERS) == [("monitoring_reader",)]
    may_create = "select has_schema_privilege('monitoring_reader', 'monitoring', 'create')"
    assert rows(dsn, may_create) == [(False,)]


def test_they_only_read_also_where_they_have_those_of_the_installer(
    bare_server: PostgresServer,
) -> None:
    dsn = dsn_of(bare_server, "app", "plain")
    migrate(dsn)
    assert rows(dsn, OWNERS) == [("plain",)]
    run(dsn, MAKE, "create table till (amount integer)")
    assert rows(dsn, FIND) == [("plain",)]
    run(
        dsn,
        "create function fill() returns integer language sql"
        " as 'insert into public.till values (1) returning amount'",
    )
    query = "'select public.fill() as fingerprint, 1 as value'"
    with pytest.raises(psycopg.Error, match="cannot execute INSERT in a read-only transaction"):
        run(dsn, f"select monitoring.create_alert_rule('write', {query}, '{{\"low\": 0}}')")
    warned = own_rules_check(dsn)
    assert (warned.level, warned.finding) == (
        "warn",
        "their queries only read, but with the rights of plain",
    )


def test_they_get_those_of_the_readers_when_an_administrator_has_arranged_it(
    bare_server: PostgresServer,
) -> None:
    dsn = dsn_of(bare_server, "app", "plain")
    migrate(dsn)
    make_roles(bare_server)
    run(bare_server.dsn(), "grant monitoring_admin to plain")
    assert migrate(dsn).code_loaded
    assert rows(dsn, OWNERS) == [("monitoring_admin",)]
    assert own_rules_check(dsn).level == "warn"
    assert not migrate(dsn).code_loaded
    run(bare_server.dsn(), "grant monitoring_reader to monitoring_admin")
    with psycopg.connect(dsn) as connection:
        assert read_status(connection).grants_are_stale
    assert migrate(dsn).code_loaded
    assert rows(dsn, OWNERS) == [("monitoring_reader",)]
    assert own_rules_check(dsn).level == "ok"
    assert not migrate(dsn).code_loaded


def test_another_member_of_the_admins_may_load_the_code_again(bare_server: PostgresServer) -> None:
    create_database(bare_server, "shop")
    migrate(dsn_of(bare_server, "shop", OWNER))
    run(bare_server.dsn(), "grant monitoring_admin to plain")
    run(bare_server.dsn("shop"), "alter schema monitoring owner to monitoring_admin")
    run(bare_server.dsn(), "grant create on database shop to monitoring_admin")
    dsn = dsn_of(bare_server, "shop", "plain")
    with psycopg.connect(dsn) as connection:
        for name in ("watching/rules/rule_queries.sql", "grants.sql"):
            text = (sql_directory() / name).read_text(encoding="utf-8")
            connection.execute(text.encode())
    assert rows(dsn, OWNERS) == [("monitoring_reader",)]
