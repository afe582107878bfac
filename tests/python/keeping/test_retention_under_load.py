"""Recording at full speed while days are emptied, dropped and made: nobody waits, nothing is lost.

A recording call may wait 300 ms for a lock at most; what the server says about locks counts, since
the time of a call also tells how busy the machine is.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg

from tests.python.support.asking import one, rows
from tests.python.support.recording_load import Load, recording_load

LONGEST_WAIT = 0.3
DAYS = 12
# They lie in as many at most.
MONTHS = 2
ROWS_A_DAY = 2000

NOW = (
    "select monitoring.record_performance_metric('load', 'gauge', 1)",
    "select monitoring.record_log('load', 'INFO', 'm')",
    "select monitoring.record_queue_metrics('load', 1)",
)
RECORDED = {
    NOW[0]: "select count(*) as n from monitoring.metric_samples where metric_name = 'load'",
    NOW[1]: "select count(*) as n from monitoring.log_lines where component = 'load'",
    NOW[2]: "select count(*) as n from monitoring.queue_samples where queue_name = 'load'",
}
TABLES = ("metric_samples", "log_lines", "queue_samples")


def test_recording_goes_on_while_days_are_emptied_and_dropped(
    dsn: str, connection: psycopg.Connection
) -> None:
    make_old_days(connection)
    with recording_load(dsn, NOW) as load:
        clean_up_until(connection, lambda: old_days(connection) == 0)
    assert_that_nothing_was_lost_and_nobody_waited(connection, load)


def test_recording_goes_on_while_days_are_to_be_dropped_beside_a_long_query(
    dsn: str, connection: psycopg.Connection
) -> None:
    make_old_days(connection)
    with psycopg.connect(dsn) as reader, recording_load(dsn, NOW) as load:
        for table in TABLES:
            reader.execute(f"select count(*) from monitoring.{table}".encode())
        ends = time.monotonic() + 3
        notes = clean_up_until(connection, lambda: time.monotonic() > ends)
        assert notes == {"busy: will be tried again"}
        assert old_days(connection) == DAYS * len(TABLES)
        reader.rollback()
        clean_up_until(connection, lambda: old_days(connection) == 0)
    assert_that_nothing_was_lost_and_nobody_waited(connection, load)


def test_late_records_are_kept_or_removed_by_policy_but_never_refused_or_forgotten(
    dsn: str, connection: psycopg.Connection
) -> None:
    late = [
        f"select monitoring.record_queue_metrics('load', {day}, p_recorded_at => at)"
        f" from (select date_trunc('day', now(), 'UTC') - interval '{day} days') t (at)"
        for day in (1, 9, 20, 30)
    ]
    removed = 0
    with recording_load(dsn, late) as load:
        ends = time.monotonic() + 4
        while time.monotonic() < ends:
            connection.execute("select monitoring.roll_up()")
            for done in rows(connection, "select * from monitoring.cleanup_old_monitoring_data()"):
                removed += done["rows"]
            time.sleep(0.02)
    # Nobody records any more, so that the rest can go, days included.
    connection.execute("select monitoring.roll_up()")
    while last := rows(connection, "select * from monitoring.cleanup_old_monitoring_data()"):
        removed += sum(done["rows"] for done in last)
    assert load.failures == []
    assert load.longest_wait <= LONGEST_WAIT
    left = one(connection, "select count(*) as n from monitoring._all_queue_samples")["n"]
    assert removed + left == sum(load.calls.values())
    assert left == load.calls[late[0]] > 0
    assert min(load.calls.values()) > 0
    counted = one(
        connection,
        "select sum(row_count) as n from monitoring.rollups where source = 'queues'"
        " and label = 'pending' and resolution = 'day'",
    )
    assert counted["n"] == sum(load.calls.values())


def test_recording_goes_on_while_days_are_made_beside_a_long_query(
    dsn: str, connection: psycopg.Connection
) -> None:
    with psycopg.connect(dsn) as reader, recording_load(dsn, NOW) as load:
        for table in TABLES:
            reader.execute(f"select count(*) from monitoring.{table}".encode())
        for days in (20, 40, 60):
            connection.execute("select monitoring.ensure_partitions(%s)", [days])
    made = one(connection, "select min(partitions) as n from monitoring.v_retention")
    assert made["n"] == 61
    assert_that_nothing_was_lost_and_nobody_waited(connection, load)


def test_recording_and_reading_go_on_while_days_become_months(
    dsn: str, connection: psycopg.Connection
) -> None:
    for table in TABLES:
        connection.execute("select monitoring.set_retention(%s, '400 days')", [table])
    make_old_days(connection, 100)
    # Closes them, now that the first roll-up has seen who was recording.
    connection.execute("select monitoring.roll_up()")
    count = "select count(*) as n from monitoring.metric_samples where metric_name = 'old'"
    seen: set[int] = set()
    is_merged = Event()

    def read_until_merged() -> None:
        with psycopg.connect(dsn, autocommit=True) as reader:
            while not is_merged.is_set():
                seen.add(one(reader, count)["n"])

    with recording_load(dsn, NOW) as load, ThreadPoolExecutor(1) as readers:
        reading = readers.submit(read_until_merged)
        try:
            clean_up_until(connection, lambda: old_days(connection) <= MONTHS * len(TABLES))
        finally:
            is_merged.set()
        reading.result()
    assert seen == {DAYS * ROWS_A_DAY}
    assert one(connection, count)["n"] == DAYS * ROWS_A_DAY
    assert_that_nothing_was_lost_and_nobody_waited(connection, load)


def make_old_days(connection: psycopg.Connection, days_ago: int = 40) -> None:
    """Fill days that are past in each of the tables, as though they had been recorded in time."""
    for table, key, columns, values in (
        ("metric_samples", "metric_name, recorded_at", "metric_type, value", "'gauge', 1"),
        ("log_lines", "component, logged_at", "level, message", "'INFO', 'm'"),
        ("queue_samples", "queue_name, recorded_at", "pending, processing, completed, failed",
         "1, 1, 1, 1"),
    ):  # fmt: skip
        for day in range(days_ago, days_ago + DAYS):
            at = f"date_trunc('day', now(), 'UTC') - interval '{day} days'"
            with connection.transaction():
                connection.execute("set local role monitoring_admin")
                date = f"(({at}) at time zone 'UTC')::date"
                make = f"select monitoring._make_partition('{table}', {date})"
                connection.execute(make.encode())
                fill = f"""insert into monitoring.{table} ({key}, {columns})
                    select 'old', {at} + n * interval '1 second', {values}
                    from generate_series(1, {ROWS_A_DAY}) n"""
                connection.execute(fill.encode())
    connection.execute("select monitoring.roll_up()")


def old_days(connection: psycopg.Connection) -> int:
    """Return how many partitions there are whose day is due, empty or not."""
    found = one(
        connection,
        "select count(*) as n from monitoring.partitioned_tables t,"
        " monitoring._days(t.table_name) d where d.begins_at < now() - interval '35 days'",
    )
    return int(found["n"])


def clean_up_until(connection: psycopg.Connection, is_enough: Callable[[], bool]) -> set[str]:
    """Clean up again and again, as the scheduler does, and return what was noted."""
    notes: set[str] = set()
    deadline = time.monotonic() + 15
    while not is_enough():
        assert time.monotonic() < deadline, f"the days do not go: {notes}"
        for done in rows(connection, "select * from monitoring.cleanup_old_monitoring_data()"):
            notes.add(done["note"])
        time.sleep(0.02)
    return notes


def assert_that_nothing_was_lost_and_nobody_waited(
    connection: psycopg.Connection, load: Load
) -> None:
    assert load.failures == []
    recorded = {call: one(connection, query)["n"] for call, query in RECORDED.items()}
    assert recorded == load.calls
    assert min(load.calls.values()) > 0
    assert load.longest_wait <= LONGEST_WAIT, load
