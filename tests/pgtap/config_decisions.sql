-- A configuration is what people decided; complete it has what is as shipped as well.

begin;
select plan(26);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- Nothing is decided at first

select is(
    (
        select jsonb_object_agg(s.key, s.value)
        from jsonb_each(monitoring.get_config()) as s
        where s.value not in ('{}', '[]', 'null')
    ),
    null,
    'of a new database nothing is decided'
);
select ok(
    (monitoring.get_config(true) ->> 'is_complete')::boolean,
    'a complete one says that it is complete'
);
select is_empty(
    $$
        select s.section from monitoring._config_sections() as s
        where to_regproc(format('monitoring._whole_%s_config', s.section)) is null
            and monitoring._config_section(s.section, true)
            is distinct from monitoring._config_section(s.section, false)
    $$,
    'what has nothing shipped is the same either way'
);

-- What is said is decided, as shipped or not

set local role monitoring_operator;
select is(
    monitoring.apply_config('{
        "alert_thresholds": {"queue_backlog": {"critical": 500}, "error_rates": {"low": 5}},
        "rules": {
            "task_failed": {"is_enabled": true, "parameters": {"window_minutes": 90}},
            "task_stuck": {"thresholds": {"critical": 3600}}
        },
        "retention": {"log_lines": "30 days", "errors": {"low": "30 days", "high": "1 year"}},
        "inhibitions": [
            {"source_rule": "task_stuck", "target_rule": "long_running_task", "is_enabled": false},
            {"source_rule": "job_failed", "target_rule": "job_late", "equal_labels": ["job"]}
        ],
        "jobs": {"roll_up": {"is_enabled": true}, "clean_up": {"schedule": "1 hour"}},
        "change_sources": {"MANUAL": "The desk."}
    }'),
    '{
        "alert_thresholds.queue_backlog": {"from": null, "to": {"critical": 500}},
        "alert_thresholds.error_rates.low": {"from": 25, "to": 5},
        "rules.task_failed.parameters.window_minutes": {"from": 1440, "to": 90},
        "rules.task_stuck": {"from": null, "to": {"thresholds": {"critical": 3600}}},
        "retention.log_lines": {"from": null, "to": "30 days"},
        "retention.errors.high": {"from": "60 days", "to": "1 year"},
        "jobs.roll_up": {"from": null, "to": {"is_enabled": true}},
        "inhibitions": {"from": [], "to": [
            {"source_rule": "job_failed", "target_rule": "job_late", "equal_labels": ["job"]},
            {"source_rule": "task_stuck", "target_rule": "long_running_task",
                "equal_labels": ["task_id"], "is_enabled": false}
        ]},
        "jobs.clean_up.schedule": {"from": "10 minutes", "to": "1 hour"},
        "change_sources.MANUAL": {"from": "A person.", "to": "The desk."}
    }'::jsonb,
    'what changes is told, and what is decided as it is shipped'
);
reset role;

create temporary table decided as select monitoring.get_config() as config;

select is(
    (
        select jsonb_object_agg(s.key, s.value)
        from decided cross join jsonb_each(config) as s
        where s.value not in ('{}', '[]', 'null')
    ),
    '{
        "alert_thresholds": {"queue_backlog": {"critical": 500}, "error_rates": {"low": 5}},
        "rules": {
            "task_failed": {"is_enabled": true, "parameters": {"window_minutes": 90}},
            "task_stuck": {"thresholds": {"critical": 3600}}
        },
        "retention": {"log_lines": "30 days", "errors": {"low": "30 days", "high": "1 year"}},
        "inhibitions": [
            {"source_rule": "job_failed", "target_rule": "job_late", "equal_labels": ["job"]},
            {"source_rule": "task_stuck", "target_rule": "long_running_task",
                "equal_labels": ["task_id"], "is_enabled": false}
        ],
        "jobs": {"roll_up": {"is_enabled": true}, "clean_up": {"schedule": "1 hour"}},
        "change_sources": {"MANUAL": "The desk."}
    }'::jsonb,
    'the configuration is what was said, and no more'
);
select is(
    (select monitoring.apply_config(config) from decided), '{}'::jsonb,
    'applying it changes nothing'
);
select results_eq(
    $$select low, medium, high, critical from monitoring.alert_thresholds
    where rule_name = 'errors_per_hour'$$,
    'values (5::float8, 50::float8, 75::float8, 100::float8)',
    'of thresholds, those that were not named are as shipped'
);
select results_eq(
    $$select section, name, settings ->> 'schedule', decided
    from monitoring.monitoring_config
    where section = 'jobs' and name in ('clean_up', 'make_partitions') order by 2$$,
    $$values ('jobs', 'clean_up', '1 hour', '{"schedule": "1 hour"}'::jsonb),
        ('jobs', 'make_partitions', '1 hour', null)$$,
    'the view has both: what counts, and what was decided of it'
);
select set_eq(
    $$
        select 'rule ' || rule_name as what, changed_by, changed_at from monitoring.v_alert_rules
        where changed_at is not null
        union all
        select 'job ' || job_name, changed_by, changed_at from monitoring.v_jobs
        where changed_at is not null
        union all
        select concat_ws(' ', 'retention', table_name, category), changed_by, changed_at
        from monitoring.v_retention where changed_at is not null
        union all
        select 'inhibition ' || source_rule || ' ' || is_enabled, changed_by, changed_at
        from monitoring.v_inhibitions where changed_at is not null
        union all
        select 'change source ' || change_source, changed_by, changed_at
        from monitoring.v_change_sources where changed_at is not null
    $$,
    $$
        select what, session_user::text, '2026-01-15 12:00+00'::timestamptz
        from unnest(array[
            'change source MANUAL', 'inhibition job_failed true', 'inhibition task_stuck false',
            'job clean_up', 'job roll_up', 'retention errors high', 'retention errors low',
            'retention log_lines ', 'rule errors_per_hour', 'rule queue_backlog',
            'rule task_failed', 'rule task_stuck'
        ]) as w (what)
    $$,
    'who decided it and when is shown, and nobody as shipped'
);

-- A complete one decides what it says otherwise

create temporary table complete as select monitoring.get_config(true) as config;

select monitoring.reset_alert_rule(r.rule_name) from monitoring.v_alert_rules as r;
select monitoring.reset_job(j.job_name) from monitoring.v_jobs as j;
select monitoring.reset_retention(r.table_name, r.category) from monitoring.v_retention as r;
select monitoring.reset_inhibition(i.source_rule, i.target_rule)
from monitoring.v_inhibitions as i;
select monitoring.define_change_source('MANUAL', null);
select is(
    (
        select jsonb_object_agg(s.key, s.value)
        from jsonb_each(monitoring.get_config()) as s
        where s.value not in ('{}', '[]', 'null')
    ),
    null,
    'all can be taken back'
);
select lives_ok(
    'select monitoring.apply_config(config) from complete', 'a complete configuration is applied'
);
select is(
    monitoring.get_config(true), (select config from complete), 'then all counts as it says'
);
select is(
    (
        select jsonb_object_agg(s.key, s.value)
        from jsonb_each(monitoring.get_config()) as s
        where s.value not in ('{}', '[]', 'null')
    ),
    '{
        "alert_thresholds": {"error_rates": {"low": 5}},
        "rules": {"task_failed": {"parameters": {"window_minutes": 90}}},
        "retention": {"errors": {"high": "1 year"}},
        "inhibitions": [
            {"source_rule": "job_failed", "target_rule": "job_late", "equal_labels": ["job"]},
            {"source_rule": "task_stuck", "target_rule": "long_running_task",
                "equal_labels": ["task_id"], "is_enabled": false}
        ],
        "jobs": {"clean_up": {"schedule": "1 hour"}},
        "change_sources": {"MANUAL": "The desk."}
    }'::jsonb,
    'and only what is not as shipped is decided'
);

-- Null takes back, and what is no longer listed as well

select lives_ok(
    $$select monitoring.apply_config('{
        "alert_thresholds": {"error_rates": null},
        "rules": {"task_failed": null},
        "retention": {"errors": {"high": null}},
        "inhibitions": [],
        "jobs": {"clean_up": null},
        "change_sources": {"MANUAL": null}
    }')$$,
    'a configuration takes decisions back'
);
select is(
    monitoring.get_config(true) - 'is_complete',
    (
        select jsonb_object_agg(s.section, monitoring._config_section(s.section, true))
        from monitoring._config_sections() as s
    ),
    'a section at a time or all at once it is the same'
);
select is_empty(
    $$select section, name from monitoring.monitoring_config where decided is not null$$,
    'then nothing is decided any more'
);
select set_eq(
    'select source_rule, target_rule from monitoring.v_inhibitions where is_enabled',
    $$
        values ('item_success_rate_low', 'item_error_rate_high'),
            ('scheduler_late', 'cleanup_late'), ('scheduler_late', 'job_late'),
            ('scheduler_late', 'partitions_missing'), ('scheduler_late', 'rollups_late'),
            ('success_rate_low', 'error_rate_high'), ('task_stuck', 'long_running_task')
    $$,
    'and inhibitions are as shipped'
);

-- Single settings

select monitoring.change_alert_rule(
    'task_failed', '{"for_seconds": 60, "parameters": {"window_minutes": 90, "by": "task"}}'
);
select monitoring.change_alert_rule(
    'task_failed', '{"for_seconds": null, "parameters": {"by": null}}'
);
select is(
    monitoring.get_config() #> '{rules,task_failed}',
    '{"parameters": {"window_minutes": 90}}'::jsonb,
    'a setting or parameter of null is as shipped'
);
select monitoring.disable_alert_rule('task_failed');
select monitoring._switch_alert_rule('task_failed', null);
select monitoring.disable_job('roll_up');
select monitoring._switch_job('roll_up', null);
select is(
    monitoring.get_config() -> 'jobs', '{}'::jsonb, 'so is what is enabled or not for null'
);
select monitoring.set_alert_thresholds('slow_processing', '{}', '{"task_type": "etl"}');
select is(
    (
        select thresholds ->> 'high' from monitoring.v_alert_rules
        where rule_name = 'slow_processing' and overrides = '[]'
    ),
    '600',
    'without thresholds of their own, labels go by those of all'
);
select monitoring.set_alert_thresholds('slow_processing', null, '{"task_type": "etl"}');
select is(
    (
        select overrides #>> '{0,thresholds,high}' from monitoring.v_alert_rules
        where rule_name = 'slow_processing'
    ),
    '7200',
    'null is what is shipped for them'
);

-- Refusals

select monitoring.create_alert_rule('mine', 'select 1 as fingerprint, 1 as value', '{"low": 1}');
select monitoring.define_job('my job', '1 hour', 'monitoring.roll_up');
select
    results_eq(
        format('select code, message from pg_temp.refusal_of(%L)', call),
        format('select %L, %L', code, message),
        'refused: ' || call
    )
from (
    values
    (
        $$monitoring.reset_alert_rule('mine')$$, 'PV003',
        'rule "mine" is your own, so there is nothing shipped to go back to'
    ),
    (
        $$monitoring.reset_job('my job')$$, 'PV003',
        'job "my job" is your own, so there is nothing shipped to go back to'
    ),
    (
        $$monitoring.remove_job('roll_up')$$, 'PV003',
        'job "roll_up" is built in and cannot be removed'
    ),
    ($$monitoring.reset_job('none')$$, 'PV007', 'there is no job "none"'),
    (
        $$monitoring.reset_retention('none')$$, 'PV007',
        'there is no retention for table "none"'
    )
) as refused (call, code, message);

select * from finish(); -- noqa: AM04
rollback;
