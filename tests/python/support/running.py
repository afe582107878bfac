"""Running `pgvigil run` beside a test."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.harness.clients import clean_environment


class RunningRunner:
    """A `pgvigil run` of its own process, and what it logs."""

    command = "run"

    def __init__(
        self,
        dsn: str,
        *options: str,
        environment: Mapping[str, str] = {},
        printed: IO[str] | None = None,
    ) -> None:
        """Start it; options are those of the command, what it prints goes into a file."""
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "pgvigil"), self.command, *options],
            env={**clean_environment(), "PGVIGIL_DSN": dsn, **environment},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Make sure that it is gone, and show what it said if the test failed."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        if error is not None:
            print(self.text, file=sys.stderr)

    @property
    def text(self) -> str:
        """All that it has logged so far."""
        return "".join(self.lines)

    def wait_for(self, text: str, seconds: float = 20, *, times: int = 1) -> None:
        """Wait until it has logged something, so many times at least."""
        wait_until(lambda: self.text.count(text) >= times, seconds)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal."""
        os.kill(self.process.pid, number)

    def wait(self, seconds: float = 30) -> int:
        """Wait for its end and return its exit code."""
        code = self.process.wait(timeout=seconds)
        self._reader.join(timeout=seconds)
        return code

    def children(self) -> list[int]:
        """Return the process ids of what it has started and has not ended yet."""
        pid = self.process.pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def kill_after(self, seconds: float) -> None:
        """Let it go on for a while, then kill it."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=seconds)
        if self.process.poll() is None:
            self.process.kill()
        self.wait()

    def stop(self) -> int:
        """Have it end by itself and return its exit code."""
        self.signal()
        return self.wait()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            self.lines.extend(iter(stream.readline, ""))


class RunningUp(RunningRunner):
    """A `pgvigil up`, on any port unless told otherwise."""

    command = "up"

    def __init__(self, dsn: str, *options: str, printed: IO[str] | None = None) -> None:
        """Start it."""
        super().__init__(dsn, "--port", "0", *options, printed=printed)

    @property
    def url(self) -> str:
        """Where its page is, once it is served."""
        self.wait_for("serving ", 60)
        found = re.search(r"serving (http://[^/]+/)", self.text)
        assert found is not None
        return found[1]


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so, and fail when that takes too long."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
