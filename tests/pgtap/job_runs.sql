-- One run of a job: its task, its result, its failure.

begin;
select plan(29);
\ir helpers/fixed_clock.psql
\ir helpers/jobs.psql

create table errands.notes (note text not null);
grant all on errands.notes to monitoring_admin;

create procedure errands.write_note()
language plpgsql
as $$ begin insert into errands.notes values ('written by ' || current_user); end $$;

create function errands.do_nothing() returns void
language plpgsql
as $$ begin null; end $$;

create function errands.list_days(p_days integer default 2)
returns table (day date, is_done boolean)
language sql
as $$ select date '2026-01-01' + d, d = 1 from generate_series(1, p_days) as d $$;

create function errands.describe() returns text
language sql
as $$ select 'a ''quoted'' text' $$;

create function errands.fail() returns void
language plpgsql
as $$
begin
    insert into errands.notes values ('left by fail()');
    execute current_setting('errands.body');
end
$$;

create procedure errands.work_and_commit()
language plpgsql
as $$ begin insert into errands.notes values ('never seen'); commit; end $$;

-- Behaviour: success

select monitoring.define_job('a void', '1 hour', 'errands.do_nothing');
select monitoring.define_job('count', '1 hour', 'errands.count_to_three');
select monitoring.define_job('days', '1 hour', 'errands.list_days');
select monitoring.define_job('describe', '1 hour', 'errands.describe');
select monitoring.define_job('note', '1 hour', 'errands.write_note');
select is(
    pg_temp.run_due(),
    array['a void', 'count', 'days', 'describe', 'note'],
    'functions and procedures of all kinds run'
);

select results_eq(
    $$
        select task_id, task_type, status, attempt, metadata from monitoring.processing_metrics
        order by task_id
    $$,
    $$
        values
        ('pgvigil.a void', 'pgvigil.a void', 'completed', 1, null::jsonb),
        ('pgvigil.count', 'pgvigil.count', 'completed', 1, '{"result": 3}'),
        ('pgvigil.days', 'pgvigil.days', 'completed', 1,
            '{"result": [{"day": "2026-01-02", "is_done": true},
                {"day": "2026-01-03", "is_done": false}]}'),
        ('pgvigil.describe', 'pgvigil.describe', 'completed', 1,
            '{"result": "a ''quoted'' text"}'),
        ('pgvigil.note', 'pgvigil.note', 'completed', 1, null)
    $$,
    'each run is a task that keeps what was returned'
);

select results_eq(
    'select distinct last_status, last_error, runs, failures, is_running from monitoring.v_jobs',
    $$values ('completed', null::text, 1::bigint, 0::bigint, false)$$,
    'the rows of the jobs tell the same'
);

select results_eq(
    'select note from errands.notes',
    $$values ('written by monitoring_admin')$$,
    'jobs run with the rights of the owner of pgvigil, whoever runs them'
);

-- Behaviour: failure

delete from monitoring.jobs;
delete from monitoring.finished_tasks;
delete from monitoring.late_finished_tasks;
select monitoring.define_job('bad', '1 hour', 'errands.fail');
select monitoring.define_job('count', '1 hour', 'errands.count_to_three');
select set_config('errands.body', 'select 1 / 0', true);

select is(pg_temp.run_due(), array['bad', 'count'], 'a job that fails stops no other');

select results_eq(
    $$select task_id, status, metadata from monitoring.processing_metrics order by task_id$$,
    $$
        values
        ('pgvigil.bad', 'failed', null::jsonb),
        ('pgvigil.count', 'completed', '{"result": 3}')
    $$,
    'its task has failed'
);

select results_eq(
    $$
        select last_status, last_error, runs, failures, consecutive_failures, next_run_at
        from monitoring.v_jobs where job_name = 'bad'
    $$,
    $$
        values ('failed', E'division by zero\nSQLSTATE: 22012', 1::bigint, 1::bigint, 1::bigint,
            '2026-01-15 13:00+00'::timestamptz)
    $$,
    'its row says why, and it is due again when it would be anyway'
);

select results_eq(
    $$
        select task_id, error_type, severity, message, component, details ->> 'sqlstate',
            stack ~ 'errands.fail'
        from monitoring.error_tracking
    $$,
    $$
        values ('pgvigil.bad', 'job_failed', 'high', 'division by zero', 'pgvigil', '22012', true)
    $$,
    'so does an error, with its stack'
);

select is((select count(*) from errands.notes), 1::bigint, 'what it did is undone');

select pg_temp.at_time('2026-01-15 13:00+00');
select pg_temp.run_due();

select results_eq(
    $$select failures, consecutive_failures from monitoring.v_jobs where job_name = 'bad'$$,
    'values (2::bigint, 2::bigint)',
    'failures are counted'
);

select is(
    (select max(attempt) from monitoring.processing_metrics where task_id = 'pgvigil.bad'),
    2,
    'and are attempts of one task'
);

select set_config('errands.body', 'select 1', true);
select pg_temp.at_time('2026-01-15 14:00+00');
select pg_temp.run_due();

select results_eq(
    $$
        select last_status, last_error, failures, consecutive_failures from monitoring.v_jobs
        where job_name = 'bad'
    $$,
    $$values ('completed', null::text, 2::bigint, 0::bigint)$$,
    'success ends the row of failures'
);

-- Behaviour: every kind of failure

create function pg_temp.outcome_of(p_body text) returns text
language plpgsql
as $$
begin
    perform set_config('errands.body', p_body, true);
    perform monitoring.request_job('bad');
    perform pg_temp.run_due();
    return (select last_status || ': ' || last_error from monitoring.v_jobs where job_name = 'bad');
end
$$;

select matches(pg_temp.outcome_of(body), outcome, 'a job may end with ' || body)
from (
    values
    ($$select monitoring.acknowledge_alert(-1)$$, '^failed: there is no alert -1.*PV007'),
    ($$do 'begin raise out_of_memory; end'$$, '^failed: out_of_memory\s+SQLSTATE: 53200$'),
    ($$do 'begin raise deadlock_detected; end'$$, '^failed: .*40P01'),
    ($$do 'begin assert false; end'$$, '^failed: assertion failed\s+SQLSTATE: P0004$'),
    ($$do 'begin raise query_canceled; end'$$, '^cancelled: query_canceled\s+SQLSTATE: 57014$'),
    ($$do 'begin raise ''s'' using hint = ''h''; end'$$, '^failed: s\s+SQLSTATE: P0001\s+Hint: h$'),
    ($$set local role postgres$$, '^failed: .*SQLSTATE: 42501$'),
    ($$drop table monitoring.nothing$$, '^failed: .*SQLSTATE: 42P01$'),
    ($$select from unqualified_table$$, '^failed: .*SQLSTATE: 42P01$'),
    ($$rollback$$, '^failed: .*SQLSTATE: 0A000$'),
    (
        $$call errands.work_and_commit()$$,
        '^failed: .*SQLSTATE: 2D000\s+Hint: A job is one transaction and cannot commit'
    )
) as kinds (body, outcome);

-- Boundaries

select monitoring.define_job('commits', '1 hour', 'errands.work_and_commit');
select pg_temp.run_due();

select matches(
    (select last_error from monitoring.v_jobs where job_name = 'commits'),
    'SQLSTATE: 2D000\s+Hint: A job is one transaction',
    'a procedure that commits fails, and is told how to do without'
);

drop procedure errands.work_and_commit();
select monitoring.request_job('commits');
select is(pg_temp.run_due(), array['commits'], 'a job whose procedure is gone');

select matches(
    (select last_error from monitoring.v_jobs where job_name = 'commits'),
    '^there is no function or procedure without arguments "errands.work_and_commit".*PV007',
    'fails and says so'
);

create or replace function errands.describe() returns text
language sql
as $$ select repeat('long ', 20000) $$;
select monitoring.define_job('describe', '1 hour', 'errands.describe');
select pg_temp.run_due();

select is(
    (
        select m.metadata - 'start' from monitoring.processing_metrics as m
        where m.task_id = 'pgvigil.describe' and m.metadata ? 'cut'
    ),
    '{"cut": true, "bytes": 100022}',
    'a result that is too large is cut, and the run completes'
);

select results_eq(
    'select note from errands.notes order by note',
    $$values ('left by fail()'), ('written by monitoring_admin')$$,
    'only the runs that completed left anything'
);

select is_empty(
    'select * from monitoring.v_realtime_processing_status',
    'no task goes on running'
);

select * from finish(); -- noqa: AM04
rollback;
