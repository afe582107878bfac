-- What a configuration changes, and what it leaves alone.

begin;
select plan(27);
\ir helpers/fixed_clock.psql

delete from monitoring.alert_inhibitions;
set local role monitoring_operator;

-- Changes are told

select is(
    monitoring.apply_config('{
        "alert_thresholds": {"queue_backlog": {"low": 10, "medium": null}},
        "rules": {"task_failed": {"for_seconds": 60, "parameters": {"window_minutes": 90}}}
    }'),
    '{
        "alert_thresholds.queue_backlog.low": {"from": 50, "to": 10},
        "alert_thresholds.queue_backlog.medium": {"from": 100, "to": null},
        "rules.task_failed.for_seconds": {"from": 0, "to": 60},
        "rules.task_failed.parameters.window_minutes": {"from": 1440, "to": 90}
    }'::jsonb,
    'an operator is told what changed, by full path'
);

reset role;

select results_eq(
    $$select low, medium, high, critical from monitoring.alert_thresholds
    where rule_name = 'queue_backlog' and labels = '{}'$$,
    'values (10::float8, null::float8, 200::float8, 500::float8)',
    'thresholds that are not named stay, and null removes one'
);

select results_eq(
    $$select for_seconds, parameters ->> 'by', changed_by from monitoring.alert_rules
    where rule_name = 'task_failed'$$,
    format('values (60::float8, ''task_type'', %L)', session_user),
    'and so do other settings of a rule'
);

select lives_ok(
    $$select monitoring.apply_config('{"alert_thresholds": {"error_rates":
        {"low": null, "medium": null, "high": null, "critical": null}}}')$$,
    'null for each severity puts a rule to sleep'
);

select is_empty(
    $$
        select rule_name from monitoring.v_alert_rules
        where rule_name = 'errors_per_hour' and thresholds is not null
    $$,
    'then it has none'
);

-- Rules

select lives_ok(
    $$select monitoring.apply_config('{"rules": {"late": {
        "query": "select ''x'' as fingerprint, 5 as value, ''a'' as shop",
        "thresholds": {"low": 9, "high": 3}, "comparison": "<", "keep_firing_seconds": 300,
        "description": "Ring them.", "unit": "orders",
        "overrides": [{"labels": {"shop": "b"}, "thresholds": {"low": 8}}]
    }}}')$$,
    'a rule with a query is made'
);

select results_eq(
    $$select family, comparison, keep_firing_seconds, description, unit
    from monitoring.alert_rules where rule_name = 'late'$$,
    $$values ('own', '<', 300::float8, 'Ring them.', 'orders')$$,
    'with all that is said of it'
);

select lives_ok(
    $$select monitoring.apply_config('{"rules": {"late": {
        "comparison": ">=", "thresholds": {"low": 3, "high": 9}, "overrides": null
    }}}')$$,
    'comparison and thresholds change together'
);

select results_eq(
    $$select low, high from monitoring.alert_thresholds where rule_name = 'late'$$,
    'values (3::float8, 9::float8)',
    'and null leaves no thresholds for certain labels'
);

select lives_ok(
    $$select monitoring.apply_config('{"rules": {"late": {
        "query": "select ''y'' as fingerprint, 6 as value"}}}')$$,
    'another query takes its place'
);

select results_eq(
    $$select query, comparison from monitoring.alert_rules where rule_name = 'late'$$,
    $$values ('select ''y'' as fingerprint, 6 as value', '>=')$$,
    'while its settings stay'
);

-- Channels

select lives_ok(
    $$select monitoring.apply_config('{"channels": {"ops": {"targets": ["A"], "matchers":
        {"rule": {"regex": "x.*"}}}}}')$$,
    'a channel needs a target and no more'
);

select lives_ok(
    $$select monitoring.apply_config('{"channels": {"ops": {"max_per_hour": null,
        "matchers": {"queue": {"not": ["a"]}}, "is_enabled": false}}}')$$,
    'settings of it change one by one'
);

select results_eq(
    $$select targets, matchers, max_per_hour, repeat_seconds, is_enabled
    from monitoring.notification_channels$$,
    $$values (array['A'], '{"queue": {"not": ["a"]}}'::jsonb, null::integer, 14400::float8,
        false)$$,
    'and matchers as a whole'
);

-- Silences

select monitoring.apply_config('{"silences": [
    {"matchers": {"rule": "late"}, "starts_at": "2026-01-15T00:00:00Z",
        "ends_at": "2026-01-16T00:00:00Z", "note": "works"},
    {"matchers": {"rule": "gone"}, "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2026-01-02T00:00:00Z"}
]}');

select is(
    monitoring.apply_config('{"silences": [{"matchers": {"rule": "late"}, "note": "works",
        "starts_at": "2026-01-15T01:00:00+01:00", "ends_at": "2026-01-15T24:00:00+00:00"}]}'),
    '{}'::jsonb,
    'the same silence is not made again'
);

select results_eq(
    'select matchers, ends_at from monitoring.alert_silences',
    $$values ('{"rule": "late"}'::jsonb, '2026-01-16 00:00+00'::timestamptz)$$,
    'nor is one that has ended'
);

select monitoring.unsilence_alerts(silence_id) from monitoring.alert_silences;

select is(
    monitoring.apply_config('{"silences": [{"matchers": {"rule": "late"}, "note": "works",
        "starts_at": "2026-01-15T00:00:00Z", "ends_at": "2026-01-16T00:00:00Z"}]}'),
    '{}'::jsonb,
    'nor one that somebody has ended'
);

-- Inhibitions

select monitoring.apply_config('{"inhibitions": [
    {"source_rule": "late", "target_rule": "task_failed"},
    {"source_rule": "late", "target_rule": "task_stuck", "equal_labels": ["task_type"]}
]}');
select monitoring.apply_config('{"inhibitions": [
    {"source_rule": "late", "target_rule": "task_stuck", "equal_labels": ["task_id"]}
]}');

select results_eq(
    'select source_rule, target_rule, equal_labels from monitoring.alert_inhibitions',
    $$values ('late', 'task_stuck', array['task_id'])$$,
    'inhibitions are those that are listed'
);

-- Retention

select is(
    monitoring.apply_config('{"retention": {"log_lines": "4 weeks", "errors": {"low": "48 hours",
        "critical": "forever"}, "metric_samples": "7 days"}}'),
    '{
        "retention.errors.critical": {"from": "90 days", "to": "forever"},
        "retention.errors.low": {"from": "30 days", "to": "2 days"},
        "retention.log_lines": {"from": "30 days", "to": "28 days"},
        "retention.metric_samples": {"from": null, "to": "7 days"}
    }'::jsonb,
    'rows are kept for so long, by category where there are some'
);

select results_eq(
    $$select category, keep from monitoring.retention_policies where table_name = 'errors'
    and category in ('low', 'critical') order by 1$$,
    $$values ('critical', null::interval), ('low', '2 days'::interval)$$,
    'or for ever'
);

-- Expected runs and jobs

select monitoring.apply_config('{"expected_runs": {"etl": {"schedule": "0 2 * * *"}}}');
select monitoring.apply_config('{"expected_runs": {"etl": {"grace_seconds": 600}}}');

select results_eq(
    'select schedule, time_zone, grace_seconds, is_enabled from monitoring.expected_runs',
    $$values ('0 2 * * *', 'UTC', 600::float8, true)$$,
    'runs are expected'
);

select lives_ok(
    $$select monitoring.apply_config('{"jobs": {"evaluate_alerts": {"schedule": "*/2 * * * *",
        "time_zone": "Europe/Berlin", "timeout_seconds": 60, "is_enabled": false}}}')$$,
    'jobs get another plan'
);

select results_eq(
    $$select schedule, time_zone, timeout_seconds, is_enabled, procedure_name
    from monitoring.jobs where job_name = 'evaluate_alerts'$$,
    $$values ('*/2 * * * *', 'Europe/Berlin', 60::float8, false, 'monitoring.evaluate_alerts')$$,
    'and go on doing what they did'
);

-- Null removes

select lives_ok(
    $$select monitoring.apply_config('{"rules": {"late": null}, "channels": {"ops": null},
        "expected_runs": {"etl": null}}')$$,
    'null removes what people made'
);

select is_empty(
    $$
        select rule_name from monitoring.alert_rules where rule_name = 'late'
        union all
        select channel_name from monitoring.notification_channels
        union all
        select task_type from monitoring.expected_runs
        union all
        select source_rule from monitoring.alert_inhibitions
    $$,
    'with all that belongs to it'
);

select is(
    monitoring.apply_config('{"rules": {"late": null}, "channels": {"ops": null},
        "expected_runs": {"etl": null}}'),
    '{}'::jsonb,
    'which can be said again'
);

select is(monitoring.apply_config('{}'), '{}'::jsonb, 'nothing changes nothing');

select * from finish(); -- noqa: AM04
rollback;
