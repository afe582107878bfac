"""One request of a web application: how long it took and how it ended, by route."""

import time

from pgvigil.client import MonitoringClient

# Whatever a caller sends as a method must not become a name.
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_NO_ROUTE = "(no route)"
_FAILED = 500  # the lowest status that is our fault


class WatchedRequest:
    """Measures one request, from when it is made until `answered` or `failed`."""

    def __init__(self, monitor: MonitoringClient, method: str | None) -> None:
        """Begin to measure."""
        self.status: int | None = None
        """Status of the response; None for as long as there is none."""
        self.route: str | None = None
        """Template of the path, such as ``/orders/{number}``; None where none is known."""
        self._monitor = monitor
        self._method = method if method in _METHODS else "OTHER"
        self._began_at = time.perf_counter()
        self._is_told = self._is_failed = False

    def answered(self) -> None:
        """Record the duration, once; and an error if the status says so."""
        with self._monitor.never_raising():
            self._measure()
            if self.status is not None and self.status >= _FAILED and not self._is_failed:
                self._is_failed = True
                self._monitor.record_error(
                    None,
                    f"HTTP {self.status}",
                    "medium",
                    f"{self._name} answered {self.status}",
                    details=self._told(),
                )

    def failed(self, error: BaseException) -> None:
        """Record an exception and, once, the duration."""
        with self._monitor.never_raising():
            self._measure()
            self._is_failed = True
            self._monitor.record_exception(error, severity="high", details=self._told())

    def ended(self) -> None:
        """Record the duration, once, and no error: such as when the client has gone."""
        with self._monitor.never_raising():
            self._measure()

    @property
    def _name(self) -> str:
        return f"{self._method} {self.route or _NO_ROUTE}"

    def _told(self) -> dict[str, str]:
        status = "none" if self.status is None else str(self.status)
        return {"method": self._method, "route": self.route or _NO_ROUTE, "status": status}

    def _measure(self) -> None:
        if not self._is_told:
            self._is_told = True
            elapsed_ms = (time.perf_counter() - self._began_at) * 1000
            self._monitor.record_performance_metric(
                self._name, "timer", elapsed_ms, "ms", tags=self._told()
            )
