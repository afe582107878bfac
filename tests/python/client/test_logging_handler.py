"""What a program says through `logging` is recorded, whatever it says, and never breaks it."""

import asyncio
import contextlib
import io
import json
import logging
import logging.config
import logging.handlers
import pickle
import queue
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil import MonitoringClient
from pgvigil.client import AsyncMonitoringClient
from pgvigil.client.etl import ETLLogHandler, ETLMonitor
from pgvigil.client.logging import MonitoringHandler
from tests.python.support.asking import one, rows

NOWHERE = "postgresql://127.0.0.1:1/nothing?connect_timeout=2"
LINES = "select * from monitoring.v_application_logs order by logged_at, log_id desc"
ERRORS = "select * from monitoring.error_tracking order by occurred_at, error_id desc"

Asked = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def client(dsn: str) -> Iterator[MonitoringClient]:
    with MonitoringClient(dsn, component="orders", spool=False) as opened:
        yield opened


@pytest.fixture
def asked(client: MonitoringClient, connection: psycopg.Connection) -> Asked:
    """Ask the database once all that was said is in it."""

    def ask(query: str) -> list[dict[str, Any]]:
        assert client.flush(10)
        return rows(connection, query)

    return ask


@contextlib.contextmanager
def logging_to(handler: logging.Handler, name: str | None = "shop") -> Iterator[logging.Logger]:
    """Have a logger of its own, or the root for None, speak to a handler from DEBUG on."""
    source = logging.getLogger() if name is None else logging.Logger(name)
    before = source.level
    source.addHandler(handler)
    source.setLevel(logging.DEBUG)
    try:
        yield source
    finally:
        source.removeHandler(handler)
        source.setLevel(before)


@pytest.fixture
def shop(client: MonitoringClient) -> Iterator[logging.Logger]:
    with logging_to(MonitoringHandler(client)) as source:
        yield source


def test_a_line_has_its_logger_time_message_and_what_was_given(
    shop: logging.Logger, asked: Asked
) -> None:
    before = datetime.now(UTC)
    shop.info("%s of %d", "one", 2, extra={"order": 7, "path": Path("/a")})
    (line,) = asked(LINES)
    told = (line["level"], line["component"], line["message"], line["details"], line["task_id"])
    assert told == ("INFO", "shop", "one of 2", {"order": 7, "path": "/a"}, None)
    assert before <= line["logged_at"] <= datetime.now(UTC)
    assert asked(ERRORS) == []


@pytest.mark.parametrize(
    ("number", "level"),
    [
        (-7, "DEBUG"),
        (0, "DEBUG"),
        (5, "DEBUG"),
        (10, "DEBUG"),
        (15, "DEBUG"),
        (20, "INFO"),
        (25, "INFO"),
        (30, "WARNING"),
        (35, "WARNING"),
        (40, "ERROR"),
        (49, "ERROR"),
        (50, "CRITICAL"),
        (1000, "CRITICAL"),
    ],
)
def test_any_number_is_a_level(
    client: MonitoringClient, asked: Asked, number: int, level: str
) -> None:
    record = logging.LogRecord("shop", number, __file__, 1, "said", None, None)
    MonitoringHandler(client).handle(record)
    (line,) = asked(LINES)
    is_usual = number in (10, 20, 30, 40, 50)
    assert line["level"] == level
    assert line["details"] == (None if is_usual else {"level": logging.getLevelName(number)})


def test_a_record_that_somebody_made_is_recorded_as_far_as_it_goes(
    client: MonitoringClient, asked: Asked
) -> None:
    handler = MonitoringHandler(client)
    handler.handle(logging.makeLogRecord({}))
    handler.handle(logging.makeLogRecord({"msg": "b", "levelname": "error", "created": None}))
    handler.handle(logging.makeLogRecord({"msg": "c", "levelno": "x", "created": 1e30, "name": 7}))
    handler.handle(logging.makeLogRecord({"msg": None, "levelno": float("nan")}))
    found = asked(LINES)
    told = {(line["level"], line["component"], line["message"]) for line in found}
    assert told == {
        ("WARNING", "orders", ""),
        ("ERROR", "orders", "b"),
        ("WARNING", "7", "c"),
        ("WARNING", "orders", "None"),
    }
    assert client.dropped == 0


def test_an_exception_is_an_error_with_its_stack(shop: logging.Logger, asked: Asked) -> None:
    try:
        raise ValueError("order 12 is broken")
    except ValueError:
        shop.exception("cannot load %s", "orders.csv", extra={"file": "orders.csv"})
        shop.warning("will try again", exc_info=True)
    error_line, warning_line = asked(LINES)
    assert error_line["message"] == "cannot load orders.csv"
    for line in (error_line, warning_line):
        assert line["details"]["exception"] == "ValueError"
        assert 'raise ValueError("order 12' in line["details"]["stack"]
    (error,) = asked(ERRORS)
    told = (error["error_type"], error["severity"], error["message"], error["component"])
    assert told == ("ValueError", "high", "order 12 is broken", "shop")
    assert error["details"] == {"file": "orders.csv", "logged": "cannot load orders.csv"}
    assert 'raise ValueError("order 12' in error["stack"]


def test_what_is_said_as_an_error_is_grouped_by_its_wording(
    shop: logging.Logger, asked: Asked
) -> None:
    for name in ("anna", "bert", "carl"):
        shop.error("no basket of %s", name)
    shop.critical("the disk is full", stack_info=True)
    groups: dict[str, list[dict[str, Any]]] = {}
    for error in asked(ERRORS):
        groups.setdefault(error["fingerprint"], []).append(error)
    baskets, (disk,) = groups.values()
    assert [error["message"] for error in baskets] == [
        f"no basket of {name}" for name in ("anna", "bert", "carl")
    ]
    assert {error["error_type"] for error in baskets} == {"log.error"}
    assert (disk["error_type"], disk["severity"]) == ("log.critical", "critical")
    assert "test_logging_handler" in disk["stack"]


def test_one_and_the_same_exception_is_one_group_however_it_is_told(
    client: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    try:
        raise KeyError("gone")
    except KeyError as error:
        shop.error("first", exc_info=error)
        client.record_exception(error)
    assert len({error["fingerprint"] for error in asked(ERRORS)}) == 1


class Awkward:
    """Cannot be read as a text."""

    def __str__(self) -> str:
        """Raise."""
        raise RuntimeError("no text")

    __repr__ = __str__


def test_any_value_can_be_given(shop: logging.Logger, asked: Asked) -> None:
    circle: list[Any] = [1]
    circle.append(circle)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    shop.info(
        "said",
        extra={
            "circle": circle,
            "deep": deep,
            "awkward": Awkward(),
            "keys": {(1, 2): "a", None: "b", Awkward(): "c"},
            "huge": 10**5000,
            "numbers": [float("nan"), float("inf"), 1e308, -0.0],
            "sets": {3},
            "bytes": b"\xff\x00",
            "text": "a\0b\ud800",
            "type": int,
            "when": datetime(2026, 1, 15, 12, tzinfo=UTC),
        },
    )
    (line,) = asked(LINES)
    details = line["details"]
    assert details["circle"] == [1, "..."]
    assert details["awkward"] == "(Awkward that cannot be read)"
    assert details["keys"] == {"(1, 2)": "a", "None": "b", "(Awkward that cannot be read)": "c"}
    assert details["numbers"][:3] == ["nan", "inf", 10**308]
    assert details["huge"].startswith("0x")
    assert details["sets"] == [3]
    assert details["text"] == "a�b�"
    assert details["when"] == "2026-01-15T12:00:00+00:00"


def test_values_that_do_not_fit_their_message_break_nothing(
    shop: logging.Logger, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.error("%d rows", "twelve")
    shop.info("%s %s", "one")
    shop.info("%s", Awkward())
    shop.info(Awkward())
    shop.info({"not": "a text"})
    shop.info("100 %")
    messages = [line["message"] for line in asked(LINES)]
    assert messages == [
        "%d rows ('twelve',)",
        "%s %s ('one',)",
        "%s (tuple that cannot be read)",
        "(Awkward that cannot be read) ()",
        "{'not': 'a text'}",
        "100 %",
    ]
    assert capsys.readouterr().err == ""


def test_a_huge_message_is_cut_and_tells_so(
    client: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    shop.info("x" * 50_000_000)
    (line,) = asked(LINES)
    assert len(line["message"]) <= 8000
    assert "characters" in line["message"]
    assert client.dropped == 0


def test_a_line_belongs_to_the_task_of_its_thread_or_coroutine(
    client: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    gate = threading.Barrier(4, timeout=10)

    def work(name: str) -> None:
        with client.task("work", task_id=name):
            gate.wait()
            shop.info("in %s", name)

    async def await_work(name: str) -> None:
        with client.task("work", task_id=name):
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
    client: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    async def begin_here_and_end_there() -> None:
        task = client.task("work", task_id="t")

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
    client: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    shop.info("outside")
    with ETLMonitor(client).execution("e") as execution, execution.chunk("c") as chunk:
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


def test_nothing_is_lost_behind_a_queue(client: MonitoringClient, asked: Asked) -> None:
    with (
        behind_a_queue(MonitoringHandler(client)) as source,
        ETLMonitor(client).execution("e") as execution,
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
    client: MonitoringClient, asked: Asked
) -> None:
    """As those of the cookbook do, through a queue of multiprocessing or a socket."""
    taken: list[bytes] = []

    class Pipe:
        def put_nowait(self, record: logging.LogRecord) -> None:
            taken.append(pickle.dumps(record))

    with (
        logging_to(logging.handlers.QueueHandler(Pipe())) as source,  # type: ignore[arg-type]
        client.task("work", task_id="t"),
    ):
        source.error("no basket of %s", "anna", extra={"row": 3})
    assert b"pgvigil.client" not in taken[0]
    MonitoringHandler(client).handle(pickle.loads(taken[0]))
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


def test_values_that_log_when_they_are_read_do_not_go_on_for_ever(
    client: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    left = 50

    class Talkative:
        def __str__(self) -> str:
            nonlocal left
            left -= 1
            if left > 0:
                shop.info("reading %s", self)
            return "talkative"

    class Curious:
        def __str__(self) -> str:
            shop.info("somebody looks")
            return "curious"

    shop.info("%s", Curious())
    assert {line["message"] for line in asked(LINES)} == {"curious", "somebody looks"}
    assert client.dropped == 0
    shop.info("%s", Talkative())
    assert client.dropped >= 1
    assert "reading talkative" in {line["message"] for line in asked(LINES)}


def test_trouble_writes_nothing_to_standard_error(
    client: MonitoringClient,
    shop: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no more")

    monkeypatch.setattr(client, "record_log", fail)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    shop.error("said")
    assert "Traceback" not in capsys.readouterr().err
    assert client.dropped == 1


@pytest.fixture
def untouched_logging() -> Iterator[None]:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        yield
    finally:
        for handler in set(root.handlers) - set(before[0]):
            handler.close()
        root.handlers[:], root.level = before
        logging.captureWarnings(False)


@pytest.mark.usefixtures("untouched_logging")
def test_it_is_configured_as_any_handler(
    dsn: str, client: MonitoringClient, connection: psycopg.Connection
) -> None:
    def configure(**handler: Any) -> None:
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {"p": {"class": "pgvigil.client.logging.MonitoringHandler", **handler}},
                "root": {"level": "DEBUG", "handlers": ["p"]},
            }
        )

    configure(client=dsn, level="WARNING", component="shop")
    logging.info("too low")
    logging.getLogger("web").warning("by its address")
    logging.getLogger().handlers[-1].flush()
    configure(client=client)
    logging.info("by a client")
    assert client.flush()
    found = [(row["component"], row["message"]) for row in rows(connection, LINES)]
    assert found == [("shop", "by its address"), ("orders", "by a client")]
    with pytest.raises(ValueError, match="Unable to configure handler") as refused:
        configure(client=7)
    assert "not 7" in str(refused.value.__cause__)


@pytest.mark.usefixtures("untouched_logging")
def test_a_formatter_says_how_the_message_is_recorded(
    client: MonitoringClient, asked: Asked
) -> None:
    logging.getLogger().handlers.clear()
    handler = MonitoringHandler(client)
    logging.basicConfig(handlers=[handler], level="DEBUG")
    logging.info("plain, as that of basicConfig repeats what has columns of its own")
    handler.setFormatter(logging.Formatter("[%(process)d] %(message)s"))
    try:
        raise ValueError("broken")
    except ValueError:
        logging.exception("with a stack")
    plain, formatted = asked(LINES)
    assert plain["message"].startswith("plain, ")
    assert formatted["message"].endswith("] with a stack")
    assert "Traceback" in formatted["details"]["stack"]


@pytest.mark.usefixtures("untouched_logging")
def test_warnings_are_lines(client: MonitoringClient, asked: Asked) -> None:
    logging.getLogger().addHandler(MonitoringHandler(client))
    logging.captureWarnings(True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("this is old", DeprecationWarning, stacklevel=1)
    (line,) = asked(LINES)
    assert (line["level"], line["component"]) == ("WARNING", "py.warnings")
    assert "DeprecationWarning: this is old" in line["message"]


def test_many_threads_lose_nothing(
    client: MonitoringClient, shop: logging.Logger, asked: Asked
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


def test_a_handler_closes_its_own_client_and_nobody_elses(
    dsn: str, client: MonitoringClient, connection: psycopg.Connection
) -> None:
    own = MonitoringHandler(dsn)
    own.handle(logging.makeLogRecord({"msg": "own", "levelno": 20}))
    own.close()
    assert one(connection, LINES)["message"] == "own"
    theirs = MonitoringHandler(client)
    theirs.close()
    client.record_log("INFO", "still open")
    theirs.flush()
    assert len(rows(connection, LINES)) == 2


def test_the_handler_of_etl_is_the_same_and_all_of_it_is_etl(
    client: MonitoringClient, asked: Asked
) -> None:
    with logging_to(ETLLogHandler(client)) as source:
        source.debug("too low")
        source.info("outside of any", extra={"details": {"file": "a.csv"}})
        source.critical("no feed")
    query = "select message, details, execution_id from monitoring.etl_logs order by timestamp"
    assert [tuple(row.values()) for row in asked(query)] == [
        ("outside of any", {"file": "a.csv"}, None),
        ("no feed", None, None),
    ]
    assert [error["error_type"] for error in asked(ERRORS)] == ["etl.log_critical"]


def test_other_handlers_see_records_as_they_were(client: MonitoringClient) -> None:
    stream = io.StringIO()
    plain = logging.StreamHandler(stream)
    plain.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    with logging_to(MonitoringHandler(client)) as source, client.task("work"):
        source.addHandler(plain)
        try:
            raise ValueError("broken")
        except ValueError:
            source.exception("failed")
        source.removeHandler(plain)
    first, *stack = stream.getvalue().splitlines()
    assert first == "shop ERROR failed"
    assert stack[-1] == "ValueError: broken"
    assert json.dumps(stack)
    assert sys.exc_info() == (None, None, None)
