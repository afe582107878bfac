-- Reading alerts: those that are open, all there are, and what became of them.

create or replace view monitoring.alerts as
select
    a.alert_id,
    a.rule_name,
    a.fingerprint,
    a.severity,
    a.worst_severity,
    case
        when a.status = 'firing' and a.acknowledged_at is not null then 'acknowledged'
        else a.status
    end as status,
    a.summary,
    a.value,
    a.threshold,
    r.unit,
    a.labels,
    r.family,
    a.occurrences,
    a.started_at,
    a.fired_at,
    a.last_seen_at,
    a.cleared_at,
    a.acknowledged_at,
    a.acknowledged_by,
    a.acknowledged_note,
    nullif(a.resolved_at, 'infinity') as resolved_at,
    a.resolved_by,
    a.resolution,
    a.told,
    a.reason,
    a.owner,
    monitoring._alert_kind(a.rule_name) as kind
from monitoring.raised_alerts as a
left join monitoring.alert_rules as r on a.rule_name = r.rule_name;

create or replace view monitoring.v_active_alerts as
select
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
    s.reason as suppressed_by,
    a.reason,
    a.owner,
    monitoring._date_of_alert(a.labels, a.started_at) as business_date,
    monitoring._alert_link(a.alert_id) as link,
    a.kind
from monitoring.alerts as a
left join monitoring._suppressions_at((select monitoring.clock())) as s on a.alert_id = s.alert_id
where a.status in ('firing', 'acknowledged')
order by
    a.acknowledged_at is not null asc,
    monitoring._severity_rank(a.severity) desc,
    a.fired_at asc,
    a.alert_id asc;

create or replace view monitoring.alert_history as
select
    t.transition_id,
    t.alert_id,
    t.rule_name,
    t.fingerprint,
    t.changed_at,
    t.transition,
    t.severity,
    t.value,
    t.threshold,
    t.labels,
    t.summary,
    t.changed_by,
    t.note,
    t.login_name
from monitoring.alert_transitions as t;

comment on view monitoring.alerts is
'All alerts: pending, firing, acknowledged and, for a while, resolved ones.';
comment on column monitoring.alerts.alert_id is
'Number of the alert.';
comment on column monitoring.alerts.rule_name is
'Rule that found it.';
comment on column monitoring.alerts.fingerprint is
'What the rule found; with the rule it is the alert''s identity.';
comment on column monitoring.alerts.severity is
'low, medium, high or critical, as last found.';
comment on column monitoring.alerts.worst_severity is
'Highest severity that it has had since it fired.';
comment on column monitoring.alerts.status is
'pending (waiting to fire), firing, acknowledged or resolved.';
comment on column monitoring.alerts.summary is
'What is wrong, in a sentence.';
comment on column monitoring.alerts.value is
'Measured value, in the unit of the rule.';
comment on column monitoring.alerts.threshold is
'Threshold that it passed, in the unit of the rule.';
comment on column monitoring.alerts.unit is
'Unit of value and threshold; null for a mere number.';
comment on column monitoring.alerts.labels is
'Object of labels, such as {"queue": "billing"}.';
comment on column monitoring.alerts.family is
'Family of the rule: errors, processing, health, queues, self or own; null when it was dropped.';
comment on column monitoring.alerts.occurrences is
'How many evaluations found it.';
comment on column monitoring.alerts.started_at is
'When it was first found.';
comment on column monitoring.alerts.fired_at is
'When it began to fire; null while pending.';
comment on column monitoring.alerts.last_seen_at is
'When it was last found.';
comment on column monitoring.alerts.cleared_at is
'Since when it has been gone; null while it is there.';
comment on column monitoring.alerts.acknowledged_at is
'When it was acknowledged.';
comment on column monitoring.alerts.acknowledged_by is
'Who acknowledged it.';
comment on column monitoring.alerts.acknowledged_note is
'What they said.';
comment on column monitoring.alerts.resolved_at is
'When it resolved; null while it is open.';
comment on column monitoring.alerts.resolved_by is
'Who resolved it; pgvigil when the condition was gone.';
comment on column monitoring.alerts.resolution is
'Why it resolved.';
comment on column monitoring.alerts.kind is
'What kind of trouble it is: failed, stuck, long (runs for long), late or other.';
comment on column monitoring.alerts.reason is
'Why, such as the last error behind it or how a task goes that takes long; null when nobody said.';
comment on column monitoring.alerts.owner is
'Whose it is: as set_alert_owner() says, else its component; null when nobody said.';
comment on column monitoring.alerts.told is
'What was sent where: an object by channel.';

comment on view monitoring.v_active_alerts is
'Alerts that fire: first those that nobody has acknowledged, of these the worst first, then the '
'longest.';
comment on column monitoring.v_active_alerts.alert_id is
'Number of the alert.';
comment on column monitoring.v_active_alerts.rule_name is
'Rule that found it.';
comment on column monitoring.v_active_alerts.fingerprint is
'What the rule found; with the rule it is the alert''s identity.';
comment on column monitoring.v_active_alerts.severity is
'low, medium, high or critical.';
comment on column monitoring.v_active_alerts.status is
'firing or acknowledged.';
comment on column monitoring.v_active_alerts.summary is
'What is wrong, in a sentence.';
comment on column monitoring.v_active_alerts.value is
'Measured value, in the unit of the rule.';
comment on column monitoring.v_active_alerts.threshold is
'Threshold that it passed, in the unit of the rule.';
comment on column monitoring.v_active_alerts.unit is
'Unit of value and threshold; null for a mere number.';
comment on column monitoring.v_active_alerts.labels is
'Object of labels, such as {"queue": "billing"}.';
comment on column monitoring.v_active_alerts.occurrences is
'How many evaluations found it.';
comment on column monitoring.v_active_alerts.started_at is
'When it was first found.';
comment on column monitoring.v_active_alerts.fired_at is
'When it began to fire.';
comment on column monitoring.v_active_alerts.last_seen_at is
'When it was last found.';
comment on column monitoring.v_active_alerts.acknowledged_at is
'When it was acknowledged.';
comment on column monitoring.v_active_alerts.acknowledged_by is
'Who acknowledged it.';
comment on column monitoring.v_active_alerts.acknowledged_note is
'What they said.';
comment on column monitoring.v_active_alerts.kind is
'What kind of trouble it is: failed, stuck, long (runs for long), late or other.';
comment on column monitoring.v_active_alerts.reason is
'Why, such as the last error behind it or how a task goes that takes long; null when nobody said.';
comment on column monitoring.v_active_alerts.owner is
'Whose it is: as set_alert_owner() says, else its component; null when nobody said.';
comment on column monitoring.v_active_alerts.business_date is
'Business day that it is about; null for what is not a step of a workflow.';
comment on column monitoring.v_active_alerts.link is
'Its address on the page; null until set_page_url() says where that is.';
comment on column monitoring.v_active_alerts.suppressed_by is
'Why it sends no notifications: silence 12, or inhibited by a rule; null when it does.';

comment on view monitoring.alert_history is
'Everything that became of alerts; in order of transition_id it replays to their state.';
comment on column monitoring.alert_history.transition_id is
'Number of the transition, in order.';
comment on column monitoring.alert_history.alert_id is
'Alert that it became of.';
comment on column monitoring.alert_history.rule_name is
'Rule of the alert.';
comment on column monitoring.alert_history.fingerprint is
'Fingerprint of the alert.';
comment on column monitoring.alert_history.changed_at is
'When it happened.';
comment on column monitoring.alert_history.transition is
'pending, dropped (gone while pending), firing, escalated, eased, acknowledged, unacknowledged or '
'resolved.';
comment on column monitoring.alert_history.severity is
'Severity after it.';
comment on column monitoring.alert_history.value is
'Measured value at that time.';
comment on column monitoring.alert_history.threshold is
'Threshold at that time.';
comment on column monitoring.alert_history.labels is
'Labels of the alert.';
comment on column monitoring.alert_history.summary is
'What was wrong.';
comment on column monitoring.alert_history.changed_by is
'Who did it; pgvigil when a rule did.';
comment on column monitoring.alert_history.note is
'What they said, or why it happened.';
comment on column monitoring.alert_history.login_name is
'Database user in whose session it happened, whatever name was given.';
