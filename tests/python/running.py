"""Running `pgvigil run` beside a test, and jobs for it to run."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.harness.clients import clean_environment

# Jobs work with the rights of pgvigil's owner, who has none on what a test makes.
_PREPARE = """
update monitoring.jobs set is_enabled = false;
create table public.done (job text not null, at timestamptz not null default clock_timestamp());
grant all on public.done to public;
"""
_FUNCTION = """
create or replace function public.{name}() returns void language plpgsql as $$
begin
    {work}
    insert into public.done (job) values ('{name}');
end
$$
"""


class JobsUnderTest:
    """The jobs of a test's database: pgvigil's own do nothing, so that only the test's run."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Prepare a database."""
        self.connection = connection
        connection.execute(_PREPARE)

    def add(
        self, name: str, *, schedule: str = "1 hour", work: str = "", timeout: str = "10 minutes"
    ) -> None:
        """Add a job that is due at once, does some work and then notes that it is done."""
        self.connection.execute(_FUNCTION.format(name=name, work=work).encode())
        self.connection.execute(
            "select monitoring.schedule_job(%s, %s, %s, p_timeout => %s::interval)",
            [name, schedule, f"public.{name}", timeout],
        )

    def request(self, name: str) -> None:
        """Ask for a run."""
        self.connection.execute("select monitoring.request_job(%s)", [name])

    def done(self, name: str) -> int:
        """Return how often a job has done its work, as far as that was committed."""
        return self._number("select count(*) from public.done where job = %s", name)

    def runs(self, name: str) -> int:
        """Return how often a job was begun."""
        return self._number("select runs from monitoring.v_jobs where job_name = %s", name)

    def is_running(self, name: str) -> bool:
        """Return whether a session is at a job."""
        query = "select is_running::integer from monitoring.v_jobs where job_name = %s"
        return bool(self._number(query, name))

    def last_status(self, name: str) -> str | None:
        """Return how the last run of a job ended."""
        query = b"select last_status from monitoring.v_jobs where job_name = %s"
        row = self.connection.execute(query, [name]).fetchone()
        assert row is not None
        return row[0]  # type: ignore[no-any-return]

    def _number(self, query: str, name: str) -> int:
        row = self.connection.execute(query.encode(), [name]).fetchone()
        assert row is not None
        return int(row[0])


class RunningRunner:
    """A `pgvigil run` of its own process, and what it logs."""

    def __init__(self, dsn: str, *options: str, environment: Mapping[str, str] = {}) -> None:
        """Start it; options are those of the command."""
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "pgvigil"), "run", *options],
            env={**clean_environment(), "PGVIGIL_DSN": dsn, **environment},
            stdin=subprocess.DEVNULL,
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

    def stop(self) -> int:
        """Have it end by itself and return its exit code."""
        self.signal()
        return self.wait()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            self.lines.extend(iter(stream.readline, ""))


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so, and fail when that takes too long."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
