"""The service itself: whether it works, its figures for Prometheus, and the page."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry
from pydantic import BaseModel

from pgvigil import __version__
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.metrics import Snapshot, read_metrics
from pgvigil.faces.web.problems import ProblemError, answers
from pgvigil.faces.web.settings import WebSettings
from pgvigil.faces.web.static import PageFiles
from pgvigil.faces.web.users import user_of

router = APIRouter(tags=["service"])

_NO_SUCH_PATH = "there is no such path"
_HINT = "The paths are in /openapi.json."


class Healthy(BaseModel):
    """Both the service and the database work."""

    status: Literal["ok"] = "ok"
    version: str
    as_of: datetime


class Whoami(BaseModel):
    """Who asks."""

    user: str | None
    """As a trusted proxy says; null: nobody says so."""
    needs_token: bool
    """Whether deciding takes the token; without user and token nobody may."""


@router.get("/healthz", responses=answers())
async def healthz(db: Db) -> Healthy:
    """Whether the service can read the database; 503 when it cannot."""
    async with db.reading() as reader:
        return Healthy(version=__version__, as_of=await reader.now())


@router.get("/api/whoami", responses=answers())
async def whoami(request: Request) -> Whoami:
    """Who somebody is, as a trusted proxy says, and what it takes to decide."""
    settings: WebSettings = request.app.state.settings
    user = user_of(request, settings.user_header, settings.proxies)
    return Whoami(user=user, needs_token=user is None and settings.token is not None)


@router.get(
    "/metrics",
    responses={
        **answers(),
        200: {
            "description": "Prometheus' text format, or OpenMetrics where that is accepted.",
            "content": {
                "text/plain": {"schema": {"type": "string"}},
                "application/openmetrics-text": {"schema": {"type": "string"}},
            },
        },
    },
    response_class=Response,
)
async def metrics(db: Db, request: Request) -> Response:
    """Figures for Prometheus."""
    async with db.reading() as reader:
        families = await read_metrics(reader)
    registry = CollectorRegistry()
    registry.register(Snapshot(families))
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), media_type=None, headers={"Content-Type": content_type})


@router.get("/assets/{version}/{name}", include_in_schema=False)
async def asset(request: Request, version: str, name: str) -> Response:
    """Return a file of the page."""
    files: PageFiles = request.app.state.page
    found = files.asset(request, version, name)
    if found is None:
        raise ProblemError(404, _NO_SUCH_PATH, _HINT)
    return found


@router.get("/", include_in_schema=False)
@router.get("/jobs", include_in_schema=False)
@router.get("/jobs/{name:path}", include_in_schema=False)
@router.get("/runs/{name:path}", include_in_schema=False)
@router.get("/search", include_in_schema=False)
@router.get("/errors", include_in_schema=False)
@router.get("/errors/{name:path}", include_in_schema=False)
@router.get("/alerts/{name:path}", include_in_schema=False)
@router.get("/fleet", include_in_schema=False)
@router.get("/rules", include_in_schema=False)
@router.get("/rules/{name:path}", include_in_schema=False)
@router.get("/silences", include_in_schema=False)
@router.get("/channels", include_in_schema=False)
@router.get("/components", include_in_schema=False)
@router.get("/components/{name:path}", include_in_schema=False)
@router.get("/records", include_in_schema=False)
@router.get("/records/{name:path}", include_in_schema=False)
@router.get("/queues", include_in_schema=False)
@router.get("/queues/{name:path}", include_in_schema=False)
async def page(request: Request) -> Response:
    """Return the page, which shows by its address what it is about."""
    files: PageFiles = request.app.state.page
    found = files.shell(request)
    if found is None:
        raise ProblemError(404, "this installation has no page", _HINT)
    return found
