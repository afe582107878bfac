"""Each row is rolled up once: beside open, long, dying and doubting transactions, and rebuilds."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors

from pgvigil.demo.server_binaries import embedded_binaries
from tests.harness.databases import create_database, disposable_server, install_pgvigil
from tests.python.support.asking import one, rows
from tests.python.support.rollup_sessions import (
    NOW,
    RECENT_DAYS,
    ROLL_UP,
    assert_all_in,
    end_task,
    make_days,
    record,
    stop_clock,
    tasks_in,
    three_sessions,
    wait_until_blocked,
)


@pytest.fixture
def sessions(dsn: str) -> Iterator[list[psycopg.Connection[Any]]]:
    """Three sessions of one database whose clock stands still, where each statement commits."""
    with three_sessions(dsn) as opened:
        yield opened


def test_a_second_roll_up_adds_nothing(sessions: list[psycopg.Connection[Any]]) -> None:
    first, second, _ = sessions
    record(first, 1)
    first.execute(ROLL_UP)
    assert_all_in(first)
    written = one(second, "select monitoring.roll_up() as written")["written"]
    assert set(written.values()) == {0}
    assert_all_in(first)


def test_rows_of_a_transaction_that_was_rolled_back_never_come_in(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    with first.transaction(force_rollback=True):
        record(first, 2)
        second.execute(ROLL_UP)
    second.execute(ROLL_UP)
    assert_all_in(second)
    assert tasks_in(second) == 0


def test_a_long_transaction_delays_its_own_rows_alone(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    long, short, roller = sessions
    with long.transaction():
        record(long, 3)
        end_task(long, "of the long one")
        for number in range(1, 6):
            end_task(short, f"short {number}")
            roller.execute(ROLL_UP)
            assert tasks_in(roller) == number
            assert_all_in(roller)
    roller.execute(ROLL_UP)
    assert_all_in(roller)


def test_rows_of_the_transaction_that_rolls_up_come_in_later(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    with first.transaction():
        end_task(first, "before")
        end_task(second, "of another")
        first.execute(ROLL_UP)
        end_task(first, "after")
        assert tasks_in(first) == 1
        first.execute(ROLL_UP)
        assert tasks_in(first) == 1
    second.execute(ROLL_UP)
    assert tasks_in(second) == 3
    assert_all_in(second)


def test_a_check_that_the_roll_up_sees_but_may_not_take_yet_changes_no_uptime(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    check = "select monitoring.update_system_health('service', 'api', %s, p_checked_at => %s)"
    second.execute(check, ["healthy", NOW - timedelta(minutes=20)])
    second.execute(ROLL_UP)
    second.execute(check, ["healthy", NOW - timedelta(minutes=10)])
    with first.transaction():
        first.execute(check, ["unhealthy", NOW - timedelta(minutes=15)])
        first.execute(ROLL_UP)
    second.execute(ROLL_UP)
    assert_all_in(second)


def test_a_roll_up_that_is_rolled_back_leaves_everything_to_the_next(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    record(first, 4)
    with first.transaction():
        with first.transaction(force_rollback=True):
            first.execute(ROLL_UP)
        assert tasks_in(first) == 0
        record(first, 5)
    second.execute(ROLL_UP)
    assert_all_in(second)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_roll_up_in_one_snapshot_takes_what_that_shows(
    sessions: list[psycopg.Connection[Any]], level: str
) -> None:
    first, second, _ = sessions
    end_task(second, "seen")
    with first.transaction():
        first.execute(f"set transaction isolation level {level}".encode())
        end_task(first, "own")
        end_task(second, "unseen")
        first.execute(ROLL_UP)
        end_task(first, "own, after")
        assert tasks_in(first) == 1
    assert tasks_in(second) == 1
    second.execute(ROLL_UP)
    assert tasks_in(second) == 4
    assert_all_in(second)


def test_a_roll_up_in_an_outdated_snapshot_is_refused_and_harms_nothing(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    record(second, 6)
    first.execute("begin isolation level repeatable read")
    first.execute("select 1")
    second.execute(ROLL_UP)
    with pytest.raises(errors.SerializationFailure):
        first.execute(ROLL_UP)
    first.execute("rollback")
    record(second, 7)
    first.execute(ROLL_UP)
    assert_all_in(first)


def test_a_roll_up_passes_over_what_another_is_rolling_up(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    record(first, 8)
    second.execute("set lock_timeout = '100ms'")
    with first.transaction():
        first.execute(ROLL_UP)
        record(second, 9)
        assert one(second, "select monitoring.roll_up() as written") == {"written": {}}
    second.execute(ROLL_UP)
    assert_all_in(second)


def test_a_prepared_transaction_delays_its_own_rows_alone(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    name = f"pgvigil-{first.info.dbname}"
    first.execute("begin")
    end_task(first, "prepared")
    first.execute(f"prepare transaction '{name}'".encode())
    end_task(second, "not prepared")
    second.execute(ROLL_UP)
    assert tasks_in(second) == 1
    first.execute(f"commit prepared '{name}'".encode())
    second.execute(ROLL_UP)
    assert tasks_in(second) == 2
    assert_all_in(second)


@pytest.mark.parametrize("how", ["cancel", "terminate"])
def test_a_roll_up_stopped_in_the_middle_leaves_everything_to_the_next(
    sessions: list[psycopg.Connection[Any]], how: str
) -> None:
    victim, blocker, watcher = sessions
    record(watcher, 10)
    record(watcher, 11)
    pid = victim.info.backend_pid
    with ThreadPoolExecutor(1) as pool, blocker.transaction():
        # The first two tables are done when it comes to this one.
        blocker.execute("lock table monitoring.component_states in exclusive mode")
        running = pool.submit(victim.execute, ROLL_UP)
        wait_until_blocked(watcher, pid)
        watcher.execute(f"select pg_{how}_backend({pid})".encode())
        with pytest.raises((errors.QueryCanceled, errors.AdminShutdown)):
            running.result(timeout=10)
    assert rows(watcher, "select from monitoring.rollups") == []
    watcher.execute(ROLL_UP)
    assert_all_in(watcher)


def test_a_crash_in_the_middle_leaves_each_row_in_once() -> None:
    binaries = embedded_binaries()
    assert binaries is not None
    with disposable_server(binaries) as server:
        create_database(server, "crashing")
        install_pgvigil(server, "crashing")
        dsn = server.dsn("crashing")
        with psycopg.connect(dsn, autocommit=True) as opened:
            stop_clock(opened)
            make_days(opened, RECENT_DAYS)
        # Not as context managers, which would want to commit after the crash.
        watcher, blocker, victim = (psycopg.connect(dsn, autocommit=True) for _ in range(3))
        record(watcher, 12)
        watcher.execute(ROLL_UP)
        record(watcher, 13)
        blocker.execute("begin")
        blocker.execute("lock table monitoring.component_states in exclusive mode")
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(victim.execute, ROLL_UP)
            wait_until_blocked(watcher, victim.info.backend_pid)
            os.kill(victim.info.backend_pid, signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                running.result(timeout=10)
        # A connection that is made before the server has noticed would be lost with all others.
        with pytest.raises(psycopg.OperationalError):
            watcher.execute("select pg_sleep(60)")
        for connection in (watcher, blocker, victim):
            connection.close()
        with _reconnected(dsn) as after:
            # What was not on disk yet is gone, but never a roll-up without its rows.
            record(after, 14)
            after.execute(ROLL_UP)
            assert_all_in(after)


def test_late_rows_come_in_like_any_other(sessions: list[psycopg.Connection[Any]]) -> None:
    first, second, _ = sessions
    record(first, 15)
    second.execute(ROLL_UP)
    late = "select monitoring.complete_task_tracking('late', p_finished_at => %s)"
    for days in (1, 5, 400):
        first.execute(late, [NOW - timedelta(days=days)])
    second.execute(ROLL_UP)
    assert_all_in(second)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Apia"])
def test_the_zone_of_the_session_that_rolls_up_does_not_matter(
    dsn: str, connection: psycopg.Connection[Any], zone: str
) -> None:
    stop_clock(connection)
    check = (
        "select monitoring.update_system_health('service', 'api', 'healthy', p_checked_at => %s)"
    )
    connection.execute("select monitoring.set_retention('rollups', '1 year', 'hour')")
    # Days of 23 and of 25 hours in most of the world.
    for day in ("2025-03-05", "2025-04-10", "2025-10-01", "2025-11-10 12:30"):
        connection.execute(check, [f"{day}+00"])
    with psycopg.connect(dsn, autocommit=True) as elsewhere:
        elsewhere.execute("select set_config('timezone', %s, false)", [zone])
        elsewhere.execute(ROLL_UP)
        assert_all_in(connection)
        rebuild = "select monitoring.rebuild_rollups('health', %s, %s)"
        elsewhere.execute(rebuild, ["2025-03-09 00:30+00", "2025-10-27 00:30+00"])
        assert_all_in(connection)


def _reconnected(dsn: str) -> psycopg.Connection[Any]:
    """Connect as soon as the server has repaired itself."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return psycopg.connect(dsn, autocommit=True)
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.05)
