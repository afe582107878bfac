"""A Redis for the tests, in which jobs wait."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from tests.harness.tools import can_have, program
from tests.python.support.running import wait_until

needs_redis = pytest.mark.skipif(
    not can_have("redis-server"), reason="there is no Redis, and no way to install one"
)


@contextmanager
def redis_server(folder: Path) -> Iterator[Path]:
    """Run a server of its own that keeps nothing; yield the path of its socket."""
    socket = folder / "redis.sock"
    process = subprocess.Popen(
        [
            program("redis-server"),
            *("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(socket.exists)
        with Redis(unix_socket_path=str(socket)) as client:
            assert client.ping()
        yield socket
    finally:
        process.terminate()
        process.wait(20)
