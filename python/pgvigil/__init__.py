"""pgvigil: SQL-first monitoring of tasks, errors, metrics, queues and health in PostgreSQL."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgvigil.client import MonitoringClient

__all__ = ["MonitoringClient", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the client, and psycopg with it, only for those who ask for it."""
    if name == "MonitoringClient":
        from pgvigil.client import MonitoringClient

        return MonitoringClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
