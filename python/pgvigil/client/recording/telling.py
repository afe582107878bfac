"""Calls that return at once: what they say goes into a queue, which a thread sends."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pgvigil.client.recording.arguments import is_optional
from pgvigil.client.recording.converting import converted
from pgvigil.client.recording.link import DatabaseLink, UnavailableError
from pgvigil.client.recording.run_names import RunNames, TaskId, is_refused, refused_name
from pgvigil.client.recording.troubles import Troubles
from pgvigil.client.recording.values import as_json, as_rows, to_json
from pgvigil.client.sending.queue import Record, as_object
from pgvigil.client.sending.sender import AwayError, RefusedError, Sender
from pgvigil.exceptions import explain

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
    "record_release": "released_at",
}


class Telling:
    """Has functions called later, in order; nothing waits for what they say."""

    def __init__(self, troubles: Troubles, sender: Sender, name_type: type[TaskId]) -> None:
        """Put what is told into the queue of a sender.

        Args:
            troubles: what is told of what goes wrong.
            sender: what sends it.
            name_type: what names of runs are.
        """
        self._troubles = troubles
        self._sender = sender
        self.name_type = name_type
        """What names of runs are."""
        self.runs = RunNames()
        """Runs that have begun and not ended."""

    def tell(self, function: str, given: Mapping[str, Any]) -> None:
        """Have something recorded."""
        told = self._told(function, given)
        if function not in _ARRAYS:
            self._put_call(function, told)
        elif told is not None:
            self._sender.put(Record(_ARRAYS[function], as_object(told)))

    def tell_rows(self, kind: str, function: str, rows: Iterable[Any]) -> None:
        """Have rows recorded."""
        rows = as_rows(rows)
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
                self._troubles.refused(1, function, error)

    def begin(self, function: str, id_name: str, task_id: str, given: Mapping[str, Any]) -> TaskId:
        """Tell that a run has begun, and return its name."""
        told = self._told(function, {id_name: task_id, **given})
        if told is None:
            return refused_name(self.name_type)
        name = self.name_type(task_id)
        name.run = self._sender.begin(name, function, told)
        self.runs.add(name)
        return name

    def update(self, task_id: str, given: Mapping[str, Any]) -> bool | None:
        """Tell how far a run is; return whether it runs, where that is known."""
        function = "update_task_progress"
        if is_refused(task_id):
            return None
        name = self.runs.find(task_id)
        told = self._told(function, {"task_id": task_id, **_with_attempt(name, given)})
        if name is None or name.run is None or given.get("attempt") is not None:
            self._put_call(function, told)
            return None
        if told is not None:
            self._sender.update(name.run, told)
        return name.run.is_running if name.run.attempt is not None else None

    def finish(
        self, function: str, id_name: str, task_id: str, given: Mapping[str, Any]
    ) -> bool | None:
        """Tell that a run has ended; return whether it ran, where that is known."""
        if is_refused(task_id):
            return None
        name = self.runs.find(task_id)
        told = self._told(function, {id_name: task_id, **_with_attempt(name, given)})
        self.runs.remove(task_id)
        if name is None or name.run is None or given.get("attempt") is not None:
            self._put_call(function, told)
            return None
        if told is not None:
            self._sender.finish(name.run, function, told)
        return None if name.run.is_running else False

    def are_swapped(self, task_id: Any, status: Any) -> bool:
        """Return whether name and status of an end were given in the other order."""
        return self.runs.are_swapped(task_id, status)

    def _put_call(self, function: str, told: Mapping[str, str] | None) -> None:
        if told is not None:
            text = f'{{"function": "{function}", "arguments": {as_object(told)}}}'
            self._sender.put(Record("calls", text))

    def _told(self, function: str, given: Mapping[str, Any]) -> dict[str, str] | None:
        """Return arguments as JSON, with the time when they were told; None when they cannot be."""
        said = {
            name: value
            for name, value in given.items()
            if value is not None or not is_optional(function, name)
        }
        made = converted(self._troubles, function, said, as_json)
        if made is None:
            return None
        told = {
            name: text or "null"
            for name, text in made.items()
            if text is not None or not is_optional(function, name)
        }
        time_name = _TIMES.get(function)
        if time_name is not None and time_name not in told:
            told[time_name] = f'"{datetime.now(UTC).isoformat()}"'
        return told


def _with_attempt(name: TaskId | None, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return arguments with the attempt of a run that another connection or process has begun."""
    if name is None or name.run is not None or given.get("attempt") is not None:
        return given
    return {**given, "attempt": name.attempt}


def through(link: DatabaseLink) -> Callable[[str], Mapping[str, Any]]:
    """Return what sends a batch through a link, for the thread of a `Sender`."""

    def send(batch: str) -> Mapping[str, Any]:
        try:
            return dict(link.call("record_batch", {"batch": batch}))
        except UnavailableError as error:
            raise AwayError(str(error)) from error
        except Exception as error:
            reason = explain(error) or str(error)
            if (getattr(error, "sqlstate", None) or "").startswith(_PASSING):
                raise AwayError(reason) from error
            raise RefusedError(reason) from error

    return send
