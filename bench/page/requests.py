"""What the page asks for when it is opened, and what each of it costs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
import psycopg

# As in loading.js, which a test compares.
PATHS = (
    "api/cards",
    "api/active-alerts?limit=200",
    "api/batch-timeline",
    "api/batch-health",
    "api/errors?limit=50",
    "api/tasks?state=running&limit=100",
    "api/queues",
    "api/health",
    "api/record-issues?limit=50",
    "api/self-check",
    "api/trends?what=tasks&hours=24",
    "api/trends?what=errors&hours=24",
    "api/trends?what=queues&hours=24",
    "api/chart-marks?hours=24",
)
_BROWSER_CONNECTIONS = 6
# A session keeps a plan from the sixth time on; of several each has to see everything so often.
_ROUNDS_TO_WARM_ONE = 6
_ROUNDS_TO_WARM_ALL = 30
_BACKENDS = "select pid from pg_stat_activity where application_name = 'pgvigil web'"
_END = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where pid = any(%s)"


@dataclass
class Cost:
    """Milliseconds of CPU, of the database's and of the service, and of waiting for the answer."""

    cpu_ms: list[float] = field(default_factory=list)
    service_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """Median of the CPU of the sessions in the database."""
        return median(self.cpu_ms)

    @property
    def service(self) -> float:
        """Median of the CPU of the service."""
        return median(self.service_ms)

    @property
    def wall(self) -> float:
        """Median of the waiting."""
        return median(self.wall_ms)


class Page:
    """What opens the page of a service, and looks at the sessions behind it."""

    def __init__(self, url: str, pid: int, dsn: str) -> None:
        """Stand before a service, which is a process, and beside its database."""
        self._service = pid
        self._client = httpx.Client(
            base_url=url,
            timeout=60,
            limits=httpx.Limits(max_connections=_BROWSER_CONNECTIONS),
        )
        self._watcher = psycopg.connect(dsn, autocommit=True)

    def close(self) -> None:
        """Leave."""
        self._client.close()
        self._watcher.close()

    def ask(self, paths: Sequence[str], cost: Cost) -> None:
        """Ask for some paths at once, as a browser does, and note what that cost."""
        before, service = self._cpu_ms(), _cpu_ms(self._service)
        began = time.perf_counter()
        with ThreadPoolExecutor(_BROWSER_CONNECTIONS) as threads:
            for answer in threads.map(self._client.get, paths):
                answer.raise_for_status()
        cost.wall_ms.append((time.perf_counter() - began) * 1000)
        cost.service_ms.append(_cpu_ms(self._service) - service)
        cost.cpu_ms.append(sum(ms - before.get(pid, 0) for pid, ms in self._cpu_ms().items()))

    def end_sessions(self) -> None:
        """Have the service open new sessions, by ending those that it keeps."""
        self._watcher.execute(_END, [list(self._cpu_ms())])

    def _cpu_ms(self) -> dict[int, float]:
        """Return the CPU that each session of the service has used so far."""
        return {pid: _cpu_ms(pid) for (pid,) in self._watcher.execute(_BACKENDS)}


def _cpu_ms(pid: int) -> float:
    """Return the CPU that a process has used so far, finer than its ticks (Linux)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


@contextmanager
def serving(dsn: str) -> Iterator[Page]:
    """Run ``pgvigil serve`` and open its page."""
    service = subprocess.Popen(
        [sys.executable, "-m", "pgvigil", "serve", "--port", "0"],
        env=os.environ | {"PGVIGIL_DSN": dsn},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        page = Page(_wait_for_url(service), service.pid, dsn)
        try:
            yield page
        finally:
            page.close()
    finally:
        service.send_signal(signal.SIGINT)
        service.wait(20)


def _wait_for_url(service: subprocess.Popen[str]) -> str:
    assert service.stderr is not None
    for line in service.stderr:
        for word in line.split():
            if word.startswith("http://"):
                return word
    raise RuntimeError("the web service did not start")


def measure(page: Page, rounds: int, sessions: int) -> tuple[dict[str, Cost], dict[str, Cost]]:
    """Ask for each path in turn: first in new sessions, then again and again in one.

    Returns:
        The costs by path in new sessions, and in one session.
    """
    fresh = {path: Cost() for path in PATHS}
    for _ in range(sessions):
        for path, cost in fresh.items():
            page.end_sessions()
            page.ask([path], cost)
    warm = {path: Cost() for path in PATHS}
    for _ in range(_ROUNDS_TO_WARM_ONE):
        for path in PATHS:
            page.ask([path], Cost())
    for _ in range(rounds):
        for path, cost in warm.items():
            page.ask([path], cost)
    return fresh, warm


def measure_together(page: Page, rounds: int, sessions: int) -> tuple[Cost, Cost]:
    """Ask for all paths at once, in new sessions and in kept ones."""
    fresh, warm = Cost(), Cost()
    for _ in range(sessions):
        page.end_sessions()
        page.ask(PATHS, fresh)
    for _ in range(_ROUNDS_TO_WARM_ALL):
        page.ask(PATHS, Cost())
    for _ in range(rounds):
        page.ask(PATHS, warm)
    return fresh, warm
