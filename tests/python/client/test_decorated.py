"""Functions of all kinds as tasks."""

import asyncio
import functools
import gc
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
import pytest

from pgvigil.client import (
    MonitoringClient,
    current_task,
)
from tests.python.support.asking import OwnError, rows, the_task
from tests.python.support.async_clients import flush


def status(client: MonitoringClient, connection: psycopg.Connection) -> str:
    """Return how the only task has ended."""
    flush(client)
    return str(the_task(connection)["status"])


# What passes through


def test_a_coroutine_is_a_task_from_its_first_step_to_its_last(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    @client.tracked("load", task_id=lambda day, **_: f"load-{day}")
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
    flush(client)
    task = the_task(connection)
    assert (task["task_id"], task["status"]) == ("load-monday", "completed")
    assert task["counters"] == {"rows": 3}
    assert task["duration_ms"] >= 20


def test_a_coroutine_that_is_never_awaited_is_no_task(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    @client.tracked("load")
    async def load() -> None: ...

    load().close()
    flush(client)
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
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    thrown, plain, decorated = OwnError(), [], []  # type: ignore[var-annotated]
    function = client.tracked("load")(echoing)
    assert inspect.isgeneratorfunction(function)
    assert used(function(decorated), thrown) == used(echoing(plain), thrown)
    assert plain == decorated == ["a", thrown, "b"]
    assert status(client, connection) == "completed"


def test_an_asynchronous_generator_gives_and_takes_what_it_did_before(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    given: list[Any] = []

    @client.tracked("load")
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
    assert status(client, connection) == "completed"


def test_delegation_to_a_generator_returns_its_value(client: MonitoringClient) -> None:
    @client.tracked("load")
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


def test_a_context_manager_is_made_of_a_decorated_generator(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    setting: ContextVar[str] = ContextVar("setting", default="before")

    @contextmanager
    @client.tracked("session")
    def session() -> Iterator[int]:
        token = setting.set("inside")
        yield 1
        setting.reset(token)

    @asynccontextmanager
    @client.tracked("session")
    async def async_session() -> AsyncIterator[int]:
        yield 2

    async def run() -> None:
        async with async_session() as number:
            assert (number, current_task()) == (2, None)

    with session() as number:
        assert (number, setting.get(), current_task()) == (1, "inside", None)
    assert setting.get() == "before"
    asyncio.run(run())
    flush(client)
    tasks = rows(connection, "select status from monitoring.processing_metrics")
    assert tasks == [{"status": "completed"}] * 2


def test_functions_without_a_name_and_functions_in_functions_are_taken(
    client: MonitoringClient, connection: psycopg.Connection
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
        tracked: Callable[..., Any] = client.tracked("load")
        return [
            await tracked(Loader())(1),
            await tracked(functools.partial(add, 1))(2),
            await tracked(other_decorator)(1, 3),
        ]

    assert asyncio.run(run()) == [1, 3, 4]
    assert current_task() is None
    flush(client)
    tasks = rows(connection, "select status, metadata from monitoring.processing_metrics")
    assert [task["status"] for task in tasks] == ["completed"] * 3
    works = {task["metadata"]["work"].split(".")[-1] for task in tasks}
    assert works == {"Loader", "add"}


# How it ends


def test_an_exception_fails_the_run_of_each_kind_and_passes_unchanged(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    original = OwnError("row 17 is bad")

    @client.tracked("coroutine")
    async def coroutine() -> None:
        await asyncio.sleep(0)
        raise original

    @client.tracked("generator")
    def generator() -> Iterator[int]:
        yield 1
        raise original

    @client.tracked("asynchronous generator")
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
    flush(client)
    tasks = rows(connection, "select task_type, status from monitoring.processing_metrics")
    assert {task["status"] for task in tasks} == {"failed"}
    assert len(tasks) == 3
    errors = rows(connection, "select message, stack from monitoring.error_tracking")
    assert [error["message"] for error in errors] == ["row 17 is bad"] * 3
    assert all("raise original" in error["stack"] for error in errors)


def test_a_generator_that_is_closed_before_its_end_is_cancelled(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    closed: list[str] = []

    @client.tracked("load")
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
    assert status(client, connection) == "cancelled"


def test_an_asynchronous_generator_that_is_closed_before_its_end_is_cancelled(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    closed: list[str] = []

    @client.tracked("load")
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
    flush(client)
    tasks = rows(connection, "select status from monitoring.processing_metrics")
    assert tasks == [{"status": "cancelled"}] * 3


def test_a_generator_that_is_never_begun_is_no_task(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    function = client.tracked("load")(echoing)
    function([]).close()
    del function
    flush(client)
    assert not rows(connection, "select from monitoring.processing_metrics")


def test_a_coroutine_that_is_cancelled_or_late_says_so(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    @client.tracked("load", task_id=lambda name: name)
    async def load(name: str) -> None:
        await asyncio.sleep(30)

    async def run() -> None:
        cancelled = asyncio.create_task(load("cancelled"))
        await asyncio.sleep(0.1)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        with pytest.raises(TimeoutError):
            async with client.task("load", task_id="timeout"), asyncio.timeout(0.05):
                await asyncio.sleep(30)

    asyncio.run(run())
    flush(client)
    tasks = rows(connection, "select task_id, status from monitoring.processing_metrics")
    assert all(task["task_id"] == task["status"] for task in tasks)
    assert len(tasks) == 2
    assert len(rows(connection, "select from monitoring.error_tracking")) == 1


def test_a_name_that_cannot_be_made_of_the_arguments_breaks_no_call(
    dsn: str, connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with MonitoringClient(dsn) as client:
        load = client.tracked("load", task_id=lambda day: f"load-{day.year}")(lambda day: day)
        assert load("monday") == "monday"
    assert "no attribute 'year'" in caplog.text
    assert the_task(connection)["status"] == "completed"
