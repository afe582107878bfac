"""Listening, and ending in an orderly way."""

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from pgvigil.exceptions import PgvigilError
from pgvigil.faces.web.app import create_app
from pgvigil.faces.web.protocol import TimelyProtocol
from pgvigil.faces.web.settings import WebSettings

_SECONDS_TO_FINISH = 5


class CannotListenError(PgvigilError):
    """The address is in use, or not one of this machine."""


class WebServer(uvicorn.Server):
    """A web service, bound to an address from the beginning."""

    def __init__(self, settings: WebSettings, host: str, port: int) -> None:
        """Bind the address; requests wait until `serve_until_stopped`.

        Args:
            settings: what is served.
            host: name or address to listen on.
            port: port; 0 for any free one.

        Raises:
            CannotListenError: the address cannot be had.
        """
        super().__init__(
            uvicorn.Config(
                create_app(settings),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                http=TimelyProtocol,
                lifespan="on",
                timeout_graceful_shutdown=_SECONDS_TO_FINISH,
            )
        )
        self._socket = _bind(host, port)

    @property
    def url(self) -> str:
        """Where the page is."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    async def serve_until_stopped(self) -> None:
        """Serve until `stop`; requests under way get a few seconds."""
        await self.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Have it end; a second time, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever started it, which may be a thread."""
        yield


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address, or a name's addresses.

    Raises:
        CannotListenError: the name is unknown.
    """
    return all(ipaddress.ip_address(address[0]).is_loopback for _, address in _addresses(host, 0))


def _bind(host: str, port: int) -> socket.socket:
    family, address = _addresses(host, port)[0]
    # Named, since asyncio sends what is little without delay only where the protocol says TCP: else
    # each answer on a kept connection waits for the acknowledgement of the one before, 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        # From here on callers wait instead of being refused.
        opened.listen()
    except OSError as error:
        opened.close()
        raise CannotListenError(
            f"cannot listen on {host}:{port}: {error.strerror}", hint=_remedy(error)
        ) from None
    return opened


def _remedy(error: OSError) -> str | None:
    if error.errno == errno.EADDRINUSE:
        return "Another program listens there: take another port, or 0 for any free one."
    return None


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotListenError(f"cannot listen on {host}: {error.strerror}") from None
    return [(family, address) for family, _, _, _, address in found]  # type: ignore[misc]
