"""Answers that several tabs share: who refreshes is told what another tab has just been told.

A tab that has an answer names it (`If-None-Match`) when it asks again, and how old the next may be
(`Cache-Control: max-age`). It gets what was answered to another tab meanwhile, and never the same
answer twice; so twenty tabs cost the database little more than one. Who names no answer, as a tab
that is opened or programs, is always answered anew.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from itertools import count

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OLDEST_SECONDS = 15
_MOST_ANSWERS = 500
_LARGEST = 1_048_576
_MOST_BYTES = 16 * _LARGEST
_MAX_AGE = re.compile(r"max-age=(\d{1,4})")


@dataclass(frozen=True)
class _Answer:
    tag: str
    made_at: float
    start: Message
    body: bytes

    @property
    def age(self) -> float:
        return time.monotonic() - self.made_at

    async def send(self, send: Send) -> None:
        told = [(b"etag", self.tag.encode()), (b"age", str(int(self.age)).encode())]
        await send({**self.start, "headers": [*self.start["headers"], *told]})
        await send({"type": "http.response.body", "body": self.body})


class SharedAnswers:
    """Keeps the last answer of each address of the API for a few seconds."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self._app = app
        self._numbers = count(1)
        self._decisions = 0
        self._bytes = 0
        self._answers: dict[bytes, _Answer] = {}
        self._being_made: dict[bytes, asyncio.Future[_Answer | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with what is known, or have it made."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            # Whoever decides something sees what has become of it, as do all others.
            self._decisions += 1
            self._forget()
        elif (oldest := _oldest_wanted(Headers(scope=scope))) is None:
            await self._app(scope, receive, send)
        else:
            await self._answer(scope, receive, send, oldest)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, oldest: float) -> None:
        address = scope["raw_path"] + b"?" + scope["query_string"]
        had = Headers(scope=scope).get("if-none-match")

        def is_news(answer: _Answer | None) -> bool:
            return answer is not None and answer.tag != had and answer.age <= oldest

        known = None
        if had is not None:
            known = self._answers.get(address)
            if not is_news(known) and address in self._being_made:
                known = await asyncio.shield(self._being_made[address])
        if known is None or not is_news(known):
            known = await self._make_for_all(address, scope, receive, send)
        if known is not None:
            await known.send(send)

    async def _make_for_all(
        self, address: bytes, scope: Scope, receive: Receive, send: Send
    ) -> _Answer | None:
        """Return a new answer, for which those wait who ask the same meanwhile."""
        decisions = self._decisions
        made: asyncio.Future[_Answer | None] = asyncio.get_running_loop().create_future()
        self._being_made[address] = made
        answer = None
        try:
            answer = await self._make(scope, receive, send)
        finally:
            if self._being_made.get(address) is made:
                del self._being_made[address]
            # What was decided meanwhile may not be in it.
            is_current = decisions == self._decisions
            made.set_result(answer if is_current else None)
        if answer is not None and is_current:
            self._keep(address, answer)
        return answer

    async def _make(self, scope: Scope, receive: Receive, send: Send) -> _Answer | None:
        """Return the answer; None when it is none to share, and has been sent."""
        start: Message = {}
        parts: list[bytes] = []
        is_sent = False

        async def take(message: Message) -> None:
            nonlocal start, is_sent
            if message["type"] == "http.response.start" and message["status"] == 200:
                start = message
            elif not start or is_sent:
                await send(message)
            else:
                parts.append(message.get("body", b""))
                if sum(map(len, parts)) > _LARGEST:
                    is_sent = True
                    await send(start)
                    await send({**message, "body": b"".join(parts)})

        made_at = time.monotonic()
        await self._app(scope, receive, take)
        if not start or is_sent:
            return None
        return _Answer(f'"{next(self._numbers)}"', made_at, start, b"".join(parts))

    def _keep(self, address: bytes, answer: _Answer) -> None:
        if self._bytes > _MOST_BYTES or len(self._answers) >= _MOST_ANSWERS:
            self._forget()
        self._bytes += len(answer.body)
        self._answers[address] = answer

    def _forget(self) -> None:
        self._answers.clear()
        self._bytes = 0


def _oldest_wanted(headers: Headers) -> float | None:
    """Return how many seconds old an answer may be; None where nobody says so."""
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    return min(_OLDEST_SECONDS, int(found[1])) if found else None
