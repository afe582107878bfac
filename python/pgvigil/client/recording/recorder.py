"""The one way from the client to the database, which never breaks the program it watches."""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import psycopg

from pgvigil.client.recording.link import DatabaseLink, UnavailableError
from pgvigil.client.recording.values import as_parameter
from pgvigil.exceptions import MonitoringError, explain

_LOG_INTERVAL = 60.0
_MOST_ATTEMPTS = 10_000

logger = logging.getLogger("pgvigil")


class Recorder:
    """Sends calls, counts what was lost, and tells the log about it now and then."""

    def __init__(
        self,
        dsn: str | None = None,
        *,
        component: str | None = None,
        worker_id: str | None = None,
        on_error: Literal["log", "raise"] = "log",
        connect_timeout: float = 2.0,
        statement_timeout: float = 5.0,
    ) -> None:
        """Make a client; nothing is opened yet.

        Args:
            dsn: connection URI; when None, ``PGVIGIL_DSN`` or libpq's own environment.
            component: program, service or stage that errors, metrics and log lines come from.
            worker_id: who does the work; ``host:pid`` when None.
            on_error: what happens to what is wrong. ``log``: a bad argument is repaired as far as
                can be and logged, a missing right or function is logged. ``raise``: either is
                refused and raises. A database that is away never raises.
            connect_timeout: seconds for opening the connection, at least 2.
            statement_timeout: seconds for one call.

        Raises:
            ValueError: ``on_error`` is neither of the two.
        """
        if on_error not in ("log", "raise"):
            raise ValueError(f'on_error is "log" or "raise", not {on_error!r}')
        self.component = component
        self.dropped = 0
        """Records that were lost, because the database was away or refused them."""
        self._worker_id = worker_id
        self._on_error = on_error
        self._told_at: dict[str, float] = {}
        self._is_away = False
        self._attempts: dict[str, int] = {}
        self._local = threading.local()
        self._link = DatabaseLink(
            os.environ.get("PGVIGIL_DSN", "") if dsn is None else dsn,
            application_name=f"pgvigil {component}" if component else "pgvigil client",
            connect_timeout=connect_timeout,
            statement_timeout=statement_timeout,
            is_strict=on_error == "raise",
            on_warning=self._warned,
        )

    @property
    def worker_id(self) -> str:
        """Who does the work, as given or ``host:pid``."""
        return self._worker_id or f"{socket.gethostname()}:{os.getpid()}"

    def close(self) -> None:
        """Close the connection; a later call opens it again."""
        self._link.close()

    @contextmanager
    def never_raising(self) -> Iterator[None]:
        """Let nothing in the block raise in this thread, whatever ``on_error`` says."""
        self._local.is_silenced = True
        try:
            yield
        except Exception as error:
            self._lose(1, type(error).__name__, "cannot record", error)
        finally:
            self._local.is_silenced = False

    def _call(self, function: str, *, at_stake: int = 1, **arguments: Any) -> Any:
        """Call a function of the monitoring schema; None when that did not work.

        Args:
            function: its name.
            at_stake: how many records are lost when it does not work.
            arguments: what to pass, without the ``p_`` of the parameters.

        Raises:
            MonitoringError: it refused an argument, and ``on_error`` is ``raise``.
            Exception: another refusal, and ``on_error`` is ``raise``.
        """
        try:
            parameters = {name: as_parameter(name, value) for name, value in arguments.items()}
            answer = self._link.call(function, parameters)
        except UnavailableError as error:
            self._is_away = True
            self._lose(at_stake, "away", "cannot reach its database", error)
            return None
        except Exception as error:
            self._refused(at_stake, function, error)
            return None
        if self._is_away:
            self._is_away = False
            self._tell("back", f"pgvigil records again; records lost so far: {self.dropped}")
        return answer

    def _number(self, function: str, *, at_stake: int = 1, **arguments: Any) -> int | None:
        """Call a function that returns a number; see `_call`."""
        answer = self._call(function, at_stake=at_stake, **arguments)
        return None if answer is None else int(answer)

    def _started(self, task_id: str, attempt: int | None) -> int | None:
        """Remember which attempt was started, so that its end can say which one it ends."""
        if attempt is not None:
            self._attempts[str(task_id)] = attempt
            if len(self._attempts) > _MOST_ATTEMPTS:  # programs that never tell an end
                self._attempts.pop(next(iter(self._attempts)), None)
        return attempt

    def _counts(
        self, function: str, *, at_stake: int = 1, **arguments: Any
    ) -> dict[str, Any] | None:
        """Call a function that returns an object; see `_call`."""
        answer = self._call(function, at_stake=at_stake, **arguments)
        return None if answer is None else dict(answer)

    def _refused(self, records: int, function: str, error: Exception) -> None:
        if self._on_error == "raise" and not getattr(self._local, "is_silenced", False):
            translated = (
                MonitoringError.from_database(error) if isinstance(error, psycopg.Error) else None
            )
            if translated is None:
                raise error
            raise translated from error
        code = getattr(error, "sqlstate", None) or type(error).__name__
        self._lose(records, f"{function} {code}", f"was refused by {function}", error)

    def _lose(self, records: int, kind: str, what: str, error: Exception) -> None:
        self.dropped += records
        reason = explain(error) or str(error)
        self._tell(kind, f"pgvigil {what}; records lost so far: {self.dropped}. {reason}")

    def _warned(self, warning: psycopg.errors.Diagnostic) -> None:
        """Log a warning of the database, such as that it repaired a value."""
        if warning.severity_nonlocalized == "WARNING":
            message = warning.message_primary or ""
            hint = f" Hint: {warning.message_hint}" if warning.message_hint else ""
            # One of a kind: what differs is the value, which comes after the first words.
            kind = f"warning {warning.sqlstate} {' '.join(message.split()[:2])}"
            self._tell(kind, f"pgvigil changed a value before recording it: {message}.{hint}")

    def _tell(self, kind: str, message: str) -> None:
        """Log a warning, unless one of its kind was logged less than a minute ago."""
        now = time.monotonic()
        if now - self._told_at.get(kind, float("-inf")) >= _LOG_INTERVAL:
            self._told_at[kind] = now
            logger.warning("%s", message)
