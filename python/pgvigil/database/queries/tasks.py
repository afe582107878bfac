"""What is asked of tasks."""

RUNNING = """
select
    task_id, task_type, attempt, start_time, running_ms, items_done, items_total,
    progress_percent, seconds_without_progress, is_backend_alive
from monitoring.v_realtime_processing_status
order by start_time
limit %(limit)s
"""
RUNNING_BY_TYPE = """
select task_type, count(*) as running, max(running_ms) as longest_ms
from monitoring.v_realtime_processing_status
where true
group by task_type
"""
STATISTICS = "select * from monitoring.v_task_statistics order by task_type"
FAILED = """
select task_id, task_type, status, duration_ms, end_time, error_message as why
from monitoring.v_unsuccessful_tasks
where end_time > %(now)s - make_interval(days => 1) and is_failure
order by end_time desc
limit %(limit)s
"""
ENDED = """
select *
from monitoring.get_ended_tasks(
    p_from => %(from)s, p_to => %(to)s, p_task_type => %(type)s, p_status => %(status)s,
    p_worker_id => %(worker)s, p_limit => %(limit)s, p_before_time => %(after_end_time)s,
    p_before_task_id => %(after_task_id)s, p_before_attempt => %(after_attempt)s
)
"""
ATTEMPTS = """
select
    task_id, task_type, status, attempt, worker_id, parent_task_id, start_time,
    end_time, duration_ms, items_done, items_total, input_size, output_size,
    counters, step_durations, metadata, heartbeat_at, progress_at, backend_pid
from monitoring.processing_metrics
where task_id = %(task_id)s
order by end_time is null desc, end_time desc, attempt desc
limit %(limit)s
"""
RUNNING_ONE = """
select *
from monitoring.v_realtime_processing_status
where task_id = %(task_id)s
"""
REASONS = """
select attempt, end_time, error_message
from monitoring.v_unsuccessful_tasks
where task_id = %(task_id)s
"""
CHILDREN = """
select task_id, task_type, 'running' as status, attempt, start_time, null as end_time,
    running_ms as duration_ms
from monitoring.v_realtime_processing_status
where parent_task_id = %(task_id)s
union all
select task_id, task_type, status, attempt, start_time, end_time, duration_ms
from monitoring.processing_metrics
where parent_task_id = %(task_id)s and end_time >= %(from)s and end_time < %(to)s
order by start_time, task_id
limit %(limit)s
"""
ERRORS_OF_ONE = """
select error_id, occurred_at, error_type, severity, message, component, fingerprint, details, stack
from monitoring.error_tracking
where task_id = %(task_id)s and occurred_at >= %(from)s and occurred_at < %(to)s
order by occurred_at desc, error_id desc
limit %(limit)s
"""
LOGS_OF_ONE = """
select log_id, logged_at, level, component, message, details, duration_ms
from monitoring.v_application_logs
where task_id = %(task_id)s and logged_at >= %(from)s and logged_at < %(to)s
    and (%(level)s::text is null or level = %(level)s)
    and ((logged_at, log_id) < (%(after_logged_at)s::timestamptz, %(after_log_id)s::bigint)
        or %(after_log_id)s is null)
order by logged_at desc, log_id desc
limit %(limit)s
"""
