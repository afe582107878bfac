"""Clean-ups beside others: whoever is in the way is passed over, and nobody's record is lost."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.python.support.asking import rows

LONG_AGO = f"{datetime.now(UTC) - timedelta(days=200):%Y-%m-%d} 12:00+00"
BUSY = "busy: will be tried again"

# Every way to record a row by itself into a table by day, but for ends of tasks and bulk calls,
# which look whether they were told before; AT stands for the time of the event.
LATE_LINE = "record_log('c', 'INFO', 'm', p_logged_at => AT)"
LATE_RECORDINGS = (
    ("errors", "record_error(null, 'E', 'low', 'm', p_occurred_at => AT)"),
    ("metric_samples", "record_performance_metric('m', 'gauge', 1, p_recorded_at => AT)"),
    ("log_lines", LATE_LINE),
    ("health_probes", "update_system_health('service', 'c', 'healthy', p_checked_at => AT)"),
    ("queue_samples", "record_queue_metrics('q', 1, p_recorded_at => AT)"),
)


@pytest.fixture
def sessions(dsn: str) -> Iterator[list[psycopg.Connection]]:
    """Three sessions of one database."""
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(dsn, autocommit=True)) for _ in range(3)]


def test_a_late_record_waits_neither_for_a_day_that_is_dropped_nor_for_another(
    sessions: list[psycopg.Connection],
) -> None:
    cleaner, recorder, another = sessions
    for session in (recorder, another):
        session.execute("set lock_timeout = '500ms'")
    for table, recording in LATE_RECORDINGS:
        make_day(cleaner, table)
        with cleaner.transaction():
            assert drops(cleaner) == [(table, 1, None)], recording
            with recorder.transaction():
                record(recorder, recording)
                record(another, recording)
    assert {count(cleaner, table) for table, _ in LATE_RECORDINGS} == {0}


def test_a_transaction_that_recorded_late_keeps_no_day_from_being_made_or_dropped(
    sessions: list[psycopg.Connection],
) -> None:
    cleaner, recorder, _ = sessions
    cleaner.execute("set lock_timeout = '500ms'")
    for table, recording in LATE_RECORDINGS:
        make_day(cleaner, table)
        with recorder.transaction():
            record(recorder, recording)
            assert drops(cleaner) == [(table, 1, None)], recording
            cleaner.execute("select monitoring.ensure_partitions(9)")


def test_a_transaction_that_recorded_keeps_days_from_being_dropped_but_not_from_being_emptied(
    sessions: list[psycopg.Connection],
) -> None:
    cleaner, recorder, _ = sessions
    fill_day(recorder)
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
    fill_day(cleaner)
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
    fill_day(cleaner)
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
    fill_day(scheduler)
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
        connection.execute(
            "select monitoring._make_partition(%s, (%s at time zone 'UTC')::date)",
            [table, LONG_AGO],
        )


def fill_day(connection: psycopg.Connection) -> None:
    """Put a log line into a day that is long past."""
    make_day(connection, "log_lines")
    connection.execute(
        "insert into monitoring.log_lines (component, logged_at, level, message)"
        " values ('c', %s, 'INFO', 'm')",
        [LONG_AGO],
    )


def count(connection: psycopg.Connection, table: str) -> int:
    (row,) = rows(connection, f"select count(*) as n from monitoring.{table}")
    return int(row["n"])
