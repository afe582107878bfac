-- What people decide about jobs.

begin;
select plan(20);
\ir helpers/fixed_clock.psql
\ir helpers/jobs.psql

-- Interface

select results_eq(
    $$select monitoring.define_job('count', '5 minutes', 'errands.count_to_three')$$,
    $$values ('2026-01-15 12:00+00'::timestamptz)$$,
    'a job with an interval is due at once, and scheduling it says so'
);

select results_eq(
    $$
        select job_name, description, schedule, time_zone, procedure_name, timeout_seconds,
            is_enabled, next_run_at, is_requested, seconds_late, is_running, runs, failures,
            missed_runs
        from monitoring.v_jobs
    $$,
    $$
        values ('count', null::text, '5 minutes', 'UTC', 'errands.count_to_three', 600::float8,
            true, '2026-01-15 12:00+00'::timestamptz, false, 0::float8, false, 0::bigint,
            0::bigint, 0::bigint)
    $$,
    'a new job has ten minutes, UTC and no past'
);

-- Behaviour: changing

select monitoring.define_job(
    p_job_name => 'count', p_schedule => '1 hour', p_procedure_name => 'errands.count_to_three',
    p_time_zone => 'Europe/Berlin', p_timeout => '90 seconds', p_description => 'Counts.'
);

select results_eq(
    $$select schedule, time_zone, timeout_seconds, description from monitoring.v_jobs$$,
    $$values ('1 hour', 'Europe/Berlin', 90::float8, 'Counts.')$$,
    'scheduling a job again changes it'
);

select is(pg_temp.run_due(), array['count'], 'it runs');
select pg_temp.at_time('2026-01-15 12:20+00');

select is(
    monitoring.define_job(
        'count', '1 hour', 'errands.count_to_three', 'Europe/Berlin', '2 minutes'
    ),
    '2026-01-15 13:00+00',
    'what is scheduled as it was keeps its next run'
);

select results_eq(
    $$select timeout_seconds, description, runs from monitoring.v_jobs$$,
    $$values (120::float8, 'Counts.', 1::bigint)$$,
    'and its past, and its description unless there is a new one'
);

select is(
    monitoring.define_job('count', '30 minutes', 'errands.count_to_three'),
    '2026-01-15 12:30+00',
    'a new interval counts from the last start'
);

select is(
    monitoring.define_job('count', '10 minutes', 'errands.count_to_three'),
    '2026-01-15 12:20+00',
    'and is due at once where that is past'
);

-- Behaviour: disabling

select monitoring.disable_job('count');

select results_eq(
    'select is_enabled, next_run_at, seconds_late from monitoring.v_jobs',
    'values (false, null::timestamptz, null::float8)',
    'a disabled job is not due'
);

select pg_temp.at_time('2026-01-15 14:05+00');
select is(pg_temp.run_due(), '{}', 'and does not run');
select monitoring.enable_job('count');

select results_eq(
    'select is_enabled, next_run_at, missed_runs from monitoring.v_jobs',
    $$values (true, '2026-01-15 14:10+00'::timestamptz, 0::bigint)$$,
    'enabled again it is due when it would have been, and has missed nothing'
);

select monitoring.enable_job('count');

select is(
    (select next_run_at from monitoring.v_jobs),
    '2026-01-15 14:10+00',
    'enabling what is enabled changes nothing'
);

-- Behaviour: requesting

select monitoring.request_job('count');
select pg_temp.at_time('2026-01-15 14:06+00');

select results_eq(
    'select next_run_at, is_requested, seconds_late from monitoring.v_jobs',
    $$values ('2026-01-15 14:05+00'::timestamptz, true, 60::float8)$$,
    'a requested job is due when it was requested'
);

select is(pg_temp.run_due(), array['count'], 'it runs');

select results_eq(
    'select next_run_at, is_requested, missed_runs from monitoring.v_jobs',
    $$values ('2026-01-15 14:10+00'::timestamptz, false, 0::bigint)$$,
    'once, and its schedule is as it was'
);

select monitoring.disable_job('count');
select monitoring.request_job('count');
select is(pg_temp.run_due(), array['count'], 'a disabled job runs when requested');
select is((select next_run_at from monitoring.v_jobs), null, 'and then no more');

-- Behaviour: removing

select ok(monitoring.remove_job('count'), 'a job can be removed');
select ok(not monitoring.remove_job('count'), 'but not twice');
select is_empty('select * from monitoring.v_jobs', 'then it is gone');

select * from finish(); -- noqa: AM04
rollback;
