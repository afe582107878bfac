"""Rebuilding roll-ups changes nothing where they are right, and repairs them where they are not."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.python.support.asking import one, rows
from tests.python.support.rollup_sessions import (
    NOW,
    ROLL_UP,
    assert_all_in,
    end_task,
    record,
    tasks_in,
    three_sessions,
    wait_until_blocked,
)

SOURCES = ("tasks", "errors", "metrics", "queues", "health")
REBUILD = "select monitoring.rebuild_rollups(%s, %s, %s)"
DAYS = (NOW - timedelta(days=2), NOW - timedelta(days=1))


@pytest.fixture
def sessions(dsn: str) -> Iterator[list[psycopg.Connection[Any]]]:
    """Three sessions of one database whose clock stands still, where each statement commits."""
    with three_sessions(dsn) as opened:
        yield opened


def rebuild_all(connection: psycopg.Connection[Any]) -> list[int]:
    """Make some days in the middle anew, for every source; return how many buckets each wrote."""
    return [
        int(connection.execute(REBUILD, [source, *DAYS]).fetchone()[0])  # type: ignore[index]
        for source in SOURCES
    ]


def stored(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    return rows(
        connection,
        "select * from monitoring.rollups order by source, resolution, bucket_at, name, label,"
        " component",
    )


def test_a_rebuild_changes_nothing_however_often(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    record(first, 20, times=60)
    first.execute(ROLL_UP)
    before = stored(first)
    assert rebuild_all(second) == rebuild_all(second)
    assert stored(first) == before
    assert_all_in(first)


def test_a_rebuild_repairs_its_days_and_no_others(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    record(first, 21, times=60)
    first.execute(ROLL_UP)
    beginning, end = (at.strftime("%Y-%m-%d") for at in (DAYS[0], NOW))
    within = f"bucket_at >= '{beginning}' and bucket_at < '{end}'"
    first.execute(f"update monitoring.rollups set row_count = 77 where {within}".encode())
    wrong = f"delete from monitoring.rollups where {within} and name in ('api', 'mail', 'load')"
    assert first.execute(wrong.encode()).rowcount > 5
    assert min(rebuild_all(second)) > 0
    assert_all_in(first)


def test_rows_that_no_roll_up_has_taken_are_left_to_the_next(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, third = sessions
    record(first, 22)
    first.execute(ROLL_UP)
    with first.transaction():
        record(first, 23)  # open when the roll-ups and the rebuild run
        third.execute(ROLL_UP)
        end_task(third, "committed, and not rolled up")
        rebuild_all(second)
    rebuild_all(second)
    second.execute(ROLL_UP)
    assert_all_in(second)


def test_a_rebuild_in_the_transaction_that_recorded_leaves_its_rows_out(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    end_task(second, "rolled up")
    second.execute(ROLL_UP)
    with first.transaction():
        end_task(first, "own")
        first.execute(REBUILD, ["tasks", NOW, NOW + timedelta(hours=1)])
        assert tasks_in(first) == 1
    second.execute(ROLL_UP)
    assert tasks_in(second) == 2


def test_a_rebuild_waits_for_the_roll_up_that_is_going_on(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, watcher = sessions
    record(first, 25)
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            first.execute(ROLL_UP)
            waiting = pool.submit(rebuild_all, second)
            wait_until_blocked(watcher, second.info.backend_pid)
        waiting.result(timeout=10)
    assert_all_in(first)


def test_a_roll_up_passes_over_what_is_being_rebuilt(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    record(first, 26)
    with first.transaction():
        first.execute(REBUILD, ["metrics", *DAYS])
        written = one(second, "select monitoring.roll_up() as written")["written"]
        assert sorted(written) == ["errors", "finished_tasks", "health_probes", "queue_samples"]
    second.execute(ROLL_UP)
    assert_all_in(second)


def test_a_rebuild_that_waited_for_a_clean_up_looks_again_what_is_left(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, watcher = sessions
    end_task(first, "removed")
    first.execute(ROLL_UP)
    removal = "update monitoring.rollup_progress set complete_since = %s where source = 'tasks'"
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            first.execute(removal, [NOW + timedelta(days=1)])
            first.execute("delete from monitoring.finished_tasks")
            span = [NOW - timedelta(hours=1), NOW]
            waiting = pool.submit(second.execute, REBUILD, ["tasks", *span])
            wait_until_blocked(watcher, second.info.backend_pid)
        with pytest.raises(errors.DatabaseError) as refused:
            waiting.result(timeout=10)
    assert refused.value.sqlstate == "PV006"
    assert tasks_in(watcher) == 1


def test_a_late_check_of_a_removed_day_counts_no_time_twice(
    sessions: list[psycopg.Connection[Any]],
) -> None:
    first, second, _ = sessions
    check = "select monitoring.update_system_health('service', 'api', %s, p_checked_at => %s)"
    for hours in range(60):
        first.execute(check, ["healthy", NOW - timedelta(hours=hours)])
    first.execute(ROLL_UP)
    uptime = (
        "select sum(up_seconds) as up, sum(known_seconds) as known"
        " from monitoring.v_health_trends where resolution = 'day'"
    )
    before = one(first, uptime)
    assert before["up"] == 59 * 3600
    begins_at = (NOW - timedelta(days=1)).replace(hour=0, minute=0, second=0)
    first.execute("delete from monitoring.health_probes where checked_at < %s", [begins_at])
    removal = "update monitoring.rollup_progress set complete_since = %s where source = 'health'"
    first.execute(removal, [begins_at])
    first.execute(check, ["unhealthy", NOW - timedelta(hours=50, minutes=30)])
    assert one(first, uptime) == before
    second.execute(ROLL_UP)
    assert one(first, uptime) == before
