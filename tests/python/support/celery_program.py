"""A Celery worker for the tests, in a process of its own: python -m … POOL TASKS.

It sends itself the tasks that are named, through files in BROKER. PGVIGIL_DSN says where they are
recorded.
"""

import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celery import Celery
from celery.exceptions import Ignore

from pgvigil.client import MonitoringClient, current_task
from pgvigil.integrations.celery import watch

app = Celery("shop", broker="filesystem://", backend="cache+memory://")
app.conf.broker_transport_options = {
    "data_folder_in": os.environ["BROKER"],
    "data_folder_out": os.environ["BROKER"],
    "control_folder": os.environ["BROKER"],
    "polling_interval": 0.1,
}
app.conf.worker_lost_wait = 0.5
monitor = MonitoringClient(component="shop", flush_interval=float(os.environ["FLUSH"]))
watch(monitor)


@app.task
def good(number: int) -> int:
    """Count pages, as the task at hand."""
    task = current_task()
    assert task is not None
    task.count(pages=number)
    (Path(os.environ["BROKER"]) / "good").touch()
    return number


@app.task
def bad() -> None:
    """Fail."""
    raise ValueError("no price")


@app.task(throws=KeyError)
def expected() -> None:
    """Fail in a way that was announced."""
    raise KeyError("as agreed")


@app.task(bind=True, max_retries=3)
def flaky(self: Any) -> None:
    """Succeed at the third try."""
    if self.request.retries < 2:
        raise self.retry(exc=ConnectionError("away"), countdown=1)


@app.task(bind=True)
def ignored(self: Any) -> None:
    """Have itself ignored."""
    raise Ignore


@app.task(soft_time_limit=1)
def slow() -> None:
    """Run into a limit that it hears of."""
    time.sleep(20)


@app.task(time_limit=1)
def stubborn() -> None:
    """Run into a limit that it dies of."""
    time.sleep(20)


@app.task
def killed() -> None:
    """Die, as for lack of memory."""
    time.sleep(0.8)
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(bind=True)
def parent(self: Any) -> None:
    """Call another task."""
    good.apply(args=[7], task_id="part")


@app.task
def leaves() -> None:
    """End its process."""
    sys.exit(3)


def main(pool: str, *names: str) -> None:
    """Send and run."""
    good.apply_async(args=[3], task_id="good")
    for name in names:
        if name == "expired":
            good.apply_async(args=[4], task_id=name, expires=datetime.now(UTC) - timedelta(hours=1))
        else:
            app.send_task(f"shop.{name}", task_id=name)
    app.worker_main(["worker", "-P", pool, "-c", "2", "-l", "error", "--without-gossip"])


if __name__ == "__main__":
    main(*sys.argv[1:])
