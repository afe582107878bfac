"""What is asked of the configuration and of workflows, and what changes them."""

GET = "select monitoring.get_config(p_is_complete => %(is_complete)s)"
APPLY = "select monitoring.apply_config(p_config => %(config)s)"
GET_WORKFLOW = "select monitoring.get_workflow(p_workflow_name => %(workflow)s)"
GET_WORKFLOW_SCHEMA = "select monitoring.get_workflow_schema()"
APPLY_WORKFLOW = "select monitoring.apply_workflow(p_workflow => %(workflow)s)"
REMOVE_WORKFLOW = "select monitoring.remove_workflow(p_workflow_name => %(workflow)s)"
EXPECTED_RUNS = """
select schedule, time_zone
from monitoring.v_expected_runs
where task_type = %(task_type)s
"""
DEFINE_EXPECTED_RUNS = """
select monitoring.define_expected_runs(
    p_task_type => %(task_type)s, p_schedule => %(schedule)s, p_time_zone => %(time_zone)s
)
"""
