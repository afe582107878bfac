"""The outside dead-man's switch: a URL that is called as long as all is well with us."""

import asyncio
import logging
import os

import psycopg

from pgvigil.database.log import log
from pgvigil.database.queries.state import CHECKS
from pgvigil.database.sessions import Session, in_time, open_session
from pgvigil.outside.secrets import SecretError, Secrets
from pgvigil.runner.notifying.messenger import Messenger
from pgvigil.runner.notifying.orders import Order

PING_VARIABLE = "PGVIGIL_PING_URL"
PING_TARGET = "ping"
# What must not be so, or nobody would hear of anything else. A message that was given up is told of
# by an alert, through other channels.
_FATAL = {
    "scheduler": ("late", "failed"),
    "alerts": ("late", "failed"),
    "job evaluate_alerts": ("late", "failed"),
    "notifications": ("late",),
}
_SECONDS_TO_PING = 20.0


class Pinger:
    """Calls a URL every so often, while the database answers and alerts are evaluated."""

    def __init__(self, dsn: str, secrets: Secrets, every_seconds: float = 60.0) -> None:
        """Describe a pinger.

        Args:
            dsn: the database, from `complete_dsn`.
            secrets: where the URL is.
            every_seconds: time between two pings.
        """
        self._dsn = dsn
        self._secrets = secrets
        self._every_seconds = every_seconds
        self._trouble = ""

    async def run(self) -> None:
        """Keep at it for ever."""
        while True:
            await self.ping()
            await asyncio.sleep(self._every_seconds)

    async def ping(self) -> None:
        """Look how we are and, if well, say so to the outside."""
        reason = await self._reason_not_to() or await self._call()
        if reason == self._trouble:
            return
        if reason:
            log(logging.WARNING, "no ping", error=reason)
        else:
            log(logging.INFO, "pings again")
        self._trouble = reason

    async def _reason_not_to(self) -> str:
        try:
            async with in_time():
                session = await open_session(self._dsn)
                try:
                    checks = await _ask(session)
                finally:
                    await session.close()
        except (psycopg.Error, TimeoutError) as error:
            # Whoever needs the database says more about it.
            return f"the database does not answer ({type(error).__name__})"
        return ", ".join(f"{name}: {status}" for name, status in checks)

    async def _call(self) -> str:
        try:
            address = os.environ.get(PING_VARIABLE) or self._secrets.find(PING_TARGET)
        except SecretError as error:
            return f"{PING_VARIABLE} is not set, and {error}"
        messenger = Messenger()
        try:
            outcome = await messenger.deliver(Order("ping", address, _SECONDS_TO_PING))
        finally:
            await messenger.close()
        return outcome.error or ""


async def _ask(session: Session) -> list[tuple[str, str]]:
    """Return which checks say that nobody would hear of anything, and what they say."""
    rows = await (await session.execute(CHECKS)).fetchall()
    return [(name, status) for name, status, *_ in rows if status in _FATAL.get(name, ())]
