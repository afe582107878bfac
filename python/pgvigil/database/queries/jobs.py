"""What is asked of jobs."""

AGENDA = """
select job_name, next_run_at, seconds_late, timeout_seconds, running_seconds,
    monitoring.clock() as now
from monitoring.v_jobs
"""
JOBS = "select * from monitoring.v_jobs"
