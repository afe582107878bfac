"""The connection that looks after the outbox: it claims what is due and notes how it went."""

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress

from pgvigil.database.log import log
from pgvigil.database.outage import Outage, through_outages
from pgvigil.database.sessions import Session, in_time, open_session, wait_for_notice
from pgvigil.database.words import count_of
from pgvigil.outside.secrets import Secrets
from pgvigil.runner.notifying import outbox
from pgvigil.runner.notifying.orders import Outcome
from pgvigil.runner.notifying.outbox import Claimed
from pgvigil.runner.notifying.post import TARGETS_AT_ONCE, Post
from pgvigil.runner.notifying.reporter import Reporter

_NAME = "sender"
# What is due may be locked by another runner's claim.
_SECONDS_BETWEEN_LOOKS = 1.0
# Waiting must not end a moment too early, or it begins again at once.
_SHORT_WHILE = 0.01
# Time in which messages wait for others to the same target, beyond two that take their full time.
_SPARE_LEASE_SECONDS = 60.0


class Sender:
    """Sends the messages of the outbox when they are due, through every outage.

    An attempt that went well is noted as such, if need be after an outage. Only when the runner is
    killed in between, or cannot reach the database until another one has the lease, a message
    is sent once more, with the same key.
    """

    def __init__(
        self,
        dsn: str,
        outage: Outage,
        *,
        poll_seconds: float,
        seconds_to_send: float,
        secrets: Secrets,
        reporter: Reporter,
        page_url: str | None = None,
    ) -> None:
        """Describe a sender.

        Args:
            dsn: the database, from `complete_dsn`.
            outage: is told when the database is away and when it works again.
            poll_seconds: longest time between two looks.
            seconds_to_send: longest time for one attempt.
            secrets: where the addresses are.
            reporter: makes what goes along with messages.
            page_url: address of the page, which messages link to; None to leave it as it is.
        """
        self._dsn = dsn
        self._outage = outage
        self._poll_seconds = poll_seconds
        self._lease_seconds = 2 * seconds_to_send + _SPARE_LEASE_SECONDS
        self._page_url = page_url
        self._post = Post(secrets, reporter, seconds_to_send, self._take_outcome)
        self._woken = asyncio.Event()
        self._held = 0
        self._outcomes: deque[tuple[Claimed, Outcome, float]] = deque()
        self._leases_end = 0.0
        self._is_looking = False
        self._is_stopping = False
        self._is_nothing_due = False
        self.failed = False
        """Whether an attempt failed, or the database could not be asked."""

    @property
    def sending(self) -> int:
        """How many messages are being sent."""
        return self._post.sending

    @property
    def is_busy(self) -> bool:
        """Whether messages are ours, or may be as soon as the database has answered."""
        return self._is_looking or self._held > 0

    def stop(self) -> None:
        """Have it begin no other message, and end once those being sent are noted."""
        self._is_stopping = True
        self._post.give_back()
        self._woken.set()

    async def run(self) -> None:
        """Send until told to stop."""
        await self._work(is_once=False)

    async def work_off(self) -> None:
        """Send what is due, each message once."""
        await self._work(is_once=True)

    async def close(self) -> None:
        """End what is being sent, which another attempt will repeat."""
        await self._post.close()

    async def _work(self, *, is_once: bool) -> None:
        is_given_up = False

        def troubled() -> None:
            nonlocal is_given_up
            self.failed = True
            is_given_up = is_once and (not self._held or time.monotonic() > self._leases_end)

        await through_outages(
            _NAME,
            self._outage,
            begin=self._begin,
            work=lambda session: self._keep_sending(session, is_once),
            troubled=troubled,
            is_over=lambda: is_given_up or self._is_over(is_once),
            pause=self._pause,
        )

    async def _begin(self) -> Session:
        session = await open_session(self._dsn)
        try:
            await session.execute("listen monitoring_notifications")
            if self._page_url is not None:
                await outbox.set_page_url(session, self._page_url)
            await self._note_outcomes(session)
        except BaseException:
            await session.close()
            raise
        self._outage.end(_NAME)
        return session

    async def _keep_sending(self, session: Session, is_once: bool) -> None:
        while True:
            self._is_looking = True
            try:
                async with in_time():
                    seconds = await self._look(session)
            finally:
                self._is_looking = False
            if self._is_over(is_once):
                return
            await wait_for_notice(session, seconds, self._woken)

    async def _look(self, session: Session) -> float:
        """Note what was sent, claim what is due and return the seconds until the next look."""
        await self._note_outcomes(session)
        # No more than can be sent at once: what is claimed is tried.
        at_most = TARGETS_AT_ONCE - self._held
        if self._is_stopping or at_most <= 0:
            return self._poll_seconds
        claimed = await outbox.claim(session, at_most, self._lease_seconds)
        self._held += len(claimed)
        for message in claimed:
            self._leases_end = message.lease_ends
            self._post.take(message)
        self._is_nothing_due = not claimed
        if len(claimed) == at_most:
            return self._poll_seconds  # woken when one of them has ended
        seconds = await outbox.seconds_to_next(session)
        if seconds is None:
            return self._poll_seconds
        wait = seconds + _SHORT_WHILE if seconds > 0 else _SECONDS_BETWEEN_LOOKS
        return min(self._poll_seconds, wait)

    def _is_over(self, is_once: bool) -> bool:
        return not self._held and (self._is_stopping or (is_once and self._is_nothing_due))

    async def _pause(self, seconds: float) -> None:
        """Wait for an outage to end; being told to stop cuts it short once."""
        self._woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    def _take_outcome(self, message: Claimed, outcome: Outcome, seconds: float) -> None:
        self._outcomes.append((message, outcome, seconds))
        self._woken.set()

    async def _note_outcomes(self, session: Session) -> None:
        while self._outcomes:
            message, outcome, seconds = self._outcomes[0]
            if outcome.error is None:
                is_ours = await outbox.note_sent(session, message)
                status = "sent" if is_ours else None
            elif not outcome.was_tried:
                is_ours = await outbox.release(session, message)
                status = "waiting" if is_ours else None
            else:
                self.failed = True
                status = await outbox.note_failed(
                    session,
                    message,
                    outcome.error,
                    is_permanent=outcome.is_permanent,
                    was_silent=outcome.was_silent,
                )
            self._outcomes.popleft()
            self._held -= 1
            _log(message, outcome, status, seconds)


def _log(message: Claimed, outcome: Outcome, status: str | None, seconds: float) -> None:
    attempts = count_of(message.attempt, "attempt")
    if outcome.is_sent:
        level, event = logging.INFO, f"sent after {attempts}"
    elif status == "dead":
        level, event = logging.ERROR, f"given up after {attempts}"
    elif not outcome.was_tried:
        level, event = logging.INFO, "returned without an attempt"
    else:
        level, event = logging.WARNING, f"failed at attempt {message.attempt}"
    if status is None:
        level = max(level, logging.WARNING)
        event += ", too late: another attempt has begun"
    log(
        level,
        f"notification {message.notification_id} to {message.target} {event}",
        notification=message.notification_id,
        key=str(message.notification_key),
        channel=message.channel_name,
        target=message.target,
        kind=message.kind,
        attempt=message.attempt,
        status=status,
        duration_ms=round(seconds * 1000),
        error=outcome.error,
    )
