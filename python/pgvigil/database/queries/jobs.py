"""What is asked of jobs: those that the scheduler runs, and those that are watched."""

AGENDA = """
select job_name, next_run_at, seconds_late, timeout_seconds, running_seconds,
    monitoring.clock() as now
from monitoring.v_jobs
"""
JOBS = "select * from monitoring.v_jobs"
WATCHED = """
select *
from monitoring.get_jobs(
    p_search => %(search)s, p_kind => %(kind)s, p_workflow_name => %(workflow)s,
    p_is_troubled => %(troubled)s, p_days => %(days)s, p_limit => %(limit)s,
    p_after_trouble => %(after_trouble)s, p_after_name => %(after_job_name)s
)
"""
WATCHED_ONE = "select * from monitoring.get_jobs(p_job_name => %(job)s, p_days => %(days)s)"
RUNS = """
select *
from monitoring.get_job_runs(
    p_job_name => %(job)s, p_from => %(from)s, p_to => %(to)s, p_status => %(status)s,
    p_limit => %(limit)s, p_before_time => %(after_end_time)s,
    p_before_task_id => %(after_task_id)s, p_before_attempt => %(after_attempt)s
)
"""
EXPECTED = "select * from monitoring.v_expected_runs where task_type = %(job)s"
STEP = "select * from monitoring.batch_workflow_config where step_name = %(job)s"
