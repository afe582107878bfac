"""The runs of this process that somebody may still say something of."""

import threading
import weakref
from collections.abc import Mapping
from typing import Any

from pgvigil.client.sending.queue import Run


class Runs:
    """Numbers runs, and notes what the database says of them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.RLock()  # a signal handler may interrupt a thread in here
        self._runs: weakref.WeakValueDictionary[int, Run] = weakref.WeakValueDictionary()
        self._last = 0

    def begin(self, task_id: str, function: str, told: dict[str, str]) -> Run:
        """Return a run that has begun, as `Sender.begin` does."""
        with self._lock:
            self._last += 1
            run = self._runs[self._last] = Run(task_id, self._last, told, function)
            return run

    def note(self, answer: Mapping[str, Any]) -> None:
        """Note what an answer to a batch says of them."""
        for number, attempt in answer.get("attempts", {}).items():
            run = self._runs.get(int(number))
            if run is not None:
                run.attempt = attempt
        for number in answer.get("not_running", []):
            run = self._runs.get(int(number))
            if run is not None:
                run.is_running = False

    def leave_to_parent(self) -> None:
        """Have what a child says of them go by their names: the parent sends their starts."""
        for run in list(self._runs.values()):
            run.turn = 0
            run.number = None
