"""The members of a fleet: each that is due is read, several at a time, none waiting for another."""

import asyncio
import logging
from pathlib import Path

import psycopg

from pgvigil.database.log import log
from pgvigil.database.outage import Outage, through_outages
from pgvigil.database.queries.fleet import DUE
from pgvigil.database.sessions import Session, in_time, open_session
from pgvigil.outside.fleet.reading import Reading
from pgvigil.outside.secrets import Secrets

_NAME = "fleet"
# More than a few would only wait for the hub; those that are stuck take their time limit.
_READINGS_AT_ONCE = 16
_SECONDS_BETWEEN_LOOKS = 1.0


class Fleet:
    """Reads what is due, through every outage of the hub."""

    def __init__(
        self, dsn: str, outage: Outage, *, poll_seconds: float, secrets_file: Path | None
    ) -> None:
        """Describe it.

        Args:
            dsn: the database of the hub, from `complete_dsn`.
            outage: is told when the hub is away and when it works again.
            poll_seconds: longest time between two looks.
            secrets_file: TOML file with the addresses of members.
        """
        self._dsn = dsn
        self._outage = outage
        self._poll_seconds = poll_seconds
        self._secrets = Secrets(secrets_file, "connections")
        self._readings: dict[str, asyncio.Task[None]] = {}
        self._told: dict[str, str] = {}
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self.failed = False
        """Whether a member could not be read, or the hub could not be asked."""

    async def run(self) -> None:
        """Read what is due until cancelled."""
        await through_outages(
            _NAME,
            self._outage,
            begin=lambda: open_session(self._dsn),
            work=self._keep_looking,
            troubled=self._fail,
        )

    async def work_off(self) -> None:
        """Read what is due, each member once."""
        seen: set[str] = set()
        try:
            session = await open_session(self._dsn)
            try:
                while await self._look(session, seen):
                    await asyncio.wait(self._readings.values())
            finally:
                await self._end()
                await session.close()
        except psycopg.Error as error:
            self._fail()
            self._outage.begin(_NAME, error)

    async def _keep_looking(self, session: Session) -> None:
        try:
            while True:
                async with in_time():
                    goes_on = await self._look(session, set())
                self._outage.end(_NAME)
                await asyncio.sleep(_SECONDS_BETWEEN_LOOKS if goes_on else self._poll_seconds)
        finally:
            await self._end()

    async def _look(self, session: Session, seen: set[str]) -> bool:
        """Begin what is due, as far as there is room; return whether anything goes on."""
        due = await (await session.execute(DUE)).fetchall()
        for (name,) in due:
            if len(self._readings) >= _READINGS_AT_ONCE:
                break
            if name not in seen and name not in self._readings:
                seen.add(name)
                self._begin(name)
        return bool(self._readings)

    def _begin(self, name: str) -> None:
        task = asyncio.create_task(self._read(name))
        self._readings[name] = task
        task.add_done_callback(lambda _: self._readings.pop(name))

    async def _read(self, name: str) -> None:
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

    def _fail(self) -> None:
        self.failed = True

    async def _end(self) -> None:
        readings = list(self._readings.values())
        for task in readings:
            task.cancel()
        await asyncio.gather(*readings, return_exceptions=True)
        session, self._session = self._session, None
        if session is not None:
            await session.close()
