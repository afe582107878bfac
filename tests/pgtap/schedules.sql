-- One grammar of schedules, wherever one is taken, and runs that are expected every so often.

begin;
select plan(31);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

create function pg_temp.nothing() returns void
language sql
as $$ select $$;
create schema scratch;
create function scratch.nothing() returns void
language sql
as $$ select $$;

-- Forms

select
    is(
        monitoring.define_job('j', schedule, 'scratch.nothing'), due_at,
        format('a job may be due %s', schedule)
    )
from (
    values
    ('30 2 * * mon-fri', timestamptz '2026-01-16 02:30+00'), ('@daily', '2026-01-16 00:00+00'),
    ('02:30', '2026-01-16 02:30+00'), (' 2:30 ', '2026-01-16 02:30+00'),
    ('daily at 14:05', '2026-01-15 14:05+00'), ('every day at 23:00', '2026-01-15 23:00+00'),
    ('5 minutes', '2026-01-15 12:00+00'), ('every 5 minutes', '2026-01-15 12:00+00'),
    ('@every 90s', '2026-01-15 12:00+00'), ('every hour', '2026-01-15 12:00+00'),
    ('every 1 hour 30 minutes', '2026-01-15 12:00+00'), ('PT15M', '2026-01-15 12:00+00')
) as forms (schedule, due_at);
select
    is(
        monitoring.define_expected_runs('x', schedule), due_at,
        format('runs may be expected %s', schedule)
    )
from (
    values
    ('30 2 * * mon-fri', timestamptz '2026-01-16 02:30+00'), ('@hourly', '2026-01-15 13:00+00'),
    ('every day at 23:00', '2026-01-15 23:00+00'), ('5 minutes', '2026-01-15 12:05+00'),
    ('every 2 hours', '2026-01-15 14:00+00'), ('7 minutes', '2026-01-15 12:07+00')
) as forms (schedule, due_at);
select is(
    monitoring.next_cron_time('02:30', '2026-01-15 12:00+00'), '2026-01-16 02:30+00',
    'a time of day is a cron expression'
);
select
    is(
        monitoring._expected_cron(schedule), cron,
        format('where runs go by the clock, %s is %s', schedule, cron)
    )
from (
    values
    ('every 5 minutes', '*/5 * * * *'), ('1 hour', '0 */1 * * *'), ('every day', '0 0 * * *'),
    ('18:05', '05 18 * * *')
) as forms (schedule, cron);
select is(
    array[
        monitoring._time_of_day('7:30'), monitoring._time_of_day('30 7 * * *'),
        monitoring._time_of_day('@daily'), monitoring._time_of_day('17:05'),
        monitoring._time_of_day('every hour')
    ],
    array['07:30', '07:30', '00:00', '17:05', 'every hour'],
    'a daily summary has its time in any of these forms'
);
select
    is(
        (pg_temp.refusal_of(call)).hint,
        'Use an interval without months such as ''5 minutes'', a time of day such as ''02:30'', or '
        'a cron expression such as ''30 2 * * mon-fri''.',
        'one hint is given by ' || call
    )
from (
    values
    ('monitoring.define_job(''j'', ''at tea'', ''scratch.nothing'')'),
    ('monitoring.define_expected_runs(''x'', ''every month'')')
) as calls (call);

-- A heartbeat that is expected every five minutes

select monitoring.remove_expected_runs('x');
select monitoring.complete_task_tracking('beat');
select monitoring.define_expected_runs('beat', '5 minutes', p_grace => '1 minute');
select results_eq(
    $$
        select next_due_at, last_due_at, last_start_at, is_missed
        from monitoring.v_expected_runs
    $$,
    $$
        values (
            timestamptz '2026-01-15 12:05+00', null::timestamptz,
            timestamptz '2026-01-15 12:00+00', false
        )
    $$,
    'a task that only ever tells its ends is expected by its name'
);
select pg_temp.set_clock('2026-01-15 12:04+00');
select monitoring.complete_task_tracking('beat');
select pg_temp.set_clock('2026-01-15 12:09:59+00');
select ok(
    (select not is_missed and next_due_at = '2026-01-15 12:09+00' from monitoring.v_expected_runs),
    'it is due after its last beat, and may be late by its grace'
);
select pg_temp.set_clock('2026-01-15 12:10+00');
select results_eq(
    $$
        select last_due_at, is_missed from monitoring.v_expected_runs
    $$,
    $$values (timestamptz '2026-01-15 12:09+00', true)$$,
    'then it is missed'
);
select monitoring.complete_task_tracking('beat', 'failed');
select ok((select not is_missed from monitoring.v_expected_runs), 'until it beats again');
select pg_temp.set_clock('2026-01-15 13:00+00');
select monitoring.start_task_tracking('run', 'beat');
select ok(
    (select not is_missed from monitoring.v_expected_runs), 'a run of that type is one as well'
);

select * from finish(); -- noqa: AM04
rollback;
