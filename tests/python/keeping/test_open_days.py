"""Which days may still get rows: none is closed too early, and what is closed is not looked at."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.python.support.asking import one, rows
from tests.python.support.rollup_oracle import TABLES
from tests.python.support.rollup_sessions import (
    NOW,
    ROLL_UP,
    assert_all_in,
    end_task,
    make_days,
    stop_clock,
    tasks_in,
)
from tests.python.support.running import wait_until

OPEN = "select min(open_since_at) as at from monitoring.rollup_progress"
END_AT = "select monitoring.complete_task_tracking(%s, p_finished_at => %s)"
# A transaction that has looked at neither clock nor table yet, and may record at any moment.
BEGIN = "begin; select 1"


@pytest.fixture
def watcher(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A session of a database that has five days, whose clock stands still."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        stop_clock(connection)
        make_days(connection, 5)
        connection.execute("select monitoring.ensure_partitions(12)")
        # Clocks go on here, and what is compared has minutes.
        connection.execute("select monitoring.set_retention('rollups', null, 'minute')")
        yield connection


def yesterday(now: datetime) -> datetime:
    """Return when the day before began."""
    return now.replace(hour=0, minute=0, second=0) - timedelta(days=1)


def roll_up(connection: psycopg.Connection[Any], times: int = 3) -> datetime:
    """Roll up and return since when days are open."""
    for _ in range(times):
        connection.execute(ROLL_UP)
    found: datetime = one(connection, f"{OPEN} where isfinite(open_since_at)")["at"]
    return found


def is_alone(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether no other transaction runs in the database, such as that of autovacuum."""
    others = """
        select count(*) as n from pg_locks l inner join pg_stat_activity a on a.pid = l.pid
        where l.locktype = 'virtualxid' and l.pid <> pg_backend_pid()
            and a.datname is not distinct from current_database()
    """
    return int(one(connection, others)["n"]) == 0


def test_a_day_is_closed_by_the_second_roll_up_after_it(
    watcher: psycopg.Connection[Any],
) -> None:
    end_task(watcher, "today")
    wait_until(lambda: is_alone(watcher))
    assert roll_up(watcher, 1) is None
    assert roll_up(watcher, 1) == yesterday(NOW)
    later = NOW + timedelta(days=3)
    stop_clock(watcher, later)
    wait_until(lambda: is_alone(watcher))
    assert roll_up(watcher, 1) == yesterday(NOW)
    assert roll_up(watcher, 1) == yesterday(later)
    assert_all_in(watcher)


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_a_day_stays_open_while_a_transaction_may_record_in_it(
    dsn: str, watcher: psycopg.Connection[Any], isolation: str
) -> None:
    roll_up(watcher)
    with psycopg.connect(dsn, autocommit=True) as slow:
        # Its clock stands where it stood: as though it had looked at it before midnight.
        slow.execute(f"begin isolation level {isolation}; select 1".encode())
        stop_clock(watcher, NOW + timedelta(days=3))
        assert roll_up(watcher) == yesterday(NOW)
        slow.execute(END_AT, ["slow", NOW - timedelta(days=1)])
        assert roll_up(watcher) == yesterday(NOW)
        slow.execute("commit")
    assert one(watcher, "select count(*) as n from monitoring.late_finished_tasks")["n"] == 0
    assert tasks_in(watcher) == 0
    assert roll_up(watcher) == yesterday(NOW + timedelta(days=3))
    assert_all_in(watcher)


def test_a_day_stays_open_while_a_transaction_that_was_prepared_is_not_finished(
    dsn: str, watcher: psycopg.Connection[Any]
) -> None:
    roll_up(watcher)
    name = f"{watcher.info.dbname}-late"
    with psycopg.connect(dsn, autocommit=True) as slow:
        slow.execute(BEGIN)
        stop_clock(watcher, NOW + timedelta(days=3))
        assert roll_up(watcher) == yesterday(NOW)
        slow.execute(END_AT, ["slow", NOW - timedelta(days=1)])
        slow.execute(f"prepare transaction '{name}'".encode())
    try:
        assert roll_up(watcher, 5) == yesterday(NOW)
    finally:
        watcher.execute(f"commit prepared '{name}'".encode())
    assert roll_up(watcher) == yesterday(NOW + timedelta(days=3))
    assert_all_in(watcher)


def test_a_roll_up_within_an_older_transaction_closes_nothing_that_it_has_not_seen(
    dsn: str, watcher: psycopg.Connection[Any]
) -> None:
    roll_up(watcher)
    with psycopg.connect(dsn, autocommit=True) as older:
        older.execute("begin isolation level repeatable read; select 1")
        end_task(watcher, "unseen")
        older.execute("set monitoring.now = '2026-02-09 12:00+00'")
        older.execute(ROLL_UP)
        older.execute("commit")
        older.execute(ROLL_UP)
    stop_clock(watcher, NOW + timedelta(days=6))
    roll_up(watcher)
    assert_all_in(watcher)


def test_days_are_open_again_when_the_clock_is_put_back(watcher: psycopg.Connection[Any]) -> None:
    ahead = NOW + timedelta(days=10)
    stop_clock(watcher, ahead)
    assert roll_up(watcher) == yesterday(ahead)
    stop_clock(watcher, NOW)
    end_task(watcher, "put back")
    assert one(watcher, "select count(*) as n from monitoring.finished_tasks")["n"] == 1
    seen = "select sum(tasks) as n from monitoring.v_task_trends where resolution = 'day'"
    assert one(watcher, seen)["n"] == 1
    assert roll_up(watcher, 1) == yesterday(NOW)
    assert_all_in(watcher)
    stop_clock(watcher, ahead)
    assert roll_up(watcher) == yesterday(ahead)
    assert_all_in(watcher)


def test_what_was_written_by_hand_into_a_closed_day_is_rolled_up_before_it_goes(
    watcher: psycopg.Connection[Any],
) -> None:
    roll_up(watcher)
    watcher.execute(
        "insert into monitoring.finished_tasks (task_id, attempt, task_type, status, finished_at)"
        " values ('by hand', 1, 'load', 'completed', %s)",
        [NOW - timedelta(days=4)],
    )
    watcher.execute("select monitoring.set_retention('finished_tasks', '2 days')")
    watcher.execute("select monitoring.confirm_clock()")
    (told,) = rows(watcher, "select * from monitoring.cleanup_old_monitoring_data() c"
                            " where c.note = 'waits for a roll-up'")  # fmt: skip
    assert told["table_name"] == "finished_tasks"
    roll_up(watcher, 1)
    assert tasks_in(watcher) == 1


def test_a_roll_up_looks_at_the_open_days_however_many_are_kept(
    watcher: psycopg.Connection[Any],
) -> None:
    looked_at = []
    for days in (5, 90):
        for table in TABLES:
            first = (NOW - timedelta(days=days)).date()
            watcher.execute(
                "select monitoring.prepare_backfill(%s, %s, %s)", [table, first, NOW.date()]
            )
        roll_up(watcher)
        end_task(watcher, f"after {days} days")
        with watcher.transaction():
            watcher.execute(ROLL_UP)
            watcher.execute("select * from monitoring.v_system_health_summary")
            looked_at.append(
                one(
                    watcher,
                    "select count(distinct c.oid) as n from pg_locks l"
                    " join pg_class c on c.oid = l.relation and c.relkind = 'r'"
                    r" where l.pid = pg_backend_pid() and c.relname ~ '_\d{8}$'",
                )["n"]
            )
    # Yesterday, today and the days ahead, and those that the installation made for its own time.
    assert looked_at == [(14 + 8) * len(TABLES)] * 2


def test_two_old_checks_make_no_more_uptime_than_is_kept(
    watcher: psycopg.Connection[Any],
) -> None:
    check = "select monitoring.update_system_health('service', %s, 'healthy', p_checked_at => %s)"
    for old in ("1970-01-01 00:00+00", "1970-01-02 00:00+00", "1999-12-31 12:00+00"):
        watcher.execute(check, [f"api {old}", old])
        watcher.execute(check, [f"api {old}", NOW])
    began = time.monotonic()
    roll_up(watcher, 1)
    assert time.monotonic() - began < 10
    made = one(
        watcher,
        "select count(*) filter (where resolution = 'hour') as hours,"
        " count(*) filter (where resolution = 'day') as days,"
        " min(bucket_at) filter (where resolution = 'hour') as first_hour"
        " from monitoring.rollups where source = 'uptime'",
    )
    # Hours are kept for 90 days, days for five years.
    assert made["first_hour"] >= NOW - timedelta(days=91)
    assert made["hours"] <= 3 * 24 * 91
    assert made["days"] <= 3 * 366 * 5 + 3


def test_old_days_make_no_partition_and_cost_readers_nothing(
    watcher: psycopg.Connection[Any],
) -> None:
    days = "select count(*) as n from pg_inherits"
    before = one(watcher, days)["n"]
    for call in (
        "record_metrics(jsonb_agg(jsonb_build_object("
        "'metric_name', 'm', 'value', 1, 'recorded_at', d.at)))",
        "record_errors(jsonb_agg(jsonb_build_object("
        "'error_type', 'e', 'severity', 'low', 'occurred_at', d.at)))",
    ):
        watcher.execute(
            f"select monitoring.{call} from generate_series("
            "timestamptz '2018-01-01', timestamptz '2025-08-31', '1 day') d (at)".encode()
        )
    watcher.execute("select monitoring.update_system_health('service', 'api', 'healthy')")
    roll_up(watcher)
    watcher.execute("select monitoring.place_late_rows()")
    assert one(watcher, days)["n"] <= before + 2 * 20 * 4  # with their indexes, of one run
    began = time.monotonic()
    rows(watcher, "select * from monitoring.v_system_health_summary")
    watcher.execute("select monitoring.get_dashboard_summary()")
    assert time.monotonic() - began < 2
