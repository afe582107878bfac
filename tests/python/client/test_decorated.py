"""Functions of all kinds as tasks, and which task is current where they mix."""

import asyncio
import functools
import gc
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Any

import psycopg
import pytest

from pgvigil.client import (
    AsyncMonitoringClient,
    MonitoringClient,
    TrackedTask,
    current_task,
)
from tests.python.support.asking import OwnError, one, rows, the_task


@pytest.fixture(params=[MonitoringClient, AsyncMonitoringClient])
def monitor(request: pytest.FixtureRequest, dsn: str) -> Iterator[MonitoringClient]:
    """Each kind of client, with an error for what is wrong."""
    client: MonitoringClient = request.param(dsn, component="tests", on_error="raise")
    yield client
    asyncio.run(_closed(client))


async def _closed(client: MonitoringClient) -> None:
    close: Callable[[], Any] = client.close
    closing = close()
    if inspect.isawaitable(closing):
        await closing


def flush(monitor: MonitoringClient) -> None:
    """Wait until all that was told is recorded."""

    async def flushed() -> None:
        flushing: Any = monitor.flush()
        assert (await flushing) if inspect.isawaitable(flushing) else flushing

    asyncio.run(flushed())


def status(monitor: MonitoringClient, connection: psycopg.Connection) -> str:
    """Return how the only task has ended."""
    flush(monitor)
    return str(the_task(connection)["status"])


# What passes through


def test_a_coroutine_is_a_task_from_its_first_step_to_its_last(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    @monitor.tracked("load", task_id=lambda day, **_: f"load-{day}")
    async def load(day: str, *, rows: int) -> int:
        """Load."""
        task = current_task()
        assert task is not None
        await asyncio.sleep(0.02)
        assert current_task() is task
        task.count(rows=rows)
        return rows

    assert inspect.iscoroutinefunction(load)
    assert (load.__name__, load.__doc__) == ("load", "Load.")
    assert asyncio.run(load("monday", rows=3)) == 3
    flush(monitor)
    task = the_task(connection)
    assert (task["task_id"], task["status"]) == ("load-monday", "completed")
    assert task["counters"] == {"rows": 3}
    assert task["duration_ms"] >= 20


def test_a_coroutine_that_is_never_awaited_is_no_task(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    @monitor.tracked("load")
    async def load() -> None: ...

    load().close()
    flush(monitor)
    assert not rows(connection, "select from monitoring.processing_metrics")


def echoing(given: list[Any]) -> Generator[int, Any, str]:
    """Yield numbers; note what is sent and thrown in, and go on after an OwnError."""
    for number in range(3):
        try:
            given.append((yield number))
        except OwnError as error:
            given.append(error)
            yield -1
    return "end"


def used(generator: Generator[int, Any, str], thrown: Exception) -> list[Any]:
    """Use a generator in every way; return what came of it."""
    seen: list[Any] = [next(generator), generator.send("a"), generator.throw(thrown)]
    seen.append(next(generator))
    with pytest.raises(StopIteration) as end:
        generator.send("b")
    return [*seen, end.value.value]


def test_a_generator_gives_and_takes_what_it_did_before(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    thrown, plain, decorated = OwnError(), [], []  # type: ignore[var-annotated]
    function = monitor.tracked("load")(echoing)
    assert inspect.isgeneratorfunction(function)
    assert used(function(decorated), thrown) == used(echoing(plain), thrown)
    assert plain == decorated == ["a", thrown, "b"]
    assert status(monitor, connection) == "completed"


def test_an_asynchronous_generator_gives_and_takes_what_it_did_before(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    given: list[Any] = []

    @monitor.tracked("load")
    async def numbers() -> AsyncGenerator[int, Any]:
        for number in range(3):
            await asyncio.sleep(0)
            try:
                given.append((yield number))
            except OwnError as error:
                given.append(error)
                yield -1

    async def use(thrown: Exception) -> list[int]:
        generator = numbers()
        seen = [await anext(generator), await generator.asend("a"), await generator.athrow(thrown)]
        return seen + [number async for number in generator]

    assert inspect.isasyncgenfunction(numbers)
    thrown = OwnError()
    assert asyncio.run(use(thrown)) == [0, 1, -1, 2]
    assert given == ["a", thrown, None]
    assert status(monitor, connection) == "completed"


def test_delegation_to_a_generator_returns_its_value(monitor: MonitoringClient) -> None:
    @monitor.tracked("load")
    def inner() -> Generator[int, None, str]:
        yield 1
        return "value"

    def outer() -> Generator[int, None, str]:
        return (yield from inner())

    generator = outer()
    assert next(generator) == 1
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert end.value.value == "value"


def test_functions_without_a_name_and_functions_in_functions_are_taken(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    class Loader:
        async def __call__(self, number: int) -> int:
            return number

    async def add(left: int, right: int) -> int:
        return left + right

    @functools.wraps(add)
    def other_decorator(*args: int) -> Any:
        return add(*args)

    async def run() -> list[int]:
        tracked: Callable[..., Any] = monitor.tracked("load")
        return [
            await tracked(Loader())(1),
            await tracked(functools.partial(add, 1))(2),
            await tracked(other_decorator)(1, 3),
        ]

    assert asyncio.run(run()) == [1, 3, 4]
    assert current_task() is None
    flush(monitor)
    tasks = rows(connection, "select status, metadata from monitoring.processing_metrics")
    assert [task["status"] for task in tasks] == ["completed"] * 3
    works = {task["metadata"]["work"].split(".")[-1] for task in tasks}
    assert works == {"Loader", "add"}


# How it ends


def test_an_exception_fails_the_run_of_each_kind_and_passes_unchanged(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    original = OwnError("row 17 is bad")

    @monitor.tracked("coroutine")
    async def coroutine() -> None:
        await asyncio.sleep(0)
        raise original

    @monitor.tracked("generator")
    def generator() -> Iterator[int]:
        yield 1
        raise original

    @monitor.tracked("asynchronous generator")
    async def asynchronous() -> AsyncIterator[int]:
        yield 1
        raise original

    async def exhaust() -> None:
        async for _ in asynchronous():
            pass

    for run in (lambda: asyncio.run(coroutine()), lambda: list(generator()),
                lambda: asyncio.run(exhaust())):  # fmt: skip
        with pytest.raises(OwnError) as caught:
            run()
        assert caught.value is original
    flush(monitor)
    tasks = rows(connection, "select task_type, status from monitoring.processing_metrics")
    assert {task["status"] for task in tasks} == {"failed"}
    assert len(tasks) == 3
    errors = rows(connection, "select message, stack from monitoring.error_tracking")
    assert [error["message"] for error in errors] == ["row 17 is bad"] * 3
    assert all("raise original" in error["stack"] for error in errors)


def test_a_generator_that_is_closed_before_its_end_is_cancelled(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    closed: list[str] = []

    @monitor.tracked("load")
    def numbers() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            task = current_task()
            assert task is not None
            closed.append(task.task_type)

    for number in numbers():
        if number == 3:
            break
    gc.collect()
    assert closed == ["load"]
    assert current_task() is None
    assert status(monitor, connection) == "cancelled"


def test_an_asynchronous_generator_that_is_closed_before_its_end_is_cancelled(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    closed: list[str] = []

    @monitor.tracked("load")
    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(10):
                yield number
        finally:
            await asyncio.sleep(0)
            closed.append("inner")

    async def use() -> None:
        generator = numbers()
        async for _ in generator:
            break
        await generator.aclose()  # type: ignore[attr-defined]
        async for _ in numbers():
            break  # the garbage collector has the loop close this one
        await asyncio.sleep(0.05)
        left.append(numbers())
        async for _ in left[0]:
            break  # and the end of the loop this one

    left: list[AsyncIterator[int]] = []
    asyncio.run(use())
    assert closed == ["inner"] * 3
    flush(monitor)
    tasks = rows(connection, "select status from monitoring.processing_metrics")
    assert tasks == [{"status": "cancelled"}] * 3


def test_a_generator_that_is_never_begun_is_no_task(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    function = monitor.tracked("load")(echoing)
    function([]).close()
    del function
    flush(monitor)
    assert not rows(connection, "select from monitoring.processing_metrics")


def test_a_coroutine_that_is_cancelled_or_late_says_so(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    @monitor.tracked("load", task_id=lambda name: name)
    async def load(name: str) -> None:
        await asyncio.sleep(30)

    async def run() -> None:
        cancelled = asyncio.create_task(load("cancelled"))
        await asyncio.sleep(0.1)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        with pytest.raises(TimeoutError):
            async with monitor.task("load", task_id="timeout"), asyncio.timeout(0.05):
                await asyncio.sleep(30)

    asyncio.run(run())
    flush(monitor)
    tasks = rows(connection, "select task_id, status from monitoring.processing_metrics")
    assert all(task["task_id"] == task["status"] for task in tasks)
    assert len(tasks) == 2
    assert len(rows(connection, "select from monitoring.error_tracking")) == 1


def test_a_name_that_cannot_be_made_of_the_arguments_breaks_no_call(
    dsn: str, connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with MonitoringClient(dsn) as monitor:
        load = monitor.tracked("load", task_id=lambda day: f"load-{day.year}")(lambda day: day)
        assert load("monday") == "monday"
    assert "no attribute 'year'" in caplog.text
    assert the_task(connection)["status"] == "completed"


# Which task is current


def test_a_generator_leaves_its_callers_task_alone(monitor: MonitoringClient) -> None:
    @monitor.tracked("load")
    def numbers() -> Iterator[TrackedTask | None]:
        mine = current_task()
        yield mine
        assert current_task() is mine
        with monitor.task("inner") as inner:
            yield current_task()
            assert current_task() is inner
        yield current_task()
        assert current_task() is mine

    with monitor.task("outer") as outer:
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
    monitor: MonitoringClient,
) -> None:
    @monitor.tracked("load")
    async def numbers() -> AsyncIterator[TrackedTask | None]:
        for _ in range(3):
            await asyncio.sleep(0)
            yield current_task()

    async def run() -> set[int]:
        seen = set()
        async with monitor.task("outer") as outer:
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
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    @monitor.tracked("load", task_id=lambda number: f"load-{number}")
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
        async with monitor.task("steps") as task, asyncio.TaskGroup() as group:
            group.create_task(part(task, "short", 0.01))
            group.create_task(part(task, "long", 0.03))
        task.error("Kind", "afterwards")
        assert current_task() is None

    asyncio.run(run())
    flush(monitor)
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


def test_what_a_task_leaves_running_is_no_longer_in_it(monitor: MonitoringClient) -> None:
    async def run() -> None:
        is_over = asyncio.Event()

        async def afterwards() -> None:
            assert current_task() is inner
            await is_over.wait()
            assert current_task() is outer

        async with monitor.task("outer") as outer:
            async with monitor.task("inner") as inner:
                left = asyncio.create_task(afterwards())
                await asyncio.sleep(0)
            is_over.set()
            await left

    asyncio.run(run())


def test_tasks_that_end_out_of_order_leave_none_behind(monitor: MonitoringClient) -> None:
    first, second = monitor.task("first"), monitor.task("second")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert current_task() is second
    second.__exit__(None, None, None)
    assert current_task() is None
