"""Django: durations and errors of requests, by route, whether it is served by WSGI or ASGI.

>>> MIDDLEWARE = ["pgvigil.integrations.django.MonitoringMiddleware", ...]
>>> PGVIGIL = {"dsn": "postgresql://app@db.example/app", "component": "shop"}

``PGVIGIL`` holds what `MonitoringClient` takes; without it ``PGVIGIL_DSN`` says which database.
"""

import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponseBase

from pgvigil.client import MonitoringClient
from pgvigil.integrations.requests import WatchedRequest

_EXCEPTION = "_pgvigil_exception"  # attribute of a request that Django answered by itself


@functools.cache
def monitor() -> MonitoringClient:
    """Return the client of this project, as its settings say."""
    return MonitoringClient(**getattr(settings, "PGVIGIL", {}))


class MonitoringMiddleware:
    """Records what becomes of requests. It stands first in ``MIDDLEWARE``."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """Stand before what answers."""
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        got_request_exception.connect(_note_exception, dispatch_uid=_EXCEPTION)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer a request."""
        if self._is_async:
            return self._answer(request)
        watched = WatchedRequest(monitor(), request.method)
        response: HttpResponseBase = self._get_response(request)
        _tell_end(watched, request, response)
        return response

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        watched = WatchedRequest(monitor(), request.method)
        try:
            response: HttpResponseBase = await self._get_response(request)
        except BaseException:  # the client has gone: Django answers whatever else there is
            watched.ended()
            raise
        _tell_end(watched, request, response)
        return response


def _note_exception(request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None:
        setattr(request, _EXCEPTION, sys.exc_info()[1])


def _tell_end(watched: WatchedRequest, request: HttpRequest, response: Any) -> None:
    """Tell how a request was answered, or have that told at the end of what is streamed."""
    with monitor().never_raising():
        watched.status = response.status_code
        match = request.resolver_match
        watched.route = None if match is None else f"/{match.route}"
        error = getattr(request, _EXCEPTION, None)
        if error is not None:
            watched.failed(error)
        elif not response.streaming:
            watched.answered()
        elif getattr(response, "file_to_stream", None) is not None:
            response.close = functools.partial(_close, response.close, watched)
        elif response.is_async:
            response.streaming_content = _measured_async(response.streaming_content, watched)
        else:
            response.streaming_content = _measured(response.streaming_content, watched)


def _close(close: Callable[[], None], watched: WatchedRequest) -> None:
    try:
        close()
    finally:
        watched.answered()


def _measured(chunks: Iterable[bytes], watched: WatchedRequest) -> Iterator[bytes]:
    try:
        yield from chunks
    except Exception as error:
        watched.failed(error)
        raise
    finally:
        watched.answered()


async def _measured_async(chunks: Any, watched: WatchedRequest) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks:
            yield chunk
    except Exception as error:
        watched.failed(error)
        raise
    finally:
        watched.answered()
