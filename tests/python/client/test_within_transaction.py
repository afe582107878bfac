"""Recording within a transaction of the program, which it never harms."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from psycopg.types.string import StrDumper
from sqlalchemy.orm import Session

from pgvigil.client import AsyncMonitoringClient, MonitoringClient, current_task
from pgvigil.exceptions import MonitoringError, UnknownValueError
from tests.python.support.asking import OwnError, one, rows, the_task
from tests.python.support.client_calls import CALLS, DAY, counts, timeless
from tests.python.support.programs import logged, rows_of

NOTHING = {"count": 0}


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client as programs use it."""
    with MonitoringClient(dsn, component="tests", worker_id="w1", flush_interval=0.05) as client:
        yield client


# What is recorded


@pytest.mark.parametrize("on_error", ["log", "raise"])
def test_each_call_records_and_returns_what_one_that_waits_does(
    dsn: str, other_dsn: str, on_error: Any
) -> None:
    def answers(calls: Any) -> list[Any]:
        found = []
        for name, args, kwargs in CALLS:
            try:
                found.append(getattr(calls, name)(*args, **kwargs))
            except MonitoringError as error:
                found.append(type(error))
        return found

    async def awaited() -> list[Any]:
        found = []
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            calls = client.on(connection)
            for name, args, kwargs in CALLS:
                try:
                    found.append(await getattr(calls, name)(*args, **kwargs))
                except MonitoringError as error:
                    found.append(type(error))
            await connection.rollback()
        return found

    with MonitoringClient(other_dsn, component="tests", on_error="raise") as waiting:
        expected = answers(waiting)
    if on_error == "log":
        expected = [None if isinstance(answer, type) else answer for answer in expected]
    with MonitoringClient(dsn, component="tests", on_error=on_error) as client:
        assert timeless(asyncio.run(awaited())) == timeless(expected)
        assert set(counts(dsn).values()) == {0}
        with psycopg.connect(dsn) as program:
            found = answers(client.on(program))
    # Numbers are those of sequences, of which a rollback takes nothing back.
    assert [type(answer) for answer in found] == [type(answer) for answer in expected]
    assert counts(dsn) == counts(other_dsn)


def test_a_record_is_committed_with_the_rows_of_the_program_and_undone_with_them(
    monitor: MonitoringClient, program: psycopg.Connection, connection: psycopg.Connection
) -> None:
    program.execute("insert into work values (1)")
    assert monitor.on(program).record_log("info", "undone")
    program.rollback()
    program.execute("insert into work values (2)")
    assert monitor.on(program).record_log("info", "committed")
    assert logged(connection) == 0
    with program.transaction(force_rollback=True):
        monitor.on(program).record_log("info", "undone with a part of it")
    program.commit()
    assert logged(connection) == rows_of(connection) == 1


def test_a_task_is_recorded_with_all_that_is_told_in_it(
    monitor: MonitoringClient, program: psycopg.Connection, connection: psycopg.Connection
) -> None:
    with monitor.on(program).task("load", task_id="t", items_total=2) as task:
        assert current_task() is task
        assert task.attempt == 1
        with task.step("insert"):
            program.execute("insert into work values (1), (2)")
            time.sleep(0.02)
        task.progress(2)
        assert task.heartbeat() is True
        task.count(ok=2)
        task.metric("speed", 2.0)
        task.error("Kind", "what")
        with task.child("part", task_id="t/1"):
            pass
    assert one(connection, "select count(*) from monitoring.processing_metrics") == NOTHING
    program.commit()
    done = one(connection, "select * from monitoring.processing_metrics where task_id = 't'")
    assert (done["status"], done["items_done"], done["counters"]) == ("completed", 2, {"ok": 2})
    assert done["duration_ms"] >= 20
    assert (done["worker_id"], rows_of(connection)) == ("w1", 2)
    assert one(connection, "select component from monitoring.error_tracking") == {
        "component": "tests"
    }


def test_an_exception_passes_and_its_record_goes_with_the_transaction_or_stays_by_the_client(
    monitor: MonitoringClient, dsn: str, connection: psycopg.Connection
) -> None:
    with (  # noqa: PT012
        pytest.raises(psycopg.errors.DivisionByZero),
        monitor.task("load", task_id="kept"),
        psycopg.connect(dsn) as program,
        monitor.on(program).task("load", task_id="undone"),
    ):
        program.execute("create table work (id integer)")
        program.execute("select 1 / 0")
    with pytest.raises(OwnError), monitor.on(program).task("load"):  # closed by now
        raise OwnError
    assert monitor.flush()
    task = the_task(connection)
    assert (task["task_id"], task["status"]) == ("kept", "failed")
    assert one(connection, "select to_regclass('work') as work") == {"work": None}


def test_a_task_that_the_client_began_ends_with_the_transaction(
    monitor: MonitoringClient, program: psycopg.Connection, connection: psycopg.Connection
) -> None:
    for by_name in (True, False):
        task_id = monitor.start_task("load", task_id=f"by name {by_name}")
        program.execute("insert into work values (1)")
        told = str(task_id) if by_name else task_id
        assert monitor.on(program).update_task(told, items_done=1) is True
        assert monitor.on(program).complete_task(told) is True
    query = "select status, items_done, attempt from monitoring.processing_metrics"
    assert {row["status"] for row in rows(connection, query)} == {"running"}
    program.commit()
    assert rows(connection, query) == [
        {"status": "completed", "items_done": 1, "attempt": 1} for _ in range(2)
    ]


def test_a_task_that_a_transaction_began_is_ended_by_the_client(
    monitor: MonitoringClient, program: psycopg.Connection, connection: psycopg.Connection
) -> None:
    first = monitor.on(program).start_task("load", task_id="t")
    program.commit()
    second = monitor.on(program).start_task("load", task_id="t")
    program.commit()
    monitor.complete_task(first, "failed")
    monitor.complete_task(second)
    assert monitor.flush()
    query = "select status from monitoring.processing_metrics order by attempt"
    assert rows(connection, query) == [{"status": "failed"}, {"status": "completed"}]


# Connections of all kinds


def _with_rows_as_dictionaries(dsn: str) -> psycopg.Connection[Any]:
    return psycopg.connect(dsn, row_factory=dict_row)


def _with_cursors_that_bind(dsn: str) -> psycopg.Connection[Any]:
    return psycopg.connect(dsn, cursor_factory=psycopg.ClientCursor)


def _that_prepares_everything(dsn: str) -> psycopg.Connection[Any]:
    return psycopg.connect(dsn, prepare_threshold=0)


def _that_prepares_nothing(dsn: str) -> psycopg.Connection[Any]:
    return psycopg.connect(dsn, prepare_threshold=None)


def _with_adapters_of_its_own(dsn: str) -> psycopg.Connection[Any]:
    class Shouting(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.upper())

    connection = psycopg.connect(dsn)
    connection.adapters.register_dumper(str, Shouting)
    set_json_loads(lambda text: str(text), connection)
    return connection


def _in_another_encoding(dsn: str) -> psycopg.Connection[Any]:
    return psycopg.connect(dsn, client_encoding="latin1")


def _with_a_serializable_transaction(dsn: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(dsn)
    connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    return connection


def _with_odd_settings(dsn: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(dsn)
    connection.execute("set search_path = ''; set standard_conforming_strings = off")
    connection.execute("set datestyle = 'SQL, DMY'; set intervalstyle = sql_standard")
    connection.commit()
    return connection


@pytest.mark.parametrize(
    "connected",
    [
        psycopg.connect,
        _with_rows_as_dictionaries,
        _with_cursors_that_bind,
        _that_prepares_everything,
        _that_prepares_nothing,
        _with_adapters_of_its_own,
        _in_another_encoding,
        _with_a_serializable_transaction,
        _with_odd_settings,
    ],
)
def test_a_connection_is_used_whatever_it_is_set_to(
    dsn: str, connection: psycopg.Connection, connected: Callable[[str], psycopg.Connection[Any]]
) -> None:
    message = "it's 100 % \\ of \u20ac 5 %s {} \0 \udc80"
    with MonitoringClient(dsn, on_error="raise") as monitor, connected(dsn) as program:
        for _ in range(7):
            assert monitor.on(program).record_log("info", message, details={"é": [message]})
        found = monitor.on(program).log_invalid_records("orders", ["é", "1"], "NUMBER")
        assert found is not None
        assert found["opened"] == 2
        assert monitor.on(program).log_program_execution("orders", DAY, {}, 1.5, task_id="T")
    lines = rows(connection, "select message, details from monitoring.v_application_logs")
    assert len(lines) == 7
    for line in lines:
        assert line["message"].startswith("it's 100 % \\ of ")
        assert line["message"].split(" ")[6:9] == ["5", "%s", "{}"]
        assert [text.split(" ")[0] for text in next(iter(line["details"].values()))] == ["it's"]


def test_each_call_is_a_transaction_where_the_connection_commits_by_itself(
    monitor: MonitoringClient, dsn: str, connection: psycopg.Connection
) -> None:
    with psycopg.connect(dsn, autocommit=True) as program:
        assert monitor.on(program).record_log("info", "by itself")
        assert logged(connection) == 1
        with program.transaction():
            assert monitor.on(program).record_log("info", "in a transaction")
            assert logged(connection) == 1
        assert logged(connection) == 2
        assert program.info.transaction_status == TransactionStatus.IDLE


def test_a_session_of_sqlalchemy_has_a_connection_to_record_over(
    monitor: MonitoringClient, dsn: str, connection: psycopg.Connection
) -> None:
    engine = sqlalchemy.create_engine(dsn.replace("postgresql://", "postgresql+psycopg://"))
    with Session(engine) as session:
        for is_kept in (False, True):
            driver = session.connection().connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            assert monitor.on(driver).record_log("info", f"{is_kept}")
            assert session.scalar(sqlalchemy.text("select 1")) == 1
            session.commit() if is_kept else session.rollback()
    engine.dispose()
    assert rows(connection, "select message from monitoring.v_application_logs") == [
        {"message": "True"}
    ]


def test_a_task_that_a_transaction_has_begun_makes_others_of_its_name_wait_and_lose_nothing(
    monitor: MonitoringClient, program: psycopg.Connection, connection: psycopg.Connection
) -> None:
    monitor.on(program).start_task("load", task_id="t")
    monitor.start_task("load", task_id="t")
    monitor.record_log("info", "behind it")
    assert not monitor.flush(0.3)
    program.commit()
    assert monitor.flush()
    assert monitor.dropped == 0
    assert logged(connection) == 1
    query = "select status from monitoring.processing_metrics order by attempt"
    assert rows(connection, query) == [{"status": "lost"}, {"status": "running"}]


@pytest.mark.parametrize("given", [None, "postgresql://", object(), 5, MonitoringClient("")])
def test_what_is_no_connection_is_named(monitor: MonitoringClient, given: Any) -> None:
    with pytest.raises(TypeError, match=f"not .*{type(given).__name__}"):
        monitor.on(given)


# Asynchronous connections


def test_calls_over_an_asynchronous_connection_are_made_when_they_are_awaited(
    dsn: str, connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    async def run(monitor: MonitoringClient) -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as program:
            calls = monitor.on(program)
            async with calls.task("load", task_id="t") as task:
                assert current_task() is task
                assert task.attempt == 1
                async with task.step("work"):
                    await asyncio.sleep(0.01)
                calls.record_log("info", "made with the next")
                task.metric("speed", 2.0)
                assert await calls.record_log("info", "and this one") is not None
                assert one(connection, "select count(*) from monitoring.processing_metrics") == (
                    NOTHING
                )
                await asyncio.gather(*(calls.record_log("info", str(n)) for n in range(20)))
            with pytest.raises(OwnError):
                async with calls.task("load", task_id="failing"):
                    raise OwnError
            await program.commit()
            await calls.fail_task(await calls.start_task("x", task_id="undone"), "Kind", "what")
            await program.rollback()
            assert monitor.dropped == 0
            monitor.on(program).record_log("info", "nobody waits for this")
        assert monitor.dropped == 1

    asyncio.run(run(MonitoringClient(dsn)))
    assert "have to be awaited" in caplog.text
    asyncio.run(_closing_after(AsyncMonitoringClient(dsn), dsn))
    query = "select task_id, status from monitoring.processing_metrics order by 1"
    assert [tuple(row.values()) for row in rows(connection, query)] == [
        ("async", "completed"),
        ("failing", "failed"),
        ("t", "completed"),
    ]
    assert logged(connection) == 22
    assert len(rows(connection, "select from monitoring.performance_monitoring")) == 1


async def _closing_after(monitor: AsyncMonitoringClient, dsn: str) -> None:
    """Begin by the client, and end within a transaction."""
    async with monitor, await psycopg.AsyncConnection.connect(dsn) as program:
        task_id = await monitor.start_task("load", task_id="async")
        assert await monitor.on(program).complete_task(task_id) is True


def test_an_asynchronous_call_that_fails_leaves_the_transaction_as_it_was(
    dsn: str, connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    async def run(monitor: MonitoringClient, strict: MonitoringClient) -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as program:
            await program.execute("create table work (id integer)")
            await program.execute("set local statement_timeout = '10s'")
            with pytest.raises(UnknownValueError):
                await strict.on(program).update_system_health("db", "x", "sick")
            strict.on(program).update_system_health("db", "x", "ill")
            calls = strict.on(program)
            calls.update_system_health("db", "x", "unwell")
            assert await calls.record_log("info", "m")
            connection.execute("begin; lock table monitoring.active_tasks")
            starting = asyncio.ensure_future(_started(monitor, program))
            await asyncio.sleep(0.2)
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting
            connection.execute("commit")
            assert program.info.transaction_status == TransactionStatus.INTRANS
            await program.execute("insert into work values (1)")
            with pytest.raises(psycopg.errors.DivisionByZero):
                await program.execute("select 1 / 0")
            assert await monitor.on(program).record_log("info", "x") is None
            await program.rollback()
            async with program.pipeline():
                assert await monitor.on(program).record_log("info", "x") is None
        assert await monitor.on(program).record_log("info", "x") is None  # closed
        assert monitor.dropped == 4

    with MonitoringClient(dsn) as monitor, MonitoringClient(dsn, on_error="raise") as strict:
        asyncio.run(run(monitor, strict))
        assert strict.dropped == 1  # the one that nobody has awaited
    assert "unwell" in caplog.text


async def _started(monitor: MonitoringClient, program: psycopg.AsyncConnection[Any]) -> None:
    await monitor.on(program).start_task("x", task_id="t")
