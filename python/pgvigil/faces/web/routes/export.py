"""What was recorded in a span of time, as a file that is made while it is sent."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from pgvigil.faces.export import FORMATS, file_name
from pgvigil.faces.web.exporting import Exporter, Making, Order
from pgvigil.faces.web.parameters import From, To
from pgvigil.faces.web.problems import answers

router = APIRouter(tags=["export"])

What = Literal[
    "tasks", "errors", "metrics", "logs", "alerts", "batch", "records", "statuses",
    "health", "queues", "products", "runs", "summaries",
]  # fmt: skip
Format = Literal["csv", "json", "jsonl", "xlsx", "pdf"]
_BYTES = {"type": "string", "format": "binary"}
_SHAPES = {"json": {"type": "array", "items": {"type": "object"}}}
_CONTENT = {
    each.media_type.partition(";")[0]: {"schema": _SHAPES.get(name, _BYTES)}
    for name, each in FORMATS.items()
}


class _File(StreamingResponse):
    """A file that is being made; whoever goes away in the middle ends the making."""

    def __init__(self, making: Making, what: str, file_format: str) -> None:
        name = file_name(what, file_format, making.span)
        super().__init__(
            making.pieces(),
            media_type=FORMATS[file_format].media_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
        self._making = making

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._making.give_up()


@router.get(
    "/api/export/{what}",
    responses={**answers(), 200: {"description": "The file.", "content": _CONTENT}},
    response_class=StreamingResponse,
)
async def export(
    request: Request,
    what: What,
    format: Format = "csv",
    from_: Annotated[From, Query(alias="from")] = None,
    to: To = None,
) -> StreamingResponse:
    """What was recorded in a span of time as a file: the last 24 hours before `to`, or now.

    Times are in UTC. A PDF has room for 2,000 rows. A file that breaks off is not complete.
    """
    exporter: Exporter = request.app.state.exporter
    return _File(await exporter.begin(Order(what, format, from_, to)), what, format)
