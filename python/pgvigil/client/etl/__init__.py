"""ETL under watch: executions with chunks and fixtures, log lines, measurements and alerts.

Nothing in here ever breaks the program that it watches: what cannot be recorded is counted by the
`MonitoringClient` that all of it goes through.
"""

from pgvigil.client.etl.alerts import ETLAlert, ETLAlertManager, ETLAlerts
from pgvigil.client.etl.execution import ETLChunk, ETLExecution
from pgvigil.client.etl.logger import ETLLogger, ETLLogHandler
from pgvigil.client.etl.monitor import ETLMonitor
from pgvigil.client.etl.tracker import Operation, PerformanceTracker
from pgvigil.client.recording.place import Place, carried, current_place

__all__ = [
    "ETLAlert",
    "ETLAlertManager",
    "ETLAlerts",
    "ETLChunk",
    "ETLExecution",
    "ETLLogHandler",
    "ETLLogger",
    "ETLMonitor",
    "Operation",
    "PerformanceTracker",
    "Place",
    "carried",
    "current_place",
]
