"""ETL executions, their chunks and fixtures, as blocks that are recorded.

See `ETLMonitor`, which makes them.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Self, Unpack

from pgvigil.client import TaskId
from pgvigil.client.recording.all_calls import AllCalls
from pgvigil.client.recording.place import (
    Place,
    current_place,
    in_chunk,
    in_execution,
    in_fixture,
)
from pgvigil.client.recording.task import ErrorOptions, TaskOptions, TrackedTask
from pgvigil.client.recording.told_exceptions import message_of

_MOST_CHARACTERS = 4000


class _Counted(TrackedTask):
    """A task that counts fixtures, from any number of threads."""

    def __init__(
        self, client: AllCalls, task_id: str, task_type: str, **options: Unpack[TaskOptions]
    ) -> None:
        """Describe a task, as `TrackedTask` does."""
        super().__init__(client, task_type, task_id, **options)
        self._counting = threading.RLock()
        self._entered: AbstractContextManager[None] | None = None

    def progress(
        self, done: int | None = None, total: int | None = None, **counters: float
    ) -> None:
        """Tell how far it is, as `TrackedTask.progress` does, from any thread."""
        with self._counting:
            super().progress(done, total, **counters)

    def count(self, **increments: float) -> None:
        """Add to counters, as `TrackedTask.count` does, from any thread."""
        with self._counting:
            super().count(**increments)

    def count_fixtures(self, successful: int = 0, failed: int = 0) -> None:
        """Tell that so many fixtures went well, and so many failed."""
        with self._counting:
            counters = {
                "processed_fixtures": successful + failed,
                "successful_fixtures": successful,
                "failed_fixtures": failed,
            }
            totals = {name: self.counters.get(name, 0) + step for name, step in counters.items()}
            self.progress(int(totals["processed_fixtures"]), None, **totals)

    def error(
        self,
        error: BaseException | str,
        message: str | None = None,
        **options: Unpack[ErrorOptions],
    ) -> None:
        """Record an error that happened here, with execution, chunk and fixture."""
        details: dict[str, Any] = dict(current_place().names())
        step = self._step_of(error)
        if step is not None:
            details["step"] = step
        given = options.get("details")
        if given is not None:
            details |= given if isinstance(given, Mapping) else {"details": given}
        options["details"] = details
        super().error(error, message, **options)

    def _enter_place(self, place: AbstractContextManager[None]) -> None:
        place.__enter__()
        self._entered = place

    def _leave_place(self) -> None:
        entered, self._entered = self._entered, None
        if entered is not None:
            entered.__exit__(None, None, None)


class ETLExecution(_Counted):
    """One ETL execution: a task of type ``etl``, from beginning to end.

    An exception that leaves the block ends it as FAILED (TIMEOUT and cancellation as for any task),
    with its message, and goes on unchanged.
    """

    def __init__(
        self,
        client: AllCalls,
        execution_id: str,
        config: Mapping[str, Any] | None = None,
        total_fixtures: int | None = None,
        total_chunks: int | None = None,
    ) -> None:
        """Describe an execution; it starts when the ``with`` block is entered."""
        super().__init__(
            client,
            execution_id,
            "etl",
            metadata=None if config is None else {"config": config},
            items_total=total_fixtures,
        )
        self.execution_id = execution_id
        self._config = config
        self._totals = (total_fixtures, total_chunks)
        totals = {"total_fixtures": total_fixtures, "total_chunks": total_chunks}
        self.counters = {name: total for name, total in totals.items() if total is not None}
        self.recorded_error: BaseException | None = None
        """The exception that a chunk or fixture has recorded, which is not recorded again."""

    def __enter__(self) -> Self:
        """Tell that the execution has begun."""
        super().__enter__()
        self._enter_place(in_execution(self.execution_id))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell how the execution has ended; an exception goes on unchanged."""
        try:
            with self._client.never_raising():
                if error is not None:
                    self.metadata["error_message"] = _message_of(error)
            super().__exit__(kind, error, trace)
        finally:
            self.recorded_error = None
            self._leave_place()

    def error(
        self,
        error: BaseException | str,
        message: str | None = None,
        **options: Unpack[ErrorOptions],
    ) -> None:
        """Record an error of the execution, unless one of its chunks has recorded it."""
        if isinstance(error, BaseException) and error is self.recorded_error:
            return
        super().error(error, message, **options)

    def begin(self) -> Self:
        """Tell that it has begun, without a ``with`` block; see `ETLMonitor.start_execution`."""
        return self.__enter__()

    def leave(self) -> None:
        """Be the current execution no longer; its end is told by somebody else."""
        if self._has_news:
            self._tell_progress()
        self.has_ended = True
        self.step_aside()
        self._leave_place()

    def _start(self) -> TaskId:
        fixtures, chunks = self._totals
        return self._client.start_etl_execution(
            self.execution_id, self._config, total_fixtures=fixtures, total_chunks=chunks
        )

    def chunk(self, chunk_id: object, total_fixtures: int | None = None) -> "ETLChunk":
        """Return a chunk of the execution for a ``with`` block, in any thread.

        Args:
            chunk_id: its name or number within the execution.
            total_fixtures: items expected in it.
        """
        return ETLChunk(self, str(chunk_id), total_fixtures)

    @contextmanager
    def fixture(self, fixture_id: object) -> Iterator[None]:
        """Watch over one item: counted as failed, with an error, when an exception leaves it.

        The exception goes on: who wants to carry on with the next one catches it.
        """
        with _watched(self, Place(self.execution_id), str(fixture_id), self):
            yield


class ETLChunk(_Counted):
    """A part of an execution: a task of type ``etl.chunk``, with the execution as its parent."""

    def __init__(
        self, execution: ETLExecution, chunk_id: str, total_fixtures: int | None = None
    ) -> None:
        """Describe a chunk; it starts when the ``with`` block is entered."""
        super().__init__(
            execution._client,
            f"{execution.execution_id}/{chunk_id}",
            "etl.chunk",
            items_total=total_fixtures,
            parent_task_id=execution.execution_id,
        )
        self.chunk_id = chunk_id
        self.execution = execution

    def __enter__(self) -> Self:
        """Tell that the chunk has begun."""
        super().__enter__()
        self._enter_place(in_chunk(self.execution.execution_id, self.chunk_id))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell how the chunk has ended; an exception goes on unchanged."""
        try:
            super().__exit__(kind, error, trace)
            with self._client.never_raising():
                self.execution.count(processed_chunks=1)
        finally:
            self._leave_place()

    def count_fixtures(self, successful: int = 0, failed: int = 0) -> None:
        """Tell of fixtures, for the chunk and for its execution."""
        super().count_fixtures(successful, failed)
        self.execution.count_fixtures(successful, failed)

    def error(
        self,
        error: BaseException | str,
        message: str | None = None,
        **options: Unpack[ErrorOptions],
    ) -> None:
        """Record an error of the chunk, unless it was recorded for one of its fixtures."""
        if isinstance(error, BaseException):
            if error is self.execution.recorded_error:
                return
            self.execution.recorded_error = error
        super().error(error, message, **options)

    @contextmanager
    def fixture(self, fixture_id: object) -> Iterator[None]:
        """Watch over one item of the chunk, as `ETLExecution.fixture` does."""
        place = Place(self.execution.execution_id, self.chunk_id)
        with _watched(self, place, str(fixture_id), self.execution):
            yield


@contextmanager
def _watched(
    task: _Counted, place: Place, fixture_id: str, execution: ETLExecution
) -> Iterator[None]:
    with in_fixture(place, fixture_id):
        try:
            yield
        except Exception as error:
            with task._client.never_raising():
                task.error(error, severity="medium")
                execution.recorded_error = error
                task.count_fixtures(failed=1)
            raise
    with task._client.never_raising():
        task.count_fixtures(successful=1)


def _message_of(error: BaseException) -> str:
    text = message_of(error) or type(error).__name__
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 4] + " ..."
