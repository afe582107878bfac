"""ASGI (Starlette, FastAPI and others): durations and errors of requests, by route.

>>> from pgvigil.integrations.asgi import MonitoringMiddleware
>>> app.add_middleware(MonitoringMiddleware, monitor=MonitoringClient(component="shop"))
"""

import functools
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pgvigil.client import MonitoringClient
from pgvigil.integrations.requests import WatchedRequest
from pgvigil.integrations.runs import default_monitor

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class MonitoringMiddleware:
    """Passes everything through, and records what became of HTTP requests."""

    def __init__(
        self,
        app: App,
        monitor: MonitoringClient | None = None,
        *,
        route_of: Callable[[Scope], str | None] | None = None,
    ) -> None:
        """Stand before an application.

        Args:
            app: the application.
            monitor: what records; None for a client that ``PGVIGIL_DSN`` tells where.
            route_of: tells the template of a request's path from its scope, for frameworks other
                than Starlette and FastAPI. Not the path itself: each would be a name of its own.
        """
        self._app = app
        self._monitor = monitor or default_monitor()
        self._route_of = route_of or route_of_starlette

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = WatchedRequest(self._monitor, scope.get("method"))
        is_gone = False

        async def sending(message: Message) -> None:
            nonlocal is_gone
            if message["type"] == "http.response.start":
                request.status = message["status"]
            try:
                await send(message)
            except OSError:
                is_gone = True
                raise
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._note_route(request, scope)
                request.ended()  # an exception may come yet, or work that nobody waits for

        try:
            await self._app(scope, receive, sending)
        except BaseException as error:
            self._note_route(request, scope)
            if is_gone or not isinstance(error, Exception) or _is_of_client(error):
                request.ended()
            else:
                request.failed(error)
            raise
        self._note_route(request, scope)
        request.answered()

    def _note_route(self, request: WatchedRequest, scope: Scope) -> None:
        if request.route is None:
            with self._monitor.never_raising():
                request.route = self._route_of(scope)


def route_of_starlette(scope: Scope) -> str | None:
    """Return the template of a request's path where Starlette or FastAPI routed it.

    What they have found is the innermost route, without what routers and mounts have before it.
    """
    route = getattr(scope.get("route"), "path", None)
    if route is None:
        endpoint = scope.get("endpoint")
        name = getattr(endpoint, "__qualname__", None)
        return None if name is None else f"{endpoint.__module__}.{name}"
    match = _ending_in(route).match(scope["path"])
    if match is None:
        return str(route)
    named = {
        str(value): f"{{{name}}}"
        for name, value in scope.get("path_params", {}).items()
        if f"{{{name}" not in route
    }
    before = "/".join(named.get(segment, segment) for segment in match[1].split("/"))
    return before + str(route)


@functools.lru_cache(maxsize=1000)
def _ending_in(route: str) -> re.Pattern[str]:
    """Return what matches paths that end in a route, and yields what is before it."""
    parts = re.split(r"({\w+(?::\w+)?})", route)
    patterns = [
        (".*" if part.endswith(":path}") else "[^/]+") if part.startswith("{") else re.escape(part)
        for part in parts
    ]
    return re.compile(f"(.*?){''.join(patterns)}$", re.DOTALL)


def _is_of_client(error: BaseException) -> bool:
    """Tell whether an exception says that the client has gone; Starlette has one of that name."""
    return type(error).__name__ == "ClientDisconnect"
