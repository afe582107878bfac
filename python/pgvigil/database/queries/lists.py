"""What the commands list: what people look for in a terminal, the newest or the worst first.

Each takes all of its filters; null leaves one out. ``since`` is in seconds before now.
"""

_SINCE = "monitoring.clock() - make_interval(secs => %(since)s)"
SEARCHED = """
    (%(search)s::text is null or position(
        lower(%(search)s collate "C") in lower(concat_ws(' ', {columns}) collate "C")
    ) > 0)
"""
_WORST_ENOUGH = """
    (%(severity)s::text is null or array_position(monitoring.severities(), severity)
        >= array_position(monitoring.severities(), %(severity)s))
"""

TASKS = f"""
select
    task_id, task_type, status, attempt, worker_id, parent_task_id, start_time, end_time,
    duration_ms, items_done, items_total
from monitoring.processing_metrics
where (end_time is null or end_time >= {_SINCE})
    and (%(type)s::text is null or task_type = %(type)s)
    and (%(status)s::text is null or status = %(status)s)
    and {SEARCHED.format(columns="task_id, task_type, worker_id")}
order by end_time is null desc, coalesce(end_time, start_time) desc, task_id, attempt
limit %(limit)s
"""
ERRORS = f"""
select *
from monitoring.error_groups
where last_seen_at >= {_SINCE}
    and (%(status)s::text is null or status = %(status)s)
    and (%(type)s::text is null or error_type = %(type)s)
    and (%(component)s::text is null or %(component)s = any(components))
    and {_WORST_ENOUGH}
    and {SEARCHED.format(columns="error_type, example, components")}
order by last_seen_at desc, fingerprint
limit %(limit)s
"""
ERROR_GROUPS = """
select *
from monitoring.error_groups
where starts_with(fingerprint, %(name)s) or %(name)s = any(merged_from)
order by fingerprint
limit 2
"""
RULES = f"""
select *
from monitoring.v_alert_rules
where (not %(troubled)s or state in ('failing', 'firing'))
    and (%(family)s::text is null or family = %(family)s)
    and {SEARCHED.format(columns="rule_name, description")}
order by array_position(array['failing', 'firing', 'on', 'off'], state), rule_name
limit %(limit)s
"""
RULE = "select * from monitoring.v_alert_rules where rule_name = %(name)s"
ALERTS_OF_RULE = """
select alert_id, severity, status, summary, fired_at
from monitoring.v_active_alerts
where rule_name = %(name)s
limit %(limit)s
"""
RECORDS = f"""
select
    dataset, record_key, validation_type, status, group_name, message, first_detected_at,
    last_detected_at, times_detected, resolved_at, resolution, seconds_open
from monitoring.invalid_records
where (resolved_at is null or resolved_at >= {_SINCE})
    and (%(dataset)s::text is null or dataset = %(dataset)s)
    and (%(type)s::text is null or validation_type = %(type)s)
    and (%(status)s::text is null or status = %(status)s)
    and {SEARCHED.format(columns="record_key, group_name, message")}
order by resolved_at is null desc, first_detected_at desc, dataset, record_key, validation_type
limit %(limit)s
"""
QUEUES = "select * from monitoring.get_queues(p_search => %(search)s, p_limit => %(limit)s)"
QUEUE = "select * from monitoring.get_queues(p_queue_name => %(name)s)"
SAMPLES_OF_QUEUE = f"""
select recorded_at, pending, processing, completed, failed, oldest_ready_seconds
from monitoring.queue_monitoring
where queue_name = %(name)s and recorded_at >= {_SINCE}
order by recorded_at desc
limit %(limit)s
"""
# The newest of them, in the order in which they were logged.
LOGS = f"""
select *
from (
    select *
    from monitoring.v_application_logs
    where logged_at >= {_SINCE}
        and (%(component)s::text is null or component = %(component)s)
        and (%(task)s::text is null or task_id = %(task)s)
        and (%(level)s::text is null or array_position(%(levels)s::text[], level)
            >= array_position(%(levels)s::text[], %(level)s))
        and {SEARCHED.format(columns="message, component, task_id")}
    order by logged_at desc, log_id desc
    limit %(limit)s
) as newest
order by logged_at, log_id
"""
