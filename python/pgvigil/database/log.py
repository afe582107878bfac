"""The runner's log: lines of text for people, or JSON for programs."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

LogFormat = Literal["text", "json"]
logger = logging.getLogger("pgvigil.runner")
# A program that has the runner in it says itself where to log.
logger.addHandler(logging.NullHandler())
_part: ContextVar[str | None] = ContextVar("part", default=None)


def set_up_logging(form: LogFormat, level: str) -> None:
    """Have the runner write its log to standard error.

    Args:
        form: text or json.
        level: debug, info, warning or error; what is below is left out.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if form == "json" else _TextFormatter())
    # psycopg has something to say at times, too.
    logging.basicConfig(handlers=[handler], level="WARNING")
    logger.setLevel(level.upper())


def log(level: int, message: str, **fields: Any) -> None:
    """Log a message; JSON shows its fields, such as ``job`` and ``status``, one by one as well."""
    logger.log(level, message, extra={"fields": fields})


@contextmanager
def log_of(part: str) -> Iterator[None]:
    """Say with each message from within, and from tasks begun within, which part it is of.

    It is for a program of several parts that share one log.
    """
    before = _part.set(part)
    try:
        yield
    finally:
        _part.reset(before)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class _JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        document = {
            "time": _time(record),
            "level": record.levelname.lower(),
            **({} if (part := _part.get()) is None else {"part": part}),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            document["stack"] = self.formatException(record.exc_info)
        return json.dumps(document, ensure_ascii=False, default=str)


class _TextFormatter(logging.Formatter):
    """Time, level, message, and the error if there is one, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        error = getattr(record, "fields", {}).get("error")
        message = f"{record.getMessage()}: {error}" if error else record.getMessage()
        message = " | ".join(message.splitlines())
        part = _part.get()
        whose = "" if part is None else f"[{part}] "
        line = f"{_time(record)} {record.levelname.lower():7} {whose}{message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
