"""A Django project for the tests."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from io import BytesIO

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.urls import include, path


def order(request: HttpRequest, number: int) -> HttpResponse:
    """Answer by the number."""
    if number == 0:
        raise ValueError("no price")
    if number == 404:
        raise Http404
    return HttpResponse("x", status=number if number > 200 else 200)


async def aorder(request: HttpRequest, number: int) -> HttpResponse:
    """Do so from a coroutine."""
    return order(request, number)


def stream(request: HttpRequest) -> HttpResponseBase:
    """Answer little by little; in the end fail if that is wanted."""

    def chunks() -> Iterator[bytes]:
        for _ in range(4):
            time.sleep(0.05)
            yield b"x"
        if "fail" in request.GET:
            raise LookupError("no more")

    return StreamingHttpResponse(chunks())


async def astream(request: HttpRequest) -> HttpResponseBase:
    """Do so from a coroutine."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(4):
            await asyncio.sleep(0.05)
            yield b"x"
        if "fail" in request.GET:
            raise LookupError("no more")

    return StreamingHttpResponse(chunks())


def download(request: HttpRequest) -> HttpResponseBase:
    """Answer with a file."""
    return FileResponse(BytesIO(b"file"))


urlpatterns = [
    path("orders/<int:number>/", order),
    path("inner/", include([path("orders/<int:number>/", aorder)])),
    path("stream/", stream),
    path("astream/", astream),
    path("download/", download),
]
