"""What all calls are made of: what to have called, in one of the ways to the database."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pgvigil.client.recording.arguments import UnfitError, fitted
from pgvigil.client.recording.asking import Asking
from pgvigil.client.recording.run_names import TaskId, own_name, refused_name
from pgvigil.client.recording.telling import Telling
from pgvigil.client.recording.troubles import Troubles, silenced

_T = TypeVar("_T")

__all__ = ["Recorder", "TaskId", "own_name"]


class Recorder:
    """Has functions of the monitoring schema called, and never breaks the program it watches."""

    def __init__(
        self,
        component: str | None,
        worker_id: str | None,
        troubles: Troubles,
        asking: Asking,
        telling: Telling | None = None,
    ) -> None:
        """Have calls made.

        Args:
            component: program, service or stage that errors, metrics and log lines come from.
            worker_id: who does the work; ``host:pid`` when None.
            troubles: what is told of what goes wrong.
            asking: the way of calls whose answer is wanted.
            telling: the way of all others; the same when None.
        """
        self.component = component
        self._worker_id = worker_id
        self._troubles = troubles
        self._asking = asking
        self._telling = telling or asking

    @property
    def worker_id(self) -> str:
        """Who does the work, as given or ``host:pid``."""
        return self._worker_id or f"{socket.gethostname()}:{os.getpid()}"

    @property
    def dropped(self) -> int:
        """Records that were lost: for lack of room, or because the database refused them."""
        return self._troubles.lost_altogether

    @contextmanager
    def never_raising(self) -> Iterator[None]:
        """Let nothing in the block raise, whatever ``on_error`` says."""
        with silenced():
            try:
                yield
            except Exception as error:
                self._troubles.lose(1, type(error).__name__, "cannot record", error)

    # Telling: nobody waits for an answer, unless calls are to wait for the database

    def _tell(self, function: str, **arguments: Any) -> int | None:
        """Have something recorded, and return its number where calls wait for the database."""
        return self._telling.tell(function, arguments)

    def _tell_rows(self, kind: str, function: str, rows: Iterable[Any]) -> int | None:
        """Have rows recorded, and return how many were new where calls wait for the database."""
        return self._telling.tell_rows(kind, function, rows)

    def _begin(self, function: str, id_name: str, task_id: str, **arguments: Any) -> TaskId:
        """Tell that a run has begun, and return its name."""
        try:
            plain = fitted(id_name, task_id) or ""
        except UnfitError as error:
            self._refused(1, function, error)
            return self._refused_name()
        return self._telling.begin(function, id_name, plain, arguments)

    def _update(self, task_id: str, attempt: int | None, **arguments: Any) -> bool | None:
        """Tell how far a run is; return whether it runs, where that is known."""
        return self._telling.update(task_id, {**arguments, "attempt": attempt})

    def _finish(self, function: str, id_name: str, task_id: str, **arguments: Any) -> bool | None:
        """Tell that a run has ended; return whether it ran, where that is known."""
        status = arguments["status"]
        if self._telling.are_swapped(task_id, status):
            why = f"give {id_name} first and then status, not {task_id!r} and then {status!r}"
            self._repaired(function, "order", UnfitError(why))
            task_id, status = status, task_id
        # An end of which nothing is known is none that the defaults of the database are meant for.
        arguments["status"] = "" if status is None else status
        return self._telling.finish(function, id_name, task_id, arguments)

    # Asking: it waits for the database, and returns what that says

    def _ask(
        self, function: str, *, taken_as: Callable[[Any], _T], at_stake: int = 1, **arguments: Any
    ) -> _T | None:
        """Call a function of the monitoring schema; None when that did not work.

        Whatever is to become of the answer goes into ``taken_as``, since an asynchronous client has
        none yet when this returns.

        Args:
            function: its name.
            taken_as: makes what is returned of an answer that is not null.
            at_stake: how many records are lost when it does not work.
            arguments: what to pass, without the ``p_`` of the parameters.

        Raises:
            MonitoringError: it refused an argument, and ``on_error`` is ``raise``.
            Exception: another refusal, and ``on_error`` is ``raise``.
        """
        return self._asking.ask(function, arguments, taken_as=taken_as, at_stake=at_stake)

    def _text(self, function: str, *, at_stake: int = 1, **arguments: Any) -> str | None:
        """Call a function that returns a text; see `_ask`."""
        return self._ask(function, taken_as=str, at_stake=at_stake, **arguments)

    def _counts(
        self, function: str, *, at_stake: int = 1, **arguments: Any
    ) -> dict[str, Any] | None:
        """Call a function that returns an object; see `_ask`."""
        return self._ask(function, taken_as=dict, at_stake=at_stake, **arguments)

    def _refused(self, records: int, function: str, error: Exception) -> None:
        """Take that a call makes no sense; see `Troubles.refused`."""
        self._troubles.refused(records, function, error)

    def _repaired(self, function: str, what: str, error: Exception) -> None:
        """Take that a call is recorded otherwise than it was given; see `Troubles.repaired`."""
        self._troubles.repaired(function, what, error)

    def _refused_name(self) -> TaskId:
        """Return what stands for a run whose start was refused."""
        return refused_name(self._telling.name_type)
