-- When jobs with cron expressions are due.

begin;
select plan(13);
\ir helpers/fixed_clock.psql
\ir helpers/jobs.psql

-- Behaviour

select is(
    monitoring.define_job('count', '30 12 * * *', 'errands.count_to_three', 'Europe/Berlin'),
    '2026-01-16 11:30+00',
    'a cron expression goes by the clock of the job''s time zone, and is not due at once'
);

select is(pg_temp.run_due(), '{}', 'so it does not run');
select pg_temp.at_time('2026-01-16 11:30:10+00');
select is(pg_temp.run_due(), array['count'], 'until it is due');

select results_eq(
    'select next_run_at, missed_runs from monitoring.v_jobs',
    $$values ('2026-01-17 11:30+00'::timestamptz, 0::bigint)$$,
    'then it is due the next day'
);

select pg_temp.at_time('2026-03-30 10:29:59+00');
select pg_temp.run_due();

select results_eq(
    'select next_run_at, missed_runs, runs from monitoring.v_jobs',
    $$values ('2026-03-30 10:30+00'::timestamptz, 71::bigint, 2::bigint)$$,
    'after weeks without a scheduler it runs once and has missed the rest; now it is summer there'
);

select is(
    monitoring.define_job('count', '30 12 * * *', 'errands.count_to_three', 'Asia/Tokyo'),
    '2026-03-31 03:30+00',
    'another time zone is another plan'
);

select is(
    monitoring.define_job('count', '@hourly', 'errands.count_to_three', 'Asia/Tokyo'),
    '2026-03-30 11:00+00',
    'so is another expression'
);

select monitoring.disable_job('count');
select pg_temp.at_time('2026-03-30 18:20+00');
select monitoring.enable_job('count');

select results_eq(
    'select next_run_at, missed_runs from monitoring.v_jobs',
    $$values ('2026-03-30 19:00+00'::timestamptz, 71::bigint)$$,
    'what passes while it is disabled is not missed'
);

select monitoring.request_job('count');
select pg_temp.run_due();

select is(
    (select next_run_at from monitoring.v_jobs),
    '2026-03-30 19:00+00',
    'a run that was requested does not move the next'
);

-- Boundaries

select monitoring.define_job('count', '* * * * *', 'errands.count_to_three');
update monitoring.jobs set missed_runs = 0;
select pg_temp.at_time('2026-04-30 18:20+00');
select pg_temp.run_due();

select is(
    (select missed_runs from monitoring.v_jobs),
    1000::bigint,
    'at most a thousand missed runs are counted at a time'
);

-- Refusals

select
    throws_ok(
        format('select monitoring.define_job(%L, %L, %L)', 'j', schedule, 'monitoring.clock'),
        code,
        null,
        'refused: ' || schedule
    )
from (
    values
    ('61 * * * *', 'PV004'),
    ('* * * * someday', 'PV003'),
    ('0 0 30 2 *', 'PV004')
) as refused (schedule, code);

select * from finish(); -- noqa: AM04
rollback;
