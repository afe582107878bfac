"""The one way from the client to the database, which never breaks the program it watches."""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psycopg

from pgvigil.client.recording.link import DatabaseLink, UnavailableError
from pgvigil.client.recording.values import as_json, as_parameter, as_rows, how_many, to_json
from pgvigil.client.sending.queue import Record, Run, as_object
from pgvigil.client.sending.sender import AwayError, RefusedError, Sender
from pgvigil.client.sending.spool import usual_directory
from pgvigil.exceptions import MonitoringError, explain

_LOG_INTERVAL = 60.0
_MOST_RUNS = 10_000
_LEAST_PATIENCE = 15.0  # seconds; nobody waits for the thread that sends
# What may come right by itself: pgvigil or a right is missing, as while somebody installs.
_PASSING = ("28", "3D", "3F", "42501", "42883", "42P01")
# Where the records of a function, or rows of a kind, stand in a batch, and which is their time.
_ARRAYS = {
    "record_error": "errors",
    "record_performance_metric": "metrics",
    "record_log": "logs",
}
_BATCHED = {"tasks": "finished_tasks", "errors": "errors", "metrics": "metrics", "logs": "logs"}
_TIMES = {
    "start_task_tracking": "started_at",
    "start_etl_execution": "started_at",
    "update_task_progress": "at",
    "complete_task_tracking": "finished_at",
    "finish_etl_execution": "finished_at",
    "record_error": "occurred_at",
    "record_errors": "occurred_at",
    "record_performance_metric": "recorded_at",
    "record_metrics": "recorded_at",
    "record_etl_metric": "recorded_at",
    "record_queue_metrics": "recorded_at",
    "record_log": "logged_at",
    "record_logs": "logged_at",
    "log_etl_event": "logged_at",
    "update_system_health": "checked_at",
}

logger = logging.getLogger("pgvigil")


class TaskId(str):
    """The name of a run, which knows which attempt of that name it is."""

    run: Run | None = None
    """What later calls about it need, where a thread sends them."""
    _attempt: int | None = None

    @property
    def attempt(self) -> int | None:
        """Number of the attempt; None for as long as the database has not told it."""
        return self._attempt if self.run is None else self.run.attempt


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
        flush_interval: float = 0.5,
        queue_bytes: int = 16 << 20,
        spool: bool | str | Path = True,
        spool_bytes: int = 64 << 20,
    ) -> None:
        """Make a client; nothing is opened yet.

        Args:
            dsn: connection URI; when None, ``PGVIGIL_DSN`` or libpq's own environment.
            component: program, service or stage that errors, metrics and log lines come from.
            worker_id: who does the work; ``host:pid`` when None.
            on_error: what happens to what is wrong. ``log``: a bad argument is repaired as far as
                can be and logged, a missing right or function is logged; calls return at once, and
                a thread sends what they say. ``raise``, for tests: calls wait for the database,
                and what is wrong raises. A database that is away never raises.
            connect_timeout: seconds for opening a connection, at least 2.
            statement_timeout: seconds for a call that waits for the database.
            flush_interval: seconds that a record waits for others, to be sent with them.
            queue_bytes: so much may wait in memory.
            spool: whether records are kept on disk while the database is away, or the directory
                for that; True for the usual one, ``$XDG_STATE_HOME/pgvigil/spool``.
            spool_bytes: so much may wait there.

        Raises:
            ValueError: ``on_error`` is neither of the two.
        """
        if on_error not in ("log", "raise"):
            raise ValueError(f'on_error is "log" or "raise", not {on_error!r}')
        dsn = os.environ.get("PGVIGIL_DSN", "") if dsn is None else dsn
        self.component = component
        self._worker_id = worker_id
        self._waits = on_error == "raise"
        self._told_at: dict[str, float] = {}
        self._is_away = False
        self._lost = 0
        self._runs: dict[str, TaskId] = {}
        self._local = threading.local()

        def link(patience: float, rests: bool) -> DatabaseLink:
            return DatabaseLink(
                dsn,
                application_name=f"pgvigil {component}" if component else "pgvigil client",
                connect_timeout=connect_timeout,
                statement_timeout=patience,
                is_strict=self._waits,
                rests=rests,
                on_warning=self._warned,
            )

        self._link = link(statement_timeout, True)
        self._line = link(max(statement_timeout, _LEAST_PATIENCE), False)
        self._sender = Sender(
            self._send,
            dsn=dsn,
            interval=flush_interval,
            most_bytes=queue_bytes,
            directory=_directory(spool),
            spool_bytes=spool_bytes,
        )

    @property
    def worker_id(self) -> str:
        """Who does the work, as given or ``host:pid``."""
        return self._worker_id or f"{socket.gethostname()}:{os.getpid()}"

    @property
    def dropped(self) -> int:
        """Records that were lost: for lack of room, or because the database refused them."""
        return self._lost + self._sender.lost

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all that was told before is in the database.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether it is; what is not goes on its way later.
        """
        return self._sender.flush(timeout)

    def close(self, timeout: float = 2.0) -> None:
        """Send what waits and close the connections; a later call opens them again.

        Args:
            timeout: seconds that sending may take; what is left then stays in the spool.
        """
        self._sender.close(timeout)
        self._line.close()
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

    # Telling: it is sent later, and says nothing back

    def _tell(self, function: str, **arguments: Any) -> int | None:
        """Have a function called, and return its number where calls wait for the database."""
        if self._waits:
            return self._number(function, **arguments)
        told = self._told(function, arguments)
        if function not in _ARRAYS:
            self._put_call(function, told)
        elif told is not None:
            self._sender.put(Record(_ARRAYS[function], as_object(told)))
        return None

    def _tell_rows(self, kind: str, function: str, rows: Iterable[Any]) -> int | None:
        """Have a bulk function called, and return its number where calls wait for the database."""
        rows = as_rows(rows)
        if self._waits:
            return self._number(function, at_stake=how_many(rows), **{kind: rows})
        if not isinstance(rows, list):
            rows = [rows]  # for the database to say what is wrong with it
        time_column = _TIMES.get(function)
        now = datetime.now(UTC).isoformat()
        for row in rows:
            if time_column and isinstance(row, Mapping) and row.get(time_column) is None:
                row = {**row, time_column: now}
            try:
                self._sender.put(Record(_BATCHED[kind], to_json(row)))
            except Exception as error:
                self._refused(1, function, error)
        return None

    def _begin(self, function: str, id_name: str, task_id: str, **arguments: Any) -> TaskId:
        """Tell that a run has begun, and return its name."""
        name = TaskId(task_id)
        arguments = {id_name: task_id, **arguments}
        if self._waits:
            name._attempt = self._number(function, **arguments)
        else:
            told = self._told(function, arguments)
            if told is not None:
                name.run = self._sender.begin(name, function, told)
        self._runs[str(name)] = name
        if len(self._runs) > _MOST_RUNS:  # programs that never tell an end
            self._runs.pop(next(iter(self._runs)), None)
        return name

    def _update(self, task_id: str, attempt: int | None, **arguments: Any) -> bool | None:
        """Tell how far a run is; return whether it runs, where that is known."""
        function = "update_task_progress"
        name = self._known(task_id)
        arguments = {"task_id": task_id, **arguments, "attempt": attempt}
        if self._waits:
            return self._ask_of_run(function, name, arguments, at_stake=0)
        told = self._told(function, arguments)
        if name is None or name.run is None or attempt is not None:
            self._put_call(function, told)
            return None
        if told is not None:
            self._sender.update(name.run, told)
        return name.run.is_running if name.run.attempt is not None else None

    def _finish(self, function: str, id_name: str, task_id: str, **arguments: Any) -> bool | None:
        """Tell that a run has ended; return whether it ran, where that is known."""
        name = self._known(task_id)
        arguments = {id_name: task_id, **arguments}
        if self._waits:
            answer = self._ask_of_run(function, name, arguments)
            if answer is not None:
                self._runs.pop(str(task_id), None)
            return answer
        told = self._told(function, arguments)
        self._runs.pop(str(task_id), None)
        if name is None or name.run is None or arguments.get("attempt") is not None:
            self._put_call(function, told)
            return None
        if told is not None:
            self._sender.finish(name.run, function, told)
        return None if name.run.is_running else False

    def _known(self, task_id: str) -> TaskId | None:
        """Return the run that a name means: the one it came from, or the last of that name."""
        if isinstance(task_id, TaskId) and (task_id.run or task_id._attempt) is not None:
            return task_id
        return self._runs.get(str(task_id))

    def _put_call(self, function: str, told: Mapping[str, str] | None) -> None:
        if told is not None:
            text = f'{{"function": "{function}", "arguments": {as_object(told)}}}'
            self._sender.put(Record("calls", text))

    def _told(self, function: str, arguments: Mapping[str, Any]) -> dict[str, str] | None:
        """Return arguments as JSON, with the time when they were told; None when they cannot be."""
        try:
            told = {
                name: as_json(name, value) for name, value in arguments.items() if value is not None
            }
        except Exception as error:
            self._refused(1, function, error)
            return None
        time_name = _TIMES.get(function)
        if time_name is not None and time_name not in told:
            told[time_name] = f'"{datetime.now(UTC).isoformat()}"'
        return told

    def _send(self, batch: str) -> Mapping[str, Any]:
        """Send a batch, in the thread of the sender."""
        try:
            return dict(self._line.call("record_batch", {"batch": batch}))
        except UnavailableError as error:
            raise AwayError(str(error)) from error
        except Exception as error:
            reason = explain(error) or str(error)
            if (getattr(error, "sqlstate", None) or "").startswith(_PASSING):
                raise AwayError(reason) from error
            raise RefusedError(reason) from error

    # Asking: it waits for the database, and says what that says

    def _ask(self, function: str, *, at_stake: int = 1, **arguments: Any) -> Any:
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
            self._tell_log("back", f"pgvigil records again; records lost so far: {self.dropped}")
        return answer

    def _number(self, function: str, *, at_stake: int = 1, **arguments: Any) -> int | None:
        """Call a function that returns a number; see `_ask`."""
        answer = self._ask(function, at_stake=at_stake, **arguments)
        return None if answer is None else int(answer)

    def _counts(
        self, function: str, *, at_stake: int = 1, **arguments: Any
    ) -> dict[str, Any] | None:
        """Call a function that returns an object; see `_ask`."""
        answer = self._ask(function, at_stake=at_stake, **arguments)
        return None if answer is None else dict(answer)

    def _ask_of_run(
        self, function: str, name: TaskId | None, arguments: dict[str, Any], at_stake: int = 1
    ) -> bool | None:
        if arguments.get("attempt") is None and name is not None:
            arguments["attempt"] = name.attempt
        answer = self._ask(function, at_stake=at_stake, **arguments)
        return None if answer is None else bool(answer)

    # What goes wrong

    def _refused(self, records: int, function: str, error: Exception) -> None:
        if self._waits and not getattr(self._local, "is_silenced", False):
            translated = (
                MonitoringError.from_database(error) if isinstance(error, psycopg.Error) else None
            )
            if translated is None:
                raise error
            raise translated from error
        code = getattr(error, "sqlstate", None) or type(error).__name__
        self._lose(records, f"{function} {code}", f"was refused by {function}", error)

    def _lose(self, records: int, kind: str, what: str, error: Exception) -> None:
        self._lost += records
        reason = explain(error) or str(error)
        self._tell_log(kind, f"pgvigil {what}; records lost so far: {self.dropped}. {reason}")

    def _warned(self, warning: psycopg.errors.Diagnostic) -> None:
        """Log a warning of the database, such as that it repaired a value."""
        if warning.severity_nonlocalized == "WARNING":
            message = warning.message_primary or ""
            hint = f" Hint: {warning.message_hint}" if warning.message_hint else ""
            # One of a kind: what differs is the value, which comes after the first words.
            kind = f"warning {warning.sqlstate} {' '.join(message.split()[:2])}"
            self._tell_log(kind, f"pgvigil changed a value before recording it: {message}.{hint}")

    def _tell_log(self, kind: str, message: str) -> None:
        """Log a warning, unless one of its kind was logged less than a minute ago."""
        now = time.monotonic()
        if now - self._told_at.get(kind, float("-inf")) >= _LOG_INTERVAL:
            self._told_at[kind] = now
            logger.warning("%s", message)


def own_name(work: str, metadata: Mapping[str, Any] | None = None) -> tuple[str, Mapping[str, Any]]:
    """Return a name that no other run has, and metadata that say what work such a run does.

    By that a later run makes up for one that failed, although no two of them share a name.
    """
    return f"{work}-{uuid.uuid4().hex[:12]}", {"work": work, **(metadata or {})}


def _directory(spool: bool | str | Path) -> Path | None:
    if isinstance(spool, bool):
        try:
            return usual_directory() if spool else None
        except RuntimeError:  # a user without a home
            return None
    return Path(spool)
