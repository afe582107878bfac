"""That `MonitoringClient` never gets in the way, whatever goes wrong around it."""

import contextvars
import logging
import multiprocessing
import os
import pickle
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

from pgvigil.client import MonitoringClient
from pgvigil.demo.server import PostgresServer
from pgvigil.exceptions import MonitoringError, NameMissingError, UnknownValueError
from pgvigil.install import migrate
from tests.python.support.asking import OwnError, client_sessions, one, rows, the_task
from tests.python.support.running import wait_until

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client that says at once when it is used wrongly."""
    with MonitoringClient(dsn, component="tests", worker_id="w1", on_error="raise") as client:
        yield client


# What is wrong with the call


def test_wrong_arguments_raise_when_asked_to(monitor: MonitoringClient) -> None:
    with pytest.raises(NameMissingError, match="task_id"):
        monitor.start_task("x", task_id="")
    with pytest.raises(UnknownValueError, match="sick") as caught:
        monitor.update_system_health("db", "x", "sick")
    assert "healthy" in (caught.value.hint or "")
    with pytest.raises(MonitoringError, match="row 2"):
        monitor.record_logs([{"level": "info", "message": "m"}, {"level": "?", "message": "m"}])
    with pytest.raises(TypeError, match="type of the task first"):
        monitor.start_task("t", "x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="record_exception"):
        monitor.record_error(OwnError(), "x", "low", "m")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Circular"):
        monitor.start_task("x", task_id="t", metadata=circle())
    assert monitor.start_task("x", task_id="t").attempt == 1  # and the connection is none the worse


def circle() -> dict[str, Any]:
    """Return something that JSON cannot hold."""
    document: dict[str, Any] = {}
    document["self"] = document
    return document


def test_wrong_arguments_are_repaired_and_logged_otherwise(
    dsn: str, connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with MonitoringClient(dsn) as monitor:
        for _ in range(3):
            monitor.start_task("x", task_id="")
        monitor.start_task("x", task_id="t", metadata=circle())
        monitor.start_task("t", "x")  # type: ignore[arg-type]
        monitor.complete_task("", "done")
        monitor.record_logs([{"level": "?", "message": "m"}] * 10)
        assert monitor.flush()
        assert monitor.dropped == 1  # what would be nonsense
    texts = [record.getMessage() for record in caplog.records if record.name == "pgvigil"]
    assert "changed metadata of start_task_tracking" in texts[0]
    assert "the type of the task first" in texts[1]
    assert 'task_id is empty: ""; recorded as "(unnamed)"' in texts[2]
    assert "Hint: Give task_id a name" in texts[2]
    assert "10 values of this call were not right" in texts[-1]
    assert one(connection, "select count(*) from monitoring.v_application_logs") == {"count": 10}


def test_what_is_told_before_pgvigil_is_installed_waits_for_it(
    empty_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with MonitoringClient(empty_dsn, flush_interval=0.05) as monitor:
        with monitor.task("x", task_id="t") as task:
            task.progress(1)
        wait_until(lambda: 'schema "monitoring" does not exist' in caplog.text)
        migrate(empty_dsn)
        assert monitor.flush()
        assert monitor.dropped == 0
    with psycopg.connect(empty_dsn) as connection:
        assert the_task(connection)["status"] == "completed"


def test_on_error_is_checked() -> None:
    with pytest.raises(ValueError, match="panic"):
        MonitoringClient(NOWHERE, on_error="panic")  # type: ignore[arg-type]


# When the database is away


def test_an_unreachable_database_costs_next_to_nothing_and_raises_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with MonitoringClient(NOWHERE, flush_interval=0.05) as monitor:
        began_at = time.perf_counter()
        for number in range(500):
            with monitor.task("x", task_id=f"t{number}"):
                pass
        per_call = (time.perf_counter() - began_at) / 1000
        wait_until(lambda: bool(caplog.records))
        assert not monitor.flush(0.5)
        assert monitor.dropped == 0
    assert per_call < 0.002
    messages = [record for record in caplog.records if record.name == "pgvigil"]
    assert len(messages) == 1
    assert "cannot reach its database" in messages[0].getMessage()


def test_calls_that_wait_raise_nothing_when_the_database_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    monitor = MonitoringClient(NOWHERE, on_error="raise")
    for number in range(50):
        with monitor.task("x", task_id=f"t{number}"):
            pass
    assert monitor.dropped == 100
    messages = [record for record in caplog.records if record.name == "pgvigil"]
    assert len(messages) == 1


def test_a_dsn_that_cannot_be_parsed_breaks_nothing() -> None:
    with MonitoringClient("postgresql://host:port:port/") as monitor:
        assert monitor.record_log("info", "x") is None
        monitor.flush()
        assert monitor.dropped == 1


def test_a_silent_server_keeps_nobody_waiting(
    dsn: str, connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with MonitoringClient(dsn, flush_interval=0.05) as monitor:
        task_id = monitor.start_task("x")
        assert monitor.flush()
        (pid,) = client_sessions(connection)
        os.kill(pid, signal.SIGSTOP)
        try:
            longest = 0.0
            for number in range(300):
                began_at = time.perf_counter()
                monitor.record_log("info", f"line {number}")
                longest = max(longest, time.perf_counter() - began_at)
                time.sleep(0.001)
            monitor.complete_task(task_id)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert longest < 0.2
        assert monitor.flush()
        assert monitor.dropped == 0
    assert the_task(connection)["status"] == "completed"
    assert one(connection, "select count(*) from monitoring.v_application_logs") == {"count": 300}


def test_what_is_told_while_the_server_is_away_arrives_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "server"
    with PostgresServer(home) as first:
        dsn, port = first.dsn(), first.port
        migrate(dsn)
        monitor = MonitoringClient(dsn, flush_interval=0.05, spool=tmp_path / "spool")
        task_id = monitor.start_task("x", task_id="t")
        assert monitor.flush()
        assert task_id.attempt == 1
    told_at = datetime.now(UTC)
    monitor.record_log("info", "away")
    monitor.complete_task(task_id)
    wait_until(lambda: "cannot reach its database" in caplog.text)
    monitor.record_log("info", "still away")
    wait_until(lambda: any((tmp_path / "spool").glob("*.spool")))
    with PostgresServer(home, port=port):
        assert monitor.flush()
        monitor.close()
        with psycopg.connect(dsn) as connection:
            task = the_task(connection)
            assert task["status"] == "completed"
            assert abs((task["end_time"] - told_at).total_seconds()) < 1
            assert len(rows(connection, "select from monitoring.v_application_logs")) == 2
    assert monitor.dropped == 0
    assert "pgvigil records again" in caplog.text
    assert not any((tmp_path / "spool").iterdir())


def test_a_task_may_end_in_another_context_than_it_began(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    task = monitor.task("x", task_id="t")
    contextvars.copy_context().run(task.__enter__)
    task.__exit__(None, None, None)
    assert the_task(connection)["status"] == "completed"


def test_a_function_is_prepared_once_whatever_the_size_of_its_numbers(dsn: str) -> None:
    with MonitoringClient(dsn, on_error="raise") as monitor:
        for size in (1, 10**6, 10**12):
            monitor.start_task("x", task_id=f"t{size}", input_size=size)
        connection = monitor._link._connection
        assert connection is not None
        query = "select count(*) from pg_prepared_statements where statement like '%start_task%'"
        row = connection.execute(query, prepare=False).fetchone()
        assert row == (1,)


def test_a_connection_that_was_ended_loses_nothing(
    dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn) as monitor:
        task_id = monitor.start_task("x")
        assert monitor.flush()
        connection.execute("select pg_terminate_backend(%s, 5000)", client_sessions(connection))
        monitor.complete_task(task_id)
        assert monitor.flush()
        assert monitor.dropped == 0
    assert the_task(connection)["status"] == "completed"


# Threads, forks, connections


def test_threads_share_a_client(dsn: str, connection: psycopg.Connection) -> None:
    monitor = MonitoringClient(dsn, on_error="raise")

    def work(number: int) -> None:
        with monitor.task("x", task_id=f"t{number}") as task:
            task.metric("m", number)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(200)))
    monitor.close()
    assert one(connection, "select count(*) from monitoring.processing_metrics") == {"count": 200}
    assert one(connection, "select sum(value) from monitoring.performance_monitoring") == {
        "sum": sum(range(200))
    }


def test_a_forked_child_opens_a_connection_of_its_own(
    dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn) as client:

        def work() -> None:
            client.start_task("x", task_id="child")
            assert client.flush(20)  # its end waits no longer than two seconds

        task_id = client.start_task("x", task_id="parent")
        assert client.flush()
        client.record_log("info", "once")
        child = multiprocessing.get_context("fork").Process(target=work)
        child.start()
        child.join(20)
        assert child.exitcode == 0
        client.complete_task(task_id)
    tasks = rows(connection, "select task_id, worker_id from monitoring.processing_metrics")
    assert {task["task_id"] for task in tasks} == {"parent", "child"}
    assert len({task["worker_id"] for task in tasks}) == 2
    assert len(rows(connection, "select from monitoring.v_application_logs")) == 1


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_forked_child_tells_how_far_a_run_of_its_parent_is(
    dsn: str, connection: psycopg.Connection, is_sent: bool
) -> None:
    def work() -> None:
        monitor.start_task("x", task_id="child")  # the first run that this process numbers
        child_may_tell.wait(20)
        monitor.update_task(task_id, items_done=7)
        monitor.complete_task("child")
        assert monitor.flush(20)  # its end waits no longer than two seconds

    context = multiprocessing.get_context("fork")
    child_may_tell = context.Event()
    with MonitoringClient(dsn, flush_interval=60) as monitor:
        task_id = monitor.start_task("x", task_id="parent")
        if is_sent:
            assert monitor.flush()
        child = context.Process(target=work)
        child.start()
        assert monitor.flush()
        child_may_tell.set()
        child.join(20)
        assert child.exitcode == 0
        monitor.complete_task(task_id)
    query = "select task_id, items_done, status from monitoring.processing_metrics order by 1"
    assert rows(connection, query) == [
        {"task_id": "child", "items_done": None, "status": "completed"},
        {"task_id": "parent", "items_done": 7, "status": "completed"},
    ]


def test_a_name_that_another_process_gets_tells_the_end_from_there(
    dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn) as monitor, MonitoringClient(dsn) as elsewhere:
        task_id = pickle.loads(pickle.dumps(monitor.start_task("x", task_id="before it is sent")))
        assert monitor.flush()
        elsewhere.complete_task(task_id)
        task_id = monitor.start_task("x", task_id="after")
        assert monitor.flush()
        copy = pickle.loads(pickle.dumps(task_id))
        assert (copy, copy.attempt) == ("after", 1)
        elsewhere.complete_task(copy)
    tasks = rows(connection, "select status from monitoring.processing_metrics")
    assert tasks == [{"status": "completed"}] * 2


def test_the_connection_is_opened_when_first_needed_and_again_after_close(
    dsn: str, connection: psycopg.Connection
) -> None:
    query = "select count(*) from pg_stat_activity where application_name = 'pgvigil lazy'"
    monitor = MonitoringClient(dsn, component="lazy")
    assert one(connection, query) == {"count": 0}
    monitor.record_log("info", "x")
    assert monitor.flush()
    assert one(connection, query) == {"count": 1}
    monitor.close()
    monitor.close()
    monitor.record_log("info", "x")
    monitor.close()
    assert one(connection, "select count(*) from monitoring.v_application_logs") == {"count": 2}


def test_the_dsn_comes_from_the_environment_when_none_is_given(
    dsn: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGVIGIL_DSN", dsn)
    with MonitoringClient() as monitor:
        monitor.record_log("info", "x")
    assert one(connection, "select component from monitoring.v_application_logs") == {
        "component": "python"
    }


def test_a_signal_handler_that_records_cannot_deadlock(
    dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn) as monitor:
        monitor.record_log("info", "x")
        with monitor._sender.queue._lock:  # as if it interrupted a call of the same thread
            monitor.record_log("info", "from the handler")
        monitor.record_log("info", "x")
    assert one(connection, "select count(*) from monitoring.v_application_logs") == {"count": 3}


def test_a_signal_handler_that_waits_cannot_deadlock(dsn: str) -> None:
    monitor = MonitoringClient(dsn, on_error="raise", statement_timeout=0.2, connect_timeout=0.1)
    monitor.record_log("info", "x")
    with monitor._link._lock:
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
            with pytest.raises(OwnError), monitor.task("x", task_id="t") as task:  # noqa: PT012
                task.progress(1)
                raise OwnError
            assert monitor.record_metrics([{"metric_name": "m", "value": 1}]) == 1
    finally:
        connection.execute("drop role client_writer")


def test_warnings_reach_the_logger_of_the_package(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.WARNING, logger="pgvigil"),
        MonitoringClient(NOWHERE, flush_interval=0.05) as monitor,
    ):
        monitor.record_log("info", "x")
        wait_until(lambda: bool(caplog.records))
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_many_threads_begin_with_one_thread_that_sends(
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


def test_a_component_of_any_characters_is_recorded(
    dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn, component="\udcff\0\n'x' \\") as monitor:
        monitor.record_error(None, "Odd", "low", "m")
        assert monitor.flush()
    assert one(
        connection, "select error_type from monitoring.error_tracking where error_type = 'Odd'"
    )
