-- Runs whose session is gone, runs that take too long, and jobs that change under way.

begin;
select plan(22);
\ir helpers/fixed_clock.psql
-- Details tell times as the session's settings say.
set local timezone = 'UTC';
\ir helpers/jobs.psql

-- The process id of no session: such numbers are not given out.
create function pg_temp.claimed_by(p_job_name text, p_pid integer) returns void
language sql
as $$
    update monitoring.jobs set running_pid = p_pid where job_name = p_job_name
$$;

select monitoring.define_job('count', '1 hour', 'errands.count_to_three');

-- Behaviour: lost

select monitoring._claim_job('2026-01-15 12:00+00', null);
select pg_temp.claimed_by('count', 2147483647);
select pg_temp.at_time('2026-01-15 12:00:05+00');

select is(monitoring._close_lost_jobs(), 1, 'a run whose session is gone is found at once');

select results_eq(
    $$
        select last_status, last_error, failures, runs, next_run_at
        from monitoring.v_jobs
    $$,
    $$
        values ('lost', 'the run that began at 2026-01-15 12:00:00+00 ended without a report'
            || E'\nHint: Its session was ended, or the server stopped. What it did was undone.',
            1::bigint, 1::bigint, '2026-01-15 13:00+00'::timestamptz)
    $$,
    'it is noted as lost, and the job is due when it would be anyway'
);

select results_eq(
    'select status, end_time from monitoring.processing_metrics',
    $$values ('lost', '2026-01-15 12:00:05+00'::timestamptz)$$,
    'so is its task'
);

select results_eq(
    'select error_type, severity from monitoring.error_tracking',
    $$values ('job_lost', 'high')$$,
    'an error tells'
);

select is(monitoring._close_lost_jobs(), 0, 'it is found once');
select pg_temp.at_time('2026-01-15 13:00+00');
select is(pg_temp.run_due(), array['count'], 'the job goes on');

-- Behaviour: a session that lives, but does not work

select monitoring.request_job('count');
select monitoring._claim_job('2026-01-15 13:00+00', null);
select is(monitoring._close_lost_jobs(), 1, 'a claim that this session gave up is closed');

select monitoring.request_job('count');
select monitoring._claim_job('2026-01-15 13:00+00', null);

-- A process of the server, which never is at a job.
select pg_temp.claimed_by('count', pid)
from pg_stat_activity
where backend_type = 'checkpointer';

select pg_temp.at_time('2026-01-15 13:00:10+00');
select is(monitoring._close_lost_jobs(), 0, 'a claim of another session has ten seconds');
select is(monitoring._claim_job('2026-01-15 13:00:10+00', null), null, 'and is not claimed again');
select pg_temp.at_time('2026-01-15 13:00:10.1+00');
select is(monitoring._close_lost_jobs(), 1, 'then it is lost');

select monitoring.request_job('count');
select monitoring._claim_job('2026-01-15 13:01+00', null);
select pg_temp.claimed_by('count', 2147483647);
select monitoring._run_job('count');

select results_eq(
    'select last_status, runs from monitoring.v_jobs',
    $$values ('lost', 5::bigint)$$,
    'a session that finds the run no longer its own leaves it alone'
);

select monitoring._close_lost_jobs();

-- Behaviour: too long

select monitoring.define_job('count', '1 hour', 'errands.count_to_three', 'UTC', '30 seconds');
select pg_temp.at_time('2026-01-15 14:00+00');
select monitoring._claim_job('2026-01-15 14:00+00', null);
select pg_temp.at_time('2026-01-15 14:10+00');

select is(monitoring.cancel_overdue_jobs(), 0, 'a session does not cancel itself');
select pg_temp.claimed_by('count', 2147483647);
select is(monitoring.cancel_overdue_jobs(), 0, 'nor one that is not at the job');
select monitoring._close_lost_jobs();

-- Behaviour: removed under way

select monitoring.request_job('count');
select monitoring._claim_job('2026-01-15 14:10+00', null);
select monitoring.remove_job('count');
select lives_ok($$select monitoring._run_job('count')$$, 'a job that was removed does not run');

select results_eq(
    $$
        select status from monitoring.processing_metrics
        order by end_time desc, attempt desc limit 1
    $$,
    $$values ('cancelled')$$,
    'its task ends as cancelled'
);

create function errands.remove_itself() returns boolean
language sql
as $$ select monitoring.remove_job('suicidal') $$;

select monitoring.define_job('suicidal', '1 hour', 'errands.remove_itself');
select is(pg_temp.run_due(), array['suicidal'], 'a job may remove itself');

select results_eq(
    $$
        select status, metadata from monitoring.processing_metrics
        where task_id = 'pgvigil.suicidal'
    $$,
    $$values ('completed', '{"result": true}'::jsonb)$$,
    'and completes'
);

select is_empty('select * from monitoring.jobs', 'then it is gone');

create function errands.ask_for_more() returns void
language sql
as $$ select monitoring.request_job('insatiable') $$;

select monitoring.define_job('insatiable', '1 hour', 'errands.ask_for_more');
select is(pg_temp.run_due(), array['insatiable'], 'a job may ask for another run');
select ok((select is_requested from monitoring.v_jobs), 'which waits for the next call');

-- Boundaries: a plan that no longer works

select pg_temp.at_time('2026-01-15 15:10+00');
update monitoring.jobs set decided = decided || '{"schedule": "whenever"}';
select is(pg_temp.run_due(), '{}', 'a job whose schedule is no longer valid does not run');

select results_eq(
    'select last_status, next_run_at, is_requested from monitoring.v_jobs',
    $$values ('failed', '2026-01-15 16:10+00'::timestamptz, false)$$,
    'it has failed, and is tried again in an hour'
);

select * from finish(); -- noqa: AM04
rollback;
