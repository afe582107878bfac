"""pgvigil: SQL-first monitoring of tasks, errors, metrics, queues and health in PostgreSQL."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgvigil.client import AsyncMonitoringClient, MonitoringClient
    from pgvigil.client.etl import ETLAlertManager, ETLLogger, ETLMonitor, PerformanceTracker

__all__ = [
    "AsyncMonitoringClient",
    "ETLAlertManager",
    "ETLLogger",
    "ETLMonitor",
    "MonitoringClient",
    "PerformanceTracker",
    "__version__",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load what a watched program uses, and psycopg with it, only for those who ask for it."""
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    is_client = name.endswith("MonitoringClient")
    home = "pgvigil.client" if is_client else "pgvigil.client.etl"
    return getattr(import_module(home), name)
