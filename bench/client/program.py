"""A program that records numbered things from several threads, and measures its waits.

    python -m bench.client.program '{"dsn": …, "spool": …, "journal": …, …}'

Each record carries its number and when it was told. What was told is written to the journal, which
survives a killed program; how long calls took, and what the client lost, are printed as JSON.
"""

import json
import os
import struct
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from pgvigil.client import MonitoringClient, monitoring_client

ENTRY = struct.Struct("<qd")
"""One record in the journal: its number, and when it was told in seconds."""
_STEADY_AFTER = 5  # calls of each thread; the first ones start a thread and import modules


@dataclass
class Plan:
    """What a program is to do."""

    dsn: str
    spool: str | bool
    journal: str
    threads: int = 1
    records: int = 100
    """How many each thread records."""
    pause: float = 0.001
    """Seconds between two records of a thread."""
    first: int = 0
    """The lowest number."""
    flush: float = 0.0
    """Seconds to wait at the end for all to be in the database."""
    patience: float = 15.0
    """Seconds that the thread which sends waits for an answer."""
    options: dict[str, Any] = field(default_factory=dict)
    """Of the client."""

    def as_text(self) -> str:
        """Return it as an argument of the program."""
        return json.dumps(asdict(self))


class _Teller:
    """Records numbers in turn as metrics, log lines, errors and tasks."""

    def __init__(self, monitor: MonitoringClient, thread: int) -> None:
        self._monitor = monitor
        self._thread = thread
        self.waits: list[float] = []
        """Seconds that each call took."""
        self.floor: list[float] = []
        """Seconds that making some JSON took, which waits for nothing but a processor."""

    def tell(self, number: int) -> None:
        """Record one number."""
        about = {"number": number, "thread": self._thread, "at": datetime.now(UTC).isoformat()}
        began_at = time.perf_counter()
        json.dumps([about, about, about])
        self.floor.append(time.perf_counter() - began_at)
        match number % 4:
            case 0:
                self._time(
                    lambda: self._monitor.record_performance_metric(
                        "chaos", "gauge", number, tags=about
                    )
                )
            case 1:
                self._time(lambda: self._monitor.record_log("info", "chaos", details=about))
            case 2:
                self._time(
                    lambda: self._monitor.record_error(
                        None, "Chaos", "low", "chaos", "chaos", details=about
                    )
                )
            case _:
                name = f"chaos-{number}"
                self._time(lambda: self._monitor.start_task("chaos", task_id=name, metadata=about))
                self._time(lambda: self._monitor.complete_task(name))

    def _time(self, call: Any) -> None:
        began_at = time.perf_counter()
        call()
        self.waits.append(time.perf_counter() - began_at)


def run(plan: Plan) -> dict[str, Any]:
    """Record what a plan says, and return what it took."""
    monitoring_client._LEAST_PATIENCE = plan.patience
    monitor = MonitoringClient(plan.dsn, component="chaos", spool=plan.spool, **plan.options)
    journal = os.open(plan.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    tellers = [_Teller(monitor, thread) for thread in range(plan.threads)]

    def work(thread: int) -> None:
        for step in range(plan.records):
            number = plan.first + step * plan.threads + thread
            tellers[thread].tell(number)
            os.write(journal, ENTRY.pack(number, time.time()))
            time.sleep(plan.pause)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(plan.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    is_flushed = monitor.flush(plan.flush) if plan.flush else None
    began_at = time.perf_counter()
    monitor.close()
    return {
        "waits": sorted(wait for teller in tellers for wait in teller.waits[_STEADY_AFTER:]),
        "floor": sorted(wait for teller in tellers for wait in teller.floor[_STEADY_AFTER:]),
        "closing": time.perf_counter() - began_at,
        "is_flushed": is_flushed,
        "dropped": monitor.dropped,
    }


if __name__ == "__main__":
    print(json.dumps(run(Plan(**json.loads(sys.argv[1])))))
