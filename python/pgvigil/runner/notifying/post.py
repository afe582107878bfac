"""The messages that are being sent: several at once, one after the other for each target."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import cast

from pgvigil.database.log import log
from pgvigil.outside.secrets import SecretError, Secrets
from pgvigil.runner.notifying.messenger import Messenger
from pgvigil.runner.notifying.orders import Kind, Order, Outcome
from pgvigil.runner.notifying.outbox import Claimed
from pgvigil.runner.notifying.reporter import Reporter

# Each is a process of some 45 MB.
TARGETS_AT_ONCE = 4
"""How many messages are sent at a time; more are not to be claimed, for they would only wait."""
# To start a process takes longer than to send: it waits a moment for another message.
_SECONDS_TO_LINGER = 1.0
# For an outcome to be noted before the lease ends.
_SECONDS_TO_NOTE = 10.0

Done = Callable[[Claimed, Outcome, float], None]


class Post:
    """Sends messages; one target that hangs does not hold up the others."""

    def __init__(
        self, secrets: Secrets, reporter: Reporter, seconds_to_send: float, done: Done
    ) -> None:
        """Describe it.

        Args:
            secrets: where the addresses are.
            reporter: makes what goes along with messages.
            seconds_to_send: longest time for one attempt.
            done: is told how each attempt went, and how many seconds it took.
        """
        self._secrets = secrets
        self._reporter = reporter
        self._seconds_to_send = seconds_to_send
        self._done = done
        self._slots = asyncio.Semaphore(TARGETS_AT_ONCE)
        self._queues: dict[str, deque[Claimed]] = {}
        self._fed: dict[str, asyncio.Event] = {}
        self._is_stopping = False
        self._rounds: set[asyncio.Task[None]] = set()
        self.sending = 0
        """Messages that are being sent at this moment."""

    def take(self, message: Claimed) -> None:
        """Send a message, as soon as its target is free."""
        queue = self._queues.get(message.target)
        if queue is not None:
            queue.append(message)
            self._fed[message.target].set()
            return
        queue = self._queues[message.target] = deque([message])
        self._fed[message.target] = asyncio.Event()
        task = asyncio.create_task(self._serve(message.target, queue))
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)

    def give_back(self) -> None:
        """Begin no other message; what has not begun is returned without an attempt."""
        for queue in self._queues.values():
            self._put_off(queue, "the runner was stopped before it could be sent")
        self._is_stopping = True
        for fed in self._fed.values():
            fed.set()

    async def close(self) -> None:
        """End what is being sent; nobody is told how it went."""
        rounds = list(self._rounds)
        for task in rounds:
            task.cancel()
        await asyncio.gather(*rounds, return_exceptions=True)

    async def _serve(self, target: str, queue: deque[Claimed]) -> None:
        messenger = Messenger()
        try:
            while await self._has_more(target, queue):
                async with self._slots:
                    if queue:
                        await self._send(messenger, queue)
        finally:
            # From here on a message begins a new round.
            if self._queues.get(target) is queue:
                del self._queues[target]
                del self._fed[target]
            await messenger.close()

    async def _has_more(self, target: str, queue: deque[Claimed]) -> bool:
        """Return whether a message waits for a target, or comes within a moment."""
        fed = self._fed[target]
        fed.clear()
        if not queue and not self._is_stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_TO_LINGER):
                    await fed.wait()
        return bool(queue)

    async def _send(self, messenger: Messenger, queue: deque[Claimed]) -> None:
        message = queue.popleft()
        began_at = time.monotonic()
        self.sending += 1
        try:
            outcome = await self._attempt(messenger, message)
        except Exception as error:
            # Else the message would never be noted, and the runner never end.
            log(logging.ERROR, "sending failed unexpectedly", error=type(error).__name__)
            outcome = Outcome(f"unexpected {type(error).__name__}")
        finally:
            self.sending -= 1
        self._done(message, outcome, time.monotonic() - began_at)
        if outcome.was_silent:
            # Else a few of them would take up all leases, one after the other.
            self._put_off(queue, "the target did not answer the previous message")

    async def _attempt(self, messenger: Messenger, message: Claimed) -> Outcome:
        report = await self._reporter.report_for(message)
        time_left = message.lease_ends - time.monotonic()
        if time_left < self._seconds_to_send + _SECONDS_TO_NOTE:
            return Outcome("other messages to the target took too long", was_tried=False)
        try:
            address = self._secrets.find(message.target)
        except SecretError as error:
            return Outcome(str(error))
        return await messenger.deliver(
            Order(
                kind=cast("Kind", message.channel_kind),
                address=address,
                seconds=self._seconds_to_send,
                key=str(message.notification_key),
                subject=report.subject if report else message.subject,
                body=report.text if report else message.body,
                page=report.page if report else "",
                payload=message.payload,
                attachments=report.attachments if report else {},
            )
        )

    def _put_off(self, messages: deque[Claimed], reason: str) -> None:
        for message in _emptied(messages):
            self._done(message, Outcome(reason, was_tried=False), 0.0)


def _emptied(queue: deque[Claimed]) -> Iterable[Claimed]:
    while queue:
        yield queue.popleft()
