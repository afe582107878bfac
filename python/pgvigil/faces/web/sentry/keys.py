"""Where a DSN leads, and whether its key is ours."""

from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from pgvigil.client.recording.values import clean_text
from pgvigil.faces.web.problems import ProblemError
from pgvigil.faces.web.security import is_secret
from pgvigil.faces.web.sentry.refusals import refused
from pgvigil.faces.web.settings import WebSettings


def check_is_taken(request: Request) -> None:
    """See whether this service takes what SDKs send, from where this request comes.

    Raises:
        ProblemError: it takes none, or the request is a browser's.
    """
    settings: WebSettings = request.app.state.settings
    if settings.ping_key is None:
        raise ProblemError(404, "there is no such path")
    if "origin" in request.headers:
        raise refused(
            403,
            "this service takes nothing from pages in a browser",
            "They would show everybody the key; have the program behind the page pass it on.",
        )


def check_key(request: Request, shown: str | None) -> None:
    """See whether a key is the right one.

    Raises:
        ProblemError: it is missing or wrong.
    """
    settings: WebSettings = request.app.state.settings
    if shown is None:
        raise refused(401, "the key is missing", "The DSN is http://KEY@HOST:PORT/1.")
    if settings.ping_key is None or not is_secret(clean_text(shown), settings.ping_key):
        raise refused(403, "the key is wrong", "The DSN is http://KEY@HOST:PORT/1.")


def key_of_request(request: Request) -> str | None:
    """Return the key in the headers or in the address of a request, or None."""
    for name in ("x-sentry-auth", "authorization"):
        scheme, _, words = request.headers.get(name, "").partition(" ")
        if scheme.lower() == "sentry":
            for word in words.split(","):
                key, _, value = word.strip().partition("=")
                if key == "sentry_key":
                    return value
    return request.query_params.get("sentry_key")


def key_of_dsn(dsn: Any) -> str | None:
    """Return the key in a DSN, or None."""
    try:
        key = urlsplit(dsn).username if isinstance(dsn, str) else None
    except ValueError:
        return None
    return None if key is None else unquote(key)
