"""Commands that run under `pgvigil exec`, as processes of their own."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.harness.clients import clean_environment

PGVIGIL = str(Path(sys.executable).parent / "pgvigil")
NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"


def surroundings(dsn: str, **more: str) -> dict[str, str]:
    """Return the environment of a command that is recorded in that database."""
    return {**clean_environment(), "PGVIGIL_DSN": dsn, **more}


def wrapped(
    dsn: str,
    *arguments: str | bytes,
    stdin: bytes = b"",
    environment: Mapping[str, str] = {},
    **more: Any,
) -> subprocess.CompletedProcess[bytes]:
    """Run ``pgvigil exec`` with these arguments, and return how it went."""
    return subprocess.run(
        [PGVIGIL, "exec", *arguments],
        env=surroundings(dsn, **environment),
        input=stdin,
        timeout=60,
        **{"capture_output": True, **more},
    )


class _Begun(subprocess.Popen[bytes]):
    def __exit__(self, kind: type[BaseException] | None, *how: Any) -> None:
        # A test that has failed waits for nothing.
        if kind is not None:
            self.kill()
        super().__exit__(kind, *how)


def begun(dsn: str, *arguments: str, **more: Any) -> "subprocess.Popen[bytes]":
    """Begin to run it; standard output is a pipe."""
    return _Begun(
        [PGVIGIL, "exec", *arguments],
        env=surroundings(dsn),
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **more},
    )


def read_until(descriptor: int, wanted: bytes, seconds: float = 20) -> bytes:
    """Read from a pipe or terminal until something has come."""
    deadline = time.monotonic() + seconds
    found = b""
    while wanted not in found:
        left = deadline - time.monotonic()
        assert left > 0, f"{wanted!r} did not come, but {found!r}"
        if select.select([descriptor], [], [], left)[0]:
            chunk = os.read(descriptor, 65536)
            assert chunk, f"the end came before {wanted!r}, after {found!r}"
            found += chunk
    return found
