-- When jobs are due: phase, missed runs, order.

begin;
select plan(15);
\ir helpers/fixed_clock.psql
\ir helpers/jobs.psql

-- Behaviour: phase

select monitoring.define_job('count', '10 minutes', 'errands.count_to_three');
select pg_temp.at_time('2026-01-15 12:00:07+00');
select is(pg_temp.run_due(), array['count'], 'a job that is late runs');

select results_eq(
    'select next_run_at, last_started_at, missed_runs from monitoring.v_jobs',
    $$
        values ('2026-01-15 12:10+00'::timestamptz, '2026-01-15 12:00:07+00'::timestamptz,
            0::bigint)
    $$,
    'a late start does not move the runs that follow'
);

select is(pg_temp.run_due(), '{}', 'it does not run again before it is due');
select pg_temp.at_time('2026-01-15 12:10+00');
select is(pg_temp.run_due(), array['count'], 'it runs at the very moment that it is due');

select pg_temp.at_time('2026-01-15 12:50+00');
select is(pg_temp.run_due(), array['count'], 'after a while without a scheduler it runs once');

select results_eq(
    'select next_run_at, missed_runs, runs from monitoring.v_jobs',
    $$values ('2026-01-15 13:00+00'::timestamptz, 3::bigint, 3::bigint)$$,
    'what passed is counted: due at 12:20, 30, 40 and 50, run once, missed three times'
);

select is(
    (
        select m.metadata from monitoring._all_finished_tasks as m
        where m.task_id = 'pgvigil.count' and m.metadata ? 'missed_runs'
    ),
    '{"result": 3, "missed_runs": 3}',
    'its task tells'
);

-- Boundaries

select pg_temp.at_time('2036-01-15 12:59:59.999999+00');
select monitoring.define_job('count', '00:00:01.5', 'errands.count_to_three');
select pg_temp.run_due();
select pg_temp.at_time('2046-01-15 13:00:00.1+00');
select pg_temp.run_due();

select results_eq(
    'select next_run_at, missed_runs from monitoring.v_jobs',
    $$values ('2046-01-15 13:00:01.499999+00'::timestamptz, 3 + 210412799::bigint)$$,
    'ten years of missed runs are counted to the last, and the phase holds to the microsecond'
);

-- A day of a job is 24 hours, also where the clock changes that night.
set local timezone = 'America/New_York';
select pg_temp.at_time('2026-03-07 12:00+00');
delete from monitoring.jobs;
select monitoring.define_job('daily', '1 day', 'errands.count_to_three');
select pg_temp.run_due();

select is(
    (select next_run_at from monitoring.v_jobs),
    '2026-03-08 12:00+00',
    'an interval of a day is 24 hours, whatever the clocks do'
);

select pg_temp.at_time('2026-03-10 11:59+00');
select pg_temp.run_due();

select results_eq(
    'select next_run_at, missed_runs from monitoring.v_jobs',
    $$values ('2026-03-10 12:00+00'::timestamptz, 1::bigint)$$,
    'also over several of them'
);

reset timezone;

-- Order

delete from monitoring.jobs;
select pg_temp.at_time('2026-03-11 12:00+00');
select monitoring.define_job('b', '1 hour', 'errands.count_to_three');
select monitoring.define_job('a', '1 hour', 'errands.count_to_three');
select monitoring.define_job('c', '30 minutes', 'errands.count_to_three');

select is(pg_temp.run_due(), array['a', 'b', 'c'], 'what is due at the same time goes by name');
select pg_temp.at_time('2026-03-11 14:00+00');
select monitoring.request_job('b');

select is(
    pg_temp.run_due(),
    array['c', 'a', 'b'],
    'what has been due longest goes first, each job once'
);

select monitoring.request_job('a');
select monitoring.request_job('b');

select is(
    monitoring._claim_job('2026-03-11 13:59+00', null),
    null,
    'what becomes due after a call began waits for the next'
);

select is(
    monitoring._claim_job('2026-03-11 14:00+00', array['a']),
    'b',
    'what the call has run already is passed over'
);

select is(
    monitoring._claim_job('2026-03-11 14:00+00', array['a', 'b']),
    null,
    'what runs is not claimed again'
);

select * from finish(); -- noqa: AM04
rollback;
