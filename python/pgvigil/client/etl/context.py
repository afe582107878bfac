"""Where in an ETL execution a piece of code runs: execution, chunk and fixture.

Each thread has a context of its own, so that what it logs names its own chunk. A thread that was
started without one counts as part of the execution, as long as only one is open in the program;
`carried` takes the whole place along.
"""

import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from pgvigil.client.recording.task import Inside

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Place:
    """Execution, chunk and fixture; None where there is none."""

    execution_id: str | None = None
    chunk_id: str | None = None
    fixture_id: str | None = None


_NOWHERE = Place()
_place: contextvars.ContextVar[Place | None] = contextvars.ContextVar(
    "pgvigil_etl_place", default=None
)
Inside.kept.append(_place)
_open_executions: list[str] = []
_lock = threading.Lock()


def current_place() -> Place:
    """Return where this code runs."""
    place = _place.get()
    if place is not None:
        return place
    with _lock:
        only_one = set(_open_executions)
    return Place(only_one.pop()) if len(only_one) == 1 else _NOWHERE


def carried(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return the function such that it runs at the present place, in whichever thread it is called.

    It may be called any number of times, also at once: ``pool.map(carried(work), chunks)``.
    """
    place = current_place()

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
    with _lock:
        _open_executions.append(execution_id)
    try:
        with at(Place(execution_id)):
            yield
    finally:
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
