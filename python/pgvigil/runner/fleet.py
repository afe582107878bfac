"""The members of a fleet: each that is due is read, several at a time, none waiting for another."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from pgvigil.database.log import log
from pgvigil.database.outage import Outage
from pgvigil.database.queries.fleet import DUE
from pgvigil.database.sessions import Session, open_session
from pgvigil.outside.fleet.reading import Reading
from pgvigil.outside.secrets import Secrets
from pgvigil.runner.due import DueWork

# More than a few would only wait for the hub; those that are stuck take their time limit.
_READINGS_AT_ONCE = 16
_SECONDS_BETWEEN_LOOKS = 1.0


class Fleet(DueWork):
    """Reads the members that are due."""

    name = "fleet"
    at_once = _READINGS_AT_ONCE
    due = DUE

    def __init__(
        self, dsn: str, outage: Outage, *, poll_seconds: float, secrets_file: Path | None
    ) -> None:
        """Describe it, as `DueWork` does; the database is that of the hub."""
        super().__init__(dsn, outage, poll_seconds=poll_seconds, secrets_file=secrets_file)
        self._secrets = Secrets(secrets_file, "connections")
        self._told: dict[str, str] = {}
        self._session: Session | None = None
        self._opening = asyncio.Lock()

    async def _keep_looking(self, session: Session) -> None:
        try:
            await super()._keep_looking(session)
        finally:
            # What is told goes to the hub: while that is away there is nothing to read for.
            await self._end()

    async def _pause(self, going_on: Sequence[asyncio.Task[None]]) -> None:
        # One that is stuck keeps its place; others are due meanwhile.
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS if going_on else self._poll_seconds)

    async def _do(self, due: Any) -> None:
        name = due.member_name
        try:
            reading = Reading(await self._carrier(), name, self._secrets)
            await reading.run(is_due_only=True)
        except psycopg.Error as error:
            self._say(name, f"the hub did not take it: {error.diag.message_primary or error}")
        else:
            if reading.skipped is None:
                self._say(name, reading.error)

    async def _carrier(self) -> Session:
        """Return the connection that what is told goes through, which may take a while."""
        async with self._opening:
            if self._session is None or self._session.closed:
                self._session = await open_session(self._dsn)
            return self._session

    def _say(self, name: str, error: str | None) -> None:
        """Log each reason once, and once that it is over."""
        before = self._told.pop(name, None)
        if error is not None:
            self._fail()
            self._told[name] = error
            level = logging.WARNING if error != before else logging.DEBUG
            log(level, f"member {name} could not be read: {error}", member=name)
        elif before is not None:
            log(logging.INFO, f"member {name} is heard again", member=name)

    async def _end(self) -> None:
        await super()._end()
        session, self._session = self._session, None
        if session is not None:
            await session.close()
