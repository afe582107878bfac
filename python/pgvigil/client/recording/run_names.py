"""Names of runs, which know the attempt they stand for."""

import os
from collections.abc import Mapping
from typing import Any

from pgvigil.client.recording.arguments import UnfitError, fitted, text_of
from pgvigil.client.sending.queue import Run

_MOST_RUNS = 10_000


class TaskId(str):
    """The name of a run, which knows which attempt of that name it is."""

    run: Run | None = None
    """What later calls about it need, where a thread sends them."""
    answer: Any = None
    """What the database is asked for, or has answered, where it is waited for."""
    is_refused: bool = False
    """Whether its start was refused, which was told, so that nothing is to be recorded of it."""
    _attempt: int | None = None

    @property
    def attempt(self) -> int | None:
        """Number of the attempt; None for as long as the database has not told it."""
        return self._attempt if self.run is None else self.run.attempt

    @property
    def is_known(self) -> bool:
        """Whether it says which run it means, rather than only what that is called."""
        return self.run is not None or self._attempt is not None

    def note_attempt(self, attempt: Any) -> None:
        """Note which attempt it is."""
        self._attempt = int(attempt)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave behind, in a copy for another process, what only this one can send."""
        return _restored, (str(self), self.attempt)


def _restored(name: str, attempt: int | None) -> TaskId:
    copy = TaskId(name)
    copy._attempt = attempt
    return copy


def refused_name(kind: type[TaskId] = TaskId) -> TaskId:
    """Return what stands for a run whose start was refused."""
    name = kind()
    name.is_refused = True
    return name


def is_refused(task_id: object) -> bool:
    """Return whether this stands for a run whose start was refused."""
    return isinstance(task_id, TaskId) and task_id.is_refused


class RunNames:
    """The runs that a program has begun and not ended, by name: the last one of each name."""

    def __init__(self, others: "RunNames | None" = None) -> None:
        """Know none but those that others know."""
        self._runs: dict[str, TaskId] = {}
        self._others = others

    def add(self, name: TaskId) -> None:
        """Note a run that has begun."""
        self._runs[str(name)] = name
        if len(self._runs) > _MOST_RUNS:  # programs that never tell an end
            self._runs.pop(next(iter(self._runs)), None)

    def remove(self, task_id: str) -> None:
        """Forget a run that has ended."""
        self._runs.pop(_plain(task_id), None)

    def find(self, task_id: str) -> TaskId | None:
        """Return the run that a name means: the one it came from, or the last of that name."""
        if isinstance(task_id, TaskId) and task_id.is_known:
            return task_id
        name = self._runs.get(_plain(task_id))
        return name if name is not None or self._others is None else self._others.find(task_id)

    def are_swapped(self, task_id: Any, status: Any) -> bool:
        """Return whether what was given as a status is a run, and what was given as a run none."""
        return self.find(task_id) is None and self.find(status) is not None


def _plain(task_id: Any) -> str:
    try:
        return fitted("task_id", task_id) or ""
    except UnfitError:
        return text_of(task_id)


def own_name(work: str, metadata: Mapping[str, Any] | None = None) -> tuple[str, Mapping[str, Any]]:
    """Return a name that no other run has, and metadata that say what work such a run does.

    By that a later run makes up for one that failed, although no two of them share a name.
    """
    try:
        work = fitted("task_type", work) or ""
    except UnfitError:  # which is told, where the start is
        work = type(work).__name__
    if metadata is None or isinstance(metadata, Mapping):
        metadata = {"work": work, **(metadata or {})}
    return f"{work}-{os.urandom(6).hex()}", metadata
