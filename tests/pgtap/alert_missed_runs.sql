-- Rule missed_run: runs that were due and have not begun.

begin;
select plan(32);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

create function pg_temp.missed(p_now text) returns text
language sql
as $$
    select string_agg(format('%s %s', f.fingerprint, f.value), ', ' order by f.fingerprint)
    from pg_temp.findings_of('missed_run', p_now::timestamptz) as f
$$;

create function pg_temp.expected(
    p_task_type text, p_schedule text, p_since text, p_time_zone text default 'UTC',
    p_grace text default '5 minutes', p_early text default '1 minute'
) returns timestamptz
language plpgsql
as $$
begin
    perform pg_temp.set_clock(p_since);
    return monitoring.define_expected_runs(
        p_task_type, p_schedule, p_time_zone, p_grace::interval, p_early::interval
    );
end
$$;

-- The last time that an expression was due

select
    is(
        monitoring._last_cron_time(expression, '1970-01-01 00:00+00', until::timestamptz, zone),
        last_due::timestamptz,
        format('%s was last due at %s (%s)', expression, last_due, zone)
    )
from (
    values
    ('* * * * *', '2026-01-15 12:00:30+00', 'UTC', '2026-01-15 12:00+00'),
    ('*/5 * * * *', '2026-01-15 12:04:59+00', 'UTC', '2026-01-15 12:00+00'),
    ('0-59 3 * * *', '2026-01-15 12:00+00', 'UTC', '2026-01-15 03:59+00'),
    ('30 2 * * *', '2026-01-15 02:30+00', 'UTC', '2026-01-15 02:30+00'),
    ('30 2 * * mon', '2026-01-15 12:00+00', 'UTC', '2026-01-12 02:30+00'),
    ('0 5 31 * *', '2026-03-30 12:00+00', 'UTC', '2026-01-31 05:00+00'),
    ('0 0 29 2 *', '2026-01-15 12:00+00', 'UTC', '2024-02-29 00:00+00'),
    -- Half past two comes not at all, or twice.
    ('30 2 * * *', '2026-03-29 12:00+00', 'Europe/Berlin', '2026-03-29 01:00+00'),
    ('30 2 * * *', '2026-10-25 12:00+00', 'Europe/Berlin', '2026-10-25 00:30+00'),
    ('*/30 2 * * *', '2026-10-25 12:00+00', 'Europe/Berlin', '2026-10-25 01:30+00')
) as t (expression, until, zone, last_due);

select is(
    monitoring._last_cron_time('30 2 * * *', '2026-01-15 02:30+00', '2026-01-15 23:00+00', 'UTC'),
    null,
    'what was due at the time after which is asked does not count'
);
select is_empty(
    $$
        select n, l.last_due, s.last_due
        from generate_series(0, 60) as n
        cross join lateral (
            select timestamptz '2026-10-25 03:00+00' - n * interval '17 minutes' as until
        ) as u
        cross join unnest(array['*/7 1-3 * * *', '13 */2 * * *', '5,50 2 * * *']) as x (expression)
        cross join lateral (
            select monitoring._last_cron_time(
                x.expression, '2026-10-22 00:00+00', u.until, 'Europe/Berlin'
            ) as last_due
        ) as l
        left join lateral (
            with recursive times as (
                select monitoring.next_cron_time(
                    x.expression, u.until - interval '26 hours', 'Europe/Berlin'
                ) as at
                union all
                select monitoring.next_cron_time(x.expression, t.at, 'Europe/Berlin')
                from times as t where t.at <= u.until
            )
            select max(t.at) as last_due from times as t where t.at <= u.until
        ) as s on true
        where l.last_due is distinct from s.last_due
    $$,
    'it is what comes last when all times are counted, while clocks are changed as well'
);

-- Interface

select results_eq(
    $$
        select t.low, t.medium, t.high, t.critical, r.comparison
        from monitoring.alert_rules as r
        inner join monitoring.alert_thresholds as t on r.rule_name = t.rule_name
        where r.rule_name = 'missed_run'
    $$,
    $$values (null::float8, null::float8, 0::float8, null::float8, '>=')$$,
    'a missed run is high'
);
select is(pg_temp.missed('2026-01-15 12:00+00'), null, 'what nobody expects is not missed');

-- Behaviour

select pg_temp.expected('nightly', '02:30', '2026-01-15 12:00+00');

select is(
    pg_temp.missed('2026-01-15 12:10+00'), null, 'what was due before it was expected is not missed'
);
select is(
    pg_temp.missed('2026-01-16 02:34:59.999999+00'), null, 'nor is what may still come in time'
);
select is(
    pg_temp.missed('2026-01-16 02:35+00'), 'nightly 300', 'when its grace is over it is missed'
);
select is(
    (
        select summary from pg_temp.findings_of('missed_run', '2026-01-16 04:00+00')
        where labels = '{"task_type": "nightly"}'
    ),
    'task type nightly: no run has started since one was due at 2026-01-16 02:30 (UTC), '
    '1 h 30 min ago',
    'the summary says since when'
);

select pg_temp.set_clock('2026-01-16 04:00+00');
select monitoring.start_task_tracking('late', 'nightly');
select is(pg_temp.missed('2026-01-16 04:00+00'), null, 'a run that starts late ends it');
select is(
    pg_temp.missed('2026-01-16 03:59:59+00'), 'nightly 5399', 'looking back it is still missed'
);
select is(
    pg_temp.missed('2026-01-17 02:35+00'),
    'nightly 300',
    'a run that goes on is none of the next day'
);
select pg_temp.set_clock('2026-01-17 02:28:59+00');
select monitoring.start_task_tracking('too early', 'nightly');
select is(
    pg_temp.missed('2026-01-17 02:35+00'), 'nightly 300', 'nor is one that started far too early'
);
select pg_temp.set_clock('2026-01-17 02:29+00');
select monitoring.start_task_tracking('early', 'nightly');
select is(pg_temp.missed('2026-01-17 02:35+00'), null, 'one that is a minute early is');

-- Runs that have ended

select monitoring.complete_task_tracking('early', p_finished_at => '2026-01-17 02:30+00');
select
    monitoring.complete_task_tracking(
        'too early', 'failed', p_finished_at => '2026-01-17 02:40+00'
    );
select is(
    pg_temp.missed('2026-01-17 12:00+00'), null, 'a run that has ended has begun, of what is new'
);
select pg_temp.roll_up_own('tasks');
select is(
    pg_temp.missed('2026-01-17 12:00+00'), null, 'of what is rolled up'
);
select is(
    pg_temp.missed('2026-01-17 02:35+00'), null, 'in the hour in which it ended'
);
delete from monitoring.rollups where resolution in ('minute', 'hour');
delete from monitoring.finished_tasks;
delete from monitoring.late_finished_tasks;
select is(
    pg_temp.missed('2026-01-17 12:00+00'), 'nightly 34200',
    'whether one began before or after cannot be told of a whole day'
);
update monitoring.rollup_progress set complete_since = '2026-02-01 00:00+00';
select is(
    pg_temp.missed('2026-01-18 02:31+00'), null,
    'where its rows have been removed there is the benefit of the doubt'
);
select pg_temp.forget_roll_ups();
update monitoring.rollup_progress set complete_since = '-infinity';

-- A long run of the day before that ended after this one was due.
delete from monitoring.active_tasks;
select monitoring.remove_expected_runs('nightly');
select pg_temp.expected('daily', '0 6 * * *', '2026-01-10 12:00+00');
select pg_temp.set_clock('2026-01-12 12:00+00');
select pg_temp.ended('daily', 'completed', '2026-01-12 07:30+00', 90000);
select is(
    pg_temp.missed('2026-01-12 09:00+00'), 'daily 10800',
    'a run that began the day before is none of today, though it ended today'
);
select pg_temp.roll_up_own('tasks');
select is(pg_temp.missed('2026-01-12 09:00+00'), 'daily 10800', 'rolled up it is the same');
select is(
    pg_temp.missed('2026-01-11 07:30+00'), null, 'looking back, it had begun, and had not ended'
);
select pg_temp.forget_roll_ups();
select pg_temp.ended('daily', 'completed', '2026-01-12 08:00+00');
select is(
    pg_temp.missed('2026-01-12 09:00+00'),
    null,
    'of a run whose beginning is not known the end counts'
);

select * from finish(); -- noqa: AM04
rollback;
