"""Who may do what, tried as those roles."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import embedded_binaries, installed_binaries
from pgvigil.install import migrate
from pgvigil.install.grants import ROLES
from pgvigil.install.status import read_status
from tests.harness.clients import dsn_of, may
from tests.harness.databases import OWNER, create_database, disposable_server
from tests.python.support.role_calls import (
    ADMIN,
    ADOPTION,
    ALERTS,
    CALLS,
    EVERYONE,
    FLEET,
    KEEPING,
    OPERATOR,
    READER,
    SOURCE,
    TABLE,
    TABLES,
    VIEWS,
    WRITER,
)

BINARIES = [path for path in (embedded_binaries(), *installed_binaries()) if path is not None]


@pytest.fixture(scope="module", params=BINARIES, ids=str)
def own_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """Each PostgreSQL of this machine, with the roles as a fresh installation makes them."""
    with disposable_server(request.param) as running:
        yield running


@pytest.fixture(scope="module")
def installed(own_server: PostgresServer) -> Iterator[psycopg.Connection]:
    """A connection as superuser to a database that the unprivileged owner installed in."""
    create_database(own_server, "matrix")
    migrate(own_server.dsn("matrix", user=OWNER, via_socket=True))
    with psycopg.connect(own_server.dsn("matrix"), autocommit=True) as connection:
        connection.execute(
            "select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => 'known',"
            " p_occurred_at => '2020-01-01 12:00+00')"
        )
        connection.execute("select monitoring.define_notification_channel('known', '{A}')")
        connection.execute("select monitoring.send_test_notification('known')")
        connection.execute(ALERTS)
        connection.execute(
            "select monitoring.apply_workflow("
            """'{"workflow": "night", "steps": [{"step": "load"}]}')"""
        )
        connection.execute(SOURCE)
        connection.execute(ADOPTION)
        connection.execute(FLEET)
        connection.execute(TABLE)
        yield connection


def names(connection: psycopg.Connection, query: str) -> list[str]:
    return [row[0] for row in connection.execute(query.encode())]


def relations(connection: psycopg.Connection, kinds: str) -> list[str]:
    return names(
        connection,
        "select relname from pg_class where relnamespace = 'monitoring'::regnamespace"
        f" and relkind = any ('{{{kinds}}}') order by 1",
    )


def violations(connection: psycopg.Connection, statement: str, allowed: Sequence[str]) -> list[str]:
    """Return how the roles' rights to a statement differ from what they should be."""
    wrong = []
    for role in EVERYONE:
        if may(connection, role, statement) != (role in allowed):
            wrong.append(f"{role} {'may not' if role in allowed else 'may'}: {statement}")
    return wrong


def test_every_public_function_is_in_the_table(installed: psycopg.Connection) -> None:
    public = names(
        installed,
        "select distinct proname from pg_proc where pronamespace = 'monitoring'::regnamespace"
        # A procedure is called, not selected; test_jobs.py does.
        r" and proname not like '\_%' and prokind <> 'p' order by 1",
    )
    assert public == sorted(CALLS)


@pytest.mark.parametrize("function", CALLS)
def test_each_function_works_for_those_it_is_granted_to_and_is_refused_to_others(
    installed: psycopg.Connection, function: str
) -> None:
    """Which roles those are is decided in sql/grants.sql, and listed in docs/security.md."""
    granted = names(
        installed,
        f"select r from unnest('{{{','.join(EVERYONE)}}}'::text[]) r, pg_proc p"
        f" where p.pronamespace = 'monitoring'::regnamespace and p.proname = '{function}'"
        " and has_function_privilege(r, p.oid, 'execute')",
    )
    assert ADMIN in granted
    assert violations(installed, f"select monitoring.{CALLS[function]}", granted) == []


def test_who_only_reads_or_records_changes_nothing_else(installed: psycopg.Connection) -> None:
    """A grant to the wrong role shows here."""
    granted = {
        role: set(
            names(
                installed,
                "select proname from pg_proc p where pronamespace = 'monitoring'::regnamespace"
                " and provolatile = 'v' and proname !~ '^_'"
                f" and has_function_privilege('{role}', p.oid, 'execute')",
            )
        )
        for role in (READER, WRITER)
    }
    assert granted[READER] == {"clock"}
    verbs = re.compile(
        "clock$|(start|update|complete|finish|record|log|track|sync_invalid|auto_resolve|load|raise|clear)_"
    )
    assert [name for name in granted[WRITER] if not verbs.match(name)] == []


def test_the_views_can_be_read_by_readers_operators_and_admins_only(
    installed: psycopg.Connection,
) -> None:
    views = relations(installed, "v,m")
    assert len(views) >= 14
    wrong = [violations(installed, f"select * from monitoring.{view}", VIEWS) for view in views]
    assert list(chain(*wrong)) == []


@pytest.mark.parametrize("verb", ["select", "insert", "update", "delete", "truncate"])
def test_the_tables_and_partitions_are_for_admins_only(
    installed: psycopg.Connection, verb: str
) -> None:
    # Of the partitions those made first, by the installation, and last, by a recording call.
    tables = names(
        installed,
        "select relname from pg_class where relnamespace = 'monitoring'::regnamespace"
        " and relkind in ('r', 'p') and (not relispartition"
        " or oid in (select min(inhrelid) from pg_inherits group by inhparent)"
        " or oid in (select max(inhrelid) from pg_inherits group by inhparent)) order by 1",
    )
    assert "late_errors" in tables
    assert len(tables) >= 11 + 2 * 6
    wrong = [violations(installed, on_table(installed, verb, table), TABLES) for table in tables]
    assert list(chain(*wrong)) == []


def on_table(connection: psycopg.Connection, verb: str, table: str) -> str:
    name = f"monitoring.{table}"
    column = names(
        connection,
        f"select attname from pg_attribute where attrelid = '{name}'::regclass and attnum = 1",
    )[0]
    return {
        "select": f"select * from {name}",
        "insert": f"insert into {name} default values",
        "update": f"update {name} set {column} = {column}",
        "delete": f"delete from {name}",
        "truncate": f"truncate {name}",
    }[verb]


def test_the_sequences_are_for_admins_only(installed: psycopg.Connection) -> None:
    wrong = [
        violations(installed, f"select nextval('monitoring.{sequence}')", KEEPING)
        for sequence in relations(installed, "S")
    ]
    assert wrong
    assert list(chain(*wrong)) == []


@pytest.mark.parametrize("role", [READER, WRITER, OPERATOR])
def test_nobody_but_admins_makes_anything_in_the_schema(
    installed: psycopg.Connection, role: str
) -> None:
    assert not may(installed, role, "create table monitoring.own (one integer)")
    assert may(installed, ADMIN, "create table monitoring.own (one integer)")


def test_private_functions_that_write_beside_the_public_ones_are_refused_to_readers(
    installed: psycopg.Connection,
) -> None:
    granted = names(
        installed,
        "select proname from pg_proc p where pronamespace = 'monitoring'::regnamespace"
        f" and provolatile = 'v' and has_function_privilege('{READER}', p.oid, 'execute')",
    )
    assert set(granted) == {"clock", "_last_day_since", "_yesterday"}


def test_public_has_no_right_whatever(installed: psycopg.Connection) -> None:
    query = """
        select 'schema' from pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a
        where nspname = 'monitoring' and a.grantee = 0
        union all
        select relname::text
        from pg_class, aclexplode(coalesce(relacl, acldefault(
            case relkind when 'S' then 's' else 'r' end::"char", relowner))) a
        where relnamespace = 'monitoring'::regnamespace and a.grantee = 0
        union all
        select p.oid::regprocedure::text
        from pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a
        where pronamespace = 'monitoring'::regnamespace and a.grantee = 0
        union all
        select attrelid::regclass || '.' || attname
        from pg_attribute join pg_class c on c.oid = attrelid, aclexplode(attacl) a
        where relnamespace = 'monitoring'::regnamespace and a.grantee = 0
    """
    assert names(installed, query) == []


def test_a_role_that_belongs_to_none_of_the_four_may_do_nothing(
    installed: psycopg.Connection,
) -> None:
    installed.execute("create role pgvigil_stranger")
    allowed = [
        call
        for call in CALLS.values()
        if may(installed, "pgvigil_stranger", f"select monitoring.{call}")
    ]
    assert allowed == []
    assert not may(installed, "pgvigil_stranger", "select * from monitoring.processing_metrics")


def test_every_security_definer_function_pins_its_search_path(
    installed: psycopg.Connection,
) -> None:
    definers = "select proname from pg_proc where pronamespace = 'monitoring'::regnamespace"
    definers += " and prosecdef"
    assert len(names(installed, definers)) >= 10
    pinned = " and 'search_path=pg_catalog, pg_temp' = any (proconfig)"
    assert names(installed, definers) == names(installed, definers + pinned)


def test_all_but_the_queries_of_rules_belongs_to_the_admin_who_cannot_log_in(
    installed: psycopg.Connection,
) -> None:
    owners = """
        select distinct proowner::regrole::text from pg_proc
        where pronamespace = 'monitoring'::regnamespace
        union
        select distinct relowner::regrole::text from pg_class
        where relnamespace = 'monitoring'::regnamespace
    """
    assert names(installed, f"{owners} order by 1") == [ADMIN, READER]
    of_readers = "select proname from pg_proc where proowner = 'monitoring_reader'::regrole"
    assert sorted(names(installed, of_readers)) == ["_rows_as_reader", "_run_rule_query"]
    can_log_in = f"select rolname from pg_roles where rolname = any ('{{{','.join(ROLES)}}}')"
    assert names(installed, f"{can_log_in} and (rolcanlogin or rolsuper or rolbypassrls)") == []


def test_a_member_of_the_writers_records_and_a_member_of_the_readers_sees_it(
    own_server: PostgresServer, installed: psycopg.Connection
) -> None:
    installed.execute("create role pgvigil_program login")
    installed.execute("create role pgvigil_person login")
    installed.execute("grant monitoring_writer to pgvigil_program")
    installed.execute("grant monitoring_reader to pgvigil_person")
    with psycopg.connect(dsn_of(own_server, "matrix", "pgvigil_program")) as program:
        program.execute("select monitoring.start_task_tracking('seen', 'type')")
    with psycopg.connect(dsn_of(own_server, "matrix", "pgvigil_person")) as person:
        query = "select status from monitoring.processing_metrics where task_id = 'seen'"
        assert person.execute(query).fetchall() == [("running",)]
        assert read_status(person).installed
