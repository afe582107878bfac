"""The process that sends: an outcome for each order. Only this one loads Apprise."""

import signal
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from pgvigil.outside.child_process import serve
from pgvigil.runner.notifying.delivery import deliver
from pgvigil.runner.notifying.orders import Order


def _carry_out(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield asdict(deliver(Order(**order)))


if __name__ == "__main__":
    # A service manager that stops the runner asks all its processes to end, while the runner
    # still waits for what is being sent.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    serve(_carry_out)
