"""Where a line was said is known in threads, coroutines and behind queues."""

import asyncio
import contextlib
import logging
import logging.config
import logging.handlers
import pickle
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from pgvigil import MonitoringClient
from pgvigil.client import AsyncMonitoringClient
from pgvigil.client.etl import ETLMonitor
from pgvigil.client.logging import MonitoringHandler
from tests.python.support.asking import one, rows
from tests.python.support.log_lines import ERRORS, LINES, Asked, logging_to

NOWHERE = "postgresql://127.0.0.1:1/nothing?connect_timeout=2"


def test_a_line_belongs_to_the_task_of_its_thread_or_coroutine(
    orders: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    gate = threading.Barrier(4, timeout=10)

    def work(name: str) -> None:
        with orders.task("work", task_id=name):
            gate.wait()
            shop.info("in %s", name)

    async def await_work(name: str) -> None:
        with orders.task("work", task_id=name):
            await asyncio.sleep(0.01)
            shop.info("in %s", name)

    async def all_at_once() -> None:
        await asyncio.gather(*(await_work(f"coroutine-{n}") for n in range(4)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [f"thread-{n}" for n in range(4)]))
    asyncio.run(all_at_once())
    shop.info("in None")
    shop.info("in given", extra={"task_id": "given"})
    found = asked(LINES)
    assert len(found) == 10
    assert all(line["message"] == f"in {line['task_id']}" for line in found)


def test_a_task_that_has_ended_is_current_no_longer(
    orders: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    async def begin_here_and_end_there() -> None:
        task = orders.task("work", task_id="t")

        async def begin() -> None:
            task.__enter__()
            shop.info("within")
            ended.set()
            await over.wait()
            shop.info("after")

        ended, over = asyncio.Event(), asyncio.Event()
        beginning = asyncio.create_task(begin())
        await ended.wait()
        task.__exit__(None, None, None)
        over.set()
        await beginning

    asyncio.run(begin_here_and_end_there())
    found = [(line["message"], line["task_id"]) for line in asked(LINES)]
    assert found == [("within", "t"), ("after", None)]


def test_a_line_in_an_execution_is_one_of_etl(
    orders: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    shop.info("outside")
    with ETLMonitor(orders).execution("e") as execution, execution.chunk("c") as chunk:
        shop.info("in the chunk")
        with chunk.fixture("f"):
            shop.error("in the fixture", extra={"row": 3})
    columns = "message, details, execution_id, chunk_id, fixture_id"
    found = asked(f"select {columns} from monitoring.etl_logs order by timestamp")
    assert [tuple(row.values()) for row in found] == [
        ("in the chunk", None, "e", "c", None),
        ("in the fixture", {"row": 3}, "e", "c", "f"),
    ]
    (error,) = asked(ERRORS)
    names = {"execution_id": "e", "chunk_id": "c", "fixture_id": "f"}
    assert (error["task_id"], error["details"]) == ("e/c", {"row": 3, **names})


@contextlib.contextmanager
def behind_a_queue(handler: logging.Handler, between: Any = None) -> Iterator[logging.Logger]:
    """Have a logger speak to a handler from behind a queue, as programs with asyncio do."""
    waiting: Any = queue.Queue() if between is None else between
    listener = logging.handlers.QueueListener(waiting, handler)
    listener.start()
    try:
        with logging_to(logging.handlers.QueueHandler(waiting)) as source:
            yield source
    finally:
        listener.stop()


def test_nothing_is_lost_behind_a_queue(orders: MonitoringClient, asked: Asked) -> None:
    with (
        behind_a_queue(MonitoringHandler(orders)) as source,
        ETLMonitor(orders).execution("e") as execution,
        execution.chunk("c"),
    ):
        source.info("said", extra={"row": 3})
        try:
            raise ValueError("broken")
        except ValueError:
            source.exception("cannot read %s", "a.csv")
        source.error("no basket of %s", "anna")
        source.error("no basket of %s", "bert")
    said, failed, *_ = asked(LINES)
    assert said["task_id"] == failed["task_id"] == "e/c"
    assert said["details"] == {"row": 3, "execution_id": "e", "chunk_id": "c"}
    assert failed["message"] == "cannot read a.csv"
    exception, anna, bert = asked(ERRORS)
    assert (exception["error_type"], exception["message"]) == ("ValueError", "broken")
    assert 'raise ValueError("broken")' in exception["stack"]
    assert anna["fingerprint"] == bert["fingerprint"]


def test_records_go_to_other_processes_as_nothing_special(
    orders: MonitoringClient, asked: Asked
) -> None:
    """As those of the cookbook do, through a queue of multiprocessing or a socket."""
    taken: list[bytes] = []

    class Pipe:
        def put_nowait(self, record: logging.LogRecord) -> None:
            taken.append(pickle.dumps(record))

    with (
        logging_to(logging.handlers.QueueHandler(Pipe())) as source,  # type: ignore[arg-type]
        orders.task("work", task_id="t"),
    ):
        source.error("no basket of %s", "anna", extra={"row": 3})
    assert b"pgvigil.client" not in taken[0]
    MonitoringHandler(orders).handle(pickle.loads(taken[0]))
    (line,) = asked(LINES)
    assert (line["task_id"], line["details"]) == ("t", {"row": 3})
    assert [error["task_id"] for error in asked(ERRORS)] == ["t"]


def test_what_pgvigil_says_itself_never_comes_back(
    dsn: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a handler on the root logger, and a level of DEBUG."""
    driver = logging.getLogger("psycopg")
    away = MonitoringClient(NOWHERE, spool=False, flush_interval=0.01)
    told: list[str] = []
    monkeypatch.setattr(away, "record_log", lambda _, message, **__: told.append(message))
    with logging_to(MonitoringHandler(away), None):
        away.record_error(None, "Away", "low", "so that something is sent")
        assert not away.flush(0.5)
        logging.getLogger("pgvigil.anything").error("of pgvigil")
        driver.warning("of the program's own connection")
        assert not away.flush(0.5)
    assert told == ["of the program's own connection"]
    away.close()

    with MonitoringClient(dsn, on_error="raise") as waits:
        call = waits._link._call_alone

        def say_and_call(*arguments: Any) -> Any:
            driver.warning("sending")
            return call(*arguments)

        monkeypatch.setattr(waits._link, "_call_alone", say_and_call)
        with logging_to(MonitoringHandler(waits), None) as root:
            root.info("said")
    assert [row["message"] for row in rows(connection, LINES)] == ["said"]


def test_own_work_is_no_line_behind_a_queue_either(
    dsn: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = logging.getLogger("psycopg")
    with MonitoringClient(dsn, spool=False, flush_interval=0.01) as client:
        send = client._sender._send

        def send_and_say(batch: str) -> Any:
            driver.warning("sending")
            return send(batch)

        monkeypatch.setattr(client._sender, "_send", send_and_say)
        handler = MonitoringHandler(client)
        waiting: queue.Queue[Any] = queue.Queue()
        listener = logging.handlers.QueueListener(waiting, handler)
        listener.start()
        with logging_to(logging.handlers.QueueHandler(waiting), None) as root:
            root.info("said")
            assert client.flush(10)
            listener.stop()
            assert client.flush(10)
    assert [row["message"] for row in rows(connection, LINES)] == ["said"]


def test_many_threads_lose_nothing(
    orders: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    def say(thread: int) -> None:
        for number in range(250):
            shop.info("%d/%d", thread, number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(say, range(8)))
    assert len({line["message"] for line in asked(LINES)}) == 2000


def test_a_client_for_asyncio_serves_as_well(dsn: str, connection: psycopg.Connection) -> None:
    async def work() -> None:
        async with (
            AsyncMonitoringClient(dsn, spool=False) as client,
            client.task("work", task_id="t"),
        ):
            handler = MonitoringHandler(client)
            with logging_to(handler) as source:
                source.info("said")
                source.error("no basket of %s", "anna")
            await asyncio.to_thread(handler.flush)
            handler.close()

    asyncio.run(work())
    assert [row["task_id"] for row in rows(connection, LINES)] == ["t", "t"]
    assert one(connection, ERRORS)["task_id"] == "t"


def test_who_configures_logging_does_not_wait_for_ever_for_what_waits_for_logging(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever closes handlers holds the lock without which nobody can say anything."""
    may_go_on = threading.Event()
    handler = MonitoringHandler(NOWHERE)
    monkeypatch.setattr(handler._client, "close", lambda: may_go_on.wait(60))
    began_at = time.monotonic()
    handler.close()
    assert time.monotonic() - began_at < 10
    may_go_on.set()
