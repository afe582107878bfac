"""Starting, pausing and stopping the threads of the demonstration."""

import threading
from collections.abc import Callable

import psycopg


class DemoStopped(BaseException):
    """The demonstration ends; no `Exception`, so a task under way counts as cancelled."""


class Control:
    """Says when to stop, and how long to pause until then."""

    def __init__(self, pace: float) -> None:
        """Set the pace.

        Args:
            pace: factor for all pauses; less is faster.
        """
        self.stopped = threading.Event()
        self._pace = pace
        self._threads: list[threading.Thread] = []

    def pause(self, seconds: float) -> None:
        """Wait for so many seconds at pace 1.

        Raises:
            DemoStopped: it is time to stop.
        """
        if self.stopped.wait(seconds * self._pace):
            raise DemoStopped

    def repeat(self, act: Callable[[], None], seconds: float, name: str) -> None:
        """Do something again and again in a thread of its own, until it is time to stop.

        A database that is away, because you wanted to see what happens then, ends nothing.
        """

        def run() -> None:
            try:
                while True:
                    try:
                        act()
                    except psycopg.OperationalError:
                        self.pause(1)
                    self.pause(seconds)
            except DemoStopped:
                return

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Stop all threads and wait for them, for at most ten seconds each."""
        self.stopped.set()
        for thread in self._threads:
            thread.join(10)
