"""HTTP connections that end when a request does not come in one go."""

import asyncio
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from pgvigil.faces.web.problems import ProblemError

# For all of a request to come, from when it is begun; of the first, from when there is somebody.
SECONDS_TO_ASK = 10.0
# Beyond this the one that has been at it longest makes room.
MOST_ASKING = 256


class TimelyProtocol(H11Protocol):
    """Gives up a request that is sent too slowly; a byte now and then buys no time.

    Who keeps hundreds of connections half asked keeps nobody else out.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        """Take what uvicorn gives."""
        super().__init__(*args, **more)
        self._limit: asyncio.TimerHandle | None = None
        # In the order in which they began, of one server.
        state: Any = self.server_state
        if not hasattr(state, "asking"):
            state.asking = {}
        self._asking: dict[TimelyProtocol, None] = state.asking

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what comes; the time that it may take began before."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on to the next request, of which a part may have come already."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.transport.is_closing() or not self._is_being_asked():
            self._stop_watching()
        elif self._limit is None:
            self._limit = self.loop.call_later(SECONDS_TO_ASK, self._give_up)
            self._asking[self] = None
            if len(self._asking) > MOST_ASKING:
                next(iter(self._asking))._give_up()

    def _is_being_asked(self) -> bool:
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            return True
        # Between two requests another limit holds.
        return state is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0] != b"")

    def _stop_watching(self) -> None:
        self._asking.pop(self, None)
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _give_up(self) -> None:
        self._stop_watching()
        self._refuse(ProblemError(408, "the request did not come in time"))

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, in the form of all refusals."""
        self._refuse(ProblemError(400, "the request is not valid HTTP"))

    def _refuse(self, problem: ProblemError) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_as_sent(problem))
            self.transport.close()
        else:
            # Half an answer may be under way.
            self.transport.abort()


def _as_sent(problem: ProblemError) -> bytes:
    problem.headers |= {"Connection": "close", "Cache-Control": "no-store"}
    answer = problem.answer()
    status = HTTPStatus(answer.status_code)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [name + b": " + value for name, value in answer.raw_headers]
    return b"\r\n".join([*lines, b"", bytes(answer.body)])
