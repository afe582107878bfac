"""What is asked of workflows and their runs."""

TIMELINE = """
select *
from monitoring.get_batch_timeline(
    p_business_date => %(business_date)s, p_workflow_name => %(workflow)s
)
"""
RUNS = """
select *
from monitoring.get_step_runs(
    p_business_date => %(business_date)s, p_workflow_name => %(workflow)s
)
"""
ENDED = """
select *
from monitoring.get_ended_batch_runs(
    p_from => %(from)s, p_to => %(to)s, p_workflow_name => %(workflow)s, p_step => %(step)s,
    p_status => %(status)s, p_limit => %(limit)s, p_before_time => %(after_finished_at)s,
    p_before_task_id => %(after_task_id)s, p_before_attempt => %(after_attempt)s,
    p_before_workflow => %(after_workflow_name)s, p_from_day => %(from_day)s,
    p_to_day => %(to_day)s
)
"""
STEPS = """
select workflow_name, step_name, position, description, after_steps, expected_seconds
from monitoring.batch_workflow_config
where %(workflow)s::text is null or workflow_name = %(workflow)s
order by workflow_name, position
"""
ZONES = "select distinct workflow_name, time_zone from monitoring.batch_workflow_config"
HEALTH = "select * from monitoring.v_batch_health order by workflow_name"
