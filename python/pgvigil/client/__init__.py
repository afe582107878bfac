"""What a watched program imports: the clients, the task at hand, and ETL under watch.

Needs psycopg and nothing else.
"""

from typing import TYPE_CHECKING, Any

from pgvigil.client.monitoring_client import MonitoringClient
from pgvigil.client.recording.recorder import TaskId
from pgvigil.client.recording.task import TrackedTask, current_task

__all__ = ["AsyncMonitoringClient", "MonitoringClient", "TaskId", "TrackedTask", "current_task"]

if TYPE_CHECKING:
    from pgvigil.client.async_client import AsyncMonitoringClient


def __getattr__(name: str) -> Any:
    """Load the client for asyncio only for those who ask for it."""
    if name != "AsyncMonitoringClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pgvigil.client.async_client import AsyncMonitoringClient

    return AsyncMonitoringClient
