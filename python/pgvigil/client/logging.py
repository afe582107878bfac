"""`MonitoringHandler`: what a program says through `logging`, recorded by pgvigil.

A line becomes a log line, and one of level ERROR or above an error as well. Nothing in here ever
raises into the program or writes to its standard error because pgvigil is in trouble.
"""

import copy
import logging
import math
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pgvigil.client.monitoring_client import MonitoringClient
from pgvigil.client.recording.origin import ATTRIBUTE, Origin, note_origins, origin_of
from pgvigil.client.recording.values import mended, readable

_LEVELS = (
    (logging.CRITICAL, "CRITICAL"),
    (logging.ERROR, "ERROR"),
    (logging.WARNING, "WARNING"),
    (logging.INFO, "INFO"),
    (-math.inf, "DEBUG"),
)
_NUMBERS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
_SEVERITIES = {"ERROR": "high", "CRITICAL": "critical"}
# Attributes of every record; what else it has was given as extra.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message", "asctime", "taskName", ATTRIBUTE,
}  # fmt: skip
_MOST_MESSAGE = 100_000  # characters that are sent; the database keeps 8,000
_MOST_STACK = 20_000
_MOST_TEMPLATE = 150
_PATIENCE = 2.0  # seconds
_DEEPEST = 3  # lines that are said while a line is made


class MonitoringHandler(logging.Handler):
    """Records what a program logs: `logging.getLogger().addHandler(MonitoringHandler())`.

    What is given as ``extra``, the stack of an exception and ``stack_info`` become details. Task,
    execution, chunk and fixture are those of the place where it was said, also behind a
    `QueueHandler`. What pgvigil says itself, or psycopg on its behalf, is never recorded.
    """

    _error_type = "log."

    def __init__(
        self,
        client: MonitoringClient | str | None = None,
        level: int | str = logging.NOTSET,
        *,
        component: str | None = None,
    ) -> None:
        """Make a handler.

        Args:
            client: what to record through, or a connection URI; when None, ``PGVIGIL_DSN`` or
                libpq's own environment. A client of its own is closed with the handler.
            level: what is below it is not recorded.
            component: who speaks; when None the name of the logger, and of what the root logger
                says the client's `component`.

        Raises:
            TypeError: the client is neither.
            ValueError: there is no such level.
        """
        super().__init__(level)
        self._is_own = client is None or isinstance(client, str)
        if client is None or isinstance(client, str):
            client = MonitoringClient(client, component=component)
        if not isinstance(client, MonitoringClient):
            raise TypeError(f"client is a MonitoringClient or a connection URI, not {client!r}")
        self._client = client
        self._component = component
        self._threads = threading.local()
        note_origins()

    def handle(self, record: logging.LogRecord) -> bool:
        """Record a line, unless a filter or pgvigil itself is the reason not to."""
        # Before the lock is taken: the thread that sends never waits for it.
        return not _is_own(record) and bool(super().handle(record))

    def emit(self, record: logging.LogRecord) -> None:
        """Record a line; what cannot be recorded is counted by the client, and not raised."""
        with self._client.never_raising(), self._not_too_deep():
            self._record(record)

    def flush(self) -> None:
        """Wait until what was said is in the database, for 2 s at most."""
        # Of a client for asyncio, too.
        _do_aside(partial(MonitoringClient.flush, self._client, _PATIENCE))

    def close(self) -> None:
        """Send what waits, for 2 s at most, if the client is the handler's own."""
        super().close()
        if self._is_own:
            _do_aside(self._client.close)

    def _record(self, record: logging.LogRecord) -> None:
        origin = origin_of(record)
        level = _level_of(record)
        message = self._message_of(record, origin)
        given = _given(record)
        said: dict[str, Any] = {
            "component": self._component or _name_of(record) or self._client.component,
            "task_id": _taken(given, "task_id", str) or origin.task_id,
        }
        at = _time_of(record)
        details = given | {
            key: value
            for key, value in self._about(record, origin, level).items()
            if key not in given
        }
        duration_ms = _taken(details, "duration_ms", int, float)
        self._client.record_log(
            level, message, details=details or None, duration_ms=duration_ms, logged_at=at, **said
        )
        if level in _SEVERITIES:
            said |= {"severity": _SEVERITIES[level], "occurred_at": at}
            self._record_error(record, origin, message, details, said)

    def _record_error(
        self,
        record: logging.LogRecord,
        origin: Origin,
        message: str,
        details: dict[str, Any],
        said: dict[str, Any],
    ) -> None:
        if origin.error is not None:
            details = {key: details[key] for key in details.keys() - {"exception", "stack"}}
            details.setdefault("logged", message)
            self._client.record_exception(origin.error, details=details, **said)
            return
        stack = details.get("stack") or record.stack_info
        severity = said.pop("severity")
        self._client.record_error(
            said.pop("task_id"),
            self._error_type + ("error" if severity == "high" else severity),
            severity,
            message,
            details=details or None,
            stack=stack if isinstance(stack, str) else None,
            fingerprint=_fingerprint(record, origin),
            **said,
        )

    def _about(self, record: logging.LogRecord, origin: Origin, level: str) -> dict[str, Any]:
        """Return what details have beside what was given."""
        about: dict[str, Any] = dict(origin.place.names())
        if record.levelno not in _NUMBERS and record.levelname != level:
            about["level"] = record.levelname
        if origin.error is not None:
            about["exception"] = type(origin.error).__qualname__
            about["stack"] = _stack_of(origin.error)[-_MOST_STACK:]
        elif record.exc_text:  # of another process
            about["stack"] = readable(record.exc_text)[-_MOST_STACK:]
        if record.stack_info:
            about["stack_info"] = readable(record.stack_info)[-_MOST_STACK:]
        return about

    def _message_of(self, record: logging.LogRecord, origin: Origin) -> str:
        try:
            message = self._formatted(record)
        except RecursionError:
            message = f"{record.msg if isinstance(record.msg, str) else type(record.msg)}"
        except Exception:  # values that do not fit
            message = f"{readable(record.msg)} {readable(record.args)}"
        if record.exc_info is None and origin.error is not None:
            # A queue has put it behind the message.
            message = message.removesuffix("\n" + _stack_of(origin.error).rstrip("\n"))
        if len(message) > _MOST_MESSAGE:
            message = f"{message[:_MOST_MESSAGE]} ... ({len(message):,} characters)"
        return message

    def _formatted(self, record: logging.LogRecord) -> str:
        """Return the message as a formatter of the handler wants it, without the stack."""
        if self.formatter is None or _is_default(self.formatter):
            return record.getMessage()
        bare = copy.copy(record)
        bare.exc_info = bare.exc_text = bare.stack_info = None
        return self.formatter.format(bare)

    @contextmanager
    def _not_too_deep(self) -> Iterator[None]:
        """Let values that log while they are turned into text do so, but not without end."""
        depth = getattr(self._threads, "depth", 0)
        if depth >= _DEEPEST:
            raise RecursionError("to make a line of the log, it logs again and again")
        self._threads.depth = depth + 1
        try:
            yield
        finally:
            self._threads.depth = depth


def _do_aside(work: Callable[[], object]) -> None:
    """Do something in another thread, and wait for it for a while.

    Who configures `logging` holds its lock while it closes handlers, so that the thread that sends
    can say nothing, and goes on only afterwards.
    """
    thread = threading.Thread(target=work, name="pgvigil-logging", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter ends
        work()
    else:
        thread.join(_PATIENCE + 0.5)


def _is_own(record: logging.LogRecord) -> bool:
    return str(record.name).split(".", 1)[0] == "pgvigil" or origin_of(record).is_own


def _is_default(formatter: logging.Formatter) -> bool:
    """Tell whether it is what `basicConfig` gives: it repeats what is recorded apart."""
    return getattr(formatter, "_fmt", None) == logging.BASIC_FORMAT


def _name_of(record: logging.LogRecord) -> str | None:
    return None if record.name in (None, "", "root") else str(record.name)


def _fingerprint(record: logging.LogRecord, origin: Origin) -> str | None:
    """Return the group of an error by the wording of its message, whatever values are in it."""
    if origin.template is None:
        return None
    text = f"{_name_of(record)}: {origin.template}"[:_MOST_TEMPLATE]
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _level_of(record: logging.LogRecord) -> str:
    number: Any = record.levelno
    if not isinstance(number, int | float) or number != number:
        name = str(record.levelname).upper()
        number = logging.getLevelNamesMapping().get(name, logging.WARNING)
    return next(name for least, name in _LEVELS if number >= least)


def _time_of(record: logging.LogRecord) -> datetime | None:
    try:
        return datetime.fromtimestamp(record.created, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _given(record: logging.LogRecord) -> dict[str, Any]:
    """Return what was given as extra; a mapping of the name details is spread."""
    given = mended({key: value for key, value in vars(record).items() if key not in _STANDARD})
    details = given.pop("details", None)
    if isinstance(details, Mapping):
        return {**given, **details}
    return dict(given) if details is None else {**given, "details": details}


def _taken(details: dict[str, Any], name: str, *kinds: type) -> Any:
    """Take a value out of details that has a place of its own, if it is of such a kind."""
    value = details.get(name)
    return details.pop(name) if isinstance(value, kinds) and not isinstance(value, bool) else None


def _stack_of(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return f"({type(error).__name__} whose stack cannot be read)"
