"""What a watched program imports: the clients, the task at hand, and ETL under watch.

Needs psycopg and nothing else.
"""

from pgvigil.client.async_client import AsyncMonitoringClient
from pgvigil.client.monitoring_client import MonitoringClient
from pgvigil.client.recording.recorder import TaskId
from pgvigil.client.recording.task import TrackedTask, current_task

__all__ = ["AsyncMonitoringClient", "MonitoringClient", "TaskId", "TrackedTask", "current_task"]
