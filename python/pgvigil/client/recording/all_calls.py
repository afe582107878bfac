"""All that can be recorded, in one class: what a client is, and what a task under watch calls."""

from pgvigil.client.recording.bulk_calls import BulkCalls
from pgvigil.client.recording.calls import RecordingCalls
from pgvigil.client.recording.etl_calls import EtlCalls
from pgvigil.client.recording.record_calls import RecordCalls
from pgvigil.client.recording.task_calls import TaskCalls


class AllCalls(TaskCalls, RecordingCalls, BulkCalls, EtlCalls, RecordCalls):
    """Records tasks, errors, metrics, logs, health, queues, ETL and what becomes of records."""
