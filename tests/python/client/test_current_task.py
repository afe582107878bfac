"""Which task is current where functions, generators and coroutines mix."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import psycopg

from pgvigil.client import (
    MonitoringClient,
    TrackedTask,
    current_task,
)
from tests.python.support.asking import one, rows
from tests.python.support.async_clients import flush


def test_a_generator_leaves_its_callers_task_alone(client: MonitoringClient) -> None:
    @client.tracked("load")
    def numbers() -> Iterator[TrackedTask | None]:
        mine = current_task()
        yield mine
        assert current_task() is mine
        with client.task("inner") as inner:
            yield current_task()
            assert current_task() is inner
        yield current_task()
        assert current_task() is mine

    with client.task("outer") as outer:
        first, second = numbers(), numbers()
        seen: list[TrackedTask | None] = []
        for one_of_first, one_of_second in zip(first, second, strict=True):
            assert current_task() is outer
            seen += [one_of_first, one_of_second]
    assert current_task() is None
    assert len({id(task) for task in seen}) == 4
    assert seen[0] is seen[4]
    assert seen[1] is seen[5]
    assert {task.task_type for task in seen if task} == {"load", "inner"}


def test_an_asynchronous_generator_leaves_its_callers_task_alone(
    client: MonitoringClient,
) -> None:
    @client.tracked("load")
    async def numbers() -> AsyncIterator[TrackedTask | None]:
        for _ in range(3):
            await asyncio.sleep(0)
            yield current_task()

    async def run() -> set[int]:
        seen = set()
        async with client.task("outer") as outer:
            first, second = numbers(), numbers()
            async for task in first:
                assert current_task() is outer
                seen |= {id(task), id(await anext(second))}
                assert current_task() is outer
            await second.aclose()  # type: ignore[attr-defined]
            assert id(outer) not in seen
        assert current_task() is None
        return seen

    assert len(asyncio.run(run())) == 2


def test_each_of_many_coroutines_has_its_own_task_and_step(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    @client.tracked("load", task_id=lambda number: f"load-{number}")
    async def load(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0.001 * (number % 3))
            task = current_task()
            assert task is not None
            assert task.task_id == f"load-{number}"

    async def part(task: TrackedTask, name: str, seconds: float) -> None:
        async with task.step(name):
            await asyncio.sleep(seconds)
            task.error("Kind", name)

    async def run() -> None:
        await asyncio.gather(*(load(number) for number in range(20)))
        async with client.task("steps") as task, asyncio.TaskGroup() as group:
            group.create_task(part(task, "short", 0.01))
            group.create_task(part(task, "long", 0.03))
        task.error("Kind", "afterwards")
        assert current_task() is None

    asyncio.run(run())
    flush(client)
    found = rows(connection, "select message, details from monitoring.error_tracking")
    assert {error["message"]: error["details"] for error in found} == {
        "short": {"step": "short"},
        "long": {"step": "long"},
        "afterwards": None,
    }
    steps = one(
        connection,
        "select step_durations from monitoring.processing_metrics where task_type = 'steps'",
    )["step_durations"]
    assert set(steps) == {"short", "long"}


def test_what_a_task_leaves_running_is_no_longer_in_it(client: MonitoringClient) -> None:
    async def run() -> None:
        is_over = asyncio.Event()

        async def afterwards() -> None:
            assert current_task() is inner
            await is_over.wait()
            assert current_task() is outer

        async with client.task("outer") as outer:
            async with client.task("inner") as inner:
                left = asyncio.create_task(afterwards())
                await asyncio.sleep(0)
            is_over.set()
            await left

    asyncio.run(run())


def test_tasks_that_end_out_of_order_leave_none_behind(client: MonitoringClient) -> None:
    first, second = client.task("first"), client.task("second")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert current_task() is second
    second.__exit__(None, None, None)
    assert current_task() is None
