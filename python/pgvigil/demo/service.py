"""An exchange rate service: a real HTTP server in a thread, stopped and slowed at times."""

import json
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RATES = {"EUR": 1.0, "GBP": 1.17, "USD": 0.92}
_PATIENCE_SECONDS = 0.4


class RateService:
    """Answers ``GET /rates`` on a port of its own, until it is stopped."""

    def __init__(self) -> None:
        """Describe the service; it does not answer before `start`."""
        self.delay = 0.0
        """Seconds that it takes its time before each answer."""
        self._port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it answers, or did when it last ran."""
        return f"http://127.0.0.1:{self._port}/rates"

    def start(self) -> None:
        """Begin to answer, on the port of the last time."""
        if self._server is None:
            self._server = _Server(("127.0.0.1", self._port), self._handler())
            self._port = self._server.server_port
            threading.Thread(
                target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
            ).start()

    def stop(self) -> None:
        """Stop answering: connections are refused."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(service.delay)
                body = json.dumps(RATES).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: the terminal belongs to the dashboard."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about clients that lost patience and hung up."""


def fetch_rates(url: str) -> dict[str, float]:
    """Return euros by currency.

    Raises:
        TimeoutError: no answer within 0.4 seconds.
        urllib.error.URLError: the service is down.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=_PATIENCE_SECONDS) as answer:
        rates: dict[str, float] = json.load(answer)
        return rates
