"""The thread that records a run beside it, whatever becomes of the database."""

import threading
from collections.abc import Callable

from pgvigil.wrapping.job import Ending, Job
from pgvigil.wrapping.outputs import Tail
from pgvigil.wrapping.usage import cpu_seconds
from pgvigil.wrapping.voice import Say

_BETWEEN_BEATS = 60.0
# What goes wrong with the database takes less; what hangs otherwise must not hold us up for ever.
_LONGEST = 30.0


class Witness:
    """Records the beginning of a run, that it is alive, and its end."""

    def __init__(self, job: Job, tail: Tail, say: Say) -> None:
        """Describe it; `began` starts it.

        Args:
            job: what runs.
            tail: the end of what it writes.
            say: takes what goes wrong.
        """
        self._job = job
        self._tail = tail
        self._say = say
        self._has_ended = threading.Event()
        self._ending: Ending | None = None
        self._thread: threading.Thread | None = None

    def began(self, began_at: float, pid: int | None) -> None:
        """Begin to record; everything that takes long is done in a thread.

        Args:
            began_at: when the command began, in seconds since 1970.
            pid: its process; None when it could not be begun.
        """

        def work() -> None:
            try:
                self._record(began_at, lambda: None if pid is None else cpu_seconds(pid))
            except Exception as error:
                self._say(f"cannot record this run: {type(error).__name__}: {error}")

        thread = threading.Thread(target=work, name="pgvigil-witness", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # there are too many
            self._say(f"cannot record this run: {error}")
        else:
            self._thread = thread

    def ended(self, ending: Ending) -> None:
        """Record the end, and wait until that is sent or kept on disk."""
        self._ending = ending
        self._has_ended.set()
        if self._thread is not None:
            self._thread.join(_LONGEST)
            if self._thread.is_alive():
                self._say("does not wait any longer for the end of this run to be recorded")

    def _record(self, began_at: float, used: Callable[[], float | None]) -> None:
        from pgvigil.wrapping.recording import Recording  # which takes a fifth of a second

        recording = Recording(self._job, self._say)
        recording.begin(began_at)
        while not self._has_ended.wait(_BETWEEN_BEATS):
            recording.beat(self._tail.total, used())
        assert self._ending is not None
        recording.end(self._ending, self._tail)
