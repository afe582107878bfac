"""The outbox in the database, as the runner uses it."""

import os
import socket
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from pgvigil.database.queries.state import NOW
from pgvigil.database.sessions import Session

_CLAIM = (
    "select * from monitoring.claim_notifications(p_runner => %(runner)s,"
    " p_at_most => %(at_most)s, p_lease_seconds => %(lease_seconds)s)"
)
_NOTE_SENT = (
    "select monitoring.note_notification_sent(p_notification_id => %(notification_id)s,"
    " p_attempt => %(attempt)s)"
)
_NOTE_FAILED = (
    "select monitoring.note_notification_failed(p_notification_id => %(notification_id)s,"
    " p_attempt => %(attempt)s, p_error => %(error)s, p_is_permanent => %(is_permanent)s,"
    " p_was_silent => %(was_silent)s)"
)
_RELEASE = (
    "select monitoring.release_notification(p_notification_id => %(notification_id)s,"
    " p_attempt => %(attempt)s)"
)
_NEXT = "select monitoring.next_notification_at(p_runner => %(runner)s)"
_SET_PAGE_URL = "select monitoring.set_page_url(p_url => %(url)s)"
_RUNNER = f"{socket.gethostname()} {os.getpid()}"


@dataclass(frozen=True)
class Claimed:
    """A message that is ours to send until its lease ends."""

    notification_id: int
    notification_key: UUID
    channel_name: str
    channel_kind: str
    target: str
    kind: str
    subject: str
    body: str
    payload: Any
    attempt: int
    created_at: datetime
    lease_ends: float
    """In terms of ``time.monotonic``."""


async def claim(session: Session, at_most: int, lease_seconds: float) -> list[Claimed]:
    """Return what is due and now ours."""
    # Ours ends before the database's does, which begins when it is asked.
    lease_ends = time.monotonic() + lease_seconds
    async with session.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _CLAIM, {"runner": _RUNNER, "at_most": at_most, "lease_seconds": lease_seconds}
        )
        return [Claimed(**row, lease_ends=lease_ends) for row in await cursor.fetchall()]


async def note_sent(session: Session, message: Claimed) -> bool:
    """Note that a message was sent; return whether it was still ours."""
    return bool(await _value(session, _NOTE_SENT, _attempt(message)))


async def note_failed(
    session: Session, message: Claimed, error: str, *, is_permanent: bool, was_silent: bool
) -> str | None:
    """Note why an attempt failed; return what becomes of the message, None if it is not ours."""
    arguments = _attempt(message) | {
        "error": error,
        "is_permanent": is_permanent,
        "was_silent": was_silent,
    }
    status: str | None = await _value(session, _NOTE_FAILED, arguments)
    return status


async def release(session: Session, message: Claimed) -> bool:
    """Give a message back that was not tried; return whether it was still ours."""
    return bool(await _value(session, _RELEASE, _attempt(message)))


async def set_page_url(session: Session, url: str) -> None:
    """Say where people find the page, which messages link to."""
    await session.execute(_SET_PAGE_URL.encode(), {"url": url})


async def seconds_to_next(session: Session) -> float | None:
    """Return in how many seconds a message is due, None when none waits."""
    due_at: datetime | None = await _value(session, _NEXT, {"runner": _RUNNER})
    if due_at is None:
        return None
    now: datetime = await _value(session, NOW)
    return (due_at - now).total_seconds()


def _attempt(message: Claimed) -> dict[str, Any]:
    return {"notification_id": message.notification_id, "attempt": message.attempt}


async def _value(session: Session, call: str, arguments: dict[str, Any] | None = None) -> Any:
    row = await (await session.execute(call.encode(), arguments)).fetchone()
    assert row is not None
    return row[0]
