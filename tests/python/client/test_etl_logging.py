"""What is logged in an ETL program says where it was said."""

import io
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import psycopg
import pytest

from pgvigil import MonitoringClient
from pgvigil.client import current_task
from pgvigil.client.etl import ETLLogger, ETLLogHandler, ETLMonitor, Place, carried, current_place
from tests.python.support.asking import one, rows


@pytest.fixture
def client(dsn: str) -> Iterator[MonitoringClient]:
    with MonitoringClient(dsn, on_error="raise") as opened:
        yield opened


def test_lines_know_where_they_are_said(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    logger = ETLLogger(client, "loader", level="info")
    logger.debug("not heard")
    logger.info("before", {"n": 1})
    with ETLMonitor(client).execution("e") as execution, execution.chunk("c") as chunk:
        with chunk.fixture("f"):
            logger.warning("inside")
        with logger.timed("slow part"):
            logger.error("bad")
    logger.critical("after")
    query = """select level, component, message, details, execution_id, chunk_id, fixture_id
        from monitoring.etl_logs order by log_id"""
    assert [tuple(row.values()) for row in rows(connection, query)] == [
        ("INFO", "loader", "before", {"n": 1}, None, None, None),
        ("WARNING", "loader", "inside", None, "e", "c", "f"),
        ("ERROR", "loader", "bad", None, "e", "c", None),
        ("INFO", "loader", "slow part", None, "e", "c", None),
        ("CRITICAL", "loader", "after", None, None, None, None),
    ]
    timed = "select duration_ms from monitoring.etl_logs where message = 'slow part'"
    assert one(connection, timed)["duration_ms"] > 0
    severities = rows(connection, "select severity from monitoring.error_tracking order by 1")
    assert [row["severity"] for row in severities] == ["critical", "high"]


def test_a_logger_knows_its_levels(client: MonitoringClient) -> None:
    with pytest.raises(ValueError, match="LOUD"):
        ETLLogger(client, level="LOUD")


def test_each_thread_has_a_place_of_its_own(client: MonitoringClient) -> None:
    seen: dict[str, Place] = {}

    def look(name: str) -> None:
        seen[name] = current_place()

    def start(name: str, target: Any) -> None:
        thread = threading.Thread(target=target, args=(name,))
        thread.start()
        thread.join()

    monitor = ETLMonitor(client)
    with monitor.execution("e") as execution, execution.chunk("c"):
        start("plain", look)
        start("carried", carried(look))
        with monitor.execution("other"):
            start("ambiguous", look)
            assert current_place() == Place("other")
        assert current_place() == Place("e", "c")
    look("outside")
    assert seen == {
        "plain": Place("e"),
        "carried": Place("e", "c"),
        "ambiguous": Place(),
        "outside": Place(),
    }


def test_what_is_carried_may_run_in_many_threads_at_once(client: MonitoringClient) -> None:
    gate = threading.Barrier(4, timeout=10)

    def look(_: int) -> Place:
        gate.wait()
        return current_place()

    with (
        ETLMonitor(client).execution("e") as execution,
        execution.chunk("c"),
        ThreadPoolExecutor(4) as pool,
    ):
        assert list(pool.map(carried(look), range(4))) == [Place("e", "c")] * 4


def test_a_handler_takes_what_logging_says_along(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    source = logging.getLogger("tests.etl")
    handler = ETLLogHandler(client)
    source.addHandler(handler)
    source.setLevel(logging.DEBUG)
    try:
        with ETLMonitor(client).execution("e"):
            source.debug("too low")
            source.info("%s rows", 12, extra={"details": {"file": "a.csv"}})
            source.log(35, "between levels")
            try:
                raise ValueError("broken")
            except ValueError:
                source.exception("cannot parse")
        logging.getLogger("pgvigil").addHandler(handler)
        logging.getLogger("pgvigil").warning("of the client itself")
    finally:
        logging.getLogger("pgvigil").removeHandler(handler)
        source.removeHandler(handler)
    lines = rows(connection, "select * from monitoring.etl_logs order by log_id")
    assert [(line["level"], line["message"], line["execution_id"]) for line in lines] == [
        ("INFO", "12 rows", "e"),
        ("WARNING", "between levels", "e"),
        ("ERROR", "cannot parse", "e"),
    ]
    assert lines[0]["component"] == "tests.etl"
    assert lines[0]["details"] == {"file": "a.csv"}
    assert lines[2]["details"]["exception"] == "ValueError"
    assert "raise ValueError" in lines[2]["details"]["stack"]


def test_a_logger_prints_to_the_console_when_asked(
    client: MonitoringClient, connection: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    at = datetime(2025, 1, 17, 15, 30, 15).astimezone()
    logger = ETLLogger(client, "CHUNK_PROCESSOR", "INFO", console=True)
    logger.log("INFO", "Total de chunks: 490", {"chunks": 490}, logged_at=at)
    logger.debug("not heard")
    logger.error("100 % são falhas")
    first, second = capsys.readouterr().err.splitlines()
    assert first == "2025-01-17 15:30:15 - INFO - CHUNK_PROCESSOR - Total de chunks: 490"
    assert second.endswith(" - ERROR - CHUNK_PROCESSOR - 100 % são falhas")
    assert one(connection, "select count(*) from monitoring.etl_logs") == {"count": 2}


def test_what_cannot_be_printed_is_recorded_all_the_same(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), "ascii")
    logger = ETLLogger(client, console=ascii_only)
    logger.info("são")
    ascii_only.seek(0)
    assert ascii_only.read().endswith(" - INFO - etl - s\\xe3o\n")
    ascii_only.close()
    logger.info("closed")
    said = rows(connection, "select message from monitoring.etl_logs order by log_id")
    assert [line["message"] for line in said] == ["são", "closed"]


def test_an_unclear_level_is_refused_or_a_warning(
    dsn: str, client: MonitoringClient, connection: psycopg.Connection
) -> None:
    with pytest.raises(ValueError, match="'chunk read'"):
        ETLLogger(client).log("chunk read", "INFO")
    with MonitoringClient(dsn) as quiet:
        ETLLogger(quiet).log("chunk read", "INFO")
    line = one(connection, "select level, message from monitoring.etl_logs")
    assert line == {"level": "WARNING", "message": "INFO"}


def test_the_context_of_an_execution_ends_with_its_monitor(client: MonitoringClient) -> None:
    with ETLMonitor(client) as monitor:
        monitor.start_execution("a")
        assert current_place() == Place("a")
    assert current_place() == Place()
    assert current_task() is None


def test_a_begun_execution_is_the_place_of_all_threads_until_its_end(
    client: MonitoringClient,
) -> None:
    seen: list[Place] = []

    def look() -> None:
        seen.append(current_place())

    def in_a_thread(work: Callable[[], Any]) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    monitor = ETLMonitor(client)
    monitor.start_execution("a")
    in_a_thread(look)
    monitor.start_execution("b")
    look()
    in_a_thread(lambda: monitor.finish_execution("a"))
    look()
    in_a_thread(look)
    in_a_thread(lambda: monitor.finish_execution("b"))
    look()
    assert seen == [Place("a"), Place("b"), Place("b"), Place("b"), Place()]
    assert current_task() is None
