-- Reading alerts: those that are open, all there are, what became of them, and the rules.

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

create or replace view monitoring.v_alert_rules as
select
    r.rule_name,
    r.family,
    r.description,
    r.query,
    r.unit,
    r.comparison,
    t.thresholds,
    o.overrides,
    r.parameters,
    r.for_seconds,
    r.for_evaluations,
    r.keep_firing_seconds,
    r.no_data,
    r.on_error,
    r.time_limit_seconds,
    r.is_enabled,
    d.changed_by,
    d.changed_at,
    s.evaluated_at,
    s.duration_ms,
    s.findings,
    s.evaluations,
    s.failures,
    s.consecutive_failures,
    s.last_error,
    s.last_failed_at,
    s.paused_until_at,
    c.pending,
    c.firing,
    coalesce((r.shipped ->> 'has_past')::boolean, true) as has_past,
    case
        when r.family = 'own' then 'what its query does not find any more, or reads without clock()'
        else r.shipped ->> 'unknown_past'
    end as unknown_past
from monitoring.alert_rules as r
left join monitoring.alert_rule_states as s on r.rule_name = s.rule_name
cross join
    lateral (
        select
            count(*) filter (where a.status = 'pending') as pending,
            count(*) filter (where a.status = 'firing') as firing
        from monitoring.raised_alerts as a
        where a.rule_name = r.rule_name and a.resolved_at = 'infinity'
    ) as c
left join
    lateral (
        select
            jsonb_strip_nulls(
                coalesce(h.shipped, '{}') || coalesce(h.decided, '{}')
            ) as thresholds
        from monitoring.alert_thresholds as h
        where h.rule_name = r.rule_name and h.labels = '{}' and not h.is_empty
    ) as t
    on true
cross join
    lateral (
        select
            coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'labels', h.labels,
                        'thresholds', jsonb_strip_nulls(
                            coalesce(h.shipped, '{}') || coalesce(h.decided, '{}')
                        )
                    )
                    order by h.labels
                ),
                '[]'
            ) as overrides
        from monitoring.alert_thresholds as h
        where h.rule_name = r.rule_name and h.labels <> '{}' and not h.is_empty
    ) as o
cross join
    lateral (
        select
            (array_agg(w.changed_by order by w.changed_at desc nulls last))[1] as changed_by,
            max(w.changed_at) as changed_at
        from (
            select
                r.changed_by,
                r.changed_at
            union all
            select
                h.changed_by,
                h.changed_at
            from monitoring.alert_thresholds as h
            where h.rule_name = r.rule_name
        ) as w
    ) as d;

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

comment on view monitoring.v_alert_rules is
'The alert rules, with their thresholds, how their last evaluation went and what is open.';
comment on column monitoring.v_alert_rules.rule_name is
'Name of the rule.';
comment on column monitoring.v_alert_rules.family is
'errors, processing, health, queues or self for built-in rules, own for those that users made.';
comment on column monitoring.v_alert_rules.description is
'What it is about, and what to do.';
comment on column monitoring.v_alert_rules.query is
'Query that finds, for the users'' own rules.';
comment on column monitoring.v_alert_rules.unit is
'Unit of values and thresholds; null for a mere number.';
comment on column monitoring.v_alert_rules.comparison is
'How a value passes a threshold: >, >=, < or <=.';
comment on column monitoring.v_alert_rules.thresholds is
'Object of thresholds by severity; null when there are none for all findings.';
comment on column monitoring.v_alert_rules.overrides is
'Array of objects of labels and the thresholds that count for findings with those.';
comment on column monitoring.v_alert_rules.parameters is
'Object of what the rule goes by.';
comment on column monitoring.v_alert_rules.for_seconds is
'Seconds for which it must have been found before it fires.';
comment on column monitoring.v_alert_rules.for_evaluations is
'Number of evaluations in a row that must have found it before it fires.';
comment on column monitoring.v_alert_rules.keep_firing_seconds is
'Seconds for which it must have been gone before it resolves.';
comment on column monitoring.v_alert_rules.no_data is
'What it means to have nothing to measure: ok, keep or alert.';
comment on column monitoring.v_alert_rules.on_error is
'What becomes of its alerts while the rule fails: keep or ok.';
comment on column monitoring.v_alert_rules.time_limit_seconds is
'Seconds after which an evaluation is cancelled, or counts as failed.';
comment on column monitoring.v_alert_rules.is_enabled is
'Whether it is evaluated.';
comment on column monitoring.v_alert_rules.changed_by is
'Who made it, or changed it or its thresholds last; null as shipped.';
comment on column monitoring.v_alert_rules.changed_at is
'When that was; null as shipped.';
comment on column monitoring.v_alert_rules.evaluated_at is
'When it was last evaluated; null when it never was.';
comment on column monitoring.v_alert_rules.duration_ms is
'Milliseconds that this took.';
comment on column monitoring.v_alert_rules.findings is
'How many findings there were, before thresholds.';
comment on column monitoring.v_alert_rules.evaluations is
'How often it has been evaluated.';
comment on column monitoring.v_alert_rules.failures is
'How often that failed.';
comment on column monitoring.v_alert_rules.consecutive_failures is
'How often it has failed since it last succeeded.';
comment on column monitoring.v_alert_rules.last_error is
'Why the last evaluation failed; null when it did not.';
comment on column monitoring.v_alert_rules.last_failed_at is
'When one last failed.';
comment on column monitoring.v_alert_rules.paused_until_at is
'Not evaluated before, since it exceeded its time limit.';
comment on column monitoring.v_alert_rules.pending is
'How many of its alerts are pending.';
comment on column monitoring.v_alert_rules.firing is
'How many of its alerts fire.';
comment on column monitoring.v_alert_rules.has_past is
'Whether a backtest can tell anything; false when it goes by what is known at present only.';
comment on column monitoring.v_alert_rules.unknown_past is
'What a backtest does not know of the past; null when it knows what the rule knew.';
