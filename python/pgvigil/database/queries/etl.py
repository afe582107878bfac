"""What is asked of ETL."""

HEALTH = "select monitoring.get_etl_health_status()"
SUMMARY = "select monitoring.get_etl_execution_summary(p_execution_id => %(execution_id)s)"
EXECUTIONS = """
select
    execution_id, started_at, finished_at, status, total_fixtures, processed_fixtures,
    successful_fixtures, failed_fixtures, total_chunks, processed_chunks, duration_seconds,
    error_message
from monitoring.etl_executions
where (finished_at is null or finished_at > %(since)s)
    and (%(execution_id)s::text is null or execution_id = %(execution_id)s)
order by finished_at is null desc, finished_at desc, started_at desc
limit %(limit)s
"""
LOGS = """
select timestamp, level, component, message, details, execution_id, chunk_id, fixture_id,
    duration_ms
from monitoring.etl_logs
where timestamp > %(since)s
    and (%(execution_id)s::text is null or execution_id = %(execution_id)s)
order by timestamp desc, log_id desc
limit %(limit)s
"""
METRICS = """
select metric_name, metric_unit, samples, avg_value, min_value, max_value, last_value, last_at
from monitoring.get_etl_metric_statistics(p_execution_id => %(execution_id)s)
limit %(limit)s
"""
