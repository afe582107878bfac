-- The configuration as one document, which makes any database the same.

begin;
select plan(23);
\ir helpers/fixed_clock.psql

create temporary table fresh as select monitoring.get_config(true) as config;

-- What it says

select set_eq(
    'select jsonb_object_keys(config) from fresh',
    $$
        select jsonb_object_keys(monitoring.get_config_schema() -> 'properties')
        except select '$schema'
    $$,
    'all sections of the schema are there'
);

select set_eq(
    'select section from monitoring._config_sections()',
    'select jsonb_object_keys(monitoring.get_config())',
    'each is applied in its turn'
);

select bag_eq(
    $$
        select p.proname::text from pg_proc as p
        where p.pronamespace = 'monitoring'::regnamespace
            and p.proname ~ '^_(configure_.*|(?!whole_).*_config)$'
            and (p.pronargs = 0 or p.proargnames[1:3] = array['p_name', 'p_old', 'p_new'])
    $$,
    $$
        select f.name from monitoring._config_sections() as s
        cross join lateral (
            values ('_' || s.section || '_config'), ('_configure_' || s.section)
        ) as f (name)
    $$,
    'by a function that reads it and one that changes it'
);

select is(
    (select config -> 'alert_thresholds' from fresh),
    '{
        "error_rates": {"low": 25, "medium": 50, "high": 75, "critical": 100},
        "processing_times": {"low": 180, "medium": 300, "high": 600, "critical": 900},
        "queue_backlog": {"low": 50, "medium": 100, "high": 200, "critical": 500}
    }'::jsonb,
    'thresholds that everybody asks for have a section of their own'
);

select results_eq(
    $$select r.rule_name from fresh cross join monitoring.alert_rules as r
    where config #> array['rules', r.rule_name, 'thresholds'] is null order by 1$$,
    $$values ('errors_per_hour'), ('queue_backlog'), ('slow_processing')$$,
    'and are not given twice'
);

select is(
    (select config #> '{rules,queue_backlog}' from fresh),
    (
        select
            jsonb_build_object(
                'description', r.description, 'unit', r.unit, 'comparison', r.comparison,
                'parameters', r.parameters, 'for_seconds', r.for_seconds,
                'for_evaluations', r.for_evaluations, 'keep_firing_seconds', r.keep_firing_seconds,
                'no_data', r.no_data, 'on_error', r.on_error,
                'time_limit_seconds', r.time_limit_seconds, 'is_enabled', r.is_enabled,
                'overrides', '[]'::jsonb
            )
        from monitoring.alert_rules as r where r.rule_name = 'queue_backlog'
    ),
    'a rule has all of its settings'
);

select is(
    (select config #> '{retention,log_lines}' from fresh), '"30 days"'::jsonb,
    'rows that are all kept equally long have a length of time'
);

select is(
    (select config #> '{retention,rollups}' from fresh),
    '{"minute": "2 days", "hour": "90 days", "day": "5 years"}'::jsonb,
    'others have one by category'
);

select is(
    (select config #> '{jobs,evaluate_alerts}' from fresh),
    '{"schedule": "1 minute", "time_zone": "UTC", "is_enabled": true, "timeout_seconds": 300,
        "procedure": "monitoring.evaluate_alerts",
        "description": "Evaluates the alert rules and queues notifications."}'::jsonb,
    'a job has its plan'
);

-- Lengths and times are the same in every session

select
    is(
        monitoring._written_length(length::interval), words,
        format('%s is told as %s', length, words)
    )
from (
    values
    ('1 year 1 mon 1 day 1:01:01', '1 year 1 month 1 day 1 hour 1 minute 1 second'),
    ('2 weeks', '14 days'),
    ('90 min', '1 hour 30 minutes'),
    (null, 'forever')
) as told (length, words);

select
    is(
        monitoring._time_in_utc(at::timestamptz), told, format('%s is told as %s', at, told)
    )
from (
    values
    ('2026-01-15 12:00+01', '2026-01-15T11:00:00Z'),
    ('2026-01-15 12:00:00.05+00', '2026-01-15T12:00:00.05Z'),
    (null, null)
) as t (at, told);

-- Round trips

select is(
    (select monitoring.apply_config(config) from fresh), '{}'::jsonb,
    'applying what it says changes nothing'
);

select is(
    (select count(*) from monitoring.alert_rules where changed_at is not null), 0::bigint,
    'and leaves nobody''s name'
);

select monitoring.apply_config('{
    "alert_thresholds": {"queue_backlog": {"low": 10}},
    "rules": {
        "errors_per_hour": {"for_seconds": 90, "is_enabled": false},
        "slow_processing": {
            "overrides": [{"labels": {"task_type": "etl"}, "thresholds": {"high": 3600}}]
        },
        "mine": {"query": "select 1 as fingerprint, 2 as value", "thresholds": {"low": 1.5}}
    },
    "channels": {
        "ops": {"targets": ["OPS_MAIL", "OPS_CHAT"], "matchers": {"queue": ["a", "b"]},
            "repeat_seconds": null, "summary_time": "07:30", "time_zone": "Europe/Berlin"},
        "quiet": {"targets": ["PAGER"], "has_resolved_notices": false, "is_enabled": false}
    },
    "silences": [
        {"matchers": {"rule": {"regex": "a.*"}}, "starts_at": "2026-01-15T13:00:00+02:00",
            "ends_at": "2026-01-16T00:00:00Z", "note": "works", "created_by": "ann"},
        {"matchers": {"queue": {"not": "x"}}, "starts_at": "2026-01-20T00:00:00Z",
            "is_until_resolved": true}
    ],
    "inhibitions": [{"source_rule": "mine", "target_rule": "queue_backlog"}],
    "retention": {"log_lines": "1 year 6 months", "errors": {"critical": "forever"}},
    "expected_runs": {"etl": {"schedule": "02:30", "grace_seconds": 60}},
    "jobs": {"evaluate_alerts": {"schedule": "30 seconds", "is_enabled": false}}
}');

create temporary table changed as select monitoring.get_config() as config;

select is(
    (select monitoring.apply_config(config) from changed), '{}'::jsonb,
    'applying what it says of a changed database changes nothing either'
);

set local timezone = 'Asia/Kolkata';
set local datestyle = 'SQL, DMY';
set local intervalstyle = 'iso_8601';
set local extra_float_digits = 0;

select is(
    monitoring.get_config(), (select config from changed), 'other sessions read the same'
);

select is(
    (select monitoring.apply_config(config) from changed), '{}'::jsonb, 'and write the same'
);

reset timezone;
reset datestyle;
reset intervalstyle;

-- The view

select results_eq(
    $$select section, name, settings from monitoring.monitoring_config
    where section in ('inhibitions', 'expected_runs') and decided is not null$$,
    $$values
        ('inhibitions', '1', '{"source_rule": "mine", "target_rule": "queue_backlog",
            "equal_labels": []}'::jsonb),
        ('expected_runs', 'etl', '{"schedule": "02:30", "time_zone": "UTC", "is_enabled": true,
            "grace_seconds": 60, "early_seconds": 60, "counts": "starts"}')$$,
    'the view has a row for each entry'
);

set local role monitoring_reader;

select isnt_empty(
    'select section from monitoring.monitoring_config where section = ''rules''',
    'a reader reads it'
);

reset role;

select * from finish(); -- noqa: AM04
rollback;
