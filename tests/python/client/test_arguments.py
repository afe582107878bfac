"""Arguments of every kind and in every order: what is recorded makes sense, or nothing is."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil import MonitoringClient
from pgvigil.exceptions import MonitoringError
from tests.python.support.asking import OwnError, one, rows

Call = Callable[[Any], Any]
ERRORS = """
    select task_id, error_type, severity, message, component from monitoring.error_tracking
    where task_id is distinct from 'pgvigil.repairs' order by error_id"""
METRICS = "select metric_name, value, unit from monitoring.performance_monitoring"
HEALTH = """
    select component_type, component_name, status, response_time_ms, failure_reason
    from monitoring.system_health"""
TASKS = "select task_type, status, input_size, output_size from monitoring.processing_metrics"
QUEUES = "select queue_name, pending, processing from monitoring.queue_monitoring"
LOGS = "select component, level, message, duration_ms from monitoring.v_application_logs"


class Level(Enum):
    """A word as an enumeration."""

    HIGH = "high"
    DONE = "completed"


class Rank(IntEnum):
    """A word as an enumeration whose numbers mean nothing to others."""

    HIGH = 7


class Word(str, Enum):  # noqa: UP042 - as programs for Python 3.10 have them
    """A word that prints as an enumeration."""

    HIGH = "high"


class Loud(str):
    """A text that says something else when it is asked for its text."""

    def __str__(self) -> str:
        """Return it."""
        return "loud"


class Scalar:
    """A number as numpy has them."""

    def __init__(self, number: float) -> None:
        """Hold a number."""
        self._number = number

    def item(self) -> float:
        """Return it as one of Python."""
        return self._number


# Each: a call, what it records, and what the log says of it; None where all is well.
CASES: list[tuple[Call, str, list[tuple[Any, ...]], str | None]] = [
    # Other types of the same meaning
    (lambda m: m.start_task("d", Decimal("12.5")), TASKS, [("d", "running", 12, None)], None),
    (lambda m: m.start_task("d", Scalar(7)), TASKS, [("d", "running", 7, None)], None),
    (lambda m: m.start_task("d", Fraction(9, 3)), TASKS, [("d", "running", 3, None)], None),
    (lambda m: m.start_task("d", "1024"), TASKS, [("d", "running", 1024, None)], None),
    (lambda m: m.start_task(b"d"), TASKS, [("d", "running", None, None)], None),
    (lambda m: m.start_task(Path("/a/b")), TASKS, [("/a/b", "running", None, None)], None),
    (lambda m: m.start_task(Level.HIGH), TASKS, [("high", "running", None, None)], None),
    (lambda m: m.start_task(Loud("d")), TASKS, [("d", "running", None, None)], None),
    (
        lambda m: m.complete_task("t", Level.DONE, output_size=Scalar(8)),
        TASKS,
        [("unknown", "completed", None, 8)],
        None,
    ),
    (
        lambda m: m.record_error(5, 500, Word.HIGH, b"bytes", Path("/p")),
        ERRORS,
        [("5", "500", "high", "bytes", "/p")],
        None,
    ),
    (
        lambda m: m.record_error("t", "E", Rank.HIGH, OwnError("said")),
        ERRORS,
        [("t", "E", "high", "said", "program")],
        None,
    ),
    (lambda m: m.record_performance_metric("m", "g", "1.5", "s"), METRICS, [("m", 1.5, "s")], None),
    (
        lambda m: m.record_performance_metric(b"m", Level.HIGH, Decimal(2), Loud("s")),
        METRICS,
        [("m", 2.0, "s")],
        None,
    ),
    (
        lambda m: m.update_system_health("api", "main", Level.DONE, timedelta(seconds=1)),
        HEALTH,
        [("api", "main", "unknown", 1000.0, None)],
        "completed",
    ),
    (
        lambda m: m.update_system_health("api", "main", True, failure_reason=OwnError("no")),
        HEALTH,
        [("api", "main", "healthy", None, "no")],
        None,
    ),
    (lambda m: m.record_queue_metrics("q", Scalar(3), "4"), QUEUES, [("q", 3, 4)], None),
    (
        lambda m: m.record_log(Level.HIGH.name, b"x", duration_ms=timedelta(seconds=2)),
        LOGS,
        [("program", "WARNING", "x", 2000.0)],
        "level is not known",
    ),
    # Another order that tells itself
    (
        lambda m: m.record_error("t", "E", "Invalid input", "medium", "c"),
        ERRORS,
        [("t", "E", "medium", "Invalid input", "c")],
        "taken as severity",
    ),
    (
        lambda m: m.record_error("t", "high", "E", "text"),
        ERRORS,
        [("t", "E", "high", "text", "program")],
        "taken as severity",
    ),
    (
        lambda m: m.record_log("it begins", "INFO"),
        LOGS,
        [("program", "INFO", "it begins", None)],
        "taken as level",
    ),
    (
        lambda m: m.update_system_health("api", "healthy", "main"),
        HEALTH,
        [("api", "main", "healthy", None, None)],
        "taken as status",
    ),
    (
        lambda m: m.complete_task("failed", "t"),
        TASKS,
        [("unknown", "failed", None, None)],
        "taken as status",
    ),
    (
        lambda m: m.complete_task("done", m.start_task("d")),
        TASKS,
        [("d", "completed", None, None)],
        "give task_id first and then status",
    ),
    # What is wrong is left out, where the rest makes sense
    (
        lambda m: m.start_task("d", True),
        TASKS,
        [("d", "running", None, None)],
        "input_size is a number, not True",
    ),
    (
        lambda m: m.start_task("d", metadata="x", items_total="many"),
        TASKS,
        [("d", "running", None, None)],
        "items_total is a number, not 'many'",
    ),
    (
        lambda m: m.complete_task("t", output_size="big"),
        TASKS,
        [("unknown", "completed", None, None)],
        "output_size is a number, not 'big'",
    ),
    (
        lambda m: m.complete_task("t", None),
        TASKS,
        [("unknown", "failed", None, None)],
        "status is not known",
    ),
    (
        lambda m: m.complete_task("t", OwnError("x")),
        TASKS,
        [("unknown", "failed", None, None)],
        "status is not known",
    ),
    (
        lambda m: m.record_error("t", "E", "low", "m", OwnError("x")),
        ERRORS,
        [("t", "E", "low", "m", None)],
        "component is a text, not OwnError('x')",
    ),
    (
        lambda m: m.record_exception("text"),
        ERRORS,
        [("", "Exception", "medium", "text", "program")],
        "record_exception() takes an exception, not 'text'",
    ),
    (
        lambda m: m.record_performance_metric("m", "g", 2, 5),
        METRICS,
        [("m", 2.0, None)],
        "unit is a text, not 5",
    ),
    (
        lambda m: m.update_system_health("api", "main", "healthy", "slow"),
        HEALTH,
        [("api", "main", "healthy", None, None)],
        "response_time_ms is a number, not 'slow'",
    ),
    (
        lambda m: m.update_system_health("api", "main", "healthy", 50, response_time=60),
        HEALTH,
        [("api", "main", "healthy", None, None)],
        "response_time_ms is 50 and response_time 60",
    ),
    (
        lambda m: m.update_system_health(None, "main", None),
        HEALTH,
        [("(unnamed)", "main", "unknown", None, None)],
        "component_type is missing",
    ),
    (
        lambda m: m.record_log("info", "x", duration_ms="long"),
        LOGS,
        [("program", "INFO", "x", None)],
        "duration_ms is a number, not 'long'",
    ),
    (
        lambda m: m.fail_task("t", 5),
        TASKS,
        [("unknown", "failed", None, None)],
        "takes an exception, not '5'",
    ),
    # What makes no sense is not recorded
    (lambda m: m.start_task("my-id", "type"), TASKS, [], "type of the task first"),
    (lambda m: m.start_task("my-id", "type", task_id="t"), TASKS, [], "type of the task first"),
    (lambda m: m.start_task(1024, "type"), TASKS, [], "type of the task first"),
    (lambda m: m.start_task({"a": 1}), TASKS, [], "task_type is a text, not {'a': 1}"),
    (lambda m: m.start_task(OwnError("x")), TASKS, [], "task_type is a text"),
    (lambda m: m.start_task("d", task_id=[1]), TASKS, [], "task_id is a text, not [1]"),
    (lambda m: m.complete_task(OwnError("x")), TASKS, [], "task_id is a text"),
    (lambda m: m.record_exception(None), ERRORS, [], "takes an exception, not 'None'"),
    (
        lambda m: m.record_performance_metric("m", "g", "seconds", 1.5),
        METRICS,
        [],
        "value is a number, not 'seconds'",
    ),
    (
        lambda m: m.record_performance_metric("m", 1.5, "seconds"),
        METRICS,
        [],
        "value is a number, not 'seconds'",
    ),
    (lambda m: m.record_performance_metric("m", "g", None), METRICS, [], "value is out of range"),
    (lambda m: m.record_performance_metric("m", "g", True), METRICS, [], "not True"),
    (lambda m: m.record_performance_metric([1], "g", 1), METRICS, [], "metric_name is a text"),
    (lambda m: m.record_queue_metrics(10, "q"), QUEUES, [], "pending is a number, not 'q'"),
    (lambda m: m.record_queue_metrics("q", None), QUEUES, [], "pending is a number, not None"),
    (lambda m: m.start_etl_execution({}, "id"), TASKS, [], "execution_id is a text, not {}"),
    (
        lambda m: m.record_etl_metric("x", "m", "rows", 5),
        METRICS,
        [],
        "value is a number, not 'rows'",
    ),
]


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client as programs have it."""
    with MonitoringClient(dsn, component="program", flush_interval=0.01) as client:
        yield client


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_what_is_recorded_makes_sense_and_the_log_says_what_did_not(
    case: tuple[Call, str, list[tuple[Any, ...]], str | None],
    monitor: MonitoringClient,
    connection: psycopg.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    call, query, expected, said = case
    call(monitor)
    assert monitor.flush()
    assert [tuple(row.values()) for row in rows(connection, query)] == expected
    if said is None:
        assert not caplog.text
    else:
        assert said in caplog.text


@pytest.mark.parametrize(
    "case", [case for case in CASES if case[3] is not None], ids=lambda case: case[3]
)
def test_what_is_wrong_raises_where_that_is_wanted(
    case: tuple[Call, Any, Any, Any], dsn: str
) -> None:
    with (
        MonitoringClient(dsn, on_error="raise") as monitor,
        pytest.raises((TypeError, MonitoringError)),
    ):
        case[0](monitor)


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_within_a_transaction_of_the_program_the_same_is_recorded(
    case: tuple[Call, str, list[tuple[Any, ...]], str | None],
    monitor: MonitoringClient,
    connection: psycopg.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    call, query, expected, said = case
    with connection.transaction():
        call(monitor.on(connection))
    assert [tuple(row.values()) for row in rows(connection, query)] == expected
    assert (said or "") in caplog.text


def test_nothing_is_recorded_of_a_task_whose_start_was_refused(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    task_id = monitor.start_task("my-id", "type")  # type: ignore[arg-type]
    monitor.update_task(task_id, items_done=5)
    monitor.record_error(task_id, "E", "low", "but errors are")
    assert monitor.complete_task(task_id, "completed") is None
    with monitor.task("my-id", "type") as task:  # type: ignore[arg-type]
        task.progress(1, 2)
    assert monitor.flush()
    assert rows(connection, TASKS) == []
    assert one(connection, ERRORS)["message"] == "but errors are"


def test_an_exception_being_handled_is_meant_by_none(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    try:
        raise OwnError("handled")
    except OwnError:
        monitor.record_exception(None)
    assert monitor.flush()
    assert one(connection, ERRORS)["message"] == "handled"


def test_both_names_of_the_response_time_may_say_the_same(
    monitor: MonitoringClient, connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    monitor.update_system_health("api", "main", "healthy", 50, response_time=50)
    monitor.update_system_health("api", "other", "healthy", response_time=60)
    monitor.flush()
    assert {row["response_time_ms"] for row in rows(connection, HEALTH)} == {50.0, 60.0}
    assert not caplog.text


def test_a_name_of_any_kind_means_the_same_run_everywhere(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    for name in (7, uuid.UUID(int=7), Path("/x"), b"bytes", Level.HIGH):
        monitor.start_task("d", task_id=name)  # type: ignore[arg-type]
        monitor.complete_task(name)  # type: ignore[arg-type]
    assert monitor.flush()
    found = rows(connection, "select task_id, task_type, status from monitoring.processing_metrics")
    assert len(found) == 5
    assert {(row["task_type"], row["status"]) for row in found} == {("d", "completed")}
