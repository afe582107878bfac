"""Looking after the machinery: is everything there, how fast, and how deep are the queues?"""

import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from pgvigil.client import MonitoringClient
from pgvigil.demo.invoices import InvoiceQueue
from pgvigil.demo.service import RateService, fetch_rates

_SLOW_MS = 200
_LITTLE_SPACE = 0.05


class Probes:
    """Checks database, disk and service, and samples the queue and this process."""

    def __init__(
        self,
        monitor: MonitoringClient,
        dsn: str,
        home: Path,
        service: RateService,
        queue: InvoiceQueue,
    ) -> None:
        """Say what is to be looked after."""
        self._monitor = monitor
        self._dsn = dsn
        self._home = home
        self._service = service
        self._queue = queue

    def look(self) -> None:
        """Look at everything once."""
        self._check("database", "postgres", self._ask_database)
        self._check("service", "exchange rates", lambda: fetch_rates(self._service.url))
        self._check_disk()
        self._monitor.record_queue_metrics("demo.invoices", *self._queue.depth())
        self._monitor.record_performance_metric("demo.memory", "gauge", _peak_memory(), "MiB")

    def _check(self, kind: str, name: str, ask: Callable[[], object]) -> None:
        began_at = time.perf_counter()
        try:
            ask()
        except (OSError, psycopg.Error) as error:
            reason = str(error).strip() or type(error).__name__
            self._monitor.update_system_health(kind, name, "unhealthy", None, reason)
            return
        milliseconds = (time.perf_counter() - began_at) * 1000
        if milliseconds > _SLOW_MS:
            reason = f"slower than {_SLOW_MS} ms"
            self._monitor.update_system_health(kind, name, "degraded", milliseconds, reason)
        else:
            self._monitor.update_system_health(kind, name, "healthy", milliseconds)

    def _ask_database(self) -> None:
        with psycopg.connect(self._dsn) as connection:
            connection.execute("select 1")

    def _check_disk(self) -> None:
        usage = shutil.disk_usage(self._home)
        share = usage.free / usage.total
        self._monitor.update_system_health(
            "host",
            "disk",
            "healthy" if share > _LITTLE_SPACE else "degraded",
            None,
            None if share > _LITTLE_SPACE else f"{share:.1%} free",
            details={"free_bytes": usage.free, "total_bytes": usage.total},
        )


def _peak_memory() -> float:
    """Return the most memory this process has had, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
