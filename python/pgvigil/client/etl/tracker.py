"""`PerformanceTracker`: how long operations take and how much they get done, as ETL metrics."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pgvigil.client.etl.clients import Source, client_of
from pgvigil.client.recording.place import current_place

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
    """Measures operations, and records each measurement at once. Safe between threads.

    Each is one sample, so it is for chunks and steps rather than for every row. What was measured
    is added up as well: see `statistics`.
    """

    def __init__(
        self, client: Source = None, component: str | None = None, execution_id: str | None = None
    ) -> None:
        """Make a tracker.

        Args:
            client: what to record through: an `ETLMonitor`, a client or a connection URI; when
                None, ``PGVIGIL_DSN`` or libpq's own environment.
            component: what is measured; the client's `component`, else ``etl``, when None.
            execution_id: execution that the figures are of; that of the place where something is
                measured when None.
        """
        self._client = client_of(client)
        self._component = component
        self._execution_id = execution_id
        self._lock = threading.Lock()
        self._timings: dict[str, _Timing] = {}
        self._counters: dict[str, float] = {}
        self._gauges: dict[str, float] = {}
        self.ignored = 0
        """Measurements that `statistics` lacks, and counters that were not recorded, because there
        were 1,000 names already."""

    @contextmanager
    def track_operation(self, name: str, items: int | None = None) -> Iterator[Operation]:
        """Measure the block: ``<name>_duration`` in seconds, ``<name>_rate`` in items a second.

        One that an exception leaves is counted in ``<name>_failures``, too.

        Args:
            name: what it does.
            items: how many it does; may be set on what the block is given, as ``as operation``.
        """
        operation = Operation(items)
        began_at = time.perf_counter()
        has_failed = True
        try:
            yield operation
            has_failed = False
        finally:
            seconds = time.perf_counter() - began_at
            with self._client.never_raising():
                self._add_run(name, seconds, has_failed, operation.items)

    def record_metric(
        self,
        metric_name: str,
        metric_value: float,
        metric_unit: str | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> None:
        """Record a measured value of the execution.

        Raises:
            TypeError: the value is no number, and the client's ``on_error`` is ``raise``.
        """
        self._record(metric_name, metric_value, metric_unit, "gauge", tags)

    def increment_counter(self, name: str, by: float = 1) -> None:
        """Add to a counter, and record its total since the tracker was made."""
        with self._lock:
            if not self._is_welcome(name, self._counters):
                return
            total = self._counters[name] = self._counters.get(name, 0) + by
        self._record(name, total, None, "counter")

    def set_gauge(self, name: str, value: float, unit: str | None = None) -> None:
        """Set a gauge, and record its value."""
        with self._lock:
            if self._is_welcome(name, self._gauges):
                self._gauges[name] = value
        self._record(name, value, unit, "gauge")

    def statistics(self) -> dict[str, Any]:
        """Return all figures: operations with runs, failures, items and times, counters, gauges."""
        with self._lock:
            return {
                "operations": {name: _figures(each) for name, each in self._timings.items()},
                "counters": dict(self._counters),
                "gauges": dict(self._gauges),
            }

    def _record(
        self,
        name: str,
        value: float,
        unit: str | None,
        kind: str,
        tags: Mapping[str, Any] | None = None,
    ) -> None:
        self._client.record_etl_metric(
            self._execution_id or current_place().execution_id,
            name,
            value,
            unit,
            tags,
            metric_type=kind,
            component=self._component,
        )

    def _add_run(self, name: str, seconds: float, has_failed: bool, items: int | None) -> None:
        with self._lock:
            timing = self._timings.get(name) or _Timing()
            if self._is_welcome(name, self._timings):
                self._timings[name] = timing
            timing.runs += 1
            timing.failures += has_failed
            timing.items += items or 0
            timing.total_seconds += seconds
            timing.shortest_seconds = min(timing.shortest_seconds, seconds)
            timing.longest_seconds = max(timing.longest_seconds, seconds)
            failures = timing.failures
        self._record(f"{name}_duration", seconds, "s", "timer")
        if items and seconds > 0:
            self._record(f"{name}_rate", items / seconds, "items/s", "gauge")
        if has_failed:
            self._record(f"{name}_failures", failures, None, "counter")

    def _is_welcome(self, name: str, known: dict[str, Any]) -> bool:
        if name in known or len(known) < _MOST_NAMES:
            return True
        self.ignored += 1
        return False


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
