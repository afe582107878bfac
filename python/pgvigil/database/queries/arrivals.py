"""What is asked to see whether programs record anything; what pgvigil records does not count."""

ARRIVALS = {
    "task": """
select task_id
from monitoring.processing_metrics
where start_time >= %(since)s and task_type not like 'pgvigil.%%'
limit 1
""",
    "error": """
select error_type
from monitoring.error_tracking
where occurred_at >= %(since)s and component is distinct from 'pgvigil'
limit 1
""",
    "log line": """
select left(message, 60)
from monitoring.v_application_logs
where logged_at >= %(since)s and component is distinct from 'pgvigil'
limit 1
""",
    "metric": """
select metric_name
from monitoring.performance_monitoring
where recorded_at >= %(since)s
limit 1
""",
    "check of component": """
select component_name
from monitoring.system_health
where last_check_at >= %(since)s
limit 1
""",
    "sample of queue": """
select queue_name
from monitoring.queue_monitoring
where recorded_at >= %(since)s
limit 1
""",
}
"""A query for each kind of record, of one name at most, of what has come `since` a time."""
