"""Queries of own rules that take too long are cancelled by another session, and only they."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.python.support.running import RunningRunner, wait_until

SLOW = "select 'x' as fingerprint, count(*) as value from pg_sleep({})"
FIND = """
    select f.fingerprint from monitoring.alert_rules r
    cross join lateral monitoring._find_by_query(r, monitoring.clock()) f
    where r.rule_name = 'slow'
"""


def make_rule(connection: psycopg.Connection, seconds: float) -> None:
    """Make a rule whose query takes so long, and whose time limit is one second."""
    connection.execute(
        "select monitoring.create_alert_rule('slow', %s, '{\"low\": 0}', p_time_limit => '1 s')",
        [SLOW.format(0)],
    )
    give_query(connection, SLOW.format(seconds))


def give_query(connection: psycopg.Connection, query: str) -> None:
    """Give that rule another query, without running it first."""
    connection.execute(
        "update monitoring.alert_rules set query = %s where rule_name = 'slow'", [query]
    )


@contextmanager
def looking_every(seconds: float, dsn: str) -> Iterator[list[int]]:
    """Look after rules from a second session, as runners do; yields what it cancelled."""
    cancelled: list[int] = []
    ended = threading.Event()

    def look() -> None:
        with psycopg.connect(dsn, autocommit=True) as other:
            while not ended.wait(seconds):
                row = other.execute("select monitoring._cancel_overdue_rules()").fetchone()
                assert row is not None
                cancelled.append(row[0])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield cancelled
    finally:
        ended.set()
        thread.join()


def test_a_query_is_cancelled_when_its_time_is_over(
    dsn: str, connection: psycopg.Connection
) -> None:
    make_rule(connection, 60)
    began = time.monotonic()
    with looking_every(0.1, dsn) as cancelled, pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute(FIND)
    assert 1 <= time.monotonic() - began < 20
    assert sum(cancelled) == 1
    assert connection.execute("select 1").fetchone() == (1,)


def test_a_query_that_ends_in_time_is_left_alone(dsn: str, connection: psycopg.Connection) -> None:
    make_rule(connection, 0.5)
    with looking_every(0.1, dsn) as cancelled:
        assert connection.execute(FIND).fetchall() == [("x",)]
    assert cancelled
    assert sum(cancelled) == 0


def test_what_follows_a_query_is_never_cancelled(dsn: str, connection: psycopg.Connection) -> None:
    make_rule(connection, 0.2)
    with looking_every(0.05, dsn) as cancelled, connection.transaction():
        connection.execute(FIND)
        connection.execute("select pg_sleep(3)")
    assert sum(cancelled) == 0


def test_a_query_that_goes_on_all_the_same_is_cancelled_again(
    dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute(
        """
        create function public.stubborn() returns integer language plpgsql as $$
        begin
            perform pg_sleep(60);
            return 1;
        exception when query_canceled then
            perform pg_sleep(60);
            return 2;
        end $$
        """
    )
    make_rule(connection, 0)
    give_query(connection, "select 1 as fingerprint, public.stubborn() as value")
    with looking_every(0.1, dsn) as cancelled, pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute(FIND)
    assert sum(cancelled) == 2


def test_a_query_that_never_ends_is_ended_with_its_session(
    dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute(
        """
        create function public.immortal() returns integer language plpgsql as $$
        begin
            for i in 1..500 loop
                begin perform pg_sleep(30); exception when query_canceled then null; end;
            end loop;
            return 1;
        end $$
        """
    )
    make_rule(connection, 0)
    give_query(connection, "select 1 as fingerprint, public.immortal() as value")
    with psycopg.connect(dsn, autocommit=True) as victim, looking_every(0.5, dsn) as cancelled:
        with pytest.raises(psycopg.OperationalError):
            victim.execute("select monitoring.evaluate_alerts()")
        victim.close()
    assert sum(cancelled) > 5
    # The next evaluation is not ended as well.
    connection.execute("select monitoring.evaluate_alerts()")
    state = connection.execute(
        "select last_error, paused_until_at > evaluated_at from monitoring.alert_rule_states"
        " where rule_name = 'slow'"
    ).fetchone()
    assert state == ("the session that ran its query ended", True)


def test_a_query_cannot_end_its_own_time_limit(dsn: str, connection: psycopg.Connection) -> None:
    make_rule(connection, 0)
    give_query(
        connection,
        "select 1 as fingerprint, 1 as value"
        " from (select pg_advisory_unlock_all() offset 0) a, lateral pg_sleep(60)",
    )
    with looking_every(0.1, dsn), pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute(FIND)


def test_a_runner_cancels_it_and_the_other_rules_go_on(
    dsn: str, connection: psycopg.Connection
) -> None:
    make_rule(connection, 60)
    query = """
        select s.duration_ms, s.last_error, s.paused_until_at > s.evaluated_at,
            j.last_status, q.last_error
        from monitoring.alert_rule_states s, monitoring.v_jobs j, monitoring.alert_rule_states q
        where s.rule_name = 'slow' and j.job_name = 'evaluate_alerts'
            and q.rule_name = 'queue_backlog'
    """
    # Nothing but the running evaluation makes this runner look again.
    with RunningRunner(dsn, "--poll", "1h"):
        wait_until(lambda: connection.execute(query).fetchone() is not None)
        row = connection.execute(query).fetchone()
    assert row is not None
    assert 1000 <= row[0] < 30_000
    assert row[1:] == ("canceling statement due to user request", True, "completed", None)


def test_nothing_of_a_query_is_heard_by_others(dsn: str, connection: psycopg.Connection) -> None:
    make_rule(connection, 0)
    give_query(
        connection,
        "select 1 as fingerprint, 1 as value from pg_notify('news', 'from a rule')",
    )
    with psycopg.connect(dsn, autocommit=True) as listener:
        listener.execute("listen news")
        assert connection.execute(FIND).fetchall() == [("1",)]
        connection.execute("notify news, 'of our own'")
        heard = [notice.payload for notice in listener.notifies(timeout=5, stop_after=1)]
    assert heard == ["of our own"]


def test_a_rule_that_is_too_slow_when_it_is_made_is_refused(
    dsn: str, connection: psycopg.Connection
) -> None:
    with looking_every(0.1, dsn), pytest.raises(psycopg.Error) as refused:
        connection.execute(
            "select monitoring.create_alert_rule('slow', %s, '{\"low\": 0}',"
            " p_time_limit => '1 s')",
            [SLOW.format(60)],
        )
    assert refused.value.sqlstate == "PV008"
    assert refused.value.diag.message_primary == "the query takes longer than its time limit"
