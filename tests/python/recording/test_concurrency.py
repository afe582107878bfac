"""Recording never waits for another caller; where it must, the wait is seen and ends well."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest

IMPATIENT = "set lock_timeout = '500ms'"

RECORDINGS = (
    "select monitoring.record_error('t1', 'Timeout', 'high', 'no answer after 30 s', 'web')",
    "select monitoring.record_performance_metric('rows', 'gauge', 12.5, 'rows/s', 'web')",
    "select monitoring.record_log('web', 'INFO', 'hello')",
    "select monitoring.update_system_health('service', 'web', 'healthy', 3)",
    "select monitoring.record_queue_metrics('billing', 5, 1, 100, 2)",
)


@pytest.fixture
def sessions(dsn: str) -> Iterator[list[psycopg.Connection]]:
    """Three sessions of one database; nothing in the second and third waits half a second."""
    with ExitStack() as stack:
        opened = [stack.enter_context(psycopg.connect(dsn, autocommit=True)) for _ in range(3)]
        for connection in opened[1:]:
            connection.execute(IMPATIENT)
        yield opened


@pytest.mark.parametrize("recording", RECORDINGS)
def test_nobody_waits_for_an_open_transaction_that_recorded_the_same(
    sessions: list[psycopg.Connection], recording: str
) -> None:
    first, second, _ = sessions
    with first.transaction():
        first.execute(recording)
        second.execute(recording)


def test_nobody_waits_for_an_open_transaction_that_recorded_on_a_day_without_a_partition(
    sessions: list[psycopg.Connection],
) -> None:
    first, second, third = sessions
    with first.transaction():
        _record_on(first, "2020-05-05")
        _record_on(second, "today")
        _record_on(third, "2020-05-05")
        third.execute("select monitoring.ensure_partitions(40)")
    assert _partitions(first, "errors_20200505") == 0


def test_recording_goes_on_while_a_day_is_being_made(
    sessions: list[psycopg.Connection],
) -> None:
    maker, second, third = sessions
    with maker.transaction():
        maker.execute("select monitoring.ensure_partitions(50)")
        maker.execute("select monitoring.prepare_backfill('errors', '2020-05-05')")
        _record_on(second, "2020-05-05")
        _record_on(third, "today")


def test_many_who_meet_the_same_missing_day_lose_nothing_and_make_none(dsn: str) -> None:
    def record(number: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            for _ in range(5):
                _record_on(connection, f"2020-06-{number % 3 + 1:02}")

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(record, range(12)))
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = connection.execute("select count(*) from monitoring.error_tracking").fetchone()
        assert rows == (60,)
        assert _partitions(connection, "errors_202006%") == 0


def test_the_same_task_started_twice_at_once_is_two_attempts(
    sessions: list[psycopg.Connection],
) -> None:
    first, second, watcher = sessions
    second.execute("reset lock_timeout")
    start = "select monitoring.start_task_tracking('nightly', 'batch')"
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            first.execute(start)
            waiting = pool.submit(lambda: second.execute(start).fetchone())
            _wait_until_blocked(watcher, second.info.backend_pid)
        assert waiting.result(timeout=10) == (2,)
    ended = watcher.execute(
        "select status, attempt from monitoring.processing_metrics order by attempt"
    )
    assert ended.fetchall() == [("lost", 1), ("running", 2)]


def test_a_record_goes_with_the_transaction_that_made_it(
    sessions: list[psycopg.Connection],
) -> None:
    first, second, _ = sessions
    with first.transaction(force_rollback=True):
        first.execute("select monitoring.start_task_tracking('rolled back', 'batch')")
        first.execute(RECORDINGS[0])
    assert second.execute("select count(*) from monitoring.processing_metrics").fetchone() == (0,)
    assert second.execute("select count(*) from monitoring.error_tracking").fetchone() == (0,)


def _record_on(connection: psycopg.Connection, day: str) -> None:
    connection.execute(
        "select monitoring.record_error(null, 'Timeout', 'low', 'late', p_occurred_at => %s)",
        [day],
    )


def _partitions(connection: psycopg.Connection, pattern: str) -> int:
    row = connection.execute(
        "select count(*) from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " where c.relkind = 'r' and c.relname like %s",
        [pattern],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _wait_until_blocked(watcher: psycopg.Connection, pid: int) -> None:
    blocked = "select wait_event_type = 'Lock' from pg_stat_activity where pid = %s"
    deadline = time.monotonic() + 10
    while watcher.execute(blocked, [pid]).fetchone() != (True,):
        assert time.monotonic() < deadline, "the second start did not wait for the first"
        time.sleep(0.01)
