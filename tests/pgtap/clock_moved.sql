-- A clock that runs ahead and is put right: jobs go on, self_check() says so, and nothing that is
-- to be kept is removed.

begin;
select plan(37);
\ir helpers/fixed_clock.psql
set local timezone = 'UTC';
\ir helpers/jobs.psql
\ir helpers/rolled_up.psql

select monitoring.ensure_partitions(30);

create function pg_temp.plan_of(p_job text) returns text
language sql
as $$ select to_char(next_run_at, 'DD HH24:MI:SS') from monitoring.v_jobs where job_name = p_job $$;

-- Whether something is wrong, in short.
create function pg_temp.complaint() returns text
language sql
as $$
    select string_agg(c.check_name || ' ' || c.status, ', ' order by c.check_name)
    from monitoring.self_check() as c
    where c.status <> 'ok'
$$;

create function pg_temp.detail_of(p_check text) returns text
language sql
as $$ select detail from monitoring.self_check() where check_name = p_check $$;

-- What runs when somebody comes by at a given time.
create function pg_temp.run_at(p_now text) returns text[]
language plpgsql
as $$
begin
    perform pg_temp.at_time(p_now);
    return pg_temp.run_due();
end
$$;

-- What a clean-up says that it cannot do.
create function pg_temp.clean_up() returns text
language sql
as $$
    select string_agg(r.note, ', ') from monitoring.cleanup_old_monitoring_data() as r
    where r.action = 'none'
$$;

select monitoring.record_metrics((
    select
        jsonb_agg(jsonb_build_object(
            'metric_name',
            'm',
            'value',
            g,
            'recorded_at',
            monitoring.clock() - interval '1 hour' * g
        ))
    from generate_series(0, 140) as g
));
select monitoring.define_job('minutely', '1 minute', 'errands.count_to_three');
select monitoring.define_job('weekly', '7 days', 'errands.count_to_three');
select monitoring.define_job('often', '*/10 * * * *', 'errands.count_to_three');
select monitoring.define_job('nightly', '30 2 * * *', 'errands.count_to_three');
select monitoring.define_job('roll_up', '1 minute', 'monitoring.roll_up');
select monitoring.define_job('evaluate_alerts', '1 minute', 'monitoring.evaluate_alerts');
select is(pg_temp.run_due(), array['evaluate_alerts', 'minutely', 'roll_up', 'weekly'], 'jobs run');
select is(pg_temp.complaint(), null, 'and all is well');

-- Ahead by eight days for a moment

select pg_temp.at_time('2026-01-23 12:00+00');
select is(
    cardinality(pg_temp.run_due()), 6, 'with a clock that is eight days ahead all jobs run'
);
select is(
    pg_temp.clean_up(),
    'the clock jumped ahead by 8 d: nothing is removed before 2026-01-23 15:00:00+00, or '
    'confirm_clock()',
    'but a clean-up removes nothing'
);
select pg_temp.take_all();
select monitoring.place_late_rows();
select is(
    (select count(*) from monitoring.performance_monitoring), 141::bigint,
    'and all that is kept is there'
);
select is(
    pg_temp.detail_of('clock'),
    'jumped ahead by 8 d: nothing is removed before 2026-01-23 15:00:00+00; if it is right: '
    'select monitoring.confirm_clock();',
    'which is told, with what to do'
);
select isnt_empty(
    'select * from monitoring.cleanup_old_monitoring_data(true) where partitions > 0 or rows > 0',
    'a dry run tells what would go'
);

-- Put right

select pg_temp.at_time('2026-01-15 12:02+00');
select is(
    pg_temp.complaint(), 'alerts late, clock failed, roll-ups late, scheduler late',
    'before anybody runs jobs again, whatever is noted as past and lies in the future is wrong'
);
select matches(
    pg_temp.detail_of('clock'),
    'up to 2026-01-29 12:00:00[+]00[)]: plans of jobs, roll-ups, rules, runs of jobs, scheduler;',
    'and named'
);
select is(pg_temp.plan_of('minutely'), '23 12:01:00', 'the plan was made by the wrong clock');
select is(
    pg_temp.run_due(), array['evaluate_alerts', 'minutely', 'roll_up', 'weekly'],
    'jobs that are due every so often run at once'
);
select is(pg_temp.plan_of('often'), '15 12:10:00', 'others at the next time of their schedule');
select is(pg_temp.plan_of('nightly'), '16 02:30:00', 'also those that are due once a day');
select is(pg_temp.complaint(), null, 'then all is well again');
select results_eq(
    $$select message, severity from monitoring.error_tracking where error_type = 'ClockPutBack'$$,
    $$values ('the clock was put back by 7 d 23 h, to 2026-01-15 12:02:00 UTC', 'high')$$,
    'and what happened is told'
);
select is(pg_temp.clean_up(), null, 'clean-ups go on, which remove less by the right clock');
select is(
    (select count(*) from monitoring.performance_monitoring), 141::bigint, 'all is still there'
);
select is_empty(
    $$select * from monitoring.processing_metrics
    where duration_ms < 0 or end_time > '2026-01-15 12:02+00' and task_id = 'pgvigil.minutely'
        and duration_ms <> 0$$,
    'nothing took less than no time'
);

-- What people do in that moment

select monitoring.remove_job('evaluate_alerts');
select monitoring.remove_job('roll_up');
select pg_temp.at_time('2026-02-15 12:00+00');
select monitoring.disable_job('minutely');
select monitoring.disable_job('weekly');
select monitoring.define_job('nightly', '45 2 * * *', 'errands.count_to_three');
select monitoring.request_job('often');
update monitoring.jobs set next_run_at = '2026-02-15 12:00+00' where job_name = 'minutely';
select pg_temp.at_time('2026-01-15 12:05+00');
select monitoring.enable_job('minutely');
select is(
    pg_temp.plan_of('minutely'), '15 12:05:00', 'to enable a job plans it by the right clock'
);
update monitoring.jobs set next_run_at = '2026-02-15 12:00+00' where job_name = 'minutely';
select is(
    monitoring.define_job('minutely', '1 minute', 'errands.count_to_three'),
    '2026-01-15 12:05+00'::timestamptz,
    'so does to schedule it as it is'
);
select ok('often' = any(pg_temp.run_due()), 'a run that was requested then is due');
select is(pg_temp.plan_of('nightly'), '16 02:45:00', 'what was scheduled then is due as it says');
select is(pg_temp.plan_of('weekly'), null, 'what is disabled stays so');

-- A run that began by the wrong clock

select monitoring.define_job(
    'hanging', '1 hour', 'errands.count_to_three', p_timeout => '1 minute'
);
update monitoring.jobs
set
    running_pid = -1, last_started_at = '2026-02-15 12:00+00', cancelled_at = '2026-02-15 12:02+00',
    next_run_at = '2026-02-15 13:00+00'
where job_name = 'hanging';
select monitoring._put_jobs_right(monitoring.clock());
select results_eq(
    $$select last_started_at from monitoring.jobs where job_name = 'hanging'$$,
    $$values ('2026-01-15 12:05+00'::timestamptz)$$,
    'counts from now on, so that it is cancelled when its time is up'
);
select monitoring.remove_job('hanging');

-- By less than an interval, or than three hours

select pg_temp.at_time('2026-01-16 02:45+00');
select ok('nightly' = any(pg_temp.run_due()), 'a nightly job runs');
select pg_temp.at_time('2026-01-16 02:40+00');
select ok(not 'nightly' = any(pg_temp.run_due()), 'not again when the clock is put back a little');
select is(pg_temp.plan_of('nightly'), '17 02:45:00', 'it is due in the next night');
select pg_temp.at_time('2026-01-16 02:45+00');
select ok(not 'nightly' = any(pg_temp.run_due()), 'and not when the clock comes by once more');

-- A real pause

select monitoring.confirm_clock();
select is(pg_temp.clean_up(), null, 'who confirms the clock has clean-ups go on');
select pg_temp.at_time('2026-01-26 02:45+00');
select isnt(pg_temp.clean_up(), null, 'after ten days in which nobody ran jobs they wait');
select pg_temp.run_due();
select pg_temp.run_at(('2026-01-26 02:45+00'::timestamptz + make_interval(mins => n))::text)
from generate_series(30, 150, 30) as n;
select pg_temp.at_time('2026-01-26 05:44+00');
select isnt(pg_temp.clean_up(), null, 'for three hours');
select isnt(pg_temp.detail_of('clock'), null, 'which is told all the while');
select pg_temp.at_time('2026-01-26 05:45+00');
select pg_temp.run_due();
select is(pg_temp.clean_up(), null, 'then they go on by themselves');

-- Those who run jobs once a day

select monitoring.confirm_clock();
select pg_temp.run_at('2026-01-27 05:45+00');
select pg_temp.run_at('2026-01-28 05:45+00');
select pg_temp.run_at('2026-01-29 05:45+00');
select is(pg_temp.clean_up(), null, 'where jobs run once a day that is how the clock goes on');

set local role monitoring_reader;
select throws_ok('select monitoring.confirm_clock()', '42501', null, 'a reader confirms nothing');
reset role;
set local role monitoring_operator;
select is(
    monitoring.confirm_clock(), '2026-01-29 05:45+00'::timestamptz, 'an operator does'
);
reset role;
select is_empty(
    $$select * from monitoring.v_jobs where last_status <> 'completed'$$, 'no run has failed'
);

select * from finish(); -- noqa: AM04
rollback;
