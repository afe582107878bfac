"""What a real Dramatiq worker does is recorded; its broker is in memory."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import psycopg
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.errors import Retry
from dramatiq.middleware import Retries, SkipMessage

from pgvigil.client import MonitoringClient, current_task
from pgvigil.integrations.dramatiq import watch
from tests.python.support.asking import one, rows

Run = Callable[..., list[tuple[str, int, str]]]


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client."""
    with MonitoringClient(dsn, component="shop", flush_interval=0.1) as client:
        yield client


@pytest.fixture
def broker(monitor: MonitoringClient) -> Iterator[StubBroker]:
    """A watched broker, with a worker that runs what is sent."""
    made = StubBroker()
    watch(made, monitor)
    made.emit_after("process_boot")
    worker = dramatiq.Worker(made, worker_timeout=50, worker_threads=2)
    worker.start()
    yield made
    worker.stop()
    made.close()


@pytest.fixture
def run(broker: StubBroker, monitor: MonitoringClient, connection: psycopg.Connection) -> Run:
    """Run actors to their end, and return what was recorded."""

    def send(function: Callable[..., Any], *arguments: Any, **options: Any) -> list[Any]:
        decorate = dramatiq.actor(broker=broker, queue_name="mails", **options)
        actor: Any = decorate(function)
        actor.send(*arguments)
        broker.join("mails", fail_fast=False)
        assert monitor.flush()
        assert monitor.dropped == 0
        query = "select * from monitoring.processing_metrics order by attempt"
        return [(r["task_type"], r["attempt"], r["status"]) for r in rows(connection, query)]

    return send


def errors(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    found = rows(connection, "select * from monitoring.error_tracking order by occurred_at")
    return [(error["error_type"], error["severity"]) for error in found]


def good(pages: int) -> None:
    task = current_task()
    assert task is not None
    task.count(pages=pages)


def test_a_message_is_a_task(run: Run, connection: psycopg.Connection) -> None:
    assert run(good, 3) == [("good", 1, "completed")]
    task = one(connection, "select * from monitoring.processing_metrics")
    assert (task["counters"], task["metadata"]) == ({"pages": 3}, {"queue": "mails"})


def test_what_runs_without_arguments_is_the_same_work_each_time(
    run: Run, connection: psycopg.Connection
) -> None:
    def tidy() -> None:
        """Do nothing."""

    run(tidy)
    task = one(connection, "select * from monitoring.processing_metrics")
    assert task["metadata"] == {"queue": "mails", "work": "tidy"}


def test_retries_are_attempts_and_the_last_one_has_none_left(
    run: Run, connection: psycopg.Connection
) -> None:
    def bad() -> None:
        raise ValueError("no price")

    recorded = run(bad, max_retries=2, min_backoff=1, max_backoff=2)
    assert recorded == [("bad", number, "failed") for number in (1, 2, 3)]
    # The next attempt may be quicker in another thread.
    assert sorted(errors(connection)) == [("ValueError", "high"), *[("ValueError", "medium")] * 2]
    left = [
        task["metadata"].get("retries_left")
        for task in rows(
            connection, "select metadata from monitoring.processing_metrics order by attempt"
        )
    ]
    assert left == [1, 1, None]


def test_a_retry_that_makes_it_is_completed(run: Run, connection: psycopg.Connection) -> None:
    tries: list[int] = []

    def flaky() -> None:
        tries.append(1)
        if len(tries) < 2:
            raise Retry("busy", delay=1)

    assert run(flaky) == [("flaky", 1, "failed"), ("flaky", 2, "completed")]
    assert errors(connection) == [("dramatiq.errors.Retry", "low")]


def test_what_an_actor_may_raise_is_of_little_weight(
    run: Run, connection: psycopg.Connection
) -> None:
    def refuses() -> None:
        raise KeyError("as agreed")

    assert run(refuses, throws=KeyError) == [("refuses", 1, "failed")]
    assert errors(connection) == [("KeyError", "low")]


def test_a_time_limit_is_a_timeout(run: Run, connection: psycopg.Connection) -> None:
    def slow() -> None:
        for _ in range(1000):
            time.sleep(0.01)

    assert run(slow, time_limit=100, max_retries=0) == [("slow", 1, "timeout")]
    assert errors(connection) == [("dramatiq.middleware.time_limit.TimeLimitExceeded", "high")]


def test_what_is_skipped_or_too_old_is_cancelled(
    run: Run, broker: StubBroker, connection: psycopg.Connection
) -> None:
    class Skips(dramatiq.Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            if message.actor_name == "skipped":
                raise SkipMessage

    def skipped() -> None:
        raise AssertionError

    def old() -> None:
        raise AssertionError

    assert run(old, max_age=-1) == [("old", 1, "cancelled")]
    broker.add_middleware(Skips())
    assert sorted(run(skipped)) == [("old", 1, "cancelled"), ("skipped", 1, "cancelled")]
    assert errors(connection) == []


def test_without_retries_nothing_is_tried_again(
    broker: StubBroker, run: Run, connection: psycopg.Connection
) -> None:
    broker.middleware = [each for each in broker.middleware if not isinstance(each, Retries)]

    def bad() -> None:
        raise ValueError("no price")

    assert run(bad) == [("bad", 1, "failed")]
    assert errors(connection) == [("ValueError", "high")]


def test_a_monitor_that_breaks_does_not_break_actors(
    broker: StubBroker,
    monitor: MonitoringClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[int] = []
    monkeypatch.setattr(monitor, "task", lambda *_, **__: 1 / 0)
    actor: Any = dramatiq.actor(broker=broker, actor_name="one")(done.append)
    for number in range(3):
        actor.send(number)
    broker.join("default")
    assert sorted(done) == [0, 1, 2]
    told = [record for record in caplog.records if "division by zero" in record.getMessage()]
    assert [record.name for record in told] == ["pgvigil"]
