-- The shape in which open alerts are shown. No rule raises any yet, so it has no rows.

create or replace view monitoring.v_active_alerts as
select
    null::bigint as alert_id,
    null::text as rule_name,
    null::text as fingerprint,
    null::text as severity,
    null::text as status,
    null::text as summary,
    null::double precision as value,
    null::double precision as threshold,
    null::jsonb as labels,
    null::bigint as occurrences,
    null::timestamptz as started_at,
    null::timestamptz as last_seen_at,
    null::text as acknowledged_by,
    null::timestamptz as acknowledged_at
where false;

comment on view monitoring.v_active_alerts is
'Alerts that are open, worst first; empty until alert rules are installed.';
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
comment on column monitoring.v_active_alerts.labels is
'Object of labels, such as {"queue": "billing"}.';
comment on column monitoring.v_active_alerts.occurrences is
'How many evaluations found it.';
comment on column monitoring.v_active_alerts.started_at is
'When it was first found.';
comment on column monitoring.v_active_alerts.last_seen_at is
'When it was last found.';
comment on column monitoring.v_active_alerts.acknowledged_by is
'Who acknowledged it.';
comment on column monitoring.v_active_alerts.acknowledged_at is
'When it was acknowledged.';
