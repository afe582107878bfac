"""Pings, as clients of Healthchecks send them; what they mean is `record_ping()` in SQL.

``/ping/KEY/NAME``, ``/ping/UUID``, or ``/ping/NAME`` with the key as bearer token; after that
``/start``, ``/fail``, ``/log`` or an exit status. Answers are words, which is what clients expect.
"""

import re
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse

from pgvigil.client.recording.values import clean_text
from pgvigil.database.queries import incoming as queries
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.security import is_secret
from pgvigil.faces.web.settings import WebSettings

router = APIRouter(tags=["pings"])

BODY_LIMIT = 10_000
"""Bytes of a body that are looked at; the rest is taken and dropped."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NAME = re.compile(r"[-_a-z0-9]{1,255}")
_ACTIONS = frozenset({"start", "fail", "log"})
# What is answered, and with which status.
_Answer = tuple[str, int]
_NOT_FOUND = ("not found", 404)
_BAD_ADDRESS = ("invalid url format", 400)
_BAD_RUN_ID = ("invalid uuid format", 400)
_CREATED = ("Created", 201)
_OK = ("OK", 200)


@dataclass(frozen=True)
class _Ping:
    """What the path of a ping says."""

    name: str
    """A name, or a uuid that stands for one."""
    action: str
    is_by_id: bool


@router.api_route("/ping/{path:path}", methods=["GET", "HEAD", "POST"], include_in_schema=False)
async def ping(request: Request, db: Db, path: str) -> PlainTextResponse:
    """Record a ping."""
    body = await _beginning_of_body(request)
    answer = await _record(request, db, path, body)
    return PlainTextResponse(*answer, {"Ping-Body-Limit": str(BODY_LIMIT)})


async def _record(request: Request, db: Db, path: str, body: str) -> _Answer:
    settings: WebSettings = request.app.state.settings
    asked = _asked(path, settings.ping_key, request.headers.get("authorization", ""))
    if not isinstance(asked, _Ping):
        return asked
    run_id = request.query_params.get("rid")
    if run_id is not None and not _UUID.fullmatch(run_id):
        return _BAD_RUN_ID
    values = {
        "name": asked.name,
        "action": asked.action,
        "run_id": run_id,
        "body": body,
        "is_created": not asked.is_by_id and request.query_params.get("create") == "1",
    }
    async with db.recording() as writer:
        outcome = await writer.value(queries.PING, values)
    if outcome is None:
        return _NOT_FOUND
    return _CREATED if outcome == "created" else _OK


def _asked(path: str, key: str | None, authorization: str) -> _Ping | _Answer:
    """Return what a path asks for, or the answer to what is wrong with it."""
    name, *rest = path.split("/")
    is_by_id = _UUID.fullmatch(name) is not None
    if key is None:
        return _NOT_FOUND
    if not is_by_id:
        if is_secret(name, key):
            name, *rest = rest or [""]
        elif not is_secret(authorization, f"Bearer {key}"):
            return _NOT_FOUND
    action = rest[0] if rest else "success"
    is_known = not rest or (len(rest) == 1 and _is_action(action))
    if not is_known or not (is_by_id or _NAME.fullmatch(name)):
        return _BAD_ADDRESS
    return _Ping(name, action, is_by_id)


def _is_action(word: str) -> bool:
    is_number = word.isascii() and word.isdecimal() and len(word) <= 3
    return word in _ACTIONS or (is_number and int(word) <= 255)


async def _beginning_of_body(request: Request) -> str:
    """Take all of a body, which would else break the connection, and return its beginning."""
    kept = bytearray()
    async for piece in request.stream():
        kept += piece[: BODY_LIMIT - len(kept)]
    return clean_text(kept.decode(errors="replace"))
