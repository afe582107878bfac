-- Rules success_rate_low and error_rate_high: how many of the attempts of the last hour succeeded.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

create function pg_temp.ended_often(
    p_task_type text, p_status text, p_times integer, p_at timestamptz default '2026-01-15 11:30+00'
) returns bigint
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
        'task_id', 'task ' || nextval('pg_temp.task_number'), 'task_type', p_task_type,
        'status', p_status, 'end_time', p_at
    )))
    from generate_series(1, p_times)
$$;

-- Interface

select results_eq(
    $$
        select r.rule_name, t.low, t.medium, t.high, t.critical, r.comparison, r.unit
        from monitoring.alert_rules as r
        inner join monitoring.alert_thresholds as t on r.rule_name = t.rule_name
        where r.rule_name in ('success_rate_low', 'error_rate_high')
        order by 1
    $$,
    $$
        values
        ('error_rate_high', null::float8, 5::float8, null::float8, null::float8, '>', '%'),
        ('success_rate_low', null, null, 90, null, '<', '%')
    $$,
    'below 90 % is too little success, above 5 % too much failure'
);
select is(
    (
        select array_agg(target_rule || ' ' || equal_labels::text) from monitoring.alert_inhibitions
        where source_rule = 'success_rate_low'
    ),
    array['error_rate_high {task_type}'],
    'who is told the one need not be told the other'
);
select is_empty(
    $$
        select * from pg_temp.findings_of('success_rate_low')
        union all
        select * from pg_temp.findings_of('error_rate_high')
    $$,
    'where nothing was recorded there is no rate'
);

-- Behaviour

select pg_temp.ended_often('etl', 'completed', 14);
select pg_temp.ended_often('etl', 'failed', 1);
select pg_temp.ended_often('etl', 'timeout', 2);
select pg_temp.ended_often('etl', 'lost', 1);
select pg_temp.ended_often('etl', 'cancelled', 2);
select pg_temp.ended_often('seldom', 'failed', 9);
select pg_temp.ended_often('bad', 'failed', 10);
select pg_temp.ended_often('good', 'completed', 10);
select pg_temp.ended_often('stopped', 'cancelled', 10);

select results_eq(
    $$select * from pg_temp.values_of('success_rate_low')$$,
    $$values ('bad', 0.000), ('etl', 70.000), ('good', 100.000), ('stopped', 0.000)$$,
    'success is what completed of all that ended, of at least ten'
);
select results_eq(
    $$select * from pg_temp.values_of('error_rate_high')$$,
    $$values ('bad', 100.000), ('etl', 20.000), ('good', 0.000), ('stopped', 0.000)$$,
    'failure is what failed, timed out or got lost of it, not what was cancelled'
);
select is(
    (select summary from pg_temp.findings_of('success_rate_low') where fingerprint = 'etl'),
    'task type etl: 70 % of attempts completed, 14 of 20',
    'the summary has the figures of success'
);
select is(
    (select summary from pg_temp.findings_of('error_rate_high') where fingerprint = 'etl'),
    'task type etl: 20 % of attempts failed, 4 of 20',
    'and of failure'
);
select pg_temp.roll_up_own('tasks');
select is(
    (select value from pg_temp.values_of('error_rate_high') where fingerprint = 'etl'), 20.000,
    'rolled up it is the same'
);
select pg_temp.forget_roll_ups();

-- Boundaries

select pg_temp.ended_often('edge', 'failed', 10, '2026-01-15 11:00+00');
select pg_temp.ended_often('edge', 'completed', 9, '2026-01-15 12:00+00');
select is_empty(
    $$select * from pg_temp.values_of('error_rate_high') where fingerprint = 'edge'$$,
    'what ended exactly an hour ago is out of the window, and nine are too few'
);
select pg_temp.ended_often('edge', 'failed', 1, '2026-01-15 11:00:00.000001+00');
select pg_temp.ended_often('edge', 'failed', 9, '2026-01-15 12:00:00.000001+00');
select results_eq(
    $$select * from pg_temp.values_of('error_rate_high') where fingerprint = 'edge'$$,
    $$values ('edge', 10.000)$$,
    'ten are enough'
);
select results_eq(
    $$select * from pg_temp.values_of('error_rate_high', '2026-01-15 11:10+00')$$,
    $$values ('edge', 100.000)$$,
    'looking back, only what had ended by then counts'
);
select pg_temp.set_parameter('error_rate_high', 'min_tasks', '21');
select is_empty(
    $$select * from pg_temp.values_of('error_rate_high')$$, 'there can be more to ask for'
);

-- Names

select pg_temp.ended_often(n.name, 'failed', 10)
from (values ('it''s "größer" \ %s'), (repeat('ä', 255)), (repeat('😀', 255))) as n (name);
select is(
    (
        select count(*) from pg_temp.findings_of('success_rate_low')
        where length(fingerprint) > 10 and length(fingerprint) <= 255 and length(summary) <= 500
    ),
    3::bigint,
    'any name will do, of any length'
);
select is_empty(
    $$select * from pg_temp.values_of('success_rate_low', '2020-01-15 12:00+00')$$,
    'of a time without any there is no rate'
);

select * from finish(); -- noqa: AM04
rollback;
