"""Events and check-ins, as SDKs of Sentry send them; `pgvigil.faces.web.sentry` reads them.

``/api/PROJECT/envelope/``, ``/api/PROJECT/store/`` and ``/api/PROJECT/cron/SLUG/KEY/``; with a
component, ``/in/COMPONENT`` stands before that. What is of no use here is taken and dropped.
"""

from asyncio import Lock
from typing import Any
from weakref import WeakValueDictionary

from fastapi import APIRouter, Request
from psycopg.types.json import Jsonb
from starlette.responses import JSONResponse

from pgvigil.client.recording.values import clean_text, to_json
from pgvigil.database.queries import incoming as queries
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.database import Reader
from pgvigil.faces.web.sentry.bodies import unpacked
from pgvigil.faces.web.sentry.check_ins import CheckIn, check_in_of
from pgvigil.faces.web.sentry.documents import name
from pgvigil.faces.web.sentry.envelopes import MOST_KEPT, Envelope, EnvelopeReader, document
from pgvigil.faces.web.sentry.events import Error, error_of, id_of
from pgvigil.faces.web.sentry.keys import check_is_taken, check_key, key_of_dsn, key_of_request
from pgvigil.faces.web.sentry.refusals import refused

router = APIRouter(tags=["incoming"], include_in_schema=False)

# Of those runs of which something is being recorded.
_turns: WeakValueDictionary[str, Lock] = WeakValueDictionary()
_ROOTS = ("/api/{project}", "/in/{component}/api/{project}")


async def take_envelope(request: Request, db: Db) -> JSONResponse:
    """Record the events and check-ins of an envelope."""
    envelope = await _envelope(request)
    header = envelope.header or {}
    errors = [
        _error(request, {"event_id": header.get("event_id"), **event}, header.get("sent_at"))
        for event in envelope.events
    ]
    await _record(db, errors, [check_in_of(each) for each in envelope.check_ins])
    event_id = errors[0].event_id if errors else header.get("event_id")
    return JSONResponse({} if event_id is None else {"id": id_of(event_id)})


async def take_event(request: Request, db: Db) -> JSONResponse:
    """Record an event that comes by itself, as older SDKs send it."""
    check_is_taken(request)
    check_key(request, key_of_request(request))
    body = bytearray()
    async for piece in unpacked(request):
        body += piece
        if len(body) > MOST_KEPT:
            raise refused(413, f"the event is larger than {MOST_KEPT:,} bytes")
    error = _error(request, document(body))
    await _record(db, [error], [])
    return JSONResponse({"id": error.event_id})


async def take_check_in(request: Request, db: Db) -> JSONResponse:
    """Record a check-in that is an address, or one with a document."""
    check_is_taken(request)
    check_key(request, request.path_params.get("key") or key_of_request(request))
    body = await request.body()
    told = {**(document(body) if body.strip() else {}), **request.query_params}
    told["monitor_slug"] = request.path_params["slug"]
    await _record(db, [], [check_in_of(told)])
    return JSONResponse({}, 202)


for _root in _ROOTS:
    for _end in ("", "/"):
        router.add_api_route(f"{_root}/envelope{_end}", take_envelope, methods=["POST"])
        router.add_api_route(f"{_root}/store{_end}", take_event, methods=["POST"])
        for _words in ("{slug}", "{slug}/{key}"):
            _path = f"{_root}/cron/{_words}{_end}"
            router.add_api_route(_path, take_check_in, methods=["GET", "POST"])


async def _envelope(request: Request) -> Envelope:
    """Return what an envelope holds, once the key is known to be the right one."""
    check_is_taken(request)
    key = key_of_request(request)
    if key is not None:
        check_key(request, key)
    reader = EnvelopeReader()
    async for piece in unpacked(request):
        reader.take(piece)
        if key is None and reader.envelope.header is not None:
            key = key_of_dsn(reader.envelope.header.get("dsn"))
            check_key(request, key)
    envelope = reader.end()
    if key is None:
        check_key(request, key_of_dsn((envelope.header or {}).get("dsn")))
    return envelope


def _error(request: Request, event: dict[str, Any], sent_at: Any = None) -> Error:
    paths = request.path_params
    return error_of(event, name(paths.get("component")), paths["project"], sent_at)


async def _record(db: Db, errors: list[Error], check_ins: list[CheckIn]) -> None:
    if errors:
        async with db.recording() as writer:
            rows = [await _row(writer, error) for error in errors]
            await writer.value(queries.ERRORS, {"errors": Jsonb(to_json(rows), dumps=str)})
    for check_in in check_ins:
        # A client may send the start and the end of a run at the same moment.
        async with _turns.setdefault(f"{check_in.name}:{check_in.run_id}", Lock()):
            await _record_check_in(db, check_in)


async def _record_check_in(db: Db, check_in: CheckIn) -> None:
    async with db.recording() as writer:
        if check_in.expected is not None:
            await writer.value(queries.EXPECTED, check_in.expected)
        await writer.value(queries.CHECK_IN, check_in.values())


async def _row(writer: Reader, error: Error) -> dict[str, Any]:
    """Return an event as it is recorded, with the fingerprint that the database gives it."""
    if not error.needs_default:
        return error.grouped(None)
    asked = {word: clean_text(error.row[word]) for word in ("error_type", "message")}
    return error.grouped(await writer.value(queries.FINGERPRINT, asked))
