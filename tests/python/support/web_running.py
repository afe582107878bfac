"""Running the web service within a test."""

import asyncio
import threading
import time
from types import TracebackType
from typing import Any, Self

import httpx

from pgvigil.faces.web.serving import WebServer
from pgvigil.faces.web.settings import WebSettings

TOKEN = "a-token-for-tests-only"


class Web:
    """A web service on any free port, and a client for it."""

    def __init__(self, dsn: str, **settings: Any) -> None:
        """Start it; settings are those of `WebSettings`."""
        self.server = WebServer(WebSettings(dsn, **{"token": TOKEN, **settings}), "127.0.0.1", 0)
        self.client = httpx.Client(base_url=self.server.url, timeout=30)
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self.server.serve_until_stopped())
        )

    def __enter__(self) -> Self:
        """Start it and return itself."""
        self._thread.start()
        while not self.server.started:
            assert self._thread.is_alive(), "the web service did not start"
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.client.close()
        self.server.stop()
        self._thread.join(20)
        assert not self._thread.is_alive(), "the web service did not stop"

    def get(self, path: str, **parameters: Any) -> Any:
        """Return what a path answers, which must be all right."""
        # Such as from_, which is a word of the language without it. Empty ones would replace
        # those in the path.
        asked = {key.rstrip("_"): value for key, value in parameters.items()}
        answer = self.client.get(path, params=asked or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a page."""
        rows: list[dict[str, Any]] = self.get(path, **parameters)["rows"]
        return rows

    def all_rows(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of all pages, or of those after a place."""
        rows, after = [], {"after": parameters.pop("after")} if "after" in parameters else {}
        while True:
            page = self.get(path, **parameters, **after)
            rows += page["rows"]
            if page["next"] is None:
                return rows
            assert len(page["rows"]) == parameters["limit"], "a page is full unless it is the last"
            after = {"after": page["next"]}
