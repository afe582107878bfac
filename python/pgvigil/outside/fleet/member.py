"""The database of a member: what is asked of it, and the decisions that are brought to it."""

import json
from collections.abc import Mapping
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from pgvigil.database.dsn import complete_dsn
from pgvigil.database.queries import fleet
from pgvigil.database.queries.decisions import ACKNOWLEDGE
from pgvigil.outside.redaction import redacted

_SECONDS_TO_CONNECT = 10
_OLD_LISTS = {
    "alerts": fleet.OLD_ALERTS,
    "tasks": fleet.OLD_TASKS,
    "components": fleet.OLD_COMPONENTS,
    "workflow_days": fleet.OLD_WORKFLOW_DAYS,
}
_TIME_LIMIT = "select set_config('statement_timeout', %(milliseconds)s, false)"
_PREDATES_HUBS = (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName)


class MemberError(Exception):
    """A member could not be read; the message names no address."""


class Member:
    """A connection to a member. Documents pass through as text: nobody here needs to read them."""

    def __init__(self, session: psycopg.AsyncConnection[Any], address: str) -> None:
        """Take a session of its database; `address` is what no message may show."""
        self._session = session
        self._address = address

    @classmethod
    async def open(cls, address: str, seconds: float) -> Self:
        """Connect.

        Args:
            address: DSN of its database.
            seconds: longest time for the connection, and for a statement.

        Raises:
            MemberError: it cannot be reached.
            PgvigilError: the address makes no sense.
        """
        conninfo = complete_dsn(
            address, "pgvigil hub", max(2, min(_SECONDS_TO_CONNECT, round(seconds)))
        )
        try:
            session = await psycopg.AsyncConnection.connect(
                conninfo, autocommit=True, prepare_threshold=None
            )
        except psycopg.Error as error:
            raise MemberError(_in_short(error, address)) from None
        session.adapters.register_loader("jsonb", TextLoader)
        member = cls(session, address)
        await member._value(_TIME_LIMIT, {"milliseconds": str(round(1000 * seconds))})
        return member

    def drop(self) -> None:
        """Leave at once, without a word to a server that may not listen."""
        self._session.pgconn.finish()

    async def close(self) -> None:
        """Leave."""
        await self._session.close()

    async def changes(self, asked: Mapping[str, Any]) -> str:
        """Return its state, and which roll-ups have changed, as a document.

        Raises:
            MemberError: it does not tell.
        """
        try:
            told = await self._session.execute(fleet.CHANGES, {"asked": json.dumps(asked)})
            return str((await told.fetchone() or [None])[0])
        except _PREDATES_HUBS:
            return await self._old_changes()
        except psycopg.Error as error:
            raise MemberError(_in_short(error, self._address)) from None

    async def rollups(self, buckets: list[Any]) -> str:
        """Return the roll-ups of hours and days as a document.

        Raises:
            MemberError: it does not tell.
        """
        return str(await self._value(fleet.ROLLUPS, {"buckets": json.dumps(buckets)}))

    async def acknowledge(self, decision: Mapping[str, Any]) -> str:
        """Bring an acknowledgement; return what became of it.

        Raises:
            MemberError: that is not known, so that it should be brought again.
        """
        state = await self._state_of(decision)
        if state is None:
            return "the alert is gone"
        if state["status"] == "acknowledged" and state["acknowledged_by"] != decision["by"]:
            return f"{state['acknowledged_by']} has acknowledged it already"
        if state["status"] not in ("acknowledged", "firing"):
            return f"the alert is {state['status']}"
        # One that was brought before, though nobody heard that it had arrived, is not told twice.
        if state["status"] == "firing":
            try:
                await self._session.execute(ACKNOWLEDGE, decision)
            except psycopg.errors.InsufficientPrivilege as error:
                return f"not allowed: {_in_short(error, self._address)}"
            except psycopg.Error as error:
                raise MemberError(_in_short(error, self._address)) from None
        return "acknowledged"

    async def _state_of(self, decision: Mapping[str, Any]) -> dict[str, Any] | None:
        rows = await self._rows(fleet.STATE_OF_ALERT, decision)
        return rows[0] if rows else None

    async def _old_changes(self) -> str:
        """Return what one of a release before hubs lets readers see; it has no roll-ups for us."""
        lists = {name: await self._rows(query) for name, query in _OLD_LISTS.items()}
        freshness = await self._rows(fleet.OLD_FRESHNESS)
        (ended,) = await self._rows(fleet.OLD_ENDED_TASKS)
        figures = _freshness(freshness) | ended | _counts(lists)
        return json.dumps({"format": 1, "figures": figures, **lists}, default=str)

    async def _rows(self, query: str, values: Mapping[str, Any] | None = None) -> list[Any]:
        try:
            async with self._session.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(query.encode(), values or {})
                return [_parsed(row) for row in await cursor.fetchall()]
        except (*_PREDATES_HUBS, psycopg.errors.UndefinedTable):
            raise MemberError("pgvigil is not in its database, or too old for this hub") from None
        except psycopg.Error as error:
            raise MemberError(_in_short(error, self._address)) from None

    async def _value(self, query: str, values: Mapping[str, Any]) -> Any:
        try:
            row = await (await self._session.execute(query.encode(), values)).fetchone()
        except psycopg.Error as error:
            raise MemberError(_in_short(error, self._address)) from None
        return row[0] if row else None


def _parsed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of which the documents are no texts."""
    return {
        name: json.loads(value) if name == "labels" and value else value
        for name, value in row.items()
    }


def _freshness(rows: list[dict[str, Any]]) -> dict[str, Any]:
    known_at = {row["subject"]: row["known_at"] for row in rows}
    return {
        "version": rows[0]["version"],
        "told_at": rows[0]["told_at"],
        "is_current": all(row["is_known"] for row in rows),
        "not_current": "; ".join(row["detail"] for row in rows if not row["is_known"]),
        "evaluated_at": known_at.get("alerts"),
        "rolled_up_at": known_at.get("roll-ups"),
    }


def _counts(lists: Mapping[str, list[dict[str, Any]]]) -> dict[str, int]:
    severities = [alert["severity"] for alert in lists["alerts"]]
    components = [component["status"] for component in lists["components"]]
    return {
        "open_alerts": len(severities),
        "high_alerts": severities.count("high"),
        "critical_alerts": severities.count("critical"),
        "running_tasks": len(lists["tasks"]),
        "components": len(components),
        "unhealthy_components": components.count("unhealthy"),
    }


def _in_short(error: psycopg.Error, address: str) -> str:
    text = error.diag.message_primary or str(error) or type(error).__name__
    return redacted(text, address)
