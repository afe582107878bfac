"""WSGI (Flask, Pyramid and others): durations and errors of requests, by route.

>>> from pgvigil.integrations.wsgi import MonitoringMiddleware
>>> app.wsgi_app = MonitoringMiddleware(app.wsgi_app, MonitoringClient(component="shop"))
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pgvigil.client import MonitoringClient
from pgvigil.integrations.requests import WatchedRequest
from pgvigil.integrations.runs import default_monitor

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

_EXCEPTION = "pgvigil.exception"  # key in the environment of a request


def note_exception(environ: Environ, error: BaseException) -> None:
    """Have an exception recorded that the framework answers itself, as Flask does."""
    environ[_EXCEPTION] = error


class MonitoringMiddleware:
    """Passes everything through, and records what became of requests."""

    def __init__(
        self,
        app: App,
        monitor: MonitoringClient | None = None,
        *,
        route_of: Callable[[Environ], str | None] | None = None,
    ) -> None:
        """Stand before an application.

        Args:
            app: the application.
            monitor: what records; None for a client that ``PGVIGIL_DSN`` tells where.
            route_of: tells the template of a request's path from its environment, for frameworks
                other than Flask. Not the path itself: each would be a name of its own.
        """
        self._app = app
        self._monitor = monitor or default_monitor()
        self._route_of = route_of or route_of_flask

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        request = WatchedRequest(self._monitor, environ.get("REQUEST_METHOD"))

        def starting(status: str, *arguments: Any) -> Any:
            with self._monitor.never_raising():
                request.status = int(status[:3])
                request.route = self._route_of(environ)
            return start_response(status, *arguments)

        try:
            body = self._app(environ, starting)
        except Exception as error:
            request.failed(error)
            raise
        except BaseException:
            request.ended()
            raise
        wrapper = environ.get("wsgi.file_wrapper")
        # Servers send these in one piece if they get them as they are.
        if isinstance(body, list | tuple | bytes) or _is_made_by(wrapper, body):
            _tell_end(request, environ)
            return body
        return _Body(body, request, environ)


class _Body:
    """A body that is made while it is sent."""

    def __init__(self, body: Iterable[bytes], request: WatchedRequest, environ: Environ) -> None:
        self._body = body
        self._chunks = iter(body)
        self._request = request
        self._environ = environ

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except StopIteration:
            _tell_end(self._request, self._environ)
            raise
        except Exception as error:
            self._request.failed(error)
            raise

    def close(self) -> None:
        """End, also where the client has not waited for all of it."""
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            _tell_end(self._request, self._environ)


def route_of_flask(environ: Environ) -> str | None:
    """Return the rule that a request was matched by, where Flask did so."""
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    return None if rule is None else str(rule.rule)


def _tell_end(request: WatchedRequest, environ: Environ) -> None:
    error = environ.pop(_EXCEPTION, None)
    if error is None:
        request.answered()
    else:
        request.failed(error)


def _is_made_by(wrapper: Any, body: Any) -> bool:
    return isinstance(wrapper, type) and isinstance(body, wrapper)
