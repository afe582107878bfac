"""The web service in a thread, for programs that do something else besides."""

import asyncio
import threading

from pgvigil.faces.web.serving import WebServer
from pgvigil.faces.web.settings import WebSettings


class BackgroundWeb:
    """A web service on loopback that serves from now on until it is stopped."""

    def __init__(self, settings: WebSettings, port: int = 0) -> None:
        """Start it.

        Args:
            settings: what is served.
            port: port; 0 for any free one.

        Raises:
            CannotListenError: the port cannot be had.
        """
        self._server = WebServer(settings, "127.0.0.1", port)
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the page is."""
        return self._server.url

    def stop(self) -> None:
        """Stop it and wait for its end, answers under way included."""
        self._server.stop()
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._server.serve_until_stopped())
