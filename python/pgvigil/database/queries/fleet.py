"""What is asked of a hub about the members of its fleet, and of the members themselves."""

# Of a hub

DUE = """
select member_name
from monitoring.v_fleet_members
where is_due
order by next_pull_at, member_name
"""
BEGIN = (
    "select monitoring.begin_fleet_pull(p_member_name => %(member)s,"
    " p_is_due_only => %(is_due_only)s)"
)
NOTE_CHANGES = (
    "select monitoring.note_fleet_changes(p_member_name => %(member)s, p_pull_id => %(pull_id)s,"
    " p_changes => %(told)s::jsonb)"
)
NOTE_ROLLUPS = (
    "select monitoring.note_fleet_rollups(p_member_name => %(member)s, p_pull_id => %(pull_id)s,"
    " p_rollups => %(told)s::jsonb)"
)
NOTE_DECISION = (
    "select monitoring.note_fleet_decision(p_decision_id => %(decision_id)s,"
    " p_outcome => %(outcome)s)"
)
FAIL = (
    "select monitoring.fail_fleet_pull(p_member_name => %(member)s, p_pull_id => %(pull_id)s,"
    " p_error => %(error)s)"
)

# Of a member

CHANGES = "select monitoring.get_fleet_changes(p_asked => %(asked)s::jsonb)"
ROLLUPS = "select monitoring.get_fleet_rollups(p_buckets => %(buckets)s::jsonb)"
STATE_OF_ALERT = """
select status, acknowledged_by
from monitoring.alerts
where alert_id = %(alert_id)s and started_at = %(started_at)s::timestamptz
"""
# Of one that is older than hubs: what readers could see then.
OLD_ALERTS = "select * from monitoring.v_active_alerts limit 1000"
OLD_TASKS = "select * from monitoring.v_realtime_processing_status order by start_time limit 1000"
OLD_COMPONENTS = """
select component_type, component_name, status, last_check_at as checked_at, response_time_ms,
    failure_reason
from monitoring.v_system_health_summary
limit 1000
"""
OLD_WORKFLOW_DAYS = "select * from monitoring.v_batch_health limit 1000"
OLD_FRESHNESS = """
select subject, known_at, is_known, detail, monitoring.version() as version,
    monitoring.clock() as told_at
from monitoring.v_freshness
where subject in ('alerts', 'scheduler', 'roll-ups')
order by subject
"""
OLD_ENDED_TASKS = """
select sum(tasks) as ended_tasks, sum(failed) as failed_tasks
from monitoring.v_task_statistics
"""

# By people

MEMBERS = """
select *
from monitoring.v_fleet_members
where %(name)s::text is null or member_name = %(name)s
order by member_name
"""
ALERTS = """
select *
from monitoring.v_fleet_alerts
where %(name)s::text is null or member_name = %(name)s
limit %(limit)s
"""
TASKS = """
select *
from monitoring.v_fleet_tasks
where %(name)s::text is null or member_name = %(name)s
order by start_time, member_name, task_id
limit %(limit)s
"""
UNHEALTHY = """
select *
from monitoring.v_fleet_health
where (%(name)s::text is null or member_name = %(name)s) and status <> 'healthy'
order by array_position(array['unhealthy', 'degraded', 'unknown'], status), member_name,
    component_type, component_name
limit %(limit)s
"""
WORKFLOW_DAYS = """
select *
from monitoring.v_fleet_workflow_days
where (%(name)s::text is null or member_name = %(name)s) and is_today
order by member_name, workflow_name
limit %(limit)s
"""
REGISTER = """
select monitoring.register_fleet_member(
    p_member_name => %(member)s, p_connection => %(connection)s, p_page_url => %(page_url)s,
    p_every => %(every)s, p_rollups_every => %(rollups_every)s, p_timeout => %(timeout)s,
    p_by => %(by)s
)
"""
REMOVE = "select monitoring.remove_fleet_member(p_member_name => %(member)s)"
ACKNOWLEDGE = """
select monitoring.acknowledge_fleet_alert(
    p_member_name => %(member)s, p_alert_id => %(alert_id)s, p_note => %(note)s, p_by => %(by)s
)
"""
