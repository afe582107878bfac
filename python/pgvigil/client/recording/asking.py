"""Calls that wait for the database, and return what it says."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, overload

from pgvigil.client.recording.converting import converted
from pgvigil.client.recording.run_names import RunNames, TaskId
from pgvigil.client.recording.troubles import Troubles
from pgvigil.client.recording.values import as_parameter, as_rows, how_many

_T = TypeVar("_T")


@dataclass(slots=True)
class Call:
    """A call of a function of the monitoring schema, with the values as they were given."""

    function: str
    given: dict[str, Any]
    """What to pass, without the ``p_`` of the parameters."""
    at_stake: int
    """How many records are lost when it does not work."""
    taken_as: Callable[[Any], Any]
    """Makes what the program gets of an answer that is not null."""
    otherwise: Any = None
    """What the program gets when it does not work."""
    run: TaskId | None = None
    """The run that it is about, if the program began it."""

    def arguments(self) -> dict[str, Any]:
        """Return what to pass; which attempt it is may be known only when its turn has come."""
        if self.run is not None and self.run.attempt is not None:
            return {**self.given, "attempt": self.run.attempt}
        return self.given

    def is_early(self) -> bool:
        """Tell whether it is about a run of which the database has not been told yet."""
        return self.run is not None and self.run.run is not None and self.run.attempt is None

    def answer(self, value: Any) -> Any:
        """Return what the program gets."""
        return self.otherwise if value is None else self.taken_as(value)


class Link(Protocol):
    """A way to the database."""

    def call(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """Call ``monitoring.<function>`` with ``p_<name>`` arguments and return its value."""


class Asking:
    """Has functions called one by one, each of which the program waits for."""

    name_type: type[TaskId] = TaskId
    """What names of runs are."""

    def __init__(self, troubles: Troubles, link: Link, runs: RunNames | None = None) -> None:
        """Send calls through a link.

        Args:
            troubles: what is told of what goes wrong.
            link: the way to the database.
            runs: those that are known already.
        """
        self._troubles = troubles
        self._link = link
        self.runs = RunNames() if runs is None else runs
        """Runs that have begun and not ended."""

    @overload
    def ask(
        self,
        function: str,
        given: Mapping[str, Any],
        *,
        taken_as: Callable[[Any], _T],
        at_stake: int = ...,
        otherwise: None = None,
        run: TaskId | None = ...,
    ) -> _T | None: ...
    @overload
    def ask(
        self,
        function: str,
        given: Mapping[str, Any],
        *,
        taken_as: Callable[[Any], _T],
        at_stake: int = ...,
        otherwise: _T,
    ) -> _T: ...
    def ask(
        self,
        function: str,
        given: Mapping[str, Any],
        *,
        taken_as: Callable[[Any], _T],
        at_stake: int = 1,
        otherwise: _T | None = None,
        run: TaskId | None = None,
    ) -> _T | None:
        """Have a function called.

        Args:
            function: its name.
            given: what to pass, without the ``p_`` of the parameters.
            taken_as: makes what is returned of an answer that is not null.
            at_stake: how many records are lost when it does not work.
            otherwise: what is returned then.
            run: the run that it is about, if the program began it.

        Raises:
            MonitoringError: it refused an argument, and refusals are raised.
            Exception: another refusal, and those are raised.
        """
        arguments = converted(self._troubles, function, given, as_parameter, at_stake)
        if arguments is None:
            return otherwise
        call = Call(function, arguments, at_stake, taken_as, otherwise, run)
        answer: _T | None = self._carry_out(call)
        return answer

    def tell(self, function: str, given: Mapping[str, Any]) -> int | None:
        """Have something recorded; return its number."""
        return self.ask(function, given, taken_as=int)

    def tell_rows(self, kind: str, function: str, rows: Iterable[Any]) -> int | None:
        """Have rows recorded; return how many were new."""
        rows = as_rows(rows)
        return self.ask(function, {kind: rows}, at_stake=how_many(rows), taken_as=int)

    def begin(self, function: str, id_name: str, task_id: str, given: Mapping[str, Any]) -> TaskId:
        """Tell that a run has begun, and return its name."""
        name = self.name_type(task_id)

        def begun(attempt: Any) -> None:
            name.note_attempt(attempt)
            self.runs.add(name)

        name.answer = self.ask(function, {id_name: task_id, **given}, taken_as=begun)
        return name

    def update(self, task_id: str, given: Mapping[str, Any]) -> bool | None:
        """Tell how far a run is; return whether it runs."""
        return self._ask_of_run("update_task_progress", "task_id", task_id, given, bool, at_stake=0)

    def finish(
        self, function: str, id_name: str, task_id: str, given: Mapping[str, Any]
    ) -> bool | None:
        """Tell that a run has ended; return whether it ran."""

        def ran(value: Any) -> bool:
            self.runs.remove(task_id)
            return bool(value)

        return self._ask_of_run(function, id_name, task_id, given, ran)

    def are_swapped(self, task_id: Any, status: Any) -> bool:
        """Return whether name and status of an end were given in the other order."""
        return self.runs.are_swapped(task_id, status)

    def _ask_of_run(
        self,
        function: str,
        id_name: str,
        task_id: str,
        given: Mapping[str, Any],
        taken_as: Callable[[Any], bool],
        *,
        at_stake: int = 1,
    ) -> bool | None:
        run = self.runs.find(task_id) if given.get("attempt") is None else None
        return self.ask(
            function, {id_name: task_id, **given}, at_stake=at_stake, taken_as=taken_as, run=run
        )

    def _carry_out(self, call: Call) -> Any:
        """Make a call, and return what the program gets."""
        with self._troubles.of_call(call.function, call.at_stake):
            return call.answer(self._link.call(call.function, call.arguments()))
        return call.otherwise
