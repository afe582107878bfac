-- Rules about tasks over times past: what backtests know, and what they cannot.

begin;
select plan(9);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

-- The limits of all types for this one too.
select monitoring.set_alert_thresholds('slow_processing', '{}', '{"task_type": "etl"}');

create function pg_temp.would_have_fired(
    p_rule_name text, p_from timestamptz, p_to timestamptz default '2026-01-15 12:00+00'
) returns text[]
language sql
as $$
    select array_agg(
        format(
            '%s %s %s %s-%s', b.fingerprint, b.severity, round(b.worst_value),
            to_char(b.fired_at at time zone 'UTC', 'HH24:MI'),
            to_char(b.resolved_at at time zone 'UTC', 'HH24:MI')
        )
        order by b.fired_at, b.fingerprint
    )
    from monitoring.backtest_alert_rule(p_rule_name, p_from, p_to) as b
$$;

select pg_temp.ended('etl', 'completed', '2026-01-15 09:00+00', 4000);
select pg_temp.ended('etl', 'failed', '2026-01-15 09:10+00', 100);
select pg_temp.ended('etl', 'failed', '2026-01-15 09:20+00', 100);
select pg_temp.ended('etl', 'timeout', '2026-01-15 09:30+00', 100);
select pg_temp.ended('etl', 'completed', '2026-01-15 09:40+00', 100);

-- Behaviour

select is(
    pg_temp.would_have_fired('slow_processing', '2026-01-15 08:55+00', '2026-01-15 10:05+00'),
    array['etl critical 4000 09:00-10:00'],
    'a window slides over the past as it did then'
);
select is(
    pg_temp.would_have_fired('long_running_task', '2026-01-15 08:40+00', '2026-01-15 09:10+00'),
    array['task 1#1 medium 3940 08:54-09:00'],
    'a task that has ended since was running then'
);
select is(
    pg_temp.would_have_fired('consecutive_failures', '2026-01-15 09:15+00', '2026-01-15 09:45+00'),
    array['etl high 3 09:30-09:40'],
    'failures in a row end with what completed then'
);
select pg_temp.roll_up_own('tasks');
select is(
    pg_temp.would_have_fired('slow_processing', '2026-01-15 08:55+00', '2026-01-15 10:05+00')
    || pg_temp.would_have_fired('long_running_task', '2026-01-15 08:40+00', '2026-01-15 09:10+00')
    || pg_temp.would_have_fired(
        'consecutive_failures', '2026-01-15 09:15+00', '2026-01-15 09:45+00'
    ),
    array[
        'etl critical 4000 09:00-10:00', 'task 1#1 medium 3940 08:54-09:00',
        'etl high 3 09:30-09:40'
    ],
    'rolled up it is the same'
);
delete from monitoring.rollups where resolution = 'minute';
update monitoring.rollup_progress set rolled_up_at = '2026-02-15 12:00+00';
select is(
    pg_temp.would_have_fired('slow_processing', '2026-01-15 08:55+00', '2026-01-15 10:05+00')
    || pg_temp.would_have_fired(
        'consecutive_failures', '2026-01-15 09:15+00', '2026-01-15 09:45+00'
    ),
    array['etl critical 4000 09:00-10:00', 'etl high 3 09:30-09:40'],
    'as when minutes are no longer stored'
);
select pg_temp.forget_roll_ups();

-- Runs that are expected, from when on they are

select pg_temp.set_clock('2026-01-15 06:00+00');
select monitoring.define_expected_runs('etl', '0 * * * *');
select pg_temp.set_clock('2026-01-15 12:00+00');
select is(
    (pg_temp.would_have_fired('missed_run', '2026-01-15 05:55+00', '2026-01-15 07:50+00'))[1],
    'etl high 3000 07:05-',
    'runs that did not begin were missed from the end of their grace on'
);

-- What the past does not tell

select monitoring.start_task_tracking('now', 'etl', p_started_at => '2026-01-15 10:00+00');
select is(
    pg_temp.would_have_fired('task_stuck', '2026-01-15 10:00+00'),
    array['now#1 critical 7200 11:00-'],
    'a task that has not got further to this day was stuck'
);
select monitoring.update_task_progress('now', 1);
select is(
    pg_temp.would_have_fired('task_stuck', '2026-01-15 10:00+00'), null,
    'of one that has since, it is not known'
);
select is_empty(
    $$
        select b.* from monitoring.alert_rules as r
        cross join lateral monitoring.backtest_alert_rule(
            r.rule_name, '2026-01-01 00:00+00', '2026-01-01 01:00+00', '10 minutes'
        ) as b
        where r.family = 'processing'
    $$,
    'every rule can look at a time of which there is nothing'
);

select * from finish(); -- noqa: AM04
rollback;
