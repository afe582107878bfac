"""Log lines of ETL that know their execution, chunk and fixture by themselves."""

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pgvigil.client import MonitoringClient
from pgvigil.client.etl.context import current_place

_LEVELS = (
    (logging.CRITICAL, "CRITICAL"),
    (logging.ERROR, "ERROR"),
    (logging.WARNING, "WARNING"),
    (logging.INFO, "INFO"),
)
_RANKS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
_MOST_STACK = 20_000


class ETLLogger:
    """Records log lines with where they were said. Safe to share between threads.

    What is said at ERROR or CRITICAL is recorded as an error too, so that alert rules see it.
    """

    def __init__(
        self, client: MonitoringClient, component: str | None = None, level: str = "DEBUG"
    ) -> None:
        """Make a logger.

        Args:
            client: what to record through.
            component: who speaks; the client's `component`, else ``etl``, when None.
            level: what is below it is not recorded.

        Raises:
            ValueError: there is no such level.
        """
        if level.upper() not in _RANKS:
            raise ValueError(f"level is one of {', '.join(_RANKS)}, not {level!r}")
        self._client = client
        self._component = component
        self._least = _RANKS[level.upper()]

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
            level: DEBUG, INFO, WARNING, ERROR or CRITICAL.
            message: what there is to say.
            details: anything JSON can hold.
            duration_ms: milliseconds that the told operation took.
            logged_at: when it was said; now when None.
        """
        if _RANKS.get(level.upper(), logging.CRITICAL) < self._least:
            return
        place = current_place()
        self._client.log_etl_event(
            level,
            message,
            component=self._component,
            details=details,
            execution_id=place.execution_id,
            chunk_id=place.chunk_id,
            fixture_id=place.fixture_id,
            duration_ms=duration_ms,
            logged_at=logged_at,
        )

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


class ETLLogHandler(logging.Handler):
    """Takes what a program says through `logging` along into the log of ETL.

    The name of the logger is the component. Give `extra={"details": …}` for details; the stack of
    an exception goes there too.
    """

    def __init__(self, client: MonitoringClient, level: int | str = logging.INFO) -> None:
        """Make a handler for `logging.Logger.addHandler`.

        Args:
            client: what to record through.
            level: what is below it is not recorded.
        """
        super().__init__(level)
        self._client = client
        self._busy = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Record a line; what cannot be recorded is told as `logging` tells it, and not raised."""
        # The client speaks through logging itself when it cannot record.
        if record.name.split(".")[0] == "pgvigil" or getattr(self._busy, "is_emitting", False):
            return
        self._busy.is_emitting = True
        try:
            place = current_place()
            self._client.log_etl_event(
                _level_of(record.levelno),
                record.getMessage(),
                component=record.name,
                details=_details_of(record),
                execution_id=place.execution_id,
                chunk_id=place.chunk_id,
                fixture_id=place.fixture_id,
                logged_at=datetime.fromtimestamp(record.created, UTC),
            )
        except Exception:
            self.handleError(record)
        finally:
            self._busy.is_emitting = False


def _level_of(number: int) -> str:
    for least, name in _LEVELS:
        if number >= least:
            return name
    return "DEBUG"


def _details_of(record: logging.LogRecord) -> dict[str, Any] | None:
    given = getattr(record, "details", None)
    details: dict[str, Any] = {}
    if given is not None:
        details |= given if isinstance(given, dict) else {"details": given}
    if record.exc_info and record.exc_info[0] is not None:
        details["exception"] = record.exc_info[0].__qualname__
        details["stack"] = "".join(traceback.format_exception(*record.exc_info))[-_MOST_STACK:]
    return details or None
