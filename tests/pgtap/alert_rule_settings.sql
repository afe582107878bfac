-- Thresholds and settings of rules are data, and nonsense is refused by name.

begin;
select plan(28);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

update monitoring.alert_rules
set shipped = '{"parameters": {"by": "all", "window_minutes": 60}}'
where rule_name = 'load';

-- Behaviour

select monitoring.set_alert_thresholds('load', '{"low": 1.5, "high": 20}');
select monitoring.set_alert_thresholds('load', '{"critical": 5}', '{"queue": "a"}');
select results_eq(
    $$select thresholds, overrides from monitoring.v_alert_rules where rule_name = 'load'$$,
    $$
        values (
            '{"low": 1.5, "high": 20}'::jsonb,
            '[{"labels": {"queue": "a"}, "thresholds": {"critical": 5}}]'::jsonb
        )
    $$,
    'thresholds replace those that were set before for the same labels'
);
select monitoring.set_alert_thresholds('load', '{"low": 7}', '{"queue": "a", "team": "x"}');
select results_eq(
    $$
        select f.fingerprint collate "default", f.severity collate "default", f.threshold
        from monitoring.alert_rules as r
        cross join lateral monitoring._classify(
            r,
            array[
                row('none', 10, '{}', 's', null, null),
                row('one', 10, '{"queue": "a"}', 's', null, null),
                row('two', 10, '{"queue": "a", "team": "x", "more": "y"}', 's', null, null),
                row('own', 10, '{"queue": "a"}', 's', 'medium', 3)
            ]::monitoring.finding []
        ) as f
        where r.rule_name = 'load'
    $$,
    $$
        values ('none', 'low', 1.5::double precision), ('one', 'critical', 5), ('two', 'low', 7),
            ('own', 'medium', 3)
    $$,
    'the thresholds with most labels count, and what a finding says of itself before them'
);
select monitoring.set_alert_thresholds('load', null, '{"queue": "a", "team": "x"}');
select is(
    (select jsonb_array_length(overrides) from monitoring.v_alert_rules where rule_name = 'load'),
    1,
    'null removes them'
);

select monitoring.change_alert_rule(
    'load', '{"for_seconds": 90, "description": "what for", "parameters": {"window_minutes": 5}}'
);
select results_eq(
    $$
        select for_seconds, for_evaluations, description collate "default", parameters,
            changed_by = session_user, changed_at
        from monitoring.v_alert_rules where rule_name = 'load'
    $$,
    $$
        values (90::double precision, 1, 'what for', '{"by": "all", "window_minutes": 5}'::jsonb,
            true, '2026-01-15 12:00+00'::timestamptz)
    $$,
    'settings that are not named stay, and so do parameters'
);
select monitoring.disable_alert_rule('load');
select is(
    (select is_enabled from monitoring.v_alert_rules where rule_name = 'load'), false,
    'a rule can be disabled'
);

-- Refusals

select
    results_eq(
        format(
            $$select r.code, r.message from pg_temp.refusal_of(%L) as r$$, 'monitoring.' || call
        ),
        format('values (%L, %L)', code, message),
        call || ' is refused'
    )
from (
    values
    ('enable_alert_rule(''nonsense'')', 'PV007', 'there is no alert rule "nonsense"'),
    ('enable_alert_rule(null)', 'PV007', 'there is no alert rule null'),
    (
        'set_alert_thresholds(''load'', ''{"fatal": 5}'')', 'PV003',
        'severity of a threshold is not known: "fatal"'
    ),
    (
        'set_alert_thresholds(''load'', ''{"low": "many"}'')', 'PV004',
        'threshold low is out of range: "many"'
    ),
    (
        'set_alert_thresholds(''load'', ''{"low": 1e101}'')', 'PV004',
        'threshold low is out of range: 1' || repeat('0', 101)
    ),
    (
        'set_alert_thresholds(''load'', ''{"low": 5, "high": 4}'')', 'PV004',
        'threshold high is out of range: 4'
    ),
    (
        'set_alert_thresholds(''load'', ''{"low": null}'')', 'PV005',
        'thresholds has the wrong shape: {"low": null}'
    ),
    ('set_alert_thresholds(''load'', ''[5]'')', 'PV005', 'thresholds has the wrong shape: [5]'),
    (
        'set_alert_thresholds(''load'', ''{"low": 5}'', ''{"queue": 5}'')', 'PV005',
        'labels has the wrong shape: {"queue": 5}'
    ),
    (
        'change_alert_rule(''load'', ''{"for_secs": 5}'')', 'PV003',
        'setting of the rule is not known: "for_secs"'
    ),
    (
        'change_alert_rule(''load'', ''{"for_seconds": -1}'')', 'PV004',
        'for_seconds is out of range: -1'
    ),
    (
        'change_alert_rule(''load'', ''{"for_evaluations": 1.5}'')', 'PV004',
        'for_evaluations is out of range: 1.5'
    ),
    (
        'change_alert_rule(''load'', ''{"time_limit_seconds": 0}'')', 'PV004',
        'time_limit_seconds is out of range: 0'
    ),
    (
        'change_alert_rule(''load'', ''{"keep_firing_seconds": "1"}'')', 'PV004',
        'keep_firing_seconds is out of range: "1"'
    ),
    ('change_alert_rule(''load'', ''{"no_data": "x"}'')', 'PV003', 'no_data is not known: "x"'),
    (
        'change_alert_rule(''load'', ''{"is_enabled": "true"}'')', 'PV003',
        'is_enabled is not known: "true"'
    ),
    (
        'change_alert_rule(''load'', ''{"comparison": "="}'')',
        'PV003',
        'comparison is not known: "="'
    ),
    (
        'change_alert_rule(''load'', ''{"comparison": "<"}'')', 'PV004',
        'threshold high is out of range: 20'
    ),
    ('change_alert_rule(''load'', ''{"unit": 5}'')', 'PV005', 'unit has the wrong shape: 5'),
    ('change_alert_rule(''load'', ''5'')', 'PV005', 'settings has the wrong shape: 5'),
    (
        'change_alert_rule(''load'', ''{"parameters": {"windo": 5}}'')', 'PV003',
        'parameter of the rule is not known: "windo"'
    ),
    (
        'change_alert_rule(''load'', ''{"parameters": {"window_minutes": "5"}}'')', 'PV005',
        'parameters has the wrong shape: "window_minutes": "5"'
    ),
    (
        'change_alert_rule(''load'', ''{"parameters": {"window_minutes": -5}}'')', 'PV005',
        'parameters has the wrong shape: "window_minutes": -5'
    )
) as bad (call, code, message);

select * from finish(); -- noqa: AM04
rollback;
