"""The service itself: whether it works, its figures for Prometheus, and the page."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry
from pydantic import BaseModel

from pgvigil import __version__
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.metrics import Snapshot, read_metrics
from pgvigil.faces.web.problems import ProblemError, answers
from pgvigil.faces.web.settings import WebSettings

router = APIRouter(tags=["service"])


class Healthy(BaseModel):
    """Both the service and the database work."""

    status: Literal["ok"] = "ok"
    version: str
    as_of: datetime


@router.get("/healthz", responses=answers())
async def healthz(db: Db) -> Healthy:
    """Whether the service can read the database; 503 when it cannot."""
    async with db.reading() as reader:
        return Healthy(version=__version__, as_of=await reader.now())


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


@router.get("/", include_in_schema=False)
@router.get("/{name}", include_in_schema=False)
async def page(request: Request, name: str = "index.html") -> FileResponse:
    """Return a file of the page."""
    settings: WebSettings = request.app.state.settings
    file = _files(settings.page).get(name)
    if file is not None:
        return FileResponse(file)
    if name == "index.html":
        raise ProblemError(404, "this installation has no page", "The paths are in /openapi.json.")
    raise ProblemError(404, "there is no such path", "The paths are in /openapi.json.")


def _files(directory: Path) -> dict[str, Path]:
    """Return the files by name: what is asked for is never made into a path."""
    if not directory.is_dir():
        return {}
    return {file.name: file for file in directory.iterdir() if file.is_file()}
