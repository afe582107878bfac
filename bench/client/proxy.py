"""A TCP proxy on the loopback that can be as bad as a network."""

import contextlib
import socket
import threading
from enum import Enum
from types import TracebackType
from typing import Self

_CHUNK = 65536


class Way(Enum):
    """What becomes of bytes."""

    PASS = "pass"
    SWALLOW = "swallow"
    """They are taken and never come out, as where a network is gone."""
    CUT = "cut"
    """Half of those that a client sends arrive, then both ends are reset."""
    CUT_ANSWERS = "cut answers"
    """What a client sends arrives, and both ends are reset before the answer."""


class Proxy:
    """Hands connections on to a server."""

    def __init__(self, port: int) -> None:
        """Listen, for a server at a port of the loopback."""
        self.target = port
        """Port that new connections go to."""
        self.way = Way.PASS
        """What becomes of bytes from now on."""
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close everything."""
        self._listener.close()
        for pair in list(self._pairs):
            _reset(pair)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    client.close()
                    continue
                pair = (client, server)
                self._pairs.append(pair)
                for source, target in (pair, pair[::-1]):
                    threading.Thread(
                        target=self._hand_on, args=(source, target, pair), daemon=True
                    ).start()

    def _hand_on(
        self,
        source: socket.socket,
        target: socket.socket,
        pair: tuple[socket.socket, socket.socket],
    ) -> None:
        is_from_client = source is pair[0]
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if self.way is Way.SWALLOW:
                    continue
                if self.way is Way.CUT and is_from_client and len(data) > 1000:
                    target.sendall(data[: len(data) // 2])
                    break
                if self.way is Way.CUT_ANSWERS and not is_from_client:
                    break
                target.sendall(data)
        if self.way is not Way.SWALLOW:
            _reset(pair)


def _reset(pair: tuple[socket.socket, socket.socket]) -> None:
    for end in pair:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
