"""Who may ask and write, and what browsers are told about the answers."""

import hmac
import ipaddress
import re
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgvigil.faces.web.acting import ACTING
from pgvigil.faces.web.problems import READ_ONLY, ProblemError
from pgvigil.faces.web.settings import WebSettings
from pgvigil.faces.web.users import check_own_site, user_of

# The page brings all it needs, and runs nothing that is written into it.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
# Files of the page say themselves how long they may be kept.
_UNLESS_SAID = {"Cache-Control": "no-store"}
_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_LARGEST_BODY = 32_768
# What other systems send.
_LARGEST_INCOMING_BODY = 1_048_576
# Their routes have bounds of their own, and take what comes in pieces: a ping is cut, and what an
# envelope brings beside its event is dropped as it comes.
_BOUNDED_BY_ITS_ROUTE = re.compile(r"/ping/.*|.*/(envelope|store)/?", re.DOTALL)
_bearer = HTTPBearer(auto_error=False, description="The token that the service was started with.")


class Guard:
    """Refuses foreign names and large bodies, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, names: tuple[str, ...]) -> None:
        """Stand before an app that may be asked under some names."""
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                for name, value in _UNLESS_SAID.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refusal(Headers(scope=scope), scope["path"])
        if refused is not None:
            await refused.answer()(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _refusal(self, headers: Headers, path: str) -> ProblemError | None:
        if not self._is_ours(headers.get("host", "")):
            hint = "Start it with --name NAME to let it answer to that name."
            return ProblemError(421, "this service has another name", hint)
        if _BOUNDED_BY_ITS_ROUTE.fullmatch(path):
            return None
        # Without a length it comes in pieces, which no caller needs for so little.
        if "transfer-encoding" in headers:
            return ProblemError(411, "the body has no Content-Length")
        if not (length := headers.get("content-length", "0")).isdecimal():
            return ProblemError(400, "Content-Length is not a number")
        largest = _LARGEST_INCOMING_BODY if path.startswith("/in/") else _LARGEST_BODY
        if int(length) > largest:
            return ProblemError(413, f"the body is larger than {largest:,} bytes")
        return None

    def _is_ours(self, host: str) -> bool:
        """Tell whether a name is ours.

        A page from elsewhere could have its own name lead here, and read what it likes; a bare
        address cannot be led anywhere.
        """
        name = host.lower()
        if not name.endswith("]"):
            name = name.rpartition(":")[0] or name
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True


def is_secret(shown: str, secret: str) -> bool:
    """Compare what a caller shows with a secret, in a time that tells nothing of it."""
    return hmac.compare_digest(shown.encode(), secret.encode())


def _shows(credentials: HTTPAuthorizationCredentials | None, secret: str) -> bool:
    return is_secret(credentials.credentials if credentials else "", secret)


async def may_write(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Let those pass whom a trusted proxy names, or who show the token.

    Raises:
        ProblemError: there is no token, or another one, and no such name.
    """
    settings: WebSettings = request.app.state.settings
    user = user_of(request, settings.user_header, settings.proxies)
    if user is not None:
        check_own_site(request)
        ACTING.set(user)
        return
    if settings.token is None:
        raise ProblemError(
            READ_ONLY,
            "this service only reads",
            "Start it with PGVIGIL_WEB_TOKEN or --token-file to let those write who have that.",
        )
    if not _shows(credentials, settings.token):
        raise _unknown("token")


async def may_send(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Let those pass who show the key of other systems.

    Raises:
        ProblemError: there is no key, or another one.
    """
    settings: WebSettings = request.app.state.settings
    if settings.ping_key is None:
        raise ProblemError(
            READ_ONLY,
            "this service takes nothing from other systems",
            "Start it with PGVIGIL_PING_KEY or --ping-key-file to let those send who have that.",
        )
    if not _shows(credentials, settings.ping_key):
        raise _unknown("key")


def _unknown(what: str) -> ProblemError:
    return ProblemError(
        401,
        f"the {what} is missing or wrong",
        f"Send Authorization: Bearer {what.upper()}.",
        headers={"WWW-Authenticate": "Bearer"},
    )
