"""Many programs that meet one missing day after another, and a roll-up and placing beside them."""

import time

import psycopg

from tests.python.support.asking import one
from tests.python.support.recording_load import recording_load

# Four records fall on each day, and mostly from four programs.
RECORD = """
    select monitoring.record_queue_metrics(
        'n' || n, n, p_recorded_at => timestamptz '1971-01-01' + n / 4 * interval '1 day'
    )
    from nextval('public.numbers') n
"""
TAKEN = (
    "select sum(row_count)::integer as n from monitoring.rollups"
    " where source = 'queues' and label = 'pending' and resolution = 'day'"
)


def test_no_day_is_made_and_each_row_is_rolled_up_and_placed_or_waits(
    dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute("create sequence public.numbers")
    connection.execute("select monitoring.set_retention('queue_samples', null)")
    with recording_load(dsn, [f"{RECORD} -- program {number}" for number in range(4)]) as load:
        ends = time.monotonic() + 8
        while time.monotonic() < ends:
            connection.execute("select monitoring.roll_up()")
            connection.execute("select monitoring.place_late_rows()")
    connection.execute("select monitoring.roll_up()")
    assert load.failures == []
    recorded = sum(load.calls.values())
    seen = "select count(*) as n from monitoring.queue_monitoring"
    assert one(connection, seen)["n"] == recorded
    days = one(connection, "select count(distinct tableoid) as n from monitoring.queue_samples")
    assert days["n"] > 30
    assert one(connection, TAKEN)["n"] == recorded


def test_a_late_row_of_a_transaction_that_is_open_waits_for_nobody(
    dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute("create sequence public.numbers")
    connection.execute("set statement_timeout = '5s'")
    with psycopg.connect(dsn) as recorder:
        recorder.execute(RECORD.encode())
        connection.execute("select monitoring.roll_up()")
        connection.execute("select monitoring.ensure_partitions(12)")
        connection.execute("select monitoring.place_late_rows()")
        connection.execute(RECORD.encode())
    connection.execute("select monitoring.roll_up()")
    assert one(connection, TAKEN)["n"] == 2
