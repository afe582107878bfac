"""Clean-ups beside others: whoever is in the way is passed over, and nobody's record is lost."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.python.asking import rows

LONG_AGO = f"{datetime.now(UTC) - timedelta(days=200):%Y-%m-%d} 12:00+00"
BUSY = "busy: will be tried again"

# Every way to record into a table by day; AT stands for the time of the event.
LATE_LINE = "record_log('c', 'INFO', 'm', p_logged_at => AT)"
LATE_START = "start_task_tracking('running', 't', p_started_at => AT)"
LATE_RECORDINGS = (
    ("finished_tasks", "complete_task_tracking('told late', p_finished_at => AT)"),
    ("finished_tasks", LATE_START),
    (
        "finished_tasks",
        """record_finished_tasks(jsonb_build_array(jsonb_build_object(
            'task_id', 't', 'task_type', 't', 'end_time', AT)))""",
    ),
    ("errors", "record_error(null, 'E', 'low', 'm', p_occurred_at => AT)"),
    (
        "errors",
        """record_errors(jsonb_build_array(jsonb_build_object(
            'error_type', 'E', 'severity', 'low', 'message', 'm', 'occurred_at', AT)))""",
    ),
    ("metric_samples", "record_performance_metric('m', 'gauge', 1, p_recorded_at => AT)"),
    (
        "metric_samples",
        """record_metrics(jsonb_build_array(jsonb_build_object(
            'metric_name', 'm', 'value', 1, 'recorded_at', AT)))""",
    ),
    ("log_lines", LATE_LINE),
    (
        "log_lines",
        """record_logs(jsonb_build_array(jsonb_build_object(
            'component', 'c', 'level', 'INFO', 'message', 'm', 'logged_at', AT)))""",
    ),
    ("health_probes", "update_system_health('service', 'c', 'healthy', p_checked_at => AT)"),
    ("queue_samples", "record_queue_metrics('q', 1, p_recorded_at => AT)"),
)


@pytest.fixture
def sessions(dsn: str) -> Iterator[list[psycopg.Connection]]:
    """Three sessions of one database."""
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(dsn, autocommit=True)) for _ in range(3)]


def test_a_late_record_is_kept_when_its_day_is_being_dropped(
    sessions: list[psycopg.Connection],
) -> None:
    cleaner, recorder, watcher = sessions
    record(recorder, LATE_START)  # again, and the older run ends at that time
    for table, recording in LATE_RECORDINGS:
        make_day(cleaner, table)
        with ThreadPoolExecutor(1) as pool:
            with cleaner.transaction():
                assert drops(cleaner) == [(table, 1, None)], recording
                late = pool.submit(record, recorder, recording)
                wait_until_blocked(watcher, recorder.info.backend_pid)
            late.result(timeout=10)
        assert count(watcher, table) == 1, recording
        forget_days(cleaner, table)


def test_a_day_is_not_dropped_from_under_a_late_record(
    sessions: list[psycopg.Connection],
) -> None:
    cleaner, recorder, _ = sessions
    for table, recording in LATE_RECORDINGS:
        record(recorder, LATE_START)
        make_day(cleaner, table)
        with recorder.transaction():
            record(recorder, recording)
            # Its row is there, though nobody sees it yet: the day is not empty.
            told = [(done["table_name"], done["note"]) for done in clean_up(cleaner)]
            assert (table, BUSY) in told, recording
            assert drops(cleaner) == [], recording
        assert count(cleaner, table) == 1, recording
        forget_days(cleaner, table)
        cleaner.execute("truncate monitoring.active_tasks")


def test_late_recorders_do_not_wait_for_each_other(sessions: list[psycopg.Connection]) -> None:
    first, second, _ = sessions
    second.execute("set lock_timeout = '500ms'")
    for table, recording in LATE_RECORDINGS:
        make_day(first, table)
        with first.transaction(force_rollback=True):
            record(first, recording)
            record(second, re.sub("'(told late|running|t)'", "'another'", recording))


def test_a_transaction_that_recorded_keeps_days_from_being_dropped_but_not_from_being_emptied(
    sessions: list[psycopg.Connection],
) -> None:
    cleaner, recorder, _ = sessions
    record(recorder, LATE_LINE)
    with recorder.transaction():
        record(recorder, "record_log('c', 'INFO', 'm')")
        (emptied,) = clean_up(cleaner)
        assert (emptied["action"], emptied["rows"], emptied["note"]) == ("truncate", 1, None)
        (dropped,) = clean_up(cleaner)
        assert (dropped["action"], dropped["partitions"], dropped["note"]) == ("drop", 0, BUSY)
    (dropped,) = clean_up(cleaner)
    assert (dropped["action"], dropped["partitions"], dropped["note"]) == ("drop", 1, None)
    assert clean_up(cleaner) == []


def test_rows_that_somebody_reads_are_left_until_later(sessions: list[psycopg.Connection]) -> None:
    cleaner, reader, _ = sessions
    record(cleaner, LATE_LINE)
    with reader.transaction():
        assert count(reader, "log_lines") == 1
        (left,) = clean_up(cleaner)
        assert (left["action"], left["rows"], left["note"]) == ("truncate", 0, BUSY)
        assert count(reader, "log_lines") == 1
    assert [done["rows"] for done in clean_up(cleaner)] == [1]


def test_days_are_not_dropped_while_others_are_being_made(
    sessions: list[psycopg.Connection],
) -> None:
    cleaner, maker, _ = sessions
    make_day(cleaner, "log_lines")
    with maker.transaction():
        maker.execute("select monitoring.ensure_partitions(9)")
        assert [done["note"] for done in clean_up(cleaner)] == [BUSY]
    assert [done["partitions"] for done in clean_up(cleaner)] == [1]


def test_two_clean_ups_do_not_meet(sessions: list[psycopg.Connection]) -> None:
    first, second, _ = sessions
    with first.transaction():
        clean_up(first)
        (told,) = clean_up(second)
    assert told["note"] == "busy: another clean-up is running"
    assert clean_up(second) == []


def test_an_operator_who_does_not_commit_keeps_nobody_waiting(
    sessions: list[psycopg.Connection],
) -> None:
    cleaner, operator, _ = sessions
    record(cleaner, LATE_LINE)
    with operator.transaction():
        operator.execute("select monitoring.set_retention('log_lines', '40 days')")
        assert [done["note"] for done in clean_up(cleaner)] == [BUSY]
    assert [done["rows"] for done in clean_up(cleaner)] == [1]


def test_somebody_elses_view_of_a_day_keeps_it_from_being_dropped_and_nothing_else(
    sessions: list[psycopg.Connection],
) -> None:
    cleaner, *_ = sessions
    make_day(cleaner, "log_lines")
    day = f"log_lines_{LONG_AGO[:10].replace('-', '')}"
    cleaner.execute(f"create view public.seen as select * from monitoring.{day}".encode())
    make_day(cleaner, "queue_samples")
    refused, dropped = drops(cleaner)
    assert refused[:2] == ("log_lines", 0)
    assert "other objects depend on it" in str(refused[2])
    assert dropped == ("queue_samples", 1, None)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_transaction_that_sees_an_older_state_is_refused(
    sessions: list[psycopg.Connection], level: str
) -> None:
    cleaner, *_ = sessions
    cleaner.execute(f"set default_transaction_isolation = '{level}'".encode())
    with pytest.raises(psycopg.Error) as raised:
        clean_up(cleaner)
    assert raised.value.sqlstate == "PV003"
    assert level in str(raised.value)


def test_the_scheduler_cleans_up(sessions: list[psycopg.Connection]) -> None:
    scheduler, *_ = sessions
    record(scheduler, LATE_LINE)
    scheduler.execute("call monitoring.run_due_jobs()")
    (job,) = rows(scheduler, "select * from monitoring.v_jobs where job_name = 'clean_up'")
    assert (job["schedule"], job["last_status"]) == ("10 minutes", "completed")
    assert count(scheduler, "log_lines") == 0


def clean_up(connection: psycopg.Connection) -> list[dict[str, object]]:
    """Clean up and return what was done; no lock is waited for longer than a moment."""
    began = time.monotonic()
    with connection.cursor(row_factory=dict_row) as cursor:
        done = cursor.execute("select * from monitoring.cleanup_old_monitoring_data()").fetchall()
    assert time.monotonic() - began < 5
    return done


def drops(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    """Clean up and return which tables were to lose how many days, and why they did not."""
    return [
        (done["table_name"], done["partitions"], done["note"])
        for done in clean_up(connection)
        if done["action"] == "drop"
    ]


def record(connection: psycopg.Connection, recording: str) -> None:
    call = recording.replace("AT", f"'{LONG_AGO}'")
    connection.execute(f"select monitoring.{call}".encode())


def make_day(connection: psycopg.Connection, table: str) -> None:
    """Make an empty partition for a day that is long past."""
    with connection.transaction():
        connection.execute("set local role monitoring_admin")
        connection.execute("select monitoring._make_partitions(%s, %s)", [table, LONG_AGO])


def forget_days(connection: psycopg.Connection, table: str) -> None:
    """Drop the partition of the day that is long past."""
    connection.execute(f"drop table monitoring.{table}_{LONG_AGO[:10].replace('-', '')}".encode())


def count(connection: psycopg.Connection, table: str) -> int:
    (row,) = rows(connection, f"select count(*) as n from monitoring.{table}")
    return int(row["n"])


def wait_until_blocked(watcher: psycopg.Connection, pid: int) -> None:
    blocked = "select wait_event_type = 'Lock' from pg_stat_activity where pid = %s"
    deadline = time.monotonic() + 10
    while watcher.execute(blocked, [pid]).fetchone() != (True,):
        assert time.monotonic() < deadline, "the late record did not wait for the drop"
        time.sleep(0.01)
