"""A call that may take long, made in a thread so that whoever waits for it can do other things."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Errand(Generic[_T]):
    """One call of a function in a thread of its own."""

    def __init__(self, call: Callable[[], _T]) -> None:
        """Begin; at the end of the interpreter, when no thread can begin, do it at once."""
        self._call = call
        self._done = threading.Event()
        self._answer: list[_T] = []
        self._error: BaseException | None = None
        thread = threading.Thread(target=self._run, name="pgvigil-errand", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._run()

    def is_done(self, seconds: float) -> bool:
        """Wait for so long; tell whether the call has come back."""
        return self._done.wait(seconds)

    def answer(self) -> _T:
        """Return what the call returned.

        Raises:
            BaseException: what the call raised.
        """
        if self._error is not None:
            raise self._error
        return self._answer[0]

    def _run(self) -> None:
        try:
            self._answer.append(self._call())
        except BaseException as error:
            self._error = error
        finally:
            self._done.set()
