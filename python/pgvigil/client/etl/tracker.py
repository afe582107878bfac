"""`PerformanceTracker`: how long operations take and how much they get done, as ETL metrics."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pgvigil.client import MonitoringClient
from pgvigil.client.etl.context import current_place

_MOST_NAMES = 1000


@dataclass
class Operation:
    """One run of a tracked operation; set `items` when it is known how many it did."""

    items: int | None = None


@dataclass
class _Timing:
    runs: int = 0
    failures: int = 0
    items: int = 0
    total_seconds: float = 0.0
    shortest_seconds: float = field(default=float("inf"))
    longest_seconds: float = 0.0


class PerformanceTracker:
    """Adds measurements up in the program, and sends them when told to. Safe between threads.

    Nothing is sent before `flush`, which sends all figures as they then are since the tracker was
    made; so a flush that fails loses nothing that the next one does not make up for.
    """

    def __init__(
        self,
        client: MonitoringClient,
        component: str | None = None,
        execution_id: str | None = None,
    ) -> None:
        """Make a tracker.

        Args:
            client: what to send through.
            component: what is measured; the client's `component`, else ``etl``, when None.
            execution_id: execution that the figures are of; that of the place where `flush` is
                called when None.
        """
        self._client = client
        self._component = component
        self._execution_id = execution_id
        self._lock = threading.Lock()
        self._timings: dict[str, _Timing] = {}
        self._counters: dict[str, float] = {}
        self._gauges: dict[str, tuple[float, str | None]] = {}
        self.ignored = 0
        """Measurements that were passed over, because there were 1,000 names already."""

    @contextmanager
    def track_operation(self, name: str, items: int | None = None) -> Iterator[Operation]:
        """Measure the block; one that an exception leaves counts as failed, too.

        Args:
            name: what it does.
            items: how many it does; may be set on what the block is given, as ``as operation``.
        """
        operation = Operation(items)
        began_at = time.perf_counter()
        failures = 1
        try:
            yield operation
            failures = 0
        finally:
            self._add_run(name, time.perf_counter() - began_at, failures, operation.items or 0)

    def increment(self, name: str, by: float = 1) -> None:
        """Add to a counter."""
        with self._lock:
            if self._is_welcome(name, self._counters):
                self._counters[name] = self._counters.get(name, 0) + by

    def gauge(self, name: str, value: float, unit: str | None = None) -> None:
        """Set a gauge, whose last value is sent."""
        with self._lock:
            if self._is_welcome(name, self._gauges):
                self._gauges[name] = (value, unit)

    def statistics(self) -> dict[str, Any]:
        """Return all figures: operations with runs, failures, items and times, counters, gauges."""
        with self._lock:
            return {
                "operations": {name: _figures(each) for name, each in self._timings.items()},
                "counters": dict(self._counters),
                "gauges": {name: value for name, (value, _) in self._gauges.items()},
            }

    def flush(self) -> int | None:
        """Send all figures as ETL metrics, in one call.

        Returns:
            How many were sent; None when that did not work.
        """
        execution_id = self._execution_id or current_place().execution_id
        rows = [
            {
                "metric_name": name,
                "metric_type": kind,
                "value": value,
                "unit": unit,
                "component": self._component or self._client.component or "etl",
                "task_id": execution_id,
                "tags": {"execution_id": execution_id, **tags},
            }
            for name, kind, value, unit, tags in self._measurements()
        ]
        return self._client.record_metrics(rows) if rows else 0

    def _add_run(self, name: str, seconds: float, failures: int, items: int) -> None:
        with self._lock:
            if not self._is_welcome(name, self._timings):
                return
            timing = self._timings.setdefault(name, _Timing())
            timing.runs += 1
            timing.failures += failures
            timing.items += items
            timing.total_seconds += seconds
            timing.shortest_seconds = min(timing.shortest_seconds, seconds)
            timing.longest_seconds = max(timing.longest_seconds, seconds)

    def _is_welcome(self, name: str, known: dict[str, Any]) -> bool:
        if name in known or len(known) < _MOST_NAMES:
            return True
        self.ignored += 1
        return False

    def _measurements(self) -> Iterator[tuple[str, str, float, str | None, dict[str, str]]]:
        figures = self.statistics()
        units = {name: unit for name, (_, unit) in list(self._gauges.items())}
        for name, operation in figures["operations"].items():
            tags = {"operation": name}
            yield "operation.runs", "counter", operation["runs"], "runs", tags
            yield "operation.failures", "counter", operation["failures"], "runs", tags
            yield "operation.mean_duration", "timer", operation["mean_seconds"] * 1000, "ms", tags
            yield "operation.max_duration", "timer", operation["max_seconds"] * 1000, "ms", tags
            if operation["items_per_second"] is not None:
                yield "operation.rate", "gauge", operation["items_per_second"], "items/s", tags
        for name, value in figures["counters"].items():
            yield name, "counter", value, None, {}
        for name, value in figures["gauges"].items():
            yield name, "gauge", value, units.get(name), {}


def _figures(timing: _Timing) -> dict[str, Any]:
    has_rate = timing.items > 0 and timing.total_seconds > 0
    return {
        "runs": timing.runs,
        "failures": timing.failures,
        "items": timing.items,
        "total_seconds": timing.total_seconds,
        "mean_seconds": timing.total_seconds / timing.runs,
        "min_seconds": timing.shortest_seconds,
        "max_seconds": timing.longest_seconds,
        "items_per_second": timing.items / timing.total_seconds if has_rate else None,
    }
