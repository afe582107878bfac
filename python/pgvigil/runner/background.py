"""A runner inside a program that has other things to do."""

import asyncio
import threading

from pgvigil.runner.runner import Runner, Settings


class BackgroundRunner:
    """Runs jobs in a thread of its own until it is stopped."""

    def __init__(self, settings: Settings) -> None:
        """Start it.

        Raises:
            DatabaseNotReadyError: the DSN cannot be parsed.
        """
        self._runner = Runner(settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no more jobs and wait for those that run; called again, do nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._runner.stop)
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._runner.run())
