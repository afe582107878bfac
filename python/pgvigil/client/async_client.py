"""`AsyncMonitoringClient`: records what an asynchronous program does, and never holds its loop."""

# As in recording/awaited.py.
# mypy: disable-error-code="misc, override"

import time
from functools import partial
from types import TracebackType
from typing import Self

from pgvigil.client.monitoring_client import MonitoringClient
from pgvigil.client.recording.answers import Answer, ThreadAnswer
from pgvigil.client.recording.asking import Asking
from pgvigil.client.recording.awaited import AwaitedCalls
from pgvigil.client.recording.in_thread import AskingInThread, Worker
from pgvigil.client.recording.link import DatabaseLink
from pgvigil.client.recording.troubles import Troubles

__all__ = ["AsyncMonitoringClient"]

_TO_CLOSE = 0.5  # seconds beyond the limit of what is sent


class AsyncMonitoringClient(AwaitedCalls, MonitoringClient):
    """A `MonitoringClient` for asyncio: its calls may be awaited, and need not be.

    What a call says is on its way when the call returns, awaited or not. Calls that wait for the
    database do so in a thread, one after another; to await one is to have its answer. With
    ``on_error="raise"`` a refusal raises where the call is awaited, and is logged where it is not.

    It belongs to no event loop: one client may serve several, one after another or at once.
    """

    async def __aenter__(self) -> Self:
        """Return the client; `close` is called at the end."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send what waits, and close the connections."""
        await self.close()

    def flush(self, timeout: float = 10.0) -> Answer[bool]:
        """Wait, when awaited, until all that was told before is in the database.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether it is; what is not goes on its way later.
        """
        deadline = time.monotonic() + timeout

        def flush() -> bool:
            return self._sender.flush(max(deadline - time.monotonic(), 0.0))

        return ThreadAnswer(self._worker.submit(flush), timeout, otherwise=False)

    def close(self, timeout: float = 2.0) -> Answer[None]:
        """Send what waits and close the connections; a later call opens them again.

        Args:
            timeout: seconds that sending may take; what is left then stays in the spool.
        """
        close = partial(MonitoringClient.close, self, timeout)
        answer = ThreadAnswer(self._worker.submit(close), timeout + _TO_CLOSE, otherwise=None)
        self._worker.end()
        return answer

    def _asking_through(self, link: DatabaseLink, troubles: Troubles) -> Asking:
        self._worker = Worker()
        return AskingInThread(troubles, link, self._worker)
