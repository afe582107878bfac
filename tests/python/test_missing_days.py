"""Many programs that meet one missing day after another, and a roll-up beside them."""

import time

import psycopg

from tests.python.asking import one
from tests.python.recording_load import recording_load

# Four records fall on each day, and mostly from four programs.
RECORD = """
    select monitoring.record_queue_metrics(
        'n' || n, n, p_recorded_at => timestamptz '2020-01-01' + n / 4 * interval '1 day'
    )
    from nextval('public.numbers') n
"""


def test_each_day_is_made_once_and_each_row_is_rolled_up(
    dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute("create sequence public.numbers")
    with recording_load(dsn, [f"{RECORD} -- program {number}" for number in range(4)]) as load:
        ends = time.monotonic() + 8
        while time.monotonic() < ends:
            connection.execute("select monitoring.roll_up()")
    connection.execute("select monitoring.roll_up()")
    assert load.failures == []
    recorded = sum(load.calls.values())
    assert one(connection, "select count(*) as n from monitoring.queue_samples")["n"] == recorded
    days = one(connection, "select count(distinct tableoid) as n from monitoring.queue_samples")
    assert days["n"] > 30
    taken = "select count(distinct name) as n from monitoring.rollups where source = 'queues'"
    assert one(connection, taken)["n"] == recorded


def test_a_roll_up_that_has_looked_before_takes_the_rows_of_a_new_day(
    dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute("create sequence public.numbers")
    with psycopg.connect(dsn, autocommit=True) as recorder, connection.transaction():
        connection.execute("select monitoring.roll_up()")
        recorder.execute(RECORD.encode())
        connection.execute("select monitoring.roll_up()")
    connection.execute("select monitoring.roll_up()")
    taken = "select count(distinct name) as n from monitoring.rollups where source = 'queues'"
    assert one(connection, taken)["n"] == 1


def test_a_roll_up_does_not_wait_for_a_transaction_that_makes_a_day(
    dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute("create sequence public.numbers")
    connection.execute("set statement_timeout = '5s'")
    with psycopg.connect(dsn) as recorder:
        recorder.execute(RECORD.encode())
        connection.execute("select monitoring.roll_up()")
    connection.execute("select monitoring.roll_up()")
    taken = "select count(distinct name) as n from monitoring.rollups where source = 'queues'"
    assert one(connection, taken)["n"] == 1
