"""What Airflow tells listeners is recorded, in the signatures of versions 2 and 3."""

import importlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from pgvigil.client import MonitoringClient, current_task
from tests.python.support.airflow_stand_ins import SPECS, Airflow, DagRun, TaskInstance
from tests.python.support.asking import one, rows


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client."""
    with MonitoringClient(dsn, component="airflow") as client:
        yield client


@pytest.fixture(params=SPECS)
def airflow(
    request: pytest.FixtureRequest, monitor: MonitoringClient, monkeypatch: pytest.MonkeyPatch
) -> Airflow:
    """An Airflow of each version that hears our listener."""
    made = Airflow(request.param, monkeypatch)
    integration = importlib.import_module("pgvigil.integrations.airflow")
    made.manager.register(integration.listener(monitor))
    return made


def tasks(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    query = "select * from monitoring.processing_metrics order by task_id, attempt"
    return [
        (row["task_id"], row["task_type"], row["attempt"], row["status"], row["parent_task_id"])
        for row in rows(connection, query)
    ]


def errors(connection: psycopg.Connection[Any]) -> list[tuple[str, str, str]]:
    query = "select * from monitoring.error_tracking order by occurred_at"
    return [(row["error_type"], row["severity"], row["task_id"]) for row in rows(connection, query)]


def test_runs_of_dags_and_tasks_are_recorded(
    airflow: Airflow, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    run, load, mapped = DagRun(), TaskInstance(), TaskInstance(map_index=3)
    airflow.hear("on_dag_run_running", run)
    airflow.hear("on_task_instance_running", load)
    task = current_task()
    assert task is not None
    task.count(rows=7)
    airflow.hear("on_task_instance_success", load)
    assert current_task() is None
    airflow.hear("on_task_instance_running", mapped)
    airflow.hear("on_task_instance_success", mapped)
    airflow.hear("on_dag_run_success", run)
    assert monitor.flush()
    assert tasks(connection) == [
        ("shop.load/manual", "shop.load", 1, "completed", "shop/manual"),
        ("shop.load/manual[3]", "shop.load", 1, "completed", "shop/manual"),
        ("shop/manual", "shop", 1, "completed", None),
    ]
    query = "select counters from monitoring.processing_metrics where task_id = 'shop.load/manual'"
    assert one(connection, query)["counters"] == {"rows": 7}


def test_tries_are_attempts_and_say_whether_there_will_be_more(
    airflow: Airflow, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    for state in ("up_for_retry", SimpleNamespace(value="failed")):
        load = TaskInstance()
        airflow.hear("on_task_instance_running", load)
        load.state = state
        airflow.hear("on_task_instance_failed", load, error=ValueError("no price"))
    assert monitor.flush()
    assert [task[2:4] for task in tasks(connection)] == [(1, "failed"), (2, "failed")]
    kind = "TaskFailed" if airflow.version == "2.5.3" else "ValueError"
    assert errors(connection) == [
        (kind, "medium", "shop.load/manual"),
        (kind, "high", "shop.load/manual"),
    ]
    query = "select metadata from monitoring.processing_metrics order by attempt"
    assert [row["metadata"] for row in rows(connection, query)] == [{"retries_left": 1}, None]


def test_what_others_say_of_a_task_ends_it_as_well(
    airflow: Airflow, dsn: str, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn) as other:  # as in the process of the task
        other.start_task("shop.load", task_id="shop.load/manual")
    airflow.hear("on_task_instance_failed", TaskInstance(), error="marked by ada")
    assert monitor.flush()
    assert tasks(connection)[0][2:4] == (1, "failed")
    assert errors(connection) == [("TaskFailed", "high", "shop.load/manual")]


def test_a_dag_run_that_fails_or_takes_too_long(
    airflow: Airflow, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    for run_id, msg in (("a", "task_failure"), ("b", "timed_out")):
        airflow.hear("on_dag_run_running", DagRun(run_id=run_id))
        airflow.hear("on_dag_run_failed", DagRun(run_id=run_id), msg=msg)
    assert monitor.flush()
    assert [task[3] for task in tasks(connection)] == ["failed", "timeout"]


def test_a_task_that_is_deferred_goes_on(
    airflow: Airflow, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    airflow.hear("on_task_instance_running", TaskInstance())
    airflow.hear("on_task_instance_running", TaskInstance(next_method="execute_complete"))
    airflow.hear("on_task_instance_success", TaskInstance())
    assert monitor.flush()
    assert [task[2:4] for task in tasks(connection)] == [(1, "completed")]


def test_a_sensor_that_runs_again_and_again_is_one_task_in_the_end(
    airflow: Airflow, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    sensor = TaskInstance(task=SimpleNamespace(reschedule=True))
    for _ in range(3):
        airflow.hear("on_task_instance_running", sensor)
    airflow.hear("on_task_instance_success", sensor)
    assert monitor.flush()
    assert [task[2:4] for task in tasks(connection)] == [(1, "completed")]
    task = one(connection, "select start_time from monitoring.processing_metrics")
    assert task["start_time"] == sensor.start_date


@pytest.mark.parametrize("as_list", [False, True])
def test_a_task_that_skips_itself_is_cancelled(
    airflow: Airflow, monitor: MonitoringClient, connection: psycopg.Connection, as_list: bool
) -> None:
    told: list[Any] = []
    callback: Any = [told.append] if as_list else told.append
    load = TaskInstance(task=SimpleNamespace(on_skipped_callback=callback))
    airflow.hear("on_task_instance_running", load)
    for each in load.task.on_skipped_callback:
        each({"context": 1})
    if airflow.version == "3.3.2":
        airflow.hear("on_task_instance_skipped", load)
    assert monitor.flush()
    assert told == [{"context": 1}]
    assert [task[2:4] for task in tasks(connection)] == [(1, "cancelled")]


def test_a_time_limit_is_a_timeout(
    airflow: Airflow, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    limit = type("AirflowTaskTimeout", (BaseException,), {})
    load = TaskInstance()
    airflow.hear("on_task_instance_running", load)
    airflow.hear("on_task_instance_failed", load, error=limit("too long"))
    assert monitor.flush()
    # The oldest does not tell what failed.
    status = "failed" if airflow.version == "2.5.3" else "timeout"
    assert [task[2:4] for task in tasks(connection)] == [(1, status)]


def test_the_plugin_brings_the_listener(
    airflow: Airflow, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = importlib.import_module("pgvigil.integrations.airflow").PgvigilPlugin
    assert plugin.name == "pgvigil"
    (listener,) = plugin.listeners
    assert hasattr(listener, "on_task_instance_failed")


def test_a_monitor_that_breaks_does_not_break_tasks(
    airflow: Airflow,
    monitor: MonitoringClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(monitor, "task", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(monitor, "complete_task", lambda *_, **__: 1 / 0)
    for _ in range(3):
        airflow.hear("on_task_instance_running", TaskInstance())
        airflow.hear("on_task_instance_success", TaskInstance())
    told = [record for record in caplog.records if "division by zero" in record.getMessage()]
    assert [record.name for record in told] == ["pgvigil"]
