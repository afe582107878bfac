"""The session that ran the query of an own rule is left as it was found."""

import psycopg
import pytest

from tests.python.alerts.test_rule_time_limit import FIND, give_query, make_rule

LOCKS = (
    "select objsubid, classid::bigint, objid::bigint, mode from pg_locks"
    " where locktype = 'advisory' and pid = pg_backend_pid() order by 1, 2, 3, 4"
)
STATEMENTS = "select name from pg_prepared_statements where name !~ '^_pg' order by 1"


def query_of(statement: str) -> str:
    """Return a rule's query that does something besides."""
    return f"select 1 as fingerprint, 1 as value from (select {statement} offset 0) q"


def function(connection: psycopg.Connection, name: str, body: str) -> str:
    """Make a function that anybody may call, and return a query that calls it."""
    connection.execute(
        f"create function public.{name}() returns integer language plpgsql as $f$"
        f" begin {body}; return 1; end $f$".encode()
    )
    return query_of(f"public.{name}()")


@pytest.mark.parametrize("how", ["completed", "failed"])
@pytest.mark.parametrize(
    "taken",
    [
        "pg_advisory_lock(5)",
        "pg_advisory_lock(-5), pg_advisory_lock(-5), pg_advisory_lock(-5)",
        "pg_advisory_lock(9223372036854775807)",
        "pg_advisory_lock(7, -8), pg_advisory_lock_shared(7, -8)",
        "pg_advisory_lock_shared(-7, 8)",
        "pg_try_advisory_lock(2147483647, -2147483648)",
        "pg_advisory_xact_lock(9)",
    ],
)
def test_locks_of_the_session_do_not_outlast_the_query(
    taken: str, how: str, connection: psycopg.Connection
) -> None:
    make_rule(connection, 0)
    connection.execute("select pg_advisory_lock(77), pg_advisory_lock_shared(1, 2)")
    before = connection.execute(LOCKS.encode()).fetchall()
    give_query(connection, query_of(taken))
    if how == "failed":
        give_query(
            connection,
            "select 1 as fingerprint, 1 / count(*) as value from (select "
            f"{taken} offset 0) q where q is null",
        )
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute(FIND)
    else:
        connection.execute(FIND)
    assert connection.execute(LOCKS.encode()).fetchall() == before


def test_locks_that_the_query_gives_back_are_taken_again(connection: psycopg.Connection) -> None:
    make_rule(connection, 0)
    connection.execute(
        "select pg_advisory_lock(-77), pg_advisory_lock_shared(1, -2), pg_advisory_lock(3, 4)"
    )
    before = connection.execute(LOCKS.encode()).fetchall()
    assert len(before) == 3
    give_query(connection, query_of("pg_advisory_unlock_all()"))
    connection.execute(FIND)
    assert connection.execute(LOCKS.encode()).fetchall() == before


def test_prepared_statements_go_and_what_is_lost_is_told(connection: psycopg.Connection) -> None:
    make_rule(connection, 0)
    give_query(
        connection,
        function(connection, "prepares", """execute 'prepare "my own" as select 1'"""),
    )
    connection.execute(FIND)
    assert connection.execute(STATEMENTS.encode()).fetchall() == []

    connection.execute("prepare mine as select 1")
    warnings: list[str | None] = []
    connection.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
    give_query(connection, function(connection, "forgets", "execute 'deallocate all'"))
    connection.execute(FIND)
    assert "the query of a rule changed its session: statement mine" in warnings


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("perform set_config('work_mem', '64kB', false)", "select current_setting('work_mem')"),
        (
            "perform set_config('statement_timeout', '1', false)",
            "select current_setting('statement_timeout')",
        ),
        (
            "perform set_config('my.own', 'x', false)",
            "select nullif(current_setting('my.own', true), '')",
        ),
        ("perform set_config('timezone', 'Asia/Tokyo', false)", "show timezone"),
        ("execute 'set session search_path = public'", "show search_path"),
        ("execute 'set session row_security = on'", "show row_security"),
        ("execute 'listen rules'", "select count(*) from pg_listening_channels()"),
        ("execute 'declare held cursor with hold for select 1'", "select count(*) from pg_cursors"),
        ("perform lo_create(4711)", "select count(*) from pg_largeobject_metadata"),
        ("execute 'create temp table mine ()'", "select to_regclass('pg_temp.mine')"),
        ("execute 'set session authorization default'", "select session_user"),
        ("execute 'set role none'", "select current_user"),
        ("execute 'discard all'", "select 1"),
        ("execute 'discard temp'", "select count(*) from pg_class where relname = 'of_mine'"),
    ],
)
def test_whatever_a_function_does_besides_is_undone(
    body: str, left: str, connection: psycopg.Connection
) -> None:
    make_rule(connection, 0)
    connection.execute("create temp table of_mine ()")
    before = connection.execute(left.encode()).fetchall()
    give_query(connection, function(connection, "untidy", body))
    try:
        connection.execute(FIND)
    except psycopg.Error as refused:
        assert refused.sqlstate is not None  # noqa: PT017 - which one is PostgreSQL's affair
    assert connection.execute(left.encode()).fetchall() == before


@pytest.mark.parametrize("forced", ["", "force row level security"])
def test_a_rule_whose_rows_a_policy_hides_fails_and_says_what_to_do(
    forced: str, connection: psycopg.Connection
) -> None:
    connection.execute("create role shop_owner")
    try:
        connection.execute("create schema shop authorization shop_owner")
        for statement in (
            "set role shop_owner",
            "create table shop.orders as select 1 as id, 'late' as state",
            "alter table shop.orders enable row level security",
            "create policy none_of_it on shop.orders using (false)",
            "create view shop.all_orders as select * from shop.orders",
            "grant usage on schema shop to monitoring_reader",
            "grant select on shop.orders, shop.all_orders to monitoring_reader",
            *([f"alter table shop.orders {forced}"] if forced else []),
            "reset role",
        ):
            connection.execute(statement.encode())
        query = "select state as fingerprint, 1 as value from shop.{}"
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(
                "select monitoring.create_alert_rule('late', %s, '{\"low\": 0}')",
                [query.format("orders")],
            )
        assert refused.value.sqlstate == "PV008"
        assert "row-level security" in (refused.value.diag.message_primary or "")
        assert "make a view of it" in (refused.value.diag.message_hint or "")

        make_rule(connection, 0)
        give_query(connection, query.format("orders"))
        connection.execute("select monitoring.evaluate_alerts()")
        row = connection.execute(
            "select last_error, failures from monitoring.alert_rule_states where rule_name = 'slow'"
        ).fetchone()
        assert row is not None
        assert "row-level security" in row[0]
        assert "make a view of it" in row[0]
        assert row[1] == 1

        # The owner's view shows all, unless the owner is not to see it either.
        give_query(connection, query.format("all_orders"))
        if forced:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(FIND)
        else:
            assert connection.execute(FIND).fetchall() == [("late",)]
    finally:
        connection.execute("drop owned by shop_owner cascade")
        connection.execute("drop role shop_owner")
