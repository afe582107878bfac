-- Rule consecutive_failures: how often a type has failed since it last completed.

begin;
select plan(22);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

-- Interface

select results_eq(
    $$
        select t.low, t.medium, t.high, t.critical, r.comparison
        from monitoring.alert_rules as r
        inner join monitoring.alert_thresholds as t on r.rule_name = t.rule_name
        where r.rule_name = 'consecutive_failures'
    $$,
    $$values (null::float8, null::float8, 3::float8, null::float8, '>=')$$,
    'three failures in a row are too many'
);
select is_empty(
    $$select * from pg_temp.findings_of('consecutive_failures')$$,
    'where nothing was recorded nothing has failed'
);

-- Behaviour

select pg_temp.ended('etl', 'failed', '2026-01-15 11:30+00');
select pg_temp.ended('etl', 'timeout', '2026-01-15 11:31+00');
select is_empty(
    $$select * from pg_temp.values_of('consecutive_failures')$$,
    'two failures are fewer than any threshold, and need not be looked at'
);
select pg_temp.ended('etl', 'lost', '2026-01-15 11:32+00');
select pg_temp.ended('etl', 'cancelled', '2026-01-15 11:33+00');
select results_eq(
    $$select fingerprint, value, labels, summary from pg_temp.findings_of('consecutive_failures')$$,
    $$
        values (
            'etl', 3::float8, '{"task_type": "etl"}'::jsonb,
            'task type etl: the last 3 attempts failed'
        )
    $$,
    'whatever failed, timed out or got lost counts; what was cancelled counts neither way'
);
select pg_temp.ended('etl', 'completed', '2026-01-15 11:29+00');
select pg_temp.ended('etl', 'failed', '2026-01-15 11:28+00');
select results_eq(
    $$select * from pg_temp.values_of('consecutive_failures')$$,
    $$values ('etl', 3.000)$$,
    'what failed before the last one completed counts no more'
);
select results_eq(
    $$select * from pg_temp.values_of('consecutive_failures', '2026-01-15 11:32+00')$$,
    $$values ('etl', 3.000)$$,
    'looking back, what had failed by then counts'
);
select is_empty(
    $$select * from pg_temp.values_of('consecutive_failures', '2026-01-15 11:31:59.999999+00')$$,
    'and not what failed a moment later'
);
select pg_temp.ended('etl', 'completed', '2026-01-15 11:59+00');
select is_empty(
    $$select * from pg_temp.values_of('consecutive_failures')$$,
    'one that completes ends the row'
);

-- Within one minute

select pg_temp.ended('quick', 'failed', '2026-01-15 11:40:00+00');
select pg_temp.ended('quick', 'failed', '2026-01-15 11:40:10+00');
select pg_temp.ended('quick', 'completed', '2026-01-15 11:40:20+00');
select pg_temp.ended('quick', 'failed', '2026-01-15 11:40:30+00');
select pg_temp.ended('quick', 'failed', '2026-01-15 11:40:40+00');
select pg_temp.ended('quick', 'failed', '2026-01-15 11:41:00+00');

select is(
    (select value from pg_temp.values_of('consecutive_failures') where fingerprint = 'quick'),
    3.000,
    'in the minute in which it last completed, only what failed afterwards counts'
);
select is(
    (
        select value from pg_temp.values_of('consecutive_failures', '2026-01-15 11:40:59+00')
        where fingerprint = 'quick'
    ),
    2.000,
    'also when there is nothing later'
);
select pg_temp.roll_up_own('tasks');
select results_eq(
    $$select * from pg_temp.values_of('consecutive_failures')$$,
    $$values ('quick', 3.000)$$,
    'rolled up it is the same'
);
select pg_temp.forget_roll_ups();

-- Jobs of every day

select
    pg_temp.ended(
        'nightly',
        case when d.day in (0, 10) then 'completed' else 'failed' end,
        timestamptz '2026-01-01 02:30+00' + d.day * interval '24 hours'
    )
from generate_series(0, 13) as d (day);
select pg_temp.ended('never', 'failed', '2026-01-05 02:30+00') from generate_series(1, 3);
select pg_temp.ended('nightly', 'failed', '2026-01-11 02:10+00') from generate_series(1, 5);
select pg_temp.ended('nightly', 'failed', '2026-01-11 02:40+00') from generate_series(1, 2);
select pg_temp.ended('nightly', 'failed', '2026-01-11 05:00+00');

create function pg_temp.streaks(p_now timestamptz default monitoring.clock()) returns text
language sql
as $$
    select string_agg(format('%s %s', v.fingerprint, trim_scale(v.value)), ', ' order by 1)
    from pg_temp.values_of('consecutive_failures', p_now) as v
$$;

select is(
    pg_temp.streaks(), 'never 3, nightly 6, quick 3',
    'days and hours later, exact to the row where it last completed'
);
select is(
    pg_temp.streaks('2026-01-11 06:00+00'), 'never 3, nightly 3',
    'the day in which it last completed may be today'
);
select is(
    pg_temp.streaks('2026-01-11 03:00+00'), 'never 3', 'or the hour, this one'
);
select is(
    pg_temp.streaks('2026-01-11 02:20+00'), 'never 3, nightly 14',
    'before that it had failed since the first of the month'
);
select pg_temp.roll_up_own('tasks');
select is(
    pg_temp.streaks(), 'never 3, nightly 6, quick 3', 'rolled up it is the same'
);
select is(
    pg_temp.streaks('2026-01-11 02:20+00'), 'never 3, nightly 14', 'looking back as well'
);
delete from monitoring.rollups where resolution = 'minute';
update monitoring.rollup_progress set rolled_up_at = '2026-02-15 12:00+00';
select is(
    pg_temp.streaks(), 'never 3, nightly 6, quick 3', 'also when minutes are no longer stored'
);
select set_config('timezone', 'Asia/Kolkata', true);
select is(
    pg_temp.streaks(), 'never 3, nightly 6, quick 3', 'in any time zone'
);
select set_config('timezone', 'UTC', true);

select pg_temp.set_parameter('consecutive_failures', 'window_days', '5');
select is(
    pg_temp.streaks(), 'nightly 6, quick 3', 'further back than the window nothing is looked at'
);
select pg_temp.forget_roll_ups();

-- Compared with counting one by one

select setseed(0.4);
select
    pg_temp.ended(
        'random ' || n % 4,
        (array['completed', 'failed', 'failed', 'cancelled', 'timeout'])[
            1 + floor(random() * 5)::integer
        ],
        timestamptz '2026-01-15 12:00+00' - power(random(), 4) * interval '4 days'
    )
from generate_series(1, 60) as n;

create function pg_temp.counted_one_by_one(p_now timestamptz)
returns table (fingerprint text, value numeric)
language sql
as $$
    select t.task_type, count(*)::numeric(20, 3)
    from monitoring._all_finished_tasks as t
    where t.task_type like 'random %' and t.finished_at <= p_now
        and t.status in ('failed', 'timeout')
        and not exists (
            select from monitoring._all_finished_tasks as c
            where c.task_type = t.task_type and c.status = 'completed'
                and c.finished_at >= t.finished_at and c.finished_at <= p_now
        )
    group by 1
    having count(*) >= 3
$$;

create function pg_temp.differences() returns bigint
language sql
as $$
    select count(*)
    from generate_series(0, 60) as n
    cross join lateral (
        select timestamptz '2026-01-15 12:00+00' - power(n / 60.0, 4) * interval '4 days' as now
    ) as p
    cross join lateral (
        (select * from pg_temp.values_of('consecutive_failures', p.now) as v
        where v.fingerprint like 'random %' and v.value >= 3
        except select * from pg_temp.counted_one_by_one(p.now))
        union all
        (select * from pg_temp.counted_one_by_one(p.now)
        except select * from pg_temp.values_of('consecutive_failures', p.now))
    ) as d
$$;

select pg_temp.set_parameter('consecutive_failures', 'window_days', '30');
select is(pg_temp.differences(), 0::bigint, 'at any time it is as counted one by one');
select pg_temp.roll_up_own('tasks');
select is(pg_temp.differences(), 0::bigint, 'rolled up or not');

select * from finish(); -- noqa: AM04
rollback;
