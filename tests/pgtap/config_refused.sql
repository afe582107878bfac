-- What no configuration can say: refused by its full path, with nothing of it applied.

begin;
select plan(57);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

create temporary table fresh as select monitoring.get_config() as config;
grant select on fresh to monitoring_operator;

-- Refusals

select
    results_eq(
        format(
            'select code, message from pg_temp.refusal_of(%L)',
            format('monitoring.apply_config(%L)', config)
        ),
        format('select ''PV009'', %L', message),
        'refused: ' || message
    )
from (
    values
    ('[]', 'configuration is not right: []'),
    (null, 'configuration is not right: null'),
    ('{"x": 1}', 'x is not known'),
    ('{"rules": []}', 'rules is not right: []'),
    ('{"rules": {"": {}}}', 'rules has an impossible name: ""'),
    ('{"rules": {"queue_backlog": 5}}', 'rules.queue_backlog is not right: 5'),
    (
        '{"rules": {"queue_backlog": {"for_secnds": 1}}}',
        'rules.queue_backlog.for_secnds is not known'
    ),
    (
        '{"rules": {"queue_backlog": {"for_seconds": -1}}}',
        'rules.queue_backlog.for_seconds is not right: -1'
    ),
    (
        '{"rules": {"queue_backlog": {"for_seconds": null}}}',
        'rules.queue_backlog.for_seconds is not right: null'
    ),
    (
        '{"rules": {"queue_backlog": {"for_evaluations": 1.5}}}',
        'rules.queue_backlog.for_evaluations is not right: 1.5'
    ),
    (
        '{"rules": {"queue_backlog": {"no_data": "fire"}}}',
        'rules.queue_backlog.no_data is not right: "fire"'
    ),
    (
        '{"rules": {"queue_backlog": {"is_enabled": "yes"}}}',
        'rules.queue_backlog.is_enabled is not right: "yes"'
    ),
    (
        '{"rules": {"queue_backlog": {"thresholds": {"warning": 1}}}}',
        'rules.queue_backlog.thresholds.warning is not known'
    ),
    (
        '{"rules": {"queue_backlog": {"overrides": [{"labels": {}, "thresholds": {"low": 1}}]}}}',
        'rules.queue_backlog.overrides[0].labels is not right: {}'
    ),
    (
        '{"rules": {"queue_backlog": {"overrides": [{"labels": {"a": "b"}}]}}}',
        'rules.queue_backlog.overrides[0] is not right: {"labels": {"a": "b"}}'
    ),
    (
        '{"rules": {"queue_backlog": {"parameters": {"window": 1}}}}',
        'rules.queue_backlog: parameter of the rule is not known: "window"'
    ),
    (
        '{"rules": {"queue_backlog": {"query": "select 1"}}}',
        'rules.queue_backlog: rule "queue_backlog" is built in and has no query'
    ),
    ('{"rules": {"none": {"for_seconds": 1}}}', 'rules.none: there is no alert rule "none"'),
    (
        '{"rules": {"mine": {"query": "select 1", "thresholds": {"low": 1}}}}',
        'rules.mine: the query returns no column "fingerprint"'
    ),
    (
        '{"rules": {"mine": {"query": "select x.y", "thresholds": {"low": 1}}}}',
        'rules.mine: the query cannot be run: missing FROM-clause entry for table "x"'
    ),
    (
        '{"rules": {"queue_backlog": {"thresholds": {"low": 150}}}}',
        'rules.queue_backlog: threshold medium is out of range: 100'
    ),
    (
        '{"alert_thresholds": {"queue_backlog": {"low": 150}}}',
        'alert_thresholds.queue_backlog: threshold medium is out of range: 100'
    ),
    ('{"alert_thresholds": {"backlog": {}}}', 'alert_thresholds.backlog is not known'),
    (
        '{"alert_thresholds": {"error_rates": {"low": "1"}}}',
        'alert_thresholds.error_rates.low is not right: "1"'
    ),
    (
        '{"alert_thresholds": {"error_rates": {"low": 1}},
            "rules": {"errors_per_hour": {"thresholds": {"low": 1}}}}',
        'rules.errors_per_hour.thresholds and alert_thresholds.error_rates are the same'
    ),
    ('{"channels": {"ops": {}}}', 'channels.ops: target is missing: null'),
    ('{"channels": {"ops": {"targets": []}}}', 'channels.ops.targets is not right'),
    (
        '{"channels": {"ops": {"targets": ["mailto://a:b@c"]}}}',
        'channels.ops.targets[0] is not right'
    ),
    ('{"channels": {"ops": {"targets": "mailto://a:b@c"}}}', 'channels.ops.targets is not right'),
    (
        '{"channels": {"ops": {"targets": ["A"], "kind": "sms"}}}',
        'channels.ops.kind is not right: "sms"'
    ),
    (
        '{"channels": {"ops": {"targets": ["A"], "matchers": {"a": 1}}}}',
        'channels.ops.matchers.a is not right: 1'
    ),
    (
        '{"channels": {"ops": {"targets": ["A"], "matchers": {"a": {"regex": "("}}}}}',
        'channels.ops: matchers has the wrong shape: "a": {"regex": "("}'
    ),
    (
        '{"channels": {"ops": {"targets": ["A"], "time_zone": "Mars/Base"}}}',
        'channels.ops: there is no time zone "Mars/Base"'
    ),
    (
        '{"channels": {"ops": {"targets": ["A"], "summary_time": "24:00"}}}',
        'channels.ops.summary_time is not right: "24:00"'
    ),
    (
        '{"channels": {"ops": {"targets": ["A"], "kind": "alertmanager", "repeat_seconds": null}}}',
        'channels.ops: repeat is out of range: null'
    ),
    ('{"silences": {}}', 'silences is not right: {}'),
    (
        '{"silences": [{"matchers": {"a": "b"}}]}',
        'silences[0] is not right: {"matchers": {"a": "b"}}'
    ),
    (
        '{"silences": [{"matchers": {}, "starts_at": "2026-01-15T12:00:00Z"}]}',
        'silences[0].matchers is not right: {}'
    ),
    (
        '{"silences": [{"matchers": {"a": "b"}, "starts_at": "tomorrow"}]}',
        'silences[0].starts_at is not right: "tomorrow"'
    ),
    (
        '{"silences": [{"matchers": {"a": "b"}, "starts_at": "2026-01-32T12:00:00Z",
            "is_until_resolved": true}]}',
        'silences[0]: date/time field value out of range: "2026-01-32T12:00:00Z"'
    ),
    (
        '{"silences": [{"matchers": {"a": "b"}, "starts_at": "2026-01-15T12:00:00Z"}]}',
        'silences[0]: the silence would never end'
    ),
    (
        '{"silences": [{"matchers": {"a": "b"}, "starts_at": "2026-01-18T12:00:00Z",
            "ends_at": "2026-01-17T12:00:00Z"}]}',
        'silences[0]: for is out of range: -1 days'
    ),
    (
        '{"inhibitions": [{"source_rule": "queue_backlog", "target_rule": "none"}]}',
        'inhibitions[0]: there is no alert rule "none"'
    ),
    (
        '{"inhibitions": [{"source_rule": "queue_backlog", "target_rule": "queue_backlog"}]}',
        'inhibitions[0]: target_rule is not known: "queue_backlog"'
    ),
    ('{"retention": {"log_lines": 30}}', 'retention.log_lines is not right: 30'),
    ('{"retention": {"log_lines": "a while"}}', 'retention.log_lines is not right: "a while"'),
    (
        '{"retention": {"log_lines": "1 hour"}}',
        'retention.log_lines: p_keep is out of range: 01:00:00'
    ),
    (
        '{"retention": {"none": "1 day"}}',
        'retention.none: there is no retention for table "none"'
    ),
    (
        '{"retention": {"errors": {"fatal": "9 days"}}}',
        'retention.errors: category is not known: "fatal"'
    ),
    (
        '{"expected_runs": {"etl": {"schedule": "25:00"}}}',
        'expected_runs.etl: hour is out of range: 25'
    ),
    (
        '{"expected_runs": {"etl": {}}}',
        'expected_runs.etl: schedule is missing: null'
    ),
    ('{"jobs": {"none": {"is_enabled": true}}}', 'jobs.none: there is no job "none"'),
    (
        '{"jobs": {"mine": {"procedure": "monitoring.nothing", "schedule": "1 hour"}}}',
        'jobs.mine: there is no function or procedure without arguments "monitoring.nothing"'
    ),
    (
        '{"jobs": {"mine": {"procedure": "monitoring.roll_up"}}}',
        'jobs.mine: schedule is missing: null'
    )
) as bad (config, message);

-- All problems, and nothing of it

select is(
    pg_temp.refusal_of($$monitoring.apply_config('{
        "rules": {"queue_backlog": {"for_seconds": 99, "x": 1, "y": 1}}, "z": 1
    }')$$),
    row(
        'PV009', E'z is not known\nrules.queue_backlog.x is not known\n'
        'rules.queue_backlog.y is not known',
        E'Known there: $schema, alert_owners, alert_thresholds, change_sources, channels, '
        'datasets, error_groups, expected_runs, inhibitions, is_complete, jobs, '
        'merged_error_groups, name_limits, page_url, partitions_ahead, retention, rules, '
        'silences, source_queries, sources, workflows.\n'
        'Known there: comparison, description, for_evaluations, for_seconds, is_enabled, '
        'keep_firing_seconds, no_data, on_error, overrides, parameters, query, thresholds, '
        'time_limit_seconds, unit.'
    )::pg_temp.refusal,
    'all problems are told, each hint once'
);

select is(
    (
        select string_to_array(r.message, E'\n')
        from pg_temp.refusal_of(format('monitoring.apply_config(%L)', (
                select jsonb_object_agg('key ' || chr(64 + i), i) from generate_series(1, 12) as i
            ))) as r
    ),
    array[
        'key A is not known', 'key B is not known', 'key C is not known', 'key D is not known',
        'key E is not known', 'key F is not known', 'key G is not known', 'key H is not known',
        'key I is not known', 'key J is not known', 'and 2 more'
    ],
    'at most ten of them'
);

select is(
    monitoring.get_config(), (select config from fresh),
    'nothing of what is refused is applied, not even what was right'
);

select * from finish(); -- noqa: AM04
rollback;
