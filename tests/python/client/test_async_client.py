"""What `AsyncMonitoringClient` records, and that it never holds up its event loop."""

import asyncio
import multiprocessing
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from pgvigil import AsyncMonitoringClient, ETLLogger, ETLMonitor, MonitoringClient
from pgvigil.client import current_task
from pgvigil.client.etl import ETLExecution, current_place
from pgvigil.client.recording.awaited import AwaitedCalls
from pgvigil.client.recording.tracking import TrackingCalls
from pgvigil.exceptions import MonitoringError, UnknownValueError
from tests.python.support.asking import OwnError, one, rows, the_task
from tests.python.support.async_clients import awaited, close, flush, in_a_loop
from tests.python.support.client_calls import CALLS, DAY, calls_of, counts, timeless

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"
# The same calls


def test_each_call_may_be_awaited_and_is_tried_here() -> None:
    assert calls_of(TrackingCalls) == {name for name, _, _ in CALLS}
    assert calls_of(TrackingCalls) <= set(vars(AwaitedCalls))


@pytest.mark.parametrize("on_error", ["log", "raise"])
@pytest.mark.parametrize("is_awaited", [True, False])
def test_a_call_records_and_returns_the_same_awaited_or_not(
    dsn: str, other_dsn: str, on_error: Any, is_awaited: bool
) -> None:
    async def found() -> list[Any]:
        answers = []
        async with AsyncMonitoringClient(dsn, component="tests", on_error=on_error) as client:
            for name, args, kwargs in CALLS:
                answer = getattr(client, name)(*args, **kwargs)
                answers.append(await tried(answer) if is_awaited else answer)
            assert await client.flush()
        return answers if is_awaited else [await tried(answer) for answer in answers]

    async def tried(answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except MonitoringError as error:
            return type(error)

    expected = []
    with MonitoringClient(other_dsn, component="tests", on_error=on_error) as client:
        for name, args, kwargs in CALLS:
            try:
                expected.append(getattr(client, name)(*args, **kwargs))
            except MonitoringError as error:
                expected.append(type(error))
    answers = asyncio.run(found())
    assert timeless(answers) == timeless(expected)
    assert counts(dsn) == counts(other_dsn)
    assert all(counts(dsn).values())


@in_a_loop
async def test_a_task_records_steps_progress_counters_and_its_end(
    dsn: str, connection: psycopg.Connection
) -> None:
    async with AsyncMonitoringClient(dsn, component="tests", on_error="raise") as client:
        async with client.task("load", task_id="t", items_total=3) as task:
            assert current_task() is task
            assert task.attempt == 1
            for number in (1, 2, 3):
                async with task.step("work"):
                    await asyncio.sleep(0.01)
                with task.step("more work"):
                    task.count(ok=1)
                await task.progress(number)
            await task.metric("speed", 2.0, "rows/s")
            task.log("info", "here")
            await task.error("Kind", "what")
            assert await task.heartbeat() is True
            task.output_size = 7
            async with task.child("part", task_id="t/1") as child:
                assert current_task() is child
        assert current_task() is None
        with pytest.raises(OwnError):
            async with client.task("load", task_id="failing", severity="critical"):
                raise OwnError
    done = one(connection, "select * from monitoring.processing_metrics where task_id = 't'")
    assert (done["status"], done["output_size"], done["items_done"]) == ("completed", 7, 3)
    assert done["counters"] == {"ok": 3}
    assert set(done["step_durations"]) == {"work", "more work"}
    child_row = one(connection, "select * from monitoring.processing_metrics where task_id = 't/1'")
    assert child_row["parent_task_id"] == "t"
    errors = rows(connection, "select task_id, severity from monitoring.error_tracking order by 1")
    assert [tuple(error.values()) for error in errors] == [
        ("failing", "critical"),
        ("t", "medium"),
    ]
    assert len(rows(connection, "select from monitoring.v_application_logs")) == 1


@in_a_loop
async def test_a_call_records_what_its_values_were_when_it_was_made(
    dsn: str, connection: psycopg.Connection
) -> None:
    async with AsyncMonitoringClient(dsn) as client:
        failing = [{"record_key": "1"}]
        answer = client.log_invalid_records("orders", failing, "NUMBER")
        failing.clear()
        generated = client.log_invalid_records("more", (str(n) for n in range(3)), "NUMBER")
        assert not answer
        found = await answer
        assert found is not None
        assert found["opened"] == 1
        assert answer.value == found
        assert answer
        again, more = await asyncio.gather(answer, generated)
        assert again == found
        assert more is not None
        assert more["opened"] == 3
    assert one(connection, "select count(*) from monitoring.invalid_records") == {"count": 4}


@in_a_loop
async def test_a_thousand_tasks_at_once_are_recorded_each_for_itself(
    dsn: str, connection: psycopg.Connection
) -> None:
    async with AsyncMonitoringClient(dsn) as client:

        async def load(number: int) -> None:
            async with client.task("load", task_id=f"t{number}") as task:
                await asyncio.sleep(0.001 * (number % 7))
                assert current_task() is task
                task.metric("number", number)
                if number % 100 == 0:
                    raise OwnError

        results = await asyncio.gather(*map(load, range(1000)), return_exceptions=True)
        assert sum(isinstance(result, OwnError) for result in results) == 10
        assert await client.flush()
        assert client.dropped == 0
    tasks = rows(
        connection, "select status, count(*) from monitoring.processing_metrics group by 1"
    )
    assert {task["status"]: task["count"] for task in tasks} == {"completed": 990, "failed": 10}
    query = (
        "select count(*) from monitoring.performance_monitoring where task_id = 't' || round(value)"
    )
    assert one(connection, query) == {"count": 1000}


# Loops


def test_a_client_serves_one_loop_after_another(dsn: str, connection: psycopg.Connection) -> None:
    client = AsyncMonitoringClient(dsn, on_error="raise")

    async def work(number: int) -> None:
        task_id = await client.start_task("load", task_id=f"t{number}")
        assert task_id.attempt == 1
        client.record_log("info", "nobody waits for this")
        assert await client.complete_task(task_id)

    for number in range(3):
        asyncio.run(work(number))

    async def close() -> None:
        await client.close()
        await client.record_log("info", "opens it again")
        await client.close()

    asyncio.run(close())
    assert one(connection, "select count(*) from monitoring.processing_metrics") == {"count": 3}
    assert one(connection, "select count(*) from monitoring.v_application_logs") == {"count": 4}


def test_calls_outside_of_any_loop_record_as_well(dsn: str, connection: psycopg.Connection) -> None:
    client = AsyncMonitoringClient(dsn, on_error="raise")
    with client.task("load", task_id="t"):
        client.log_invalid_records("orders", ["1"], "NUMBER")
    with MonitoringClient(dsn, on_error="raise"):
        flush(client)
    close(client)
    assert the_task(connection)["status"] == "completed"
    assert len(rows(connection, "select from monitoring.invalid_records")) == 1


@in_a_loop
async def test_whoever_is_cancelled_while_waiting_loses_no_record(
    dsn: str, connection: psycopg.Connection
) -> None:
    async with AsyncMonitoringClient(dsn) as client:
        connection.execute("begin; lock table monitoring.active_tasks")
        waiting = [
            asyncio.ensure_future(awaited(client.log_program_execution("o", DAY, {}, task_id=n)))
            for n in ("a", "b")
        ]
        await asyncio.sleep(0.1)
        for future in waiting:
            future.cancel()
        await asyncio.wait(waiting)
        assert all(future.cancelled() for future in waiting)
        connection.execute("commit")
        assert await client.flush()
    assert len(rows(connection, "select from monitoring.processing_log")) == 2


def test_a_forked_child_has_a_thread_of_its_own(dsn: str, connection: psycopg.Connection) -> None:
    client = AsyncMonitoringClient(dsn)

    async def work(dataset: str) -> None:
        assert await client.log_invalid_records(dataset, ["1"], "NUMBER")
        await client.close()

    async def begin() -> None:
        assert await client.log_invalid_records("parent", ["1"], "NUMBER")

    asyncio.run(begin())
    child = multiprocessing.get_context("fork").Process(target=lambda: asyncio.run(work("child")))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    asyncio.run(work("parent again"))
    assert len(rows(connection, "select from monitoring.invalid_records")) == 3


# With others


@in_a_loop
async def test_what_a_call_returns_is_taken_wherever_a_coroutine_is(
    dsn: str, connection: psycopg.Connection
) -> None:
    async with AsyncMonitoringClient(dsn, on_error="raise") as client:
        started: Any = client.start_task("x", task_id="t")
        logged: Any = client.record_log("info", "y")
        async with asyncio.TaskGroup() as group:
            begun = group.create_task(started)
            line = group.create_task(logged)
        assert begun.result().attempt == 1
        assert {line.result()} == {await asyncio.wait_for(logged, 5), await logged}
        slow: Any = client.log_invalid_records("orders", ["1"], "NUMBER")
        assert len({str(await task) for task in map(asyncio.create_task, (slow, slow))}) == 1
        wrong: Any = client.update_system_health("db", "x", "sick")
        with pytest.raises(UnknownValueError):
            await asyncio.create_task(wrong)
    closing: Any = client.close()
    await asyncio.to_thread(asyncio.run, closing)
    assert len(rows(connection, "select from monitoring.v_application_logs")) == 1


def test_loops_in_several_threads_share_a_client(dsn: str, connection: psycopg.Connection) -> None:
    client = AsyncMonitoringClient(dsn)

    async def work(number: int) -> None:
        async with client.task("load", task_id=f"t{number}"):
            assert await client.log_invalid_records("orders", [str(number)], "NUMBER")

    async def many(first: int) -> None:
        await asyncio.gather(*(work(first + number) for number in range(20)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda first: asyncio.run(many(first)), range(0, 80, 20)))
    flush(client)
    close(client)
    assert len(rows(connection, "select from monitoring.invalid_records")) == 80
    assert len(rows(connection, "select from monitoring.processing_metrics")) == 80


def test_the_end_of_a_program_waits_for_calls_that_nobody_waits_for(
    dsn: str, connection: psycopg.Connection
) -> None:
    program = """
        import asyncio, sys
        from pgvigil import AsyncMonitoringClient
        client = AsyncMonitoringClient(sys.argv[1])
        async def main():
            for number in range(20):
                client.log_invalid_records("orders", [str(number)], "NUMBER")
                client.record_log("info", "x")
        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    for given in (dsn, NOWHERE):
        began_at = time.perf_counter()
        done = subprocess.run([*command, given], capture_output=True, text=True, check=True)
        assert time.perf_counter() - began_at < 15
        assert ("records lost so far" in done.stderr) == (given == NOWHERE)
    assert len(rows(connection, "select from monitoring.invalid_records")) == 20
    assert len(rows(connection, "select from monitoring.v_application_logs")) == 20


def test_etl_is_recorded_by_an_asynchronous_client(
    dsn: str, connection: psycopg.Connection
) -> None:
    client = AsyncMonitoringClient(dsn, on_error="raise")

    @client.tracked("fixtures")
    def fixtures(execution: ETLExecution) -> Iterator[int]:
        with execution.chunk(1) as chunk:
            for number in range(3):
                with chunk.fixture(number):
                    yield number

    async def run() -> None:
        async with ETLMonitor(client).execution("e", total_fixtures=3) as execution:
            for number in fixtures(execution):
                assert current_task() is execution
                assert current_place().chunk_id is None
                ETLLogger(client).info(f"fixture {number}")
        await client.close()

    asyncio.run(run())
    assert one(connection, "select * from monitoring.get_etl_execution_summary('e')")
    found = one(connection, "select status, successful_fixtures from monitoring.etl_executions")
    assert tuple(found.values()) == ("COMPLETED", 3)
    assert len(rows(connection, "select from monitoring.etl_logs where chunk_id is null")) == 3
