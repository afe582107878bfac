"""That `MonitoringClient` never gets in the way, whatever goes wrong around it."""

import contextvars
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil.client import MonitoringClient, TrackedTask
from pgvigil.client.recording.link import UnavailableError
from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import MonitoringError, NameMissingError, UnknownValueError
from pgvigil.install import migrate
from tests.python.support.asking import OwnError, one, rows, the_task

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client that says at once when it is used wrongly."""
    with MonitoringClient(dsn, component="tests", worker_id="w1", on_error="raise") as client:
        yield client


# What is wrong with the call


def test_wrong_arguments_raise_when_asked_to(monitor: MonitoringClient) -> None:
    with pytest.raises(NameMissingError, match="task_id"):
        monitor.start_task("", "x")
    with pytest.raises(UnknownValueError, match="sick") as caught:
        monitor.update_system_health("db", "x", "sick")
    assert "healthy" in (caught.value.hint or "")
    with pytest.raises(MonitoringError, match="row 2"):
        monitor.record_logs([{"level": "info", "message": "m"}, {"level": "?", "message": "m"}])
    with pytest.raises(psycopg.Error):
        monitor.start_task("t", "x", input_size="much")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Circular"):
        monitor.start_task("t", "x", metadata=circle())
    assert monitor.start_task("t", "x") == 1  # and the connection is none the worse


def circle() -> dict[str, Any]:
    """Return something that JSON cannot hold."""
    document: dict[str, Any] = {}
    document["self"] = document
    return document


def test_wrong_arguments_are_repaired_and_logged_otherwise(
    dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with MonitoringClient(dsn) as monitor:
        for _ in range(3):
            assert monitor.start_task("", "x") is not None
        assert monitor.start_task("t", "x", metadata=circle()) is None
        assert monitor.complete_task("", "done")
        assert monitor.record_logs([{"level": "?", "message": "m"}] * 10) == 10
        assert monitor.dropped == 1  # what no JSON can be made of
    texts = [record.getMessage() for record in caplog.records if record.name == "pgvigil"]
    assert len(texts) == 4  # one for each kind of mistake
    assert 'task_id is empty: ""; recorded as "(unnamed)"' in texts[0]
    assert "Hint: Give task_id a name" in texts[0]
    assert "10 values of this call were not right" in texts[-1]


def test_a_database_without_pgvigil_breaks_nothing(
    empty_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with MonitoringClient(empty_dsn) as monitor, monitor.task("t", "x") as task:
        task.progress(1)
    assert monitor.dropped == 2  # start and end
    assert 'schema "monitoring" does not exist' in caplog.text


def test_on_error_is_checked() -> None:
    with pytest.raises(ValueError, match="panic"):
        MonitoringClient(NOWHERE, on_error="panic")  # type: ignore[arg-type]


# When the database is away


def test_an_unreachable_database_costs_next_to_nothing_and_raises_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    monitor = MonitoringClient(NOWHERE, on_error="raise")
    began_at = time.perf_counter()
    for number in range(500):
        with monitor.task(f"t{number}", "x"):
            pass
    per_call = (time.perf_counter() - began_at) / 1000
    assert monitor.dropped == 1000
    assert per_call < 0.002
    messages = [record for record in caplog.records if record.name == "pgvigil"]
    assert len(messages) == 1
    assert "cannot reach its database" in messages[0].getMessage()


def test_a_dsn_that_makes_no_sense_breaks_nothing() -> None:
    monitor = MonitoringClient("postgresql://host:port:port/")
    assert monitor.record_log("info", "x") is None
    assert monitor.dropped == 1


def test_a_silent_server_is_given_up_and_then_left_alone(
    server: PostgresServer, dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    monitor = MonitoringClient(dsn, statement_timeout=0.3)
    assert monitor.start_task("t", "x") == 1
    with psycopg.connect(dsn) as connection:
        pid = one(connection, "select backend_pid from monitoring.processing_metrics")[
            "backend_pid"
        ]
    os.kill(pid, signal.SIGSTOP)
    try:
        began_at = time.perf_counter()
        assert monitor.complete_task("t") is None
        assert 0.2 < time.perf_counter() - began_at < 2
        began_at = time.perf_counter()
        assert monitor.record_log("info", "x") is None
        assert time.perf_counter() - began_at < 0.2
    finally:
        os.kill(pid, signal.SIGCONT)
    assert monitor.dropped == 2
    assert "no answer within 300 ms" in caplog.text
    monitor.close()


def test_a_server_that_was_restarted_is_found_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "server"
    with PostgresServer(home) as first:
        dsn, port = first.dsn(), first.port
        migrate(dsn)
        monitor = MonitoringClient(dsn)
        assert monitor.start_task("t", "x") == 1
    assert monitor.heartbeat("t") is None  # away
    with PostgresServer(home, port=port):
        deadline = time.monotonic() + 5
        while not monitor.heartbeat("t"):
            assert time.monotonic() < deadline, "the client did not come back"
            time.sleep(0.05)
        assert monitor.complete_task("t")
        monitor.close()
    assert "pgvigil records again" in caplog.text


def test_a_task_whose_start_could_not_be_recorded_is_recorded_whole_at_its_end(
    monitor: MonitoringClient, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = datetime.now(UTC)
    with monkeypatch.context() as patch:
        patch.setattr(monitor._link, "call", away)
        task = monitor.task("t", "x", input_size=3, metadata={"a": 1})
        task.__enter__()
        task.progress(5, 7)
    task.metadata["b"] = 2
    with pytest.raises(OwnError):
        raise_in(task)
    recorded = the_task(connection)
    assert (recorded["status"], recorded["task_type"]) == ("failed", "x")
    assert (recorded["items_done"], recorded["items_total"]) == (5, 7)
    assert (recorded["input_size"], recorded["worker_id"]) == (3, "w1")
    assert recorded["metadata"] == {"a": 1, "b": 2}
    assert before <= recorded["start_time"] <= recorded["end_time"]


def away(*_: object) -> None:
    """Stand in for a link whose database is away."""
    raise UnavailableError("away")


def raise_in(task: TrackedTask) -> None:
    """Leave a task that was entered before by an exception."""
    try:
        raise OwnError
    except OwnError as error:
        task.__exit__(type(error), error, error.__traceback__)
        raise


def test_a_task_may_end_in_another_context_than_it_began(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    task = monitor.task("t", "x")
    contextvars.copy_context().run(task.__enter__)
    task.__exit__(None, None, None)
    assert the_task(connection)["status"] == "completed"


def test_a_function_is_prepared_once_whatever_the_size_of_its_numbers(dsn: str) -> None:
    with MonitoringClient(dsn, on_error="raise") as monitor:
        for size in (1, 10**6, 10**12):
            monitor.start_task(f"t{size}", "x", input_size=size)
        connection = monitor._link._connection
        assert connection is not None
        query = "select count(*) from pg_prepared_statements where statement like '%start_task%'"
        row = connection.execute(query, prepare=False).fetchone()
        assert row == (1,)


def test_a_connection_that_was_ended_while_idle_loses_nothing(
    dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn) as monitor:
        monitor.start_task("t", "x")
        pid = one(connection, "select backend_pid from monitoring.processing_metrics")[
            "backend_pid"
        ]
        connection.execute("select pg_terminate_backend(%s, 5000)", [pid])
        assert monitor.complete_task("t")
        assert monitor.dropped == 0


# Threads, forks, connections


def test_threads_share_a_client(dsn: str, connection: psycopg.Connection) -> None:
    monitor = MonitoringClient(dsn, on_error="raise")

    def work(number: int) -> None:
        with monitor.task(f"t{number}", "x") as task:
            task.metric("m", number)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(200)))
    monitor.close()
    assert one(connection, "select count(*) from monitoring.processing_metrics") == {"count": 200}
    assert one(connection, "select sum(value) from monitoring.performance_monitoring") == {
        "sum": sum(range(200))
    }
    pids = rows(connection, "select distinct backend_pid from monitoring.processing_metrics")
    assert len(pids) == 1


def test_a_forked_child_opens_a_connection_of_its_own(
    dsn: str, connection: psycopg.Connection
) -> None:
    monitor = MonitoringClient(dsn)
    monitor.start_task("parent", "x")
    child = multiprocessing.get_context("fork").Process(
        target=lambda: monitor.start_task("child", "x")
    )
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert monitor.complete_task("parent")
    monitor.close()
    tasks = rows(
        connection, "select task_id, worker_id, backend_pid from monitoring.processing_metrics"
    )
    assert {task["task_id"] for task in tasks} == {"parent", "child"}
    assert len({task["backend_pid"] for task in tasks}) == 2
    assert len({task["worker_id"] for task in tasks}) == 2


def test_the_connection_is_opened_when_first_needed_and_again_after_close(
    server: PostgresServer, dsn: str, connection: psycopg.Connection
) -> None:
    query = "select count(*) from pg_stat_activity where application_name = 'pgvigil lazy'"
    monitor = MonitoringClient(dsn, component="lazy")
    assert one(connection, query) == {"count": 0}
    assert monitor.record_log("info", "x")
    assert one(connection, query) == {"count": 1}
    monitor.close()
    monitor.close()
    assert monitor.record_log("info", "x")
    monitor.close()


def test_the_dsn_comes_from_the_environment_when_none_is_given(
    dsn: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGVIGIL_DSN", dsn)
    with MonitoringClient() as monitor:
        assert monitor.record_log("info", "x")
    assert one(connection, "select component from monitoring.v_application_logs") == {
        "component": "python"
    }


def test_a_signal_handler_that_records_cannot_deadlock(dsn: str) -> None:
    monitor = MonitoringClient(dsn, statement_timeout=0.2, connect_timeout=0.1)
    monitor.record_log("info", "x")
    link = monitor._link
    with link._lock:  # as if the handler interrupted a call of the same thread
        assert monitor.record_log("info", "from the handler") is None
    assert monitor.record_log("info", "x")
    monitor.close()


def test_a_writer_needs_no_more_rights_than_the_role_gives(
    server: PostgresServer, dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute("create role client_writer login in role monitoring_writer")
    try:
        name = connection.info.dbname
        own = server.dsn(name, user="client_writer", via_socket=True)
        with MonitoringClient(own, on_error="raise") as monitor:
            with pytest.raises(OwnError), monitor.task("t", "x") as task:  # noqa: PT012
                task.progress(1)
                raise OwnError
            assert monitor.record_metrics([{"metric_name": "m", "value": 1}]) == 1
    finally:
        connection.execute("drop role client_writer")


def test_warnings_reach_the_logger_of_the_package(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="pgvigil"):
        MonitoringClient(NOWHERE).record_log("info", "x")
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_many_threads_wait_for_one_connection_attempt_at_most(
    dsn: str, connection: psycopg.Connection
) -> None:
    monitor = MonitoringClient(dsn)
    start = threading.Barrier(8)

    def work() -> None:
        start.wait(timeout=30)
        monitor.record_log("info", "x")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monitor.close()
    assert monitor.dropped == 0
    assert one(connection, "select count(*) from monitoring.v_application_logs") == {"count": 8}
