"""What `MonitoringClient` records."""

import asyncio
import logging
import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil.client import MonitoringClient, current_task
from pgvigil.client.recording.values import clean_text, to_json
from tests import ROOT
from tests.python.support.asking import OwnError, one, rows, the_task

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client that says at once when it is used wrongly."""
    with MonitoringClient(dsn, component="tests", worker_id="w1", on_error="raise") as client:
        yield client


# What is recorded


def test_single_calls_fill_every_column(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    at = datetime(2024, 5, 1, 12, tzinfo=UTC)
    task_id = monitor.start_task(
        "load",
        5,
        task_id="t",
        parent_task_id="p",
        metadata={"a": 1},
        items_total=9,
        started_at=at,
    )
    assert (task_id, task_id.attempt) == ("t", 1)
    assert monitor.update_task("t", items_done=4, counters={"bad": 1}, at=at)
    assert monitor.heartbeat("t")
    assert monitor.complete_task(
        "t",
        "timeout",
        output_size=2,
        step_durations={"s": 1.5},
        counters={"good": 3},
        metadata={"b": 2},
        finished_at=at,
    )
    task = the_task(connection)
    assert task["status"] == "timeout"
    assert (task["input_size"], task["output_size"]) == (5, 2)
    assert (task["worker_id"], task["parent_task_id"]) == ("w1", "p")
    assert (task["items_done"], task["items_total"]) == (4, 9)
    assert task["counters"] == {"bad": 1, "good": 3}
    assert task["metadata"] == {"a": 1, "b": 2}
    assert task["step_durations"] == {"s": 1.5}
    assert task["start_time"] == task["end_time"] == at


def test_measurements_errors_logs_health_and_queues_are_recorded(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    at = datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert monitor.record_performance_metric(
        "rows", "counter", 7, "rows/s", tags={"x": "y"}, task_id="t", recorded_at=at
    )
    assert monitor.record_log("warn", "hot", details=[1], task_id="t", duration_ms=3, logged_at=at)
    assert monitor.record_error(
        "t", "Kind", "low", "what", details={"k": 1}, fingerprint="f", occurred_at=at
    )
    assert monitor.update_system_health("db", "main", "degraded", 12.5, "slow", checked_at=at)
    assert monitor.record_queue_metrics("q", 1, 2, 3, 4, 5.5, recorded_at=at)
    release = monitor.record_release("1.4", details={"commit": "3f2a"}, released_at=at)
    assert release
    assert monitor.record_release("1.4") == release
    metric = one(connection, "select * from monitoring.performance_monitoring")
    assert (metric["value"], metric["component"], metric["tags"]) == (7.0, "tests", {"x": "y"})
    log = one(connection, "select * from monitoring.v_application_logs")
    assert (log["level"], log["component"], log["details"]) == ("WARNING", "tests", [1])
    error = one(connection, "select * from monitoring.error_tracking")
    assert (error["error_type"], error["fingerprint"], error["stack"]) == ("Kind", "f", None)
    health = one(connection, "select * from monitoring.system_health")
    assert (health["response_time_ms"], health["failure_reason"]) == (12.5, "slow")
    queue = one(connection, "select * from monitoring.queue_monitoring")
    assert (queue["pending"], queue["failed"], queue["oldest_ready_seconds"]) == (1, 4, 5.5)
    told = one(connection, "select * from monitoring.v_releases")
    assert (told["component"], told["version"], told["released_at"]) == ("tests", "1.4", at)


def test_bulk_calls_return_how_many_were_new(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    end = datetime(2024, 5, 1, tzinfo=UTC)
    tasks = [{"task_id": f"t{n}", "task_type": "x", "end_time": end} for n in range(3)]
    assert monitor.record_finished_tasks(tasks) == 3
    assert monitor.record_finished_tasks(tasks) == 0
    assert monitor.record_errors([{"error_type": "E", "severity": "low", "message": "m"}]) == 1
    assert monitor.record_metrics([{"metric_name": "m", "value": 1, "component": "own"}]) == 1
    assert monitor.record_logs([{"level": "info", "message": "m"}]) == 1
    assert one(connection, "select component from monitoring.performance_monitoring") == {
        "component": "own"
    }
    assert one(connection, "select component from monitoring.v_application_logs") == {
        "component": "tests"
    }


def test_names_may_be_numbers_or_uuids_and_naive_times_are_local(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    name: Any = uuid.UUID(int=5)
    naive = datetime(2024, 5, 1, 12)
    monitor.start_task(42, task_id=name, started_at=naive)  # type: ignore[arg-type]
    task = the_task(connection)
    assert (task["task_id"], task["task_type"]) == (str(name), "42")
    assert task["start_time"] == naive.astimezone()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"a": {1}, "b": (2,)}, '{"a": [1], "b": [2]}'),
        ({"d": Decimal("1.5")}, '{"d": 1.5}'),
        ({"n": float("nan")}, '{"n": "nan"}'),
        ({"p": Path("x")}, '{"p": "x"}'),
        ({"at": datetime(2024, 5, 1, tzinfo=UTC)}, '{"at": "2024-05-01T00:00:00+00:00"}'),
        ({"nul": "a\0b"}, '{"nul": "a\N{REPLACEMENT CHARACTER}b"}'),
        ({"file": "a\udc80"}, '{"file": "a\N{REPLACEMENT CHARACTER}"}'),
        ({"text": "\\u0000 é 🙂"}, '{"text": "\\\\u0000 é 🙂"}'),
    ],
)
def test_documents_survive_what_json_or_postgresql_do_not_know(given: Any, kept: str) -> None:
    assert to_json(given) == kept


def test_text_that_postgresql_cannot_store_is_mended(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    assert monitor.record_error(None, "Kind", "low", "nul \0 and lone \udc80 but é 🙂")
    message = one(connection, "select message from monitoring.error_tracking")["message"]
    assert message == clean_text("nul \0 and lone \udc80 but é 🙂")
    assert message.endswith("but é 🙂")


# Tasks under watch


def test_a_task_records_steps_progress_counters_and_its_end(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    with monitor.task("load", task_id="t", items_total=3) as task:
        assert current_task() is task
        for number in (1, 2, 3):
            with task.step("work"):
                time.sleep(0.01)
            task.count(ok=1)
            task.progress(number)
        task.metric("speed", 2.0, "rows/s")
        task.log("info", "here")
        task.output_size = 7
        task.metadata["file"] = "x.csv"
        with task.child("part", task_id="t/1"):
            pass
    assert current_task() is None
    done = one(connection, "select * from monitoring.processing_metrics where task_id = 't'")
    assert (done["status"], done["attempt"], done["output_size"]) == ("completed", 1, 7)
    assert (done["items_done"], done["counters"]) == (3, {"ok": 3})
    assert done["metadata"] == {"file": "x.csv"}
    assert 30 <= done["step_durations"]["work"] < 3000
    child = one(connection, "select * from monitoring.processing_metrics where task_id = 't/1'")
    assert child["parent_task_id"] == "t"
    metric = one(connection, "select task_id, value from monitoring.performance_monitoring")
    assert metric == {"task_id": "t", "value": 2.0}


def test_progress_is_sent_once_a_second_however_often_it_is_told(
    monitor: MonitoringClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int | None] = []
    with monitor.task("load", task_id="t") as task:
        monkeypatch.setattr(
            monitor, "update_task", lambda _, **news: sent.append(news["items_done"])
        )
        for number in range(1000):
            task.progress(number)
    assert sent == [0, 999]  # the first, and at the end what was held back


def test_an_exception_passes_unchanged_and_is_recorded_with_its_stack(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    original = OwnError("row 17 is bad")
    with (  # noqa: PT012
        pytest.raises(OwnError) as caught,
        monitor.task("load", task_id="t", severity="critical") as task,
    ):
        with task.step("extract"):
            pass
        with task.step("validate"):
            raise original
    assert caught.value is original
    assert the_task(connection)["status"] == "failed"
    error = one(connection, "select * from monitoring.error_tracking")
    assert error["error_type"].endswith("asking.OwnError")
    assert (error["message"], error["severity"]) == ("row 17 is bad", "critical")
    assert error["details"] == {"step": "validate"}
    assert (error["task_id"], error["component"]) == ("t", "tests")
    assert "raise original" in error["stack"]


@pytest.mark.parametrize(
    ("error", "status", "errors"),
    [
        (KeyboardInterrupt(), "cancelled", 0),
        (SystemExit(1), "cancelled", 0),
        (asyncio.CancelledError(), "cancelled", 0),
        (TimeoutError("late"), "timeout", 1),
        (subprocess.TimeoutExpired("cmd", 1), "timeout", 1),
    ],
)
def test_interruptions_cancel_and_timeouts_time_out(
    monitor: MonitoringClient,
    connection: psycopg.Connection,
    error: BaseException,
    status: str,
    errors: int,
) -> None:
    with pytest.raises(type(error)), monitor.task("load", task_id="t"):
        raise error
    assert the_task(connection)["status"] == status
    assert len(rows(connection, "select from monitoring.error_tracking")) == errors


def test_an_exception_whose_message_cannot_be_read_is_recorded_all_the_same(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    with pytest.raises(MuteError), monitor.task("load", task_id="t"):
        raise MuteError
    assert the_task(connection)["status"] == "failed"
    error = one(connection, "select message from monitoring.error_tracking")
    assert error["message"] == "(MuteError whose message cannot be read)"


def test_a_refusal_at_the_end_does_not_take_the_place_of_the_exception(
    monitor: MonitoringClient,
) -> None:
    with pytest.raises(OwnError), monitor.task("load", task_id="t") as task:  # noqa: PT012
        task.counters["bad"] = -1
        raise OwnError
    assert monitor.dropped == 1


def test_a_decorated_function_is_a_task_for_each_call(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    @monitor.tracked("sum", input_size=2)
    def add(left: int, right: int) -> int:
        """Add."""
        task = current_task()
        assert task is not None
        task.output_size = left + right
        return left + right

    assert add(1, right=2) == 3
    assert add(3, 4) == 7
    assert add.__doc__ == "Add."
    tasks = rows(connection, "select * from monitoring.processing_metrics")
    assert len({task["task_id"] for task in tasks}) == 2
    assert all(".add-" in task["task_id"] for task in tasks)
    assert {task["output_size"] for task in tasks} == {3, 7}


def test_the_name_of_a_decorated_run_can_be_made_from_its_arguments(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    @monitor.tracked("load", task_id=lambda day: f"load-{day}")
    def load(day: str) -> None:
        raise OwnError

    for _ in range(2):
        with pytest.raises(OwnError):
            load("monday")
    tasks = rows(
        connection, "select task_id, attempt from monitoring.processing_metrics order by 2"
    )
    assert tasks == [{"task_id": "load-monday", "attempt": n} for n in (1, 2)]


def test_fail_task_records_error_and_end(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    monitor.start_task("load", task_id="t")
    assert monitor.fail_task("t", TimeoutError("late"), severity="low")
    assert the_task(connection)["status"] == "timeout"
    assert one(connection, "select message from monitoring.error_tracking")["message"] == "late"


def test_ends_of_overlapping_runs_of_one_name_do_not_swap(
    monitor: MonitoringClient, dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn, worker_id="w2", on_error="raise") as other:

        def run() -> None:
            with (
                monitor.task("load", task_id="nightly") as first,
                other.task("load", task_id="nightly") as second,
            ):
                first.progress(1)
                second.progress(2)
                raise OwnError

        with pytest.raises(OwnError):
            run()
        other.start_task("load", task_id="nightly")
        monitor.start_task("load", task_id="nightly")
        assert not other.complete_task("nightly", "failed", output_size=3)
        assert not other.update_task("nightly", attempt=3)
        assert monitor.complete_task("nightly")
    tasks = rows(
        connection,
        "select attempt, status, worker_id, items_done from monitoring.processing_metrics"
        " order by attempt",
    )
    assert [tuple(task.values()) for task in tasks] == [
        (1, "failed", "w1", None),  # progress that comes after the restart is told to nobody
        (2, "failed", "w2", 2),
        (3, "failed", "w2", None),
        (4, "completed", "w1", None),
    ]


def test_an_etl_execution_ends_its_own_attempt(
    monitor: MonitoringClient, dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn, worker_id="w2", on_error="raise") as other:
        monitor.start_etl_execution("e")
        other.start_etl_execution("e")
        assert not monitor.finish_etl_execution("e", "FAILED", error_message="first")
        assert other.finish_etl_execution("e")
    found = rows(connection, "select status, error_message from monitoring.etl_executions")
    assert {tuple(row.values()) for row in found} == {("FAILED", "first"), ("COMPLETED", None)}


def test_what_is_recorded_stays_when_the_program_rolls_back(
    monitor: MonitoringClient, dsn: str, connection: psycopg.Connection
) -> None:
    with psycopg.connect(dsn) as program:
        program.execute("create table work (id integer)")
        with pytest.raises(psycopg.errors.DivisionByZero), monitor.task("load", task_id="t"):
            program.execute("select 1 / 0")
        program.rollback()
    assert the_task(connection)["status"] == "failed"
    assert one(connection, "select to_regclass('work') as work") == {"work": None}


def test_the_examples_of_the_documentation_run(
    dsn: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ROOT / "docs" / "python-client.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert len(blocks) == 9
    monkeypatch.setenv("PGVIGIL_DSN", dsn)
    monkeypatch.setattr(logging.getLogger("orders"), "handlers", [])
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert names["monitor"].dropped == 0
    names["monitor"].close(20)  # for which the 2 s of the example are too short on a busy machine
    assert names["monitor"]._line._connection is None  # they close what they open
    done = one(
        connection, "select * from monitoring.processing_metrics where task_type = 'orders.import'"
    )
    assert (done["status"], done["items_done"], done["counters"]) == (
        "completed",
        3,
        {"rejected": 1},
    )
    assert one(connection, "select count(*) from monitoring.error_tracking") == {"count": 5}
