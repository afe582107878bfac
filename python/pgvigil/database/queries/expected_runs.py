"""What is asked and said of runs that are expected by the clock."""

OF_TYPE = """
select schedule, time_zone
from monitoring.v_expected_runs
where task_type = %(task_type)s
"""
DEFINED_BY = "select task_type from monitoring.v_expected_runs where changed_by = %(by)s"
DEFINE = """
select monitoring.define_expected_runs(
    p_task_type => %(task_type)s, p_schedule => %(schedule)s, p_time_zone => %(time_zone)s
)
"""
DEFINE_IN_FULL = """
select monitoring.define_expected_runs(
    p_task_type => %(task_type)s, p_schedule => %(schedule)s, p_time_zone => %(time_zone)s,
    p_grace => %(grace)s, p_by => %(by)s
)
"""
REMOVE = "select monitoring.remove_expected_runs(p_task_type => %(task_type)s)"
AS_FIGURES = """
select
    task_type, is_missed::integer as missed,
    extract(epoch from next_due_at) as next_due_seconds
from monitoring.v_expected_runs
where is_enabled
"""
