"""What APScheduler runs, misses and skips is recorded."""

import asyncio
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler

from pgvigil.client import AsyncMonitoringClient, MonitoringClient
from pgvigil.integrations.apscheduler import watch
from tests.python.support import scheduled_jobs
from tests.python.support.asking import one, rows
from tests.python.support.running import wait_until


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client."""
    with MonitoringClient(dsn, component="shop", flush_interval=0.1) as client:
        yield client


@pytest.fixture
def scheduler(monitor: MonitoringClient) -> Iterator[BackgroundScheduler]:
    """A scheduler that is watched and has not been started."""
    made = BackgroundScheduler(timezone=UTC)
    watch(made, monitor)
    yield made
    if made.running:
        made.shutdown()


def tasks(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    return rows(connection, "select * from monitoring.processing_metrics order by start_time")


def test_runs_begin_before_they_end_however_short_they_are(
    connection: psycopg.Connection, monitor: MonitoringClient, scheduler: BackgroundScheduler
) -> None:
    for number in range(20):
        scheduler.add_job(scheduled_jobs.good, id=f"job-{number}")
    scheduler.add_job(scheduled_jobs.bad, id="nightly", name="report")
    scheduler.start()
    wait_until(lambda: len(tasks(connection)) == 21)
    scheduler.shutdown()
    assert monitor.flush()
    good = [task for task in tasks(connection) if task["task_type"] == "good"]
    assert {task["status"] for task in good} == {"completed"}
    assert {task["metadata"]["work"] for task in good} == {f"job-{n}" for n in range(20)}
    assert all(task["counters"] == {"pages": 3} for task in good)
    (bad,) = [task for task in tasks(connection) if task["task_type"] == "report"]
    assert (bad["status"], bad["metadata"]["work"]) == ("failed", "nightly")
    error = one(connection, "select * from monitoring.error_tracking")
    assert (error["error_type"], error["task_id"]) == ("ValueError", bad["task_id"])
    assert "in bad" in error["stack"]
    assert monitor.dropped == 0


def test_executors_that_come_later_are_watched_and_none_twice(
    connection: psycopg.Connection, monitor: MonitoringClient, scheduler: BackgroundScheduler
) -> None:
    scheduler.start()
    scheduler.add_executor(ThreadPoolExecutor(1), "late")
    scheduler.add_executor(ThreadPoolExecutor(1), "later")
    watch(scheduler, monitor)
    scheduler.add_job(scheduled_jobs.good, executor="late")
    scheduler.add_job(partial(scheduled_jobs.good, 4), executor="later", name="partial")
    wait_until(lambda: len(tasks(connection)) == 2)
    scheduler.shutdown()
    assert monitor.flush()
    assert sorted(task["status"] for task in tasks(connection)) == ["completed", "completed"]


def test_jobs_in_other_processes_are_recorded_by_these(
    connection: psycopg.Connection, scheduler: BackgroundScheduler
) -> None:
    scheduler.add_executor(ProcessPoolExecutor(1), "processes")
    scheduler.add_job(scheduled_jobs.good, executor="processes", misfire_grace_time=60)
    scheduler.add_job(scheduled_jobs.bad, executor="processes", misfire_grace_time=60)
    scheduler.start()
    wait_until(lambda: {task["status"] for task in tasks(connection)} == {"completed", "failed"})
    error = one(connection, "select * from monitoring.error_tracking")
    assert (error["error_type"], error["component"]) == ("ValueError", "shop")


@pytest.mark.parametrize("kind", [MonitoringClient, AsyncMonitoringClient])
def test_coroutines_are_recorded_to_their_end(
    dsn: str, connection: psycopg.Connection, kind: type[MonitoringClient]
) -> None:
    monitor: Any = kind(dsn)

    async def run() -> None:
        scheduler = AsyncIOScheduler(timezone=UTC)
        watch(scheduler, monitor)
        scheduler.add_job(scheduled_jobs.coroutine)
        scheduler.add_job(scheduled_jobs.good)
        scheduler.start()
        await asyncio.sleep(0.5)
        scheduler.shutdown()
        closed = monitor.close()
        if closed is not None:
            await closed

    asyncio.run(run())
    counted = {task["task_type"]: task["counters"] for task in tasks(connection)}
    assert counted == {"coroutine": {"pages": 7}, "good": {"pages": 3}}
    assert {task["status"] for task in tasks(connection)} == {"completed"}


def test_runs_that_were_missed_or_skipped_are_errors(
    connection: psycopg.Connection,
    monitor: MonitoringClient,
    scheduler: BackgroundScheduler,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, "apscheduler")
    due = datetime.now(UTC) - timedelta(hours=1)
    scheduler.add_job(scheduled_jobs.good, "date", run_date=due, id="late", misfire_grace_time=1)
    scheduler.add_job(scheduled_jobs.slow, "interval", seconds=0.5, id="slow")
    scheduler.start()
    time.sleep(1.8)
    scheduler.shutdown()
    assert monitor.flush()
    errors = rows(connection, "select * from monitoring.error_tracking")
    kinds = {(error["error_type"], error["details"]["job"]) for error in errors}
    assert kinds == {("JobMissed", "late"), ("JobSkipped", "slow")}
    (missed,) = [error for error in errors if error["error_type"] == "JobMissed"]
    assert datetime.fromisoformat(missed["details"]["due_at"]) == due
    groups = rows(connection, "select distinct fingerprint from monitoring.error_tracking")
    assert len(groups) == 2


def test_a_monitor_that_breaks_does_not_break_jobs(
    monitor: MonitoringClient,
    scheduler: BackgroundScheduler,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(monitor, "task", lambda *_, **__: 1 / 0)
    done: list[int] = []
    scheduler.add_job(done.append, args=[1])
    scheduler.add_job(done.append, args=[2])
    scheduler.start()
    wait_until(lambda: len(done) == 2)
    told = [record for record in caplog.records if "division by zero" in record.getMessage()]
    assert [record.name for record in told] == ["pgvigil"]
