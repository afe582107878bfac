"""What a program says through `logging` is recorded, whatever it says, and never breaks it."""

import io
import json
import logging
import logging.config
import logging.handlers
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil import MonitoringClient
from pgvigil.client.etl import ETLLogHandler
from pgvigil.client.logging import MonitoringHandler
from tests.python.support.asking import one, rows
from tests.python.support.log_lines import ERRORS, LINES, Asked, logging_to


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
    orders: MonitoringClient, asked: Asked, number: int, level: str
) -> None:
    record = logging.LogRecord("shop", number, __file__, 1, "said", None, None)
    MonitoringHandler(orders).handle(record)
    (line,) = asked(LINES)
    is_usual = number in (10, 20, 30, 40, 50)
    assert line["level"] == level
    assert line["details"] == (None if is_usual else {"level": logging.getLevelName(number)})


def test_a_record_that_somebody_made_is_recorded_as_far_as_it_goes(
    orders: MonitoringClient, asked: Asked
) -> None:
    handler = MonitoringHandler(orders)
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
    assert orders.dropped == 0


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
    orders: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    try:
        raise KeyError("gone")
    except KeyError as error:
        shop.error("first", exc_info=error)
        orders.record_exception(error)
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
    orders: MonitoringClient, shop: logging.Logger, asked: Asked
) -> None:
    shop.info("x" * 50_000_000)
    (line,) = asked(LINES)
    assert len(line["message"]) <= 8000
    assert "characters" in line["message"]
    assert orders.dropped == 0


def test_values_that_log_when_they_are_read_do_not_go_on_for_ever(
    orders: MonitoringClient, shop: logging.Logger, asked: Asked
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
    assert orders.dropped == 0
    shop.info("%s", Talkative())
    assert orders.dropped >= 1
    assert "reading talkative" in {line["message"] for line in asked(LINES)}


def test_trouble_writes_nothing_to_standard_error(
    orders: MonitoringClient,
    shop: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no more")

    monkeypatch.setattr(orders, "record_log", fail)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    shop.error("said")
    assert "Traceback" not in capsys.readouterr().err
    assert orders.dropped == 1


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
    dsn: str, orders: MonitoringClient, connection: psycopg.Connection
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
    configure(client=orders)
    logging.info("by a orders")
    assert orders.flush()
    found = [(row["component"], row["message"]) for row in rows(connection, LINES)]
    assert found == [("shop", "by its address"), ("orders", "by a orders")]
    with pytest.raises(ValueError, match="Unable to configure handler") as refused:
        configure(client=7)
    assert "not 7" in str(refused.value.__cause__)


@pytest.mark.usefixtures("untouched_logging")
def test_a_formatter_says_how_the_message_is_recorded(
    orders: MonitoringClient, asked: Asked
) -> None:
    logging.getLogger().handlers.clear()
    handler = MonitoringHandler(orders)
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
def test_warnings_are_lines(orders: MonitoringClient, asked: Asked) -> None:
    logging.getLogger().addHandler(MonitoringHandler(orders))
    logging.captureWarnings(True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("this is old", DeprecationWarning, stacklevel=1)
    (line,) = asked(LINES)
    assert (line["level"], line["component"]) == ("WARNING", "py.warnings")
    assert "DeprecationWarning: this is old" in line["message"]


def test_a_handler_closes_its_own_client_and_nobody_elses(
    dsn: str, orders: MonitoringClient, connection: psycopg.Connection
) -> None:
    own = MonitoringHandler(dsn)
    own.handle(logging.makeLogRecord({"msg": "own", "levelno": 20}))
    own.close()
    assert one(connection, LINES)["message"] == "own"
    theirs = MonitoringHandler(orders)
    theirs.close()
    orders.record_log("INFO", "still open")
    theirs.flush()
    assert len(rows(connection, LINES)) == 2


def test_the_handler_of_etl_is_the_same_and_all_of_it_is_etl(
    orders: MonitoringClient, asked: Asked
) -> None:
    with logging_to(ETLLogHandler(orders)) as source:
        source.debug("too low")
        source.info("outside of any", extra={"details": {"file": "a.csv"}})
        source.critical("no feed")
    query = "select message, details, execution_id from monitoring.etl_logs order by timestamp"
    assert [tuple(row.values()) for row in asked(query)] == [
        ("outside of any", {"file": "a.csv"}, None),
        ("no feed", None, None),
    ]
    assert [error["error_type"] for error in asked(ERRORS)] == ["etl.log_critical"]


def test_other_handlers_see_records_as_they_were(orders: MonitoringClient) -> None:
    stream = io.StringIO()
    plain = logging.StreamHandler(stream)
    plain.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    with logging_to(MonitoringHandler(orders)) as source, orders.task("work"):
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
