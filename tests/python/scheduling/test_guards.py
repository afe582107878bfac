"""What vital work is guarded by cannot be taken by strangers: no number that a session may lock."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from tests.python.alerts.test_rule_time_limit import give_query, make_rule
from tests.python.support.running import RunningRunner, wait_until

# Every number that guarded anything once, the small ones, and those of all names there are.
NAMES = """
    select hashtext('monitoring.' || n.name)::bigint as key, hashtextextended(p.prefix || n.name, 0)
    from (
        select unnest(array['evaluations', 'partitions', 'cleanup', 'alerts', 'configuration',
            'import_pg_cron_runs']) as name
        union all select job_name from monitoring.jobs
        union all select guard_name from monitoring.guards
    ) n
    cross join unnest(array['', 'monitoring.', 'pgvigil job ', 'job ']) p (prefix)
"""
OLD_CLASS = 1886547561


@pytest.fixture
def stranger(dsn: str, connection: psycopg.Connection) -> Iterator[str]:
    """Return a DSN of a login role without any role of ours."""
    connection.execute("create role stranger login password 'x'")
    try:
        yield psycopg.conninfo.make_conninfo(dsn, user="stranger", password="x")
    finally:
        connection.execute("drop owned by stranger")
        connection.execute("drop role stranger")


@contextmanager
def holding_every_number(connection: psycopg.Connection, stranger: str) -> Iterator[None]:
    """Hold, as a stranger, all advisory locks that ever meant something here."""
    keys = [key for row in connection.execute(NAMES.encode()) for key in row]
    with psycopg.connect(stranger, autocommit=True) as other:
        other.execute("select pg_advisory_lock(k) from unnest(%s::bigint[]) k", [keys])
        other.execute("select pg_advisory_lock(k) from generate_series(-300, 300) k")
        other.execute("select pg_advisory_lock(%s, k) from generate_series(0, 5) k", [OLD_CLASS])
        # The deadlines of the next minutes.
        other.execute(
            "select pg_advisory_lock(%s, extract(epoch from now())::integer - 1577836800 + k)"
            " from generate_series(-10, 300) k",
            [OLD_CLASS],
        )
        yield


def test_strangers_stop_nothing(dsn: str, connection: psycopg.Connection, stranger: str) -> None:
    with holding_every_number(connection, stranger):
        connection.execute("set statement_timeout = '20 s'")
        connection.execute("select monitoring.evaluate_alerts()")
        connection.execute("select monitoring.ensure_partitions()")
        connection.execute("select monitoring.record_error('t', 'E', 'low', 'm', 'c')")
        notes = connection.execute(
            "select note from monitoring.cleanup_old_monitoring_data() where note is not null"
        ).fetchall()
        assert notes == []
        connection.execute("select monitoring.apply_config('{}')")
        connection.execute("select monitoring.change_dataset('d', '{}')")
        connection.execute("select monitoring.update_daily_summary('d', '2026-01-15')")
        connection.execute("update monitoring.jobs set next_run_at = now() - interval '1 s'")
        connection.execute("call monitoring.run_due_jobs()")
        states = connection.execute(
            "select job_name, last_status from monitoring.v_jobs where last_status <> 'completed'"
            " or (is_enabled and last_status is null)"
        ).fetchall()
    assert states == []


def test_strangers_end_no_time_limit(
    dsn: str, connection: psycopg.Connection, stranger: str
) -> None:
    make_rule(connection, 60)
    query = (
        "select last_error from monitoring.alert_rule_states"
        " where rule_name = 'slow' and last_error is not null"
    )
    with holding_every_number(connection, stranger), RunningRunner(dsn, "--poll", "1h"):
        wait_until(lambda: connection.execute(query).fetchone() is not None)
    assert connection.execute(query).fetchone() == ("canceling statement due to user request",)


def test_nobody_can_have_another_session_cancelled(
    dsn: str, connection: psycopg.Connection, stranger: str
) -> None:
    with holding_every_number(connection, stranger), psycopg.connect(stranger) as other:
        assert connection.execute("select monitoring.cancel_overdue_jobs()").fetchone() == (0,)
        for statement in (
            "select setval('monitoring.rule_query_1', 4294967296 + %s)",
            "lock table monitoring.guards in row share mode",
            "select from monitoring.guards for update",
            "select monitoring._guard('evaluations')",
            "select monitoring._begin_time_limit('rule_query', 1)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), other.transaction():
                other.execute(statement.replace("%s", "1").encode())


def test_no_role_but_the_admins_can_take_a_guard(connection: psycopg.Connection) -> None:
    found = connection.execute(
        """
        select r.rolname, c.relname
        from pg_roles r
        cross join pg_class c
        where r.rolname in ('monitoring_reader', 'monitoring_writer', 'monitoring_operator')
            and c.relnamespace = 'monitoring'::regnamespace
            and c.relkind in ('r', 'p', 'S')
            and case c.relkind
                when 'S' then has_sequence_privilege(r.oid, c.oid, 'update, usage')
                else has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate')
            end
        """
    ).fetchall()
    assert found == []


def test_who_comes_second_waits_for_the_first_or_passes(
    dsn: str, connection: psycopg.Connection
) -> None:
    with psycopg.connect(dsn) as first, psycopg.connect(dsn) as second:
        for name in ("evaluations", "one that nobody has had yet"):
            first.execute("select monitoring._guard(%s)", [name])
            tried = "select monitoring._try_guard(%s)"
            assert connection.execute(tried, [name]).fetchone() == (False,)
            waiter = threading.Thread(
                target=second.execute, args=("select monitoring._guard(%s)", [name])
            )
            waiter.start()
            wait_until(
                lambda: (
                    connection.execute(
                        "select 1 from pg_stat_activity"
                        " where pid = %s and wait_event_type = 'Lock'",
                        [second.info.backend_pid],
                    ).fetchone()
                    is not None
                )
            )
            first.rollback() if name == "evaluations" else first.commit()
            waiter.join(20)
            assert not waiter.is_alive()
            assert connection.execute(tried, [name]).fetchone() == (False,)
            second.commit()
            assert connection.execute(tried, [name]).fetchone() == (True,)


def test_a_rule_that_ends_its_session_does_not_end_every_evaluation(
    dsn: str, connection: psycopg.Connection
) -> None:
    make_rule(connection, 0)
    give_query(connection, "select 1 as fingerprint, 1 as value from pg_sleep(60)")
    with psycopg.connect(dsn, autocommit=True) as victim:
        pid = victim.info.backend_pid
        ended: list[BaseException] = []

        def evaluate() -> None:
            try:
                victim.execute("select monitoring.evaluate_alerts()")
            except psycopg.Error as error:
                ended.append(error)

        thread = threading.Thread(target=evaluate)
        thread.start()
        wait_until(
            lambda: (
                connection.execute(
                    "select 1 from pg_stat_activity where pid = %s and wait_event = 'PgSleep'",
                    [pid],
                ).fetchone()
                is not None
            )
        )
        connection.execute("select pg_terminate_backend(%s)", [pid])
        thread.join(20)
    assert ended
    connection.execute("select monitoring.evaluate_alerts()")
    state = connection.execute(
        "select last_error, failures, paused_until_at > evaluated_at"
        " from monitoring.alert_rule_states where rule_name = 'slow'"
    ).fetchone()
    assert state == ("the session that ran its query ended", 1, True)
    assert connection.execute(
        sql.SQL("select 1 from monitoring.alerts where rule_name = 'rule_failed'")
    ).fetchone() == (1,)


def test_a_rule_is_not_to_blame_for_an_evaluation_that_was_cancelled(
    dsn: str, connection: psycopg.Connection
) -> None:
    make_rule(connection, 0)
    connection.execute(
        "select monitoring.change_alert_rule('slow', '{\"time_limit_seconds\": 60}')"
    )
    give_query(connection, "select 1 as fingerprint, 1 as value from pg_sleep(30)")
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute("set statement_timeout = '2 s'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            session.execute("select monitoring.evaluate_alerts()")
    give_query(connection, "select 1 as fingerprint, 1 as value")
    connection.execute("select monitoring.evaluate_alerts()")
    state = connection.execute(
        "select last_error, failures from monitoring.alert_rule_states where rule_name = 'slow'"
    ).fetchone()
    assert state == (None, 0)
