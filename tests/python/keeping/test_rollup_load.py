"""Sessions that record, roll up, rebuild and read as fast as they can."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import errors

from tests.python.support.rollup_oracle import read_raw
from tests.python.support.rollup_sessions import (
    NOW,
    RECENT_DAYS,
    ROLL_UP,
    Recorder,
    assert_all_in,
    make_days,
    stop_clock,
)
from tests.python.support.rollup_views import assert_views

SECONDS = 4.0
# Each of the rows must be in each of the views, at any moment: one statement, one snapshot.
SAME = """
select what, counted, shown
from (
    values
    (
        'tasks', (select count(*) from monitoring._all_finished_tasks), (
            select array[
                (
                    select sum(t.tasks) from monitoring.v_task_trends as t
                    where t.resolution = 'day'
                ),
                (select sum(s.tasks) from monitoring.get_task_statistics('2026-01-01') as s)
            ]
        )
    ),
    (
        'errors', (select count(*) from monitoring._all_errors), (
            select array[
                (
                    select sum(e.occurrences) from monitoring.v_error_trends as e
                    where e.resolution = 'hour'
                ),
                (select sum(g.occurrences) from monitoring.error_groups as g)
            ]
        )
    ),
    (
        'metrics', (select count(*) from monitoring._all_metric_samples), (
            select array[sum(m.samples)] from monitoring.v_performance_trends as m
            where m.resolution = 'week'
        )
    ),
    (
        'queues', (select count(*) from monitoring._all_queue_samples), (
            select array[sum(q.samples)] from monitoring.v_queue_trends as q
            where q.resolution = 'month'
        )
    ),
    (
        'health', (select count(*) from monitoring._all_health_probes), (
            select array[sum(h.checks)] from monitoring.v_health_trends as h
            where h.resolution = 'hour'
        )
    )
) as pairs (what, counted, shown)
where counted > 0 and counted <> all(shown)
"""


def test_each_row_is_in_once_beside_everything_else_at_full_speed(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    stop_clock(connection)
    connection.execute(
        f"alter database {connection.info.dbname} set deadlock_timeout = '50ms'".encode()
    )
    make_days(connection, RECENT_DAYS)
    stop = threading.Event()
    done = {"roll-ups": 0, "looks": 0, "rebuilds": 0}

    def until_stopped(work: Callable[[psycopg.Connection[Any]], None]) -> None:
        with psycopg.connect(dsn, autocommit=True) as own:
            while not stop.is_set():
                try:
                    work(own)
                except (errors.DeadlockDetected, errors.SerializationFailure):
                    own.rollback()

    def write(seed: int) -> None:
        recorder = Recorder(seed, RECENT_DAYS)
        until_stopped(lambda own: record_somehow(own, recorder, recorder.random))

    def roll_up(own: psycopg.Connection[Any]) -> None:
        own.execute(ROLL_UP)
        done["roll-ups"] += 1

    def look(own: psycopg.Connection[Any]) -> None:
        assert own.execute(SAME).fetchall() == []
        done["looks"] += 1

    def rebuild(own: psycopg.Connection[Any]) -> None:
        for source in ("tasks", "errors", "metrics", "queues", "health"):
            span = [NOW - timedelta(days=2), NOW]
            own.execute("select monitoring.rebuild_rollups(%s, %s, %s)", [source, *span])
            done["rebuilds"] += 1
            stop.wait(0.05)

    with ThreadPoolExecutor(8) as pool:
        working = [pool.submit(write, seed) for seed in (31, 32, 33)]
        working += [pool.submit(until_stopped, roll_up) for _ in range(2)]
        working += [pool.submit(until_stopped, work) for work in (look, rebuild)]
        time.sleep(SECONDS)
        stop.set()
        for worker in working:
            worker.result(timeout=30)

    connection.execute(ROLL_UP)
    assert_all_in(connection)
    everything = read_raw(connection)
    assert_views(connection, everything, NOW)
    assert all(len(found) > 20 for found in everything.tables.values())
    assert min(done.values()) > 3, done


def record_somehow(
    connection: psycopg.Connection[Any], recorder: Recorder, chance: random.Random
) -> None:
    """Record alone, or a few things in a transaction with parts undone, or all of it."""

    def record() -> None:
        statement, arguments = recorder.statement()
        connection.execute(statement.encode(), arguments)

    if chance.random() < 0.4:
        record()
        return
    with connection.transaction(force_rollback=chance.random() < 0.15):
        for _ in range(chance.randrange(1, 4)):
            record()
            with connection.transaction(force_rollback=chance.random() < 0.4):
                record()
        time.sleep(chance.choice([0, 0, 0.02, 0.2]))
