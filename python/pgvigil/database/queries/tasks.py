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
