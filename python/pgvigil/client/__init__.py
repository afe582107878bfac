"""What a watched program imports: `MonitoringClient`, the task at hand, and ETL under watch.

Needs psycopg and nothing else.
"""

from pgvigil.client.monitoring_client import MonitoringClient
from pgvigil.client.recording.recorder import TaskId
from pgvigil.client.recording.task import TrackedTask, current_task

__all__ = ["MonitoringClient", "TaskId", "TrackedTask", "current_task"]
