-- Times, days and lengths that operators and readers give are checked once; an engine that was
-- given others by earlier code goes on by itself.

begin;
select plan(71);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alerts.psql
\ir helpers/alert_engine.psql
set local timezone = 'UTC';

select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => 'known');
select pg_temp.set_clock('2026-01-15 12:00+00');

-- As of when rules are evaluated

select
    is(
        (pg_temp.refusal_of(format('%s(%L)', call, instant))).code, 'PV006',
        format('%s is as of no time like %s', call, instant)
    )
from unnest(array[
        'evaluate_alerts', 'check_error_rate_alerts', 'check_processing_performance_alerts',
        'check_system_health_alerts', 'check_queue_backlog_alerts', 'resolve_resolved_alerts'
    ]) as call
cross join unnest(array[
    'infinity', '-infinity', '294276-01-01 00:00+00', '4713-01-01 00:00+00 BC',
    '1969-12-31 23:59:59+00', '2026-01-16 12:00:01+00'
]) as instant;
select lives_ok(
    $$select monitoring.evaluate_alerts('2026-01-16 12:00+00')$$, 'a day ahead is as far as it goes'
);
select lives_ok(
    $$select monitoring.evaluate_alerts('1970-01-01 00:00+00')$$, 'and 1970 as far back'
);

-- Other calls

select
    is(
        (pg_temp.refusal_of(call)).code, code, 'refused: ' || call
    )
from (
    values
    ('silence_alerts(''{"rule": "x"}'', ''178000000 years'')', 'PV004'),
    ('silence_alerts(''{"rule": "x"}'', ''-1 second'')', 'PV004'),
    ('silence_alerts(''{"rule": "x"}'', p_starts_at => ''infinity'')', 'PV006'),
    ('mute_error_group(''known'', ''294276-01-01'')', 'PV006'),
    ('mute_error_group(''known'', ''infinity'')', 'PV006'),
    ('set_retention(''log_lines'', ''-1 day'')', 'PV004'),
    ('set_retention(''log_lines'', ''178000000 years'')', 'PV004'),
    ('define_expected_runs(''nightly'', ''02:30'', p_grace => ''178000000 years'')', 'PV004'),
    ('define_job(''j'', ''178000000 years'', ''monitoring.clock'')', 'PV003'),
    ('backtest_alert_rule(''queue_backlog'', ''-infinity'', ''infinity'')', 'PV006'),
    ('get_trend_points(''tasks'', ''-infinity'', ''infinity'')', 'PV006'),
    ('get_trend_resolution(''-infinity'', ''2026-01-15'')', 'PV006'),
    ('get_trend_resolution(''infinity'', ''infinity'')', 'PV006'),
    ('get_trend_resolution(''294276-12-31'', ''4713-01-01 BC'')', 'PV006'),
    ('get_queue_trends(''-infinity'', ''2026-01-15'')', 'PV006'),
    ('get_task_statistics(''294276-01-01'')', 'PV006'),
    ('get_ended_tasks(''-infinity'')', 'PV006'),
    ('get_ended_batch_runs(p_before_time => ''294276-12-31'')', 'PV006'),
    ('get_batch_timeline(''5874897-01-01'')', 'PV004'),
    ('get_batch_performance(''-infinity'')', 'PV004'),
    ('update_daily_summary(''d'', ''5874897-01-01'')', 'PV006'),
    ('update_daily_summary(''d'', ''2030-01-18'')', 'PV006'),
    ('auto_resolve_invalid_records(''d'', ''infinity'')', 'PV006'),
    ('log_invalid_records(''d'', ''["a"]'', ''V'', 0, ''infinity'')', 'PV006'),
    (
        'log_invalid_records(''d'', ''[{"record_key": "a", "target_date": "infinity"}]'', ''V'')',
        'PV006'
    )
) as bad (call, code);
select is(
    monitoring.update_daily_summary('d', '2026-02-16') ->> 'target_date', '2026-02-16',
    'records may be of days to come'
);

-- What earlier code has left

delete from monitoring.alert_transitions;
select pg_temp.see('{"a": 20}');
select pg_temp.evaluate_at('12:01');
update monitoring.alert_rule_states
set evaluated_at = '294276-01-01', paused_until_at = 'infinity', last_failed_at = '-infinity';
update monitoring.raised_alerts
set
    started_at = '-infinity', fired_at = '-infinity', last_seen_at = '294276-01-01',
    told = '{"mail": {"at": "infinity", "severity": "high", "event": "firing"}}';
update monitoring.alert_transitions set changed_at = '294276-01-01';
insert into monitoring.raised_alerts (
    rule_name, fingerprint, status, severity, worst_severity, summary, labels, started_at, fired_at,
    last_seen_at, resolved_at
)
values (
    'load', 'old', 'resolved', 'low', 'low', 's', '{}', '294276-01-01', '294276-01-01',
    '294276-01-01', '294276-01-02'
);
select pg_temp.set_clock('2026-01-15 12:02+00');
set local role monitoring_operator;
select lives_ok('select monitoring.evaluate_alerts()', 'the next evaluation puts it right');
reset role;
select results_eq(
    $$
        select fingerprint, started_at, last_seen_at, resolved_at from monitoring.alerts
        where rule_name = 'load' order by fingerprint
    $$,
    $$
        values
        (
            'a', '2026-01-15 12:02+00'::timestamptz, '2026-01-15 12:02+00'::timestamptz,
            null::timestamptz
        ),
        ('old', '2026-01-15 12:02+00', '2026-01-15 12:02+00', '2026-01-15 12:02+00')
    $$,
    'alerts have times that there are'
);
select is_empty(
    $$select * from monitoring.alert_history where changed_at > '2026-01-15 12:02+00'$$,
    'so has their history'
);
select is_empty(
    $$select * from monitoring.v_alert_rules
    where evaluated_at <> '2026-01-15 12:02+00' and is_enabled and rule_name <> 'rule_failed'$$,
    'no rule is paused for ever'
);
select pg_temp.see('{}');
select pg_temp.set_clock('2026-01-15 12:03+00');
select is(
    monitoring.evaluate_alerts() ->> 'resolved', '1', 'and what is gone resolves'
);

-- Bulk recording has its tables

set local role monitoring_writer;
select
    throws_ok(
        format(
            'select monitoring._record_rows(%L, %L, %L, %L::jsonb)',
            relation,
            view,
            'changed_at',
            '[{}]'
        ),
        'PV003', null, 'rows are not recorded in ' || relation
    )
from (
    values ('jobs', 'v_jobs'), ('alert_rules', 'v_alert_rules')
) as other (relation, view);
reset role;

select * from finish(); -- noqa: AM04
rollback;
