"""Jobs that RQ runs in tests, and workers that are slow to send."""

import os
import signal
import time
from typing import Any

from rq.worker import SpawnWorker

from pgvigil.client import MonitoringClient, current_task
from pgvigil.integrations.rq import Monitored, MonitoredWorker


class LateWorker(MonitoredWorker):
    """Its records wait for a minute, unless something sends them before."""

    monitor = MonitoringClient(component="shop", flush_interval=60)


class LateSpawnWorker(Monitored, SpawnWorker):
    """The same, where work horses are programs of their own."""

    monitor = LateWorker.monitor


def good(pages: int) -> int:
    """Count pages, as the task at hand."""
    task = current_task()
    assert task is not None
    task.count(pages=pages)
    return pages


def bad() -> None:
    """Fail."""
    raise ValueError("no price")


def flaky(path: str) -> None:
    """Succeed at the second try."""
    try:
        os.mkdir(path)  # noqa: PTH102
    except FileExistsError:
        return
    raise ConnectionError("away")


def slow() -> None:
    """Take longer than is allowed."""
    time.sleep(20)


def killed() -> None:
    """Die, as for lack of memory."""
    time.sleep(0.8)
    os.kill(os.getpid(), signal.SIGKILL)


def waits() -> None:
    """Wait to be stopped."""
    time.sleep(30)


def fails_afterwards(*_: Any) -> None:
    """Fail, when the job itself has succeeded."""
    raise LookupError("nobody to tell")
