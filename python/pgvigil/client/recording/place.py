"""Where in an ETL execution a piece of code runs: execution, chunk and fixture.

Each thread has a context of its own, so that what it logs names its own chunk. A thread that was
started without one counts as part of the execution, as long as only one is open in the program;
`carried` takes the whole place along.
"""

import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from pgvigil.client.recording.task import Inside

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Opening:
    """One time that an execution is open."""

    def __init__(self, before: "Place | None") -> None:
        """Note the place that counts again once this is over."""
        self.before = before
        self.is_over = False


@dataclass(frozen=True)
class Place:
    """Execution, chunk and fixture; None where there is none."""

    execution_id: str | None = None
    chunk_id: str | None = None
    fixture_id: str | None = None
    opening: _Opening | None = field(default=None, repr=False, compare=False)
    """When this counts no longer, in whichever thread the execution ends."""

    def names(self) -> dict[str, str]:
        """Return what it is called, as details of a log line or an error have it."""
        names = {
            "execution_id": self.execution_id,
            "chunk_id": self.chunk_id,
            "fixture_id": self.fixture_id,
        }
        return {key: name for key, name in names.items() if name is not None}


_NOWHERE = Place()
_place: contextvars.ContextVar[Place | None] = contextvars.ContextVar(
    "pgvigil_etl_place", default=None
)
Inside.kept.append(_place)
_open_executions: list[str] = []
_lock = threading.Lock()


def current_place() -> Place:
    """Return where this code runs."""
    place = _own_place()
    if place is not None:
        return place
    with _lock:
        only_one = set(_open_executions)
    return Place(only_one.pop()) if len(only_one) == 1 else _NOWHERE


def place_of(execution_id: str | None) -> Place:
    """Return where this code runs, if it is in that execution; None means whichever it is."""
    place = current_place()
    if execution_id is None or place.execution_id == str(execution_id):
        return place
    return Place(execution_id)


def _own_place() -> Place | None:
    """Return the place of this thread or context, if it has one of its own."""
    place = _place.get()
    while place is not None and place.opening is not None and place.opening.is_over:
        place = place.opening.before
    return place


def carried(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return the function such that it runs at the present place, in whichever thread it is called.

    It may be called any number of times, also at once: ``pool.map(carried(work), chunks)``.
    """
    place = replace(current_place(), opening=None)

    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with at(place):
            return function(*args, **kwargs)

    return run


@contextmanager
def at(place: Place) -> Iterator[None]:
    """Have the block run at a place."""
    token = _place.set(place)
    try:
        yield
    finally:
        with suppress(ValueError):  # left in another context than it was entered in
            _place.reset(token)


@contextmanager
def in_execution(execution_id: str) -> Iterator[None]:
    """Have the block run in an execution, and threads that know of no other too."""
    opening = _Opening(_own_place())
    with _lock:
        _open_executions.append(execution_id)
    # It is not taken back: executions that calls begin and end may overlap.
    _place.set(Place(execution_id, opening=opening))
    try:
        yield
    finally:
        opening.is_over = True
        with _lock:
            _open_executions.remove(execution_id)


@contextmanager
def in_chunk(execution_id: str, chunk_id: str) -> Iterator[None]:
    """Have the block run in a chunk, in whichever thread that is."""
    with at(Place(execution_id, chunk_id)):
        yield


@contextmanager
def in_fixture(place: Place, fixture_id: str) -> Iterator[None]:
    """Have the block run on a fixture of a chunk or execution."""
    with at(replace(place, fixture_id=fixture_id)):
        yield
