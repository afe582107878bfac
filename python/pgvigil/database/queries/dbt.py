"""What is recorded of a run of dbt."""

TASKS = "select monitoring.record_finished_tasks(p_tasks => %(rows)s::text)"
ERRORS = "select monitoring.record_errors(p_errors => %(rows)s::text)"
ALL_FAILING = """
select monitoring.sync_invalid_records(
    p_dataset => %(dataset)s,
    p_validation_type => %(test)s,
    p_scope => %(scope)s::jsonb,
    p_failing_keys => %(records)s::jsonb,
    p_task_id => %(task_id)s,
    p_at => %(at)s
)
"""
SOME_FAILING = """
select monitoring.log_invalid_records(
    p_dataset => %(dataset)s,
    p_validation_type => %(test)s,
    p_records => %(records)s::jsonb,
    p_task_id => %(task_id)s,
    p_detected_at => %(at)s
)
"""
