-- Reading about a fleet. What a member told that is not heard any more is shown with its age, and
-- never as what is so now.

-- Seconds after the time at which a member is due until it counts as silent.
create or replace function monitoring._fleet_grace() returns interval
language sql
immutable
return interval '3 minutes';

create or replace view monitoring.v_fleet_members as
select
    m.member_name,
    case
        when not m.is_enabled then 'disabled'
        when c.now > greatest(s.heard_at, m.enabled_at) + c.patience then 'silent'
        when s.heard_at is null then 'waiting'
        when s.is_current then 'current'
        else 'stale'
    end as state,
    m.is_enabled
    and s.is_current is true
    and c.now <= s.heard_at + c.patience as is_known,
    s.heard_at,
    extract(epoch from c.now - s.heard_at)::double precision as seconds_old,
    case when s.is_current is false then s.not_current end as not_current,
    s.last_error,
    s.failed_at,
    s.consecutive_failures,
    s.version,
    s.open_alerts,
    s.high_alerts,
    s.critical_alerts,
    s.running_tasks,
    s.ended_tasks,
    s.failed_tasks,
    s.components,
    s.unhealthy_components,
    s.evaluated_at,
    s.rolled_up_at,
    s.rollups_asked_at,
    (
        select count(*) from monitoring.fleet_wanted_rollups as w
        where w.member_name = m.member_name
    ) as wanted_buckets,
    m.connection_name,
    m.page_url,
    m.every_seconds,
    m.rollups_every_seconds,
    m.timeout_seconds,
    m.is_enabled,
    s.next_pull_at,
    m.is_enabled and s.next_pull_at <= c.now as is_due,
    m.changed_by,
    m.changed_at
from monitoring.fleet_members as m
inner join monitoring.fleet_member_states as s on m.member_name = s.member_name
cross join lateral (
    select
        n.now,
        make_interval(secs => m.every_seconds) + monitoring._fleet_grace() as patience
    from (select monitoring.clock() as now) as n
) as c;

comment on view monitoring.v_fleet_members is
'Members of the fleet, how fresh what is known of each is, and the figures that each told last. '
'Where is_known is false, that nothing is wrong there means nothing.';
comment on column monitoring.v_fleet_members.member_name is
'Name of the member.';
comment on column monitoring.v_fleet_members.state is
'current, stale (its own rules or jobs are late), silent (not heard for long), waiting (not '
'heard yet) or disabled.';
comment on column monitoring.v_fleet_members.is_known is
'Whether it is heard and its rules, jobs and roll-ups are up to date, so that the figures hold '
'now.';
comment on column monitoring.v_fleet_members.heard_at is
'When it last told its state; null when it never has.';
comment on column monitoring.v_fleet_members.seconds_old is
'Seconds since then.';
comment on column monitoring.v_fleet_members.not_current is
'What is not up to date there, in words; null when all is.';
comment on column monitoring.v_fleet_members.last_error is
'Why the newest reading failed; null when it did not.';
comment on column monitoring.v_fleet_members.failed_at is
'When a reading last failed.';
comment on column monitoring.v_fleet_members.consecutive_failures is
'How many readings have failed in a row.';
comment on column monitoring.v_fleet_members.version is
'Version of pgvigil there.';
comment on column monitoring.v_fleet_members.open_alerts is
'How many alerts are open there.';
comment on column monitoring.v_fleet_members.high_alerts is
'How many of them are of severity high.';
comment on column monitoring.v_fleet_members.critical_alerts is
'How many of them are critical.';
comment on column monitoring.v_fleet_members.running_tasks is
'How many tasks run there.';
comment on column monitoring.v_fleet_members.ended_tasks is
'How many attempts ended there in the last 24 hours.';
comment on column monitoring.v_fleet_members.failed_tasks is
'How many of them failed, timed out or got lost.';
comment on column monitoring.v_fleet_members.components is
'How many components are checked there.';
comment on column monitoring.v_fleet_members.unhealthy_components is
'How many of them are unhealthy.';
comment on column monitoring.v_fleet_members.evaluated_at is
'When its alert rules were last evaluated, by its clock.';
comment on column monitoring.v_fleet_members.rolled_up_at is
'When it was last rolled up, by its clock.';
comment on column monitoring.v_fleet_members.rollups_asked_at is
'Up to when changes of its roll-ups are known here; null when none are.';
comment on column monitoring.v_fleet_members.wanted_buckets is
'How many hours and days of its roll-ups are still to be read.';
comment on column monitoring.v_fleet_members.connection_name is
'Name by which the runner finds the address of its database.';
comment on column monitoring.v_fleet_members.page_url is
'Where people find the page of that database; null when unknown.';
comment on column monitoring.v_fleet_members.every_seconds is
'Seconds from one reading to the next.';
comment on column monitoring.v_fleet_members.rollups_every_seconds is
'Seconds from one reading of its roll-ups to the next.';
comment on column monitoring.v_fleet_members.timeout_seconds is
'Seconds that a reading may take.';
comment on column monitoring.v_fleet_members.is_enabled is
'Whether it is read.';
comment on column monitoring.v_fleet_members.next_pull_at is
'When it is to be read next.';
comment on column monitoring.v_fleet_members.is_due is
'Whether that is now.';
comment on column monitoring.v_fleet_members.changed_by is
'Who registered or changed it last.';
comment on column monitoring.v_fleet_members.changed_at is
'When they did.';

create or replace view monitoring.v_fleet_alerts as
select
    a.member_name,
    a.alert_id,
    a.rule_name,
    a.fingerprint,
    a.severity,
    a.status,
    a.summary,
    a.value,
    a.threshold,
    a.unit,
    a.labels,
    a.occurrences,
    a.started_at,
    a.fired_at,
    a.last_seen_at,
    a.acknowledged_at,
    a.acknowledged_by,
    a.acknowledged_note,
    a.suppressed_by,
    a.owner,
    coalesce(a.link, m.page_url || '/alerts/' || a.alert_id) as link,
    d.decided_by as acknowledging_by,
    d.refusal,
    m.is_known,
    m.seconds_old
from monitoring.fleet_alerts as a
inner join monitoring.v_fleet_members as m on a.member_name = m.member_name
left join lateral (
    select
        case when n.settled_at = 'infinity' then n.decided_by end as decided_by,
        case when n.outcome <> 'acknowledged' then n.outcome end as refusal
    from monitoring.fleet_decisions as n
    where n.member_name = a.member_name and n.alert_id = a.alert_id
        and n.started_at = a.started_at
    order by n.decision_id desc
    limit 1
) as d on true
order by
    a.status = 'acknowledged' asc,
    monitoring._severity_rank(a.severity) desc,
    a.fired_at asc,
    a.member_name asc,
    a.alert_id asc;

comment on view monitoring.v_fleet_alerts is
'Open alerts of all members, those first that nobody looks after, the worst first; at most the '
'worst 1,000 of each member.';
comment on column monitoring.v_fleet_alerts.member_name is
'Member that has the alert.';
comment on column monitoring.v_fleet_alerts.alert_id is
'Number of the alert there.';
comment on column monitoring.v_fleet_alerts.rule_name is
'Rule that found it.';
comment on column monitoring.v_fleet_alerts.fingerprint is
'What the rule found.';
comment on column monitoring.v_fleet_alerts.severity is
'low, medium, high or critical.';
comment on column monitoring.v_fleet_alerts.status is
'firing or acknowledged.';
comment on column monitoring.v_fleet_alerts.summary is
'What is wrong, in a sentence.';
comment on column monitoring.v_fleet_alerts.value is
'Measured value, in the unit of the rule.';
comment on column monitoring.v_fleet_alerts.threshold is
'Threshold that it passed, in the unit of the rule.';
comment on column monitoring.v_fleet_alerts.unit is
'Unit of value and threshold.';
comment on column monitoring.v_fleet_alerts.labels is
'Object of labels.';
comment on column monitoring.v_fleet_alerts.occurrences is
'How often it has been found.';
comment on column monitoring.v_fleet_alerts.started_at is
'When it was first found.';
comment on column monitoring.v_fleet_alerts.fired_at is
'When it fired.';
comment on column monitoring.v_fleet_alerts.last_seen_at is
'When it was last found.';
comment on column monitoring.v_fleet_alerts.acknowledged_at is
'Since when somebody looks after it.';
comment on column monitoring.v_fleet_alerts.acknowledged_by is
'Who does.';
comment on column monitoring.v_fleet_alerts.acknowledged_note is
'What they said.';
comment on column monitoring.v_fleet_alerts.suppressed_by is
'Why the member tells nobody of it.';
comment on column monitoring.v_fleet_alerts.owner is
'Who is to look after it.';
comment on column monitoring.v_fleet_alerts.link is
'Where the page of the member shows it; null when nobody said where that is.';
comment on column monitoring.v_fleet_alerts.acknowledging_by is
'Who has acknowledged it here while the member has yet to hear of it.';
comment on column monitoring.v_fleet_alerts.refusal is
'Why the member did not take the newest acknowledgement made here.';
comment on column monitoring.v_fleet_alerts.is_known is
'Whether the member is heard and up to date, so that this holds now.';
comment on column monitoring.v_fleet_alerts.seconds_old is
'Seconds since the member told it.';

create or replace view monitoring.v_fleet_tasks as
select
    t.member_name,
    t.task_id,
    t.task_type,
    t.attempt,
    t.worker_id,
    t.start_time,
    t.items_done,
    t.items_total,
    t.heartbeat_at,
    t.progress_at,
    m.is_known,
    m.seconds_old
from monitoring.fleet_tasks as t
inner join monitoring.v_fleet_members as m on t.member_name = m.member_name;

comment on view monitoring.v_fleet_tasks is
'Tasks that run at members; at most the oldest 1,000 of each.';
comment on column monitoring.v_fleet_tasks.member_name is
'Member where it runs.';
comment on column monitoring.v_fleet_tasks.task_id is
'Name of the task.';
comment on column monitoring.v_fleet_tasks.task_type is
'What kind of task it is.';
comment on column monitoring.v_fleet_tasks.attempt is
'Number of the attempt, from 1.';
comment on column monitoring.v_fleet_tasks.worker_id is
'Who runs it.';
comment on column monitoring.v_fleet_tasks.start_time is
'When it began.';
comment on column monitoring.v_fleet_tasks.items_done is
'How many items are done.';
comment on column monitoring.v_fleet_tasks.items_total is
'How many there are.';
comment on column monitoring.v_fleet_tasks.heartbeat_at is
'When it was last heard of.';
comment on column monitoring.v_fleet_tasks.progress_at is
'When more was last done.';
comment on column monitoring.v_fleet_tasks.is_known is
'Whether the member is heard and up to date, so that this holds now.';
comment on column monitoring.v_fleet_tasks.seconds_old is
'Seconds since the member told it.';

create or replace view monitoring.v_fleet_health as
select
    h.member_name,
    h.component_type,
    h.component_name,
    h.status,
    h.checked_at,
    h.response_time_ms,
    h.failure_reason,
    m.is_known,
    m.seconds_old
from monitoring.fleet_components as h
inner join monitoring.v_fleet_members as m on h.member_name = m.member_name;

comment on view monitoring.v_fleet_health is
'Health of the components of all members; at most the worst 1,000 of each.';
comment on column monitoring.v_fleet_health.member_name is
'Member that checks it.';
comment on column monitoring.v_fleet_health.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.v_fleet_health.component_name is
'Which component was checked.';
comment on column monitoring.v_fleet_health.status is
'healthy, degraded, unhealthy or unknown.';
comment on column monitoring.v_fleet_health.checked_at is
'When it was last checked.';
comment on column monitoring.v_fleet_health.response_time_ms is
'Milliseconds until the component answered.';
comment on column monitoring.v_fleet_health.failure_reason is
'What was wrong.';
comment on column monitoring.v_fleet_health.is_known is
'Whether the member is heard and up to date, so that this holds now.';
comment on column monitoring.v_fleet_health.seconds_old is
'Seconds since the member told it.';

create or replace view monitoring.v_fleet_workflow_days as
select
    w.member_name,
    w.workflow_name,
    w.business_date,
    w.is_enabled,
    w.steps,
    w.complete,
    w.running,
    w.late,
    w.failed,
    w.seen_at,
    w.seen_at = m.heard_at as is_today,
    m.is_known
from monitoring.fleet_workflow_days as w
inner join monitoring.v_fleet_members as m on w.member_name = m.member_name;

comment on view monitoring.v_fleet_workflow_days is
'Business days of the workflows of all members: today, and those before as they were last seen.';
comment on column monitoring.v_fleet_workflow_days.member_name is
'Member that has the workflow.';
comment on column monitoring.v_fleet_workflow_days.workflow_name is
'Name of the workflow.';
comment on column monitoring.v_fleet_workflow_days.business_date is
'The business day.';
comment on column monitoring.v_fleet_workflow_days.is_enabled is
'Whether its steps are expected.';
comment on column monitoring.v_fleet_workflow_days.steps is
'How many steps it has.';
comment on column monitoring.v_fleet_workflow_days.complete is
'Steps that are complete.';
comment on column monitoring.v_fleet_workflow_days.running is
'Steps that run.';
comment on column monitoring.v_fleet_workflow_days.late is
'Steps that were due and have not begun.';
comment on column monitoring.v_fleet_workflow_days.failed is
'Steps whose newest run did not complete.';
comment on column monitoring.v_fleet_workflow_days.seen_at is
'When the member last told of it.';
comment on column monitoring.v_fleet_workflow_days.is_today is
'Whether that was at the last reading.';
comment on column monitoring.v_fleet_workflow_days.is_known is
'Whether the member is heard and up to date, so that today holds now.';

create or replace view monitoring.v_fleet_decisions as
select
    d.decision_id,
    d.member_name,
    d.alert_id,
    d.note,
    d.decided_by,
    d.decided_at,
    nullif(d.settled_at, 'infinity') as settled_at,
    d.outcome
from monitoring.fleet_decisions as d;

comment on view monitoring.v_fleet_decisions is
'Acknowledgements made here of alerts of members, and what became of each.';
comment on column monitoring.v_fleet_decisions.decision_id is
'Number of the decision.';
comment on column monitoring.v_fleet_decisions.member_name is
'Member that has the alert.';
comment on column monitoring.v_fleet_decisions.alert_id is
'Number of the alert there.';
comment on column monitoring.v_fleet_decisions.note is
'What they said.';
comment on column monitoring.v_fleet_decisions.decided_by is
'Who looks after the alert.';
comment on column monitoring.v_fleet_decisions.decided_at is
'When they said so.';
comment on column monitoring.v_fleet_decisions.settled_at is
'When the member had it, or refused it; null before.';
comment on column monitoring.v_fleet_decisions.outcome is
'What became of it there: acknowledged, or why not; null before.';
