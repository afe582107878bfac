"""Reading a member once: what it tells goes to the hub, what is decided there goes to it.

The hub knows what to ask and what it has; here is nothing but the way there and back.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

import psycopg

from pgvigil.database.queries import fleet
from pgvigil.database.words import length_of_time
from pgvigil.exceptions import PgvigilError
from pgvigil.outside.fleet.member import Member, MemberError
from pgvigil.outside.secrets import SecretError, Secrets

_Answer = TypeVar("_Answer")
# So much of the time that a reading may take goes to roll-ups that are still wanted: what is left
# of them comes with the next.
_PART_FOR_ROLLUPS = 0.5


class Reading:
    """One reading of a member, which takes as long as it may and no longer."""

    def __init__(self, hub: psycopg.AsyncConnection[Any], name: str, secrets: Secrets) -> None:
        """Describe it.

        Args:
            hub: a connection to the hub, which others may use as well.
            name: name of the member.
            secrets: where the addresses are.
        """
        self._hub = hub
        self._name = name
        self._secrets = secrets
        self._member: Member | None = None
        self._pull_id = 0
        self.skipped: str | None = None
        """Why it was not read, when it was not to be."""
        self.error: str | None = None
        """Why it could not be read, when it could not."""

    async def run(self, *, is_due_only: bool = False) -> None:
        """Read it; what went wrong is noted at the hub.

        Raises:
            psycopg.Error: the hub cannot be used, or knows no such member.
        """
        order = await self._ask_hub(fleet.BEGIN, member=self._name, is_due_only=is_due_only)
        if "skipped" in order:
            self.skipped = order["skipped"]
            return
        self._pull_id = order["pull_id"]
        try:
            await self._read(order)
        except (MemberError, SecretError, PgvigilError) as error:
            await self._fail(str(error))
        except TimeoutError:
            await self._fail(f"did not answer within {length_of_time(order['timeout_seconds'])}")
        except psycopg.errors.DataError as error:
            # What it told is nothing that this hub can keep.
            await self._fail(f"told what is not understood: {error.diag.message_primary}")
        finally:
            if self._member is not None:
                self._member.drop()

    async def _read(self, order: dict[str, Any]) -> None:
        started_at = time.monotonic()
        seconds = order["timeout_seconds"]
        address = self._secrets.find(order["connection"])
        member = self._member = await self._within(seconds, Member.open(address, seconds))
        for decision in order["decisions"]:
            outcome = await self._within(seconds, member.acknowledge(decision))
            await self._ask_hub(
                fleet.NOTE_DECISION, decision_id=decision["decision_id"], outcome=outcome
            )
        told = await self._within(seconds, member.changes(order["asked"]))
        wanted = await self._note(fleet.NOTE_CHANGES, told)
        while wanted and time.monotonic() - started_at < _PART_FOR_ROLLUPS * seconds:
            told = await self._within(seconds, member.rollups(wanted))
            wanted = await self._note(fleet.NOTE_ROLLUPS, told)
        await self._within(seconds, member.close())

    async def _within(self, seconds: float, work: Awaitable[_Answer]) -> _Answer:
        """Wait for a member, yet not longer than it may take; one that is frozen is left.

        To be cancelled, a driver would wait for the server once more.
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait([task], timeout=seconds)
        finally:
            if not task.done():
                if self._member is not None:
                    self._member.drop()
                task.cancel()
        if task.cancelled() or not task.done():
            raise TimeoutError
        return task.result()

    async def _note(self, call: str, told: str) -> Any:
        return await self._ask_hub(call, member=self._name, pull_id=self._pull_id, told=told)

    async def _fail(self, error: str) -> None:
        self.error = error
        await self._ask_hub(fleet.FAIL, member=self._name, pull_id=self._pull_id, error=error)

    async def _ask_hub(self, call: str, **values: Any) -> Any:
        row = await (await self._hub.execute(call.encode(), values)).fetchone()
        assert row is not None
        return row[0]
