"""What a real Celery worker does, in each of its pools, is recorded."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from celery import Celery, signals
from celery.app.task import Context
from celery.schedules import BaseSchedule, crontab
from celery.utils.dispatch import Signal
from psycopg.conninfo import make_conninfo

from pgvigil.client import MonitoringClient
from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import NotInstalledError, PgvigilError
from pgvigil.integrations.celery import watch
from pgvigil.integrations.celery_beat import expect_beat_schedule
from tests.harness.clients import clean_environment
from tests.python.support.asking import one, rows
from tests.python.support.running import wait_until

PROGRAM = "tests.python.support.celery_program"
CALM = ("bad", "expected", "flaky", "ignored", "parent", "forgotten", "expired")


@contextmanager
def worker(
    dsn: str, pool: str, *tasks: str, flush_interval: float = 0.2
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a worker that sends itself these tasks; yield it, and the folder of its broker."""
    with TemporaryDirectory() as broker:
        process = subprocess.Popen(
            [sys.executable, "-m", PROGRAM, pool, *tasks],
            env={
                **clean_environment(),
                "PGVIGIL_DSN": dsn,
                "BROKER": broker,
                "FLUSH": str(flush_interval),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process, Path(broker)
        finally:
            with suppress(ProcessLookupError):  # the processes of its pool as well
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ended(connection: psycopg.Connection[Any]) -> set[tuple[Any, ...]]:
    """Return the tasks, their attempts and how they ended, or that they run."""
    query = "select task_id, attempt, status from monitoring.processing_metrics"
    return {(row["task_id"], row["attempt"], row["status"]) for row in rows(connection, query)}


def has_ended(connection: psycopg.Connection[Any], name: str) -> bool:
    """Tell whether a task has begun and runs no more."""
    return any(row[0] == name and row[2] != "running" for row in ended(connection))


@pytest.mark.parametrize("pool", ["solo", "threads", "prefork"])
def test_tasks_are_recorded_with_attempts_errors_and_what_they_count(
    dsn: str, connection: psycopg.Connection, pool: str
) -> None:
    expected = {
        ("good", 1, "completed"),
        ("bad", 1, "failed"),
        ("expected", 1, "failed"),
        ("flaky", 1, "failed"),
        ("flaky", 2, "failed"),
        ("flaky", 3, "completed"),
        ("ignored", 1, "cancelled"),
        ("parent", 1, "completed"),
        ("part", 1, "completed"),
        ("expired", 1, "cancelled"),
    }
    with worker(dsn, pool, *CALM) as (process, _):
        wait_until(lambda: ended(connection) >= expected, 40)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert ended(connection) == expected
    tasks = {
        (row["task_id"], row["attempt"]): row
        for row in rows(connection, "select * from monitoring.processing_metrics")
    }
    good = tasks["good", 1]
    assert good["task_type"] == "shop.good"
    assert good["counters"] == {"pages": 3}
    assert good["metadata"] == {"queue": "celery"}
    assert good["worker_id"].startswith("celery@")
    assert tasks["part", 1]["parent_task_id"] == "parent"
    assert tasks["flaky", 3]["parent_task_id"] is None
    assert tasks["flaky", 1]["metadata"]["retries_left"] == 3
    assert tasks["flaky", 2]["metadata"]["retries_left"] == 2
    assert "retries_left" not in tasks["flaky", 3]["metadata"]
    assert tasks["expired", 1]["metadata"]["cancelled_by"] == "expired"
    errors = {
        (row["task_id"], row["error_type"], row["severity"]): row
        for row in rows(connection, "select * from monitoring.error_tracking")
    }
    assert set(errors) == {
        ("bad", "ValueError", "high"),
        ("expected", "KeyError", "low"),
        ("flaky", "ConnectionError", "medium"),
        ("forgotten", "NotRegistered", "high"),
        ("expired", "TaskExpired", "medium"),
    }
    bad = errors["bad", "ValueError", "high"]
    assert bad["message"] == "no price"
    assert 'raise ValueError("no price")' in bad["stack"]


def test_a_process_of_the_pool_that_is_killed_or_leaves_takes_no_task_with_it(
    dsn: str, connection: psycopg.Connection
) -> None:
    expected = {
        ("slow", 1, "timeout"),
        ("stubborn", 1, "timeout"),
        ("killed", 1, "failed"),
        ("leaves", 1, "failed"),
    }
    # One at a time: a killed process may keep a lock of the pool.
    for name in ("slow", "stubborn", "killed", "leaves"):
        with worker(dsn, "prefork", name):
            wait_until(partial(has_ended, connection, name), 40)
    assert {row for row in ended(connection) if row[0] != "good"} == expected
    types = {
        row["task_id"]: row["task_type"].rpartition(".")[2]
        for row in rows(connection, "select task_id, task_type from monitoring.processing_metrics")
    }
    assert types == {name: name for name in types}
    errors = [
        (row["task_id"], row["error_type"])
        for row in rows(connection, "select * from monitoring.error_tracking order by task_id")
    ]
    assert errors == [
        ("killed", "billiard.exceptions.WorkerLostError"),
        ("leaves", "billiard.exceptions.WorkerLostError"),
        ("slow", "billiard.exceptions.SoftTimeLimitExceeded"),
        ("stubborn", "billiard.exceptions.TimeLimitExceeded"),
    ]


def test_a_task_that_ends_the_program_is_cancelled(
    dsn: str, connection: psycopg.Connection
) -> None:
    with worker(dsn, "solo", "leaves") as (process, _):
        process.wait(40)
    # The broker may hand out either of the two first.
    assert {row for row in ended(connection) if row[0] != "good"} == {("leaves", 1, "cancelled")}


@pytest.mark.parametrize("pool", ["solo", "threads", "prefork"])
def test_what_waits_when_a_worker_ends_is_sent(
    dsn: str, connection: psycopg.Connection, pool: str
) -> None:
    with worker(dsn, pool, flush_interval=60) as (process, broker):
        wait_until((broker / "good").exists, 40)
        assert ended(connection) == set()
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert ended(connection) == {("good", 1, "completed")}


def one_more(number: int) -> int:
    return number + 1


@pytest.fixture
def eager() -> Iterator[Celery]:
    """An app whose tasks run where they are called."""
    app = Celery("eager", broker="memory://", set_as_current=False)
    app.conf.task_always_eager = True
    yield app
    for each in vars(signals).values():
        if isinstance(each, Signal):
            each.disconnect(dispatch_uid="pgvigil")


def test_watching_again_changes_the_client(
    dsn: str, connection: psycopg.Connection, eager: Celery
) -> None:
    task = eager.task(one_more, name="one")
    with MonitoringClient(dsn, worker_id="before") as before, MonitoringClient(dsn) as after:
        watch(before)
        watch(after)
        assert task.delay(0).get() == 1
    assert one(connection, "select status from monitoring.processing_metrics") == {
        "status": "completed"
    }
    assert before.dropped == after.dropped == 0


def test_a_monitor_that_breaks_does_not_break_tasks(
    dsn: str, eager: Celery, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = eager.task(one_more, name="one")
    monitor = MonitoringClient(dsn)
    monkeypatch.setattr(monitor, "task", lambda *_, **__: 1 / 0)
    watch(monitor)
    assert [task.delay(0).get() for _ in range(3)] == [1, 1, 1]
    told = [record for record in caplog.records if "division by zero" in record.getMessage()]
    assert [record.name for record in told] == ["pgvigil"]


def test_what_workers_do_not_run_or_end_is_recorded(
    dsn: str, connection: psycopg.Connection, eager: Celery
) -> None:
    task = eager.task(one_more, name="one")
    with MonitoringClient(dsn) as monitor:
        watch(monitor)
        monitor.start_task("one", task_id="runs")
        for task_id, is_terminated in (("runs", True), ("waits", False)):
            signals.task_revoked.send(
                sender=task,
                request=Context(id=task_id),
                terminated=is_terminated,
                signum=None,
                expired=False,
            )
        signals.task_rejected.send(sender=None, message=None, exc=None)
        signals.task_rejected.send(sender=None, message=None, exc=ValueError("no id"))
        signals.task_internal_error.send(
            sender=task, task_id="x", exception=OSError("the backend is away"), einfo=None
        )
    assert ended(connection) == {("runs", 1, "cancelled"), ("waits", 1, "cancelled")}
    query = "select * from monitoring.error_tracking order by message"
    assert [(row["task_id"], row["message"]) for row in rows(connection, query)] == [
        ("", "a worker rejected a message: its format is not known"),
        ("", "a worker rejected a message: no id"),
        ("x", "the backend is away"),
    ]


# The beat schedule


def scheduled(connection: psycopg.Connection[Any]) -> dict[str, tuple[Any, ...]]:
    """Return what is expected, by task type."""
    query = "select * from monitoring.v_expected_runs"
    return {
        row["task_type"]: (row["schedule"], row["time_zone"], row["grace_seconds"])
        for row in rows(connection, query)
    }


def test_what_beat_starts_is_expected(dsn: str, connection: psycopg.Connection) -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.timezone = "Europe/Berlin"
    app.conf.beat_schedule = {
        "report": {"task": "shop.report", "schedule": crontab(hour="2,14", minute=30)},
        "weekly": {"task": "shop.weekly", "schedule": crontab(0, 4, day_of_week="mon-wed")},
        "monthly": {"task": "shop.monthly", "schedule": crontab(0, 4, day_of_month=[1, 15])},
        "often": {"task": "shop.often", "schedule": timedelta(minutes=10)},
        "oftener": {"task": "shop.oftener", "schedule": 30.0},
        "both": {
            "task": "shop.both",
            "schedule": crontab(0, 4, day_of_month="13", day_of_week="fri"),
        },
        "dusk": {"task": "shop.dusk", "schedule": BaseSchedule()},
        "north": {"task": "shop.twice", "schedule": 60},
        "south": {"task": "shop.twice", "schedule": 90},
        "never": {"task": "shop.never", "schedule": 0.2},
    }
    left_out = expect_beat_schedule(app, dsn)
    assert scheduled(connection) == {
        "shop.report": ("30 2,14 * * *", "Europe/Berlin", 300),
        "shop.weekly": ("0 4 * * 1,2,3", "Europe/Berlin", 300),
        "shop.monthly": ("0 4 1,15 * *", "Europe/Berlin", 300),
        "shop.often": ("600 seconds", "Europe/Berlin", 600),
        "shop.oftener": ("30 seconds", "Europe/Berlin", 300),
    }
    assert set(left_out) == {"both", "dusk", "north", "south", "never"}
    assert "cannot be limited at once" in left_out["both"]
    assert "BaseSchedule" in left_out["dusk"]
    assert "2 entries" in left_out["north"]


def test_what_beat_no_longer_starts_is_expected_no_longer(
    dsn: str, connection: psycopg.Connection
) -> None:
    app = Celery("shop", set_as_current=False)
    other = Celery("other", set_as_current=False)
    every = {"schedule": timedelta(hours=1)}
    other.conf.beat_schedule = {"a": {"task": "other.a", **every}}
    app.conf.beat_schedule = {"a": {"task": "a", **every}, "b": {"task": "b", **every}}
    connection.execute("select monitoring.define_expected_runs('of people', '02:30')")
    assert expect_beat_schedule(other, dsn) == expect_beat_schedule(app, dsn) == {}
    app.conf.beat_schedule = {"b": {"task": "b", **every}}
    assert expect_beat_schedule(app, dsn) == {}
    assert set(scheduled(connection)) == {"of people", "other.a", "b"}


def test_who_may_not_expect_runs_is_told_what_is_missing(
    dsn: str, empty_dsn: str, connection: psycopg.Connection, server: PostgresServer
) -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.beat_schedule = {"a": {"task": "a", "schedule": timedelta(hours=1)}}
    connection.execute("create role celery_writer login password 'x' in role monitoring_writer")
    try:
        writer = make_conninfo(dsn, user="celery_writer", password="x")
        with pytest.raises(PgvigilError, match="celery_writer may not") as caught:
            expect_beat_schedule(app, writer)
        assert caught.value.hint is not None
        assert "monitoring_operator" in caught.value.hint
        assert scheduled(connection) == {}
    finally:
        connection.execute("drop role celery_writer")
    with pytest.raises(NotInstalledError):
        expect_beat_schedule(app, empty_dsn)
