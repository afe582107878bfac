"""What real workers of RQ do with a real Redis is recorded."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis
from rq import Callback, Queue, Retry
from rq.command import send_stop_job_command

from tests.harness.clients import clean_environment
from tests.python.support import rq_jobs
from tests.python.support.asking import one, rows
from tests.python.support.redis_server import needs_redis, redis_server
from tests.python.support.running import wait_until

pytestmark = needs_redis

WORKER = "pgvigil.integrations.rq.MonitoredWorker"
SIMPLE = "pgvigil.integrations.rq.MonitoredSimpleWorker"
LATE = "tests.python.support.rq_jobs.LateWorker"
LATE_SPAWN = "tests.python.support.rq_jobs.LateSpawnWorker"


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a Redis listens."""
    with redis_server(tmp_path_factory.mktemp("redis")) as path:
        yield path


@pytest.fixture
def queue(socket: Path) -> Iterator[Queue]:
    """An empty queue."""
    with Redis(unix_socket_path=str(socket)) as client:
        client.flushall()
        yield Queue("mails", connection=client)


@contextmanager
def worker(dsn: str, socket: Path, kind: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker of that class."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "rq.cli", "worker", "mails", "--worker-class", kind),
            *("--url", f"unix://{socket}", *options),
        ],
        env={**clean_environment(), "PGVIGIL_DSN": dsn, "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


def work_off(dsn: str, socket: Path, kind: str = WORKER) -> None:
    """Have a worker run all that waits."""
    with worker(dsn, socket, kind, "--burst") as process:
        assert process.wait(60) == 0


def ended(connection: psycopg.Connection[Any]) -> set[tuple[Any, ...]]:
    """Return which tasks have ended, in which attempt and how."""
    query = "select task_id, attempt, status from monitoring.processing_metrics"
    return {(row["task_id"], row["attempt"], row["status"]) for row in rows(connection, query)}


@pytest.mark.parametrize("kind", [WORKER, SIMPLE])
def test_jobs_are_recorded_with_attempts_and_errors(
    dsn: str,
    connection: psycopg.Connection,
    socket: Path,
    queue: Queue,
    kind: str,
    tmp_path: Path,
) -> None:
    queue.enqueue(rq_jobs.good, 3, job_id="good")
    queue.enqueue(rq_jobs.bad, job_id="bad")
    queue.enqueue(rq_jobs.flaky, str(tmp_path / "x"), job_id="flaky", retry=Retry(max=2))
    queue.enqueue(rq_jobs.slow, job_id="slow", job_timeout=1)
    queue.enqueue(rq_jobs.good, 4, job_id="told", on_success=Callback(rq_jobs.fails_afterwards))
    work_off(dsn, socket, kind)
    assert ended(connection) == {
        ("good", 1, "completed"),
        ("bad", 1, "failed"),
        ("flaky", 1, "failed"),
        ("flaky", 2, "completed"),
        ("slow", 1, "timeout"),
        ("told", 1, "failed"),
    }
    query = "select * from monitoring.processing_metrics where task_id = 'good'"
    good = one(connection, query)
    assert good["task_type"] == "tests.python.support.rq_jobs.good"
    assert (good["counters"], good["metadata"]) == ({"pages": 3}, {"queue": "mails"})
    retried = one(
        connection,
        "select metadata from monitoring.processing_metrics"
        " where task_id = 'flaky' and attempt = 1",
    )
    assert retried["metadata"]["retries_left"] == 2
    errors = {
        (row["task_id"], row["error_type"], row["severity"]): row["stack"]
        for row in rows(connection, "select * from monitoring.error_tracking")
    }
    assert set(errors) == {
        ("bad", "ValueError", "high"),
        ("flaky", "ConnectionError", "medium"),
        ("slow", "rq.timeouts.JobTimeoutException", "high"),
        ("told", "LookupError", "high"),
    }
    assert 'raise ValueError("no price")' in errors["bad", "ValueError", "high"]


@pytest.mark.parametrize("kind", [LATE, LATE_SPAWN])
def test_a_work_horse_sends_what_waits_before_it_ends(
    dsn: str, connection: psycopg.Connection, socket: Path, queue: Queue, kind: str
) -> None:
    queue.enqueue(rq_jobs.good, 3, job_id="good")
    work_off(dsn, socket, kind)
    assert ended(connection) == {("good", 1, "completed")}


def test_a_work_horse_that_is_killed_has_failed(
    dsn: str, connection: psycopg.Connection, socket: Path, queue: Queue
) -> None:
    queue.enqueue(rq_jobs.killed, job_id="killed")
    work_off(dsn, socket)
    assert ended(connection) == {("killed", 1, "failed")}
    error = one(connection, "select * from monitoring.error_tracking")
    assert (error["task_id"], error["error_type"]) == ("killed", "WorkHorseKilled")
    assert "signal 9" in error["message"]


def test_a_job_that_is_stopped_is_cancelled(
    dsn: str, connection: psycopg.Connection, socket: Path, queue: Queue
) -> None:
    queue.enqueue(rq_jobs.waits, job_id="stopped")
    with worker(dsn, socket, WORKER):
        wait_until(lambda: ("stopped", 1, "running") in ended(connection), 40)
        send_stop_job_command(queue.connection, "stopped")
        wait_until(lambda: ("stopped", 1, "cancelled") in ended(connection), 40)
    assert rows(connection, "select * from monitoring.error_tracking") == []


def test_jobs_run_although_the_database_is_away(
    dsn: str, connection: psycopg.Connection, socket: Path, queue: Queue
) -> None:
    job = queue.enqueue(rq_jobs.bad, job_id="bad")
    good = queue.enqueue(rq_jobs.good, 5, job_id="good")
    work_off("postgresql://nobody@127.0.0.1:1/nowhere", socket)
    assert (job.get_status(), good.get_status()) == ("failed", "finished")
    assert good.return_value() == 5
