"""Status triggers: programs without rights, COPY, several sessions, and what goes wrong."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pgvigil.demo.server import PostgresServer
from tests.harness.databases import install_pgvigil
from tests.python.support.asking import one, rows, value

TABLE = """
    create schema shop;
    create table shop.orders (id integer primary key, state text, note text);
    grant usage on schema shop to monitoring_admin;
    grant select on shop.orders to monitoring_admin;
    insert into shop.orders (id, state) select n, 'OPEN' from generate_series(1, 1000) as n;
"""
PROGRAM = """
    create role pgvigil_shop login;
    grant usage on schema shop to pgvigil_shop;
    grant select, insert, update, delete, truncate on all tables in schema shop to pgvigil_shop;
"""
NO_PROGRAM = "drop owned by pgvigil_shop; drop role pgvigil_shop"
ATTACH = "select monitoring.attach_status_trigger('shop.orders', '{id}', 'state')"
CHANGES = (
    "select from_status, to_status, change_source, actor, count(*) as changes"
    " from monitoring.status_history group by 1, 2, 3, 4 order by 1, 2, 3, 4"
)


def change(
    before: str | None, after: str | None, changes: int, actor: str = "pgvigil_shop"
) -> dict[str, Any]:
    """Return a row of CHANGES."""
    return {
        "from_status": before,
        "to_status": after,
        "change_source": "SYSTEM",
        "actor": actor,
        "changes": changes,
    }


@pytest.fixture
def shop(connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A connection to a database with a watched table of a thousand orders."""
    connection.execute(TABLE)
    connection.execute(PROGRAM)
    try:
        assert value(connection, ATTACH) == 1000
        yield connection
    finally:
        connection.execute(NO_PROGRAM)


@contextmanager
def program(dsn: str) -> Iterator[psycopg.Connection]:
    """Connect as a program that has no right in schema monitoring."""
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute("set session authorization pgvigil_shop")
        yield session


def test_a_program_without_rights_is_recorded(shop: psycopg.Connection, dsn: str) -> None:
    with program(dsn) as session:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select * from monitoring.status_history")
        session.execute("update shop.orders set state = 'DONE' where id <= 400")
        session.execute("delete from shop.orders where id = 1")
        session.execute("truncate shop.orders")
    assert rows(shop, CHANGES) == [
        change("DONE", None, 400),
        change("OPEN", "DONE", 400),
        change("OPEN", None, 600),
    ]
    assert value(shop, "select count(*) from monitoring.error_tracking") == 0


def test_rows_that_are_copied_in_are_recorded_by_one_statement(
    shop: psycopg.Connection, dsn: str
) -> None:
    with (
        program(dsn) as session,
        session.cursor() as cursor,
        cursor.copy("copy shop.orders (id, state) from stdin") as copy,
    ):
        for number in range(10_001, 20_001):
            copy.write_row((number, f"S{number % 4}"))
    assert rows(shop, CHANGES) == [change(None, f"S{number}", 2500) for number in range(4)]
    assert value(shop, "select count(distinct recorded_at) from monitoring.status_history") == 1


def test_what_a_program_takes_back_was_never_recorded(shop: psycopg.Connection, dsn: str) -> None:
    with program(dsn) as session:
        with session.transaction(force_rollback=True):
            session.execute("update shop.orders set state = 'DONE'")
        with session.transaction():
            session.execute("set local monitoring.actor = 'ann'")
            session.execute("update shop.orders set state = 'LATE' where id = 7")
    assert rows(shop, CHANGES) == [change("OPEN", "LATE", 1, "ann")]


def test_a_partitioned_table_is_recorded_however_it_is_written_to(
    shop: psycopg.Connection, dsn: str
) -> None:
    shop.execute(
        "create table shop.bills (id integer, state text) partition by range (id);"
        "create table shop.bills_1 partition of shop.bills for values from (0) to (1000);"
        "create table shop.bills_2 partition of shop.bills for values from (1000) to (2000);"
        "grant select on shop.bills, shop.bills_1, shop.bills_2 to monitoring_admin;"
        "grant all on shop.bills, shop.bills_1, shop.bills_2 to pgvigil_shop"
    )
    shop.execute("select monitoring.attach_status_trigger('shop.bills', '{id}', 'state')")
    with program(dsn) as session, session.cursor() as cursor:
        with cursor.copy("copy shop.bills (id, state) from stdin") as copy:
            for number in range(2000):
                copy.write_row((number, "OPEN"))
        cursor.execute("update shop.bills set state = 'DONE' where id % 2 = 0")
        cursor.execute("truncate shop.bills_2")
    assert rows(shop, CHANGES) == [
        change("DONE", None, 500),
        change("OPEN", "DONE", 1000),
        change("OPEN", None, 500),
        change(None, "OPEN", 2000),
    ]


@pytest.mark.parametrize(
    "breakage",
    [
        "alter table shop.orders rename column id to number",
        "alter table monitoring.record_states rename column actor to who",
        "alter table monitoring.errors rename to mistakes",
        "revoke select on shop.orders from monitoring_admin",
    ],
)
def test_a_trigger_that_fails_does_not_break_the_program(
    shop: psycopg.Connection, dsn: str, breakage: str
) -> None:
    shop.execute(breakage)
    warnings: list[str] = []
    with program(dsn) as session:
        session.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
        session.execute("update shop.orders set state = 'DONE' where state = 'OPEN'")
        session.execute("truncate shop.orders")
        assert value(session, "select count(*) from shop.orders") == 0
    if "mistakes" in breakage:
        # Statuses are recorded all the same: errors are only needed to tell that they are not.
        assert warnings == []
        return
    assert any("could not record changes of status in shop.orders" in text for text in warnings)
    error = one(
        shop,
        "select error_type, severity, component from monitoring.error_tracking limit 1",
    )
    assert error == {
        "error_type": "StatusTriggerFailed",
        "severity": "high",
        "component": "pgvigil",
    }


def test_not_even_being_unable_to_say_so_breaks_the_program(
    shop: psycopg.Connection, dsn: str
) -> None:
    shop.execute("alter table monitoring.record_states rename column actor to who")
    shop.execute("alter table monitoring.errors rename to mistakes")
    with program(dsn) as session:
        session.execute("update shop.orders set state = 'DONE'")
        assert value(session, "select count(*) from shop.orders where state = 'DONE'") == 1000


def test_many_sessions_that_write_at_once_leave_an_unbroken_history(
    shop: psycopg.Connection, dsn: str
) -> None:
    def work(worker: int) -> None:
        with program(dsn) as session:
            for turn in range(20):
                session.execute(
                    "update shop.orders set state = %s where id = %s",
                    (f"W{worker}-{turn}", turn % 5 + 1),
                )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert value(shop, "select count(*) from monitoring.status_history") == 80
    assert unbroken(shop)
    assert differing(shop) == 0


def test_a_monitor_and_a_program_that_write_at_once_agree_in_the_end(
    shop: psycopg.Connection, dsn: str
) -> None:
    tracking = """
        select monitoring.track_status_changes('orders', (
            select jsonb_agg(jsonb_build_object('record_key', o.id, 'status', o.state))
            from shop.orders as o where o.id <= 20
        ))
    """

    def write(_: int) -> None:
        with program(dsn) as session:
            for turn in range(15):
                session.execute("update shop.orders set state = %s where id <= 20", (f"T{turn}",))

    def watch(_: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as session:
            for _turn in range(15):
                session.execute(tracking)

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(write, 0), pool.submit(watch, 0), pool.submit(watch, 1)]
        for future in done:
            future.result()
    shop.execute(tracking)
    assert differing(shop) == 0
    assert value(shop, "select count(*) from monitoring.error_tracking") == 0


def unbroken(connection: psycopg.Connection) -> bool:
    """Return whether every change starts from what the change before it ended with."""
    breaks = value(
        connection,
        "select count(*) from (select from_status, lag(to_status) over ("
        "partition by record_key order by effective_at, change_id) as before"
        " from monitoring.status_history) as h"
        " where before is not null and before is distinct from from_status",
    )
    return bool(breaks == 0)


def differing(connection: psycopg.Connection) -> int:
    """Return how many records have another status than their row."""
    count = value(
        connection,
        "select count(*) from shop.orders as o full join monitoring.v_record_status as r"
        " on r.record_key = o.id::text where o.state is distinct from r.status",
    )
    assert isinstance(count, int)
    return count


def test_dropping_the_schema_leaves_the_table_without_triggers(
    shop: psycopg.Connection, dsn: str
) -> None:
    shop.execute("drop schema monitoring cascade")
    with program(dsn) as session:
        session.execute("update shop.orders set state = 'DONE'")


FUNCTION = """
    select
        p.oid::regprocedure::text as function, p.proowner::regrole::text as owner, p.prosrc as code
    from pg_trigger as t join pg_proc as p on p.oid = t.tgfoid
    where t.tgrelid = 'shop.orders'::regclass and t.tgname = 'pgvigil_status_update'
"""


def test_an_upgrade_gives_the_functions_of_watched_tables_the_present_code(
    shop: psycopg.Connection, dsn: str, server: PostgresServer
) -> None:
    made = one(shop, FUNCTION)
    earlier = (
        f"create or replace function {made['function']} returns trigger language plpgsql"
        " as 'begin return null; end'"
    )
    with program(dsn) as session:
        shop.execute(earlier.encode())
        session.execute("update shop.orders set state = 'MISSED' where id = 1")
        shop.execute("update monitoring.installed_code set checksum = 'of earlier code'")
        install_pgvigil(server, str(conninfo_to_dict(dsn)["dbname"]))
        session.execute("update shop.orders set state = 'DONE' where id = 2")
    assert one(shop, FUNCTION) == made
    assert rows(shop, CHANGES) == [change("OPEN", "DONE", 1)]


def test_one_session_may_see_columns_come_and_go(shop: psycopg.Connection, dsn: str) -> None:
    with program(dsn) as session:
        for number, alteration in enumerate(
            (
                "alter table shop.orders add column added integer",
                "alter table shop.orders alter column id type bigint",
                "alter table shop.orders alter column state type varchar(50)",
                "alter table shop.orders drop column note",
            )
        ):
            session.execute("update shop.orders set state = %s where id = 1", (f"A{number}",))
            shop.execute(alteration)
            session.execute("update shop.orders set state = %s where id = 1", (f"B{number}",))
    assert value(shop, "select count(*) from monitoring.status_history") == 8
    assert unbroken(shop)
    assert differing(shop) == 0
