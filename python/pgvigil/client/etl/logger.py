"""Log lines of ETL that know their execution, chunk and fixture by themselves."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, TextIO

from pgvigil.client import MonitoringClient
from pgvigil.client.etl.clients import Source, client_of
from pgvigil.client.logging import MonitoringHandler
from pgvigil.client.recording.origin import Origin

_CONSOLE = "%(asctime)s - %(levelname)s - %(name)s - %(message)s"
_CONSOLE_TIME = "%Y-%m-%d %H:%M:%S"
_LEVELS = {
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
    "CRITICAL": logging.CRITICAL,
}


class ETLLogHandler(MonitoringHandler):
    """Takes what a program says through `logging` along into the log of ETL.

    As a `MonitoringHandler`, and every line belongs to ETL, also one outside of any execution.
    """

    _error_type = "etl.log_"

    def __init__(
        self,
        client: MonitoringClient | str | None = None,
        level: int | str = logging.INFO,
        *,
        component: str | None = None,
    ) -> None:
        """Make a handler for `logging.Logger.addHandler`, as `MonitoringHandler` does."""
        super().__init__(client, level, component=component)

    def _about(self, record: logging.LogRecord, origin: Origin, level: str) -> dict[str, Any]:
        return {"execution_id": None} | super()._about(record, origin, level)


class ETLLogger:
    """Records log lines with where they were said. Safe to share between threads.

    What is said at ERROR or CRITICAL is recorded as an error too, so that alert rules see it.
    """

    def __init__(
        self,
        client: Source = None,
        component: str | None = None,
        level: str = "DEBUG",
        *,
        console: bool | TextIO = False,
    ) -> None:
        """Make a logger.

        Args:
            client: what to record through: an `ETLMonitor`, a client or a connection URI; when
                None, ``PGVIGIL_DSN`` or libpq's own environment.
            component: who speaks; the client's `component`, else ``etl``, when None.
            level: what is below it is neither recorded nor printed.
            console: whether lines are printed too, on standard error, or the stream for them:
                ``2025-01-17 15:30:15 - INFO - CHUNK_PROCESSOR - chunk read``.

        Raises:
            ValueError: there is no such level.
        """
        self._client = client_of(client)
        self._component = component or self._client.component or "etl"
        self._least = _number_of(level)
        self._handlers: list[logging.Handler] = [ETLLogHandler(self._client, logging.NOTSET)]
        if console:
            self._handlers.append(_Console(None if console is True else console))

    def log(
        self,
        level: str,
        message: str,
        details: Any = None,
        *,
        duration_ms: float | None = None,
        logged_at: datetime | None = None,
    ) -> None:
        """Record one line.

        Args:
            level: DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case.
            message: what there is to say.
            details: anything JSON can hold.
            duration_ms: milliseconds that the told operation took.
            logged_at: when it was said; now when None.

        Raises:
            ValueError: there is no such level, and the client's ``on_error`` is ``raise``; else
                the line is recorded as a warning.
        """
        try:
            number = _number_of(level)
        except ValueError as error:
            self._client._refused(0, "ETLLogger.log", error)
            number, level = logging.WARNING, "WARNING"
        if number < self._least:
            return
        at = time.time() if logged_at is None else logged_at.timestamp()
        said = {"name": self._component, "levelno": number, "levelname": level.upper()}
        said |= {"msg": message, "created": at, "details": details, "duration_ms": duration_ms}
        given = {key: value for key, value in said.items() if value is not None}
        record = logging.makeLogRecord(given)
        for handler in self._handlers:
            handler.handle(record)

    def debug(self, message: str, details: Any = None) -> None:
        """Record a line of level DEBUG."""
        self.log("DEBUG", message, details)

    def info(self, message: str, details: Any = None) -> None:
        """Record a line of level INFO."""
        self.log("INFO", message, details)

    def warning(self, message: str, details: Any = None) -> None:
        """Record a line of level WARNING."""
        self.log("WARNING", message, details)

    def error(self, message: str, details: Any = None) -> None:
        """Record a line of level ERROR, and an error of severity high."""
        self.log("ERROR", message, details)

    def critical(self, message: str, details: Any = None) -> None:
        """Record a line of level CRITICAL, and an error of that severity."""
        self.log("CRITICAL", message, details)

    @contextmanager
    def timed(self, message: str, details: Any = None, level: str = "INFO") -> Iterator[None]:
        """Record a line at the end of the block, with the milliseconds that it took."""
        began_at = time.perf_counter()
        try:
            yield
        finally:
            self.log(level, message, details, duration_ms=(time.perf_counter() - began_at) * 1000)


class _Console(logging.Handler):
    """Prints lines; one that cannot be printed is recorded all the same."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(_CONSOLE, _CONSOLE_TIME))
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stderr if self._stream is None else self._stream
        with suppress(Exception):  # closed, or there is none
            line = self.format(record)
            encoding = getattr(stream, "encoding", None) or "utf-8"
            stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            stream.flush()


def _number_of(level: object) -> int:
    number = _LEVELS.get(str(level).upper())
    if number is None:
        raise ValueError(f"level is DEBUG, INFO, WARNING, ERROR or CRITICAL, not {level!r}")
    return number
