-- Whether pgvigil says when it does not keep up itself.

begin;
select plan(18);
\ir helpers/fixed_clock.psql
\ir helpers/jobs.psql

-- The partitions of the days that the clock stands at.
select monitoring.ensure_partitions(9);

prepare complaints as
select
    check_name,
    status,
    lateness
from monitoring.self_check()
where status <> 'ok'
order by check_name;

-- Interface

select results_eq(
    'select * from monitoring.self_check()',
    $$
        values
        ('scheduler', 'ok', interval '0', 'nothing has run yet, jobs due: 0'),
        ('partitions', 'ok', interval '0', 'today''s and tomorrow''s are there')
    $$,
    'where nothing is to be done all is well'
);

set local role monitoring_reader;
select is_empty('execute complaints', 'readers may ask');
reset role;

-- Behaviour: the scheduler

select monitoring.schedule_job('count', '1 hour', 'errands.count_to_three');
select monitoring.schedule_job('later', '1 hour', 'errands.count_to_three');
select pg_temp.at_time('2026-01-15 12:03+00');
select is_empty('execute complaints', 'three minutes late is not late');
select pg_temp.at_time('2026-01-15 12:03:01+00');

select results_eq(
    'execute complaints',
    $$
        values
        ('job count', 'late', interval '3 minutes 1 second'),
        ('job later', 'late', interval '3 minutes 1 second'),
        ('scheduler', 'late', interval '3 minutes 1 second')
    $$,
    'a scheduler that has never come is late, and so is each job'
);

select results_eq(
    $$select detail from monitoring.self_check() where status = 'late' order by check_name$$,
    $$
        values
        ('due since 2026-01-15 12:00:00+00'),
        ('due since 2026-01-15 12:00:00+00'),
        ('nothing has run yet, jobs due: 2')
    $$,
    'the details say since when'
);

select monitoring._claim_job('2026-01-15 12:03:01+00', null);
select monitoring._run_job('count');

select results_eq(
    'execute complaints',
    $$values ('job later', 'late', interval '3 minutes 1 second')$$,
    'while it begins other jobs, one that is late is a matter of its own'
);

select is(
    (select detail from monitoring.self_check() where check_name = 'scheduler'),
    'last run began at 2026-01-15 12:03:01+00, jobs due: 1',
    'the scheduler is then in time'
);

select pg_temp.run_due();
select is_empty('execute complaints', 'when all was done all is well');

-- Behaviour: disabled and requested jobs

select monitoring.enable_job('later', false);
select pg_temp.at_time('2026-01-15 13:00+00');
select pg_temp.run_due();
select pg_temp.at_time('2026-01-15 13:59+00');
select is_empty('execute complaints', 'a disabled job is never late');
select monitoring.request_job('later');
select pg_temp.at_time('2026-01-15 13:59:50+00');
select is_empty('execute complaints', 'a requested one has the same three minutes');

-- Behaviour: failing jobs

create function errands.fail() returns void
language plpgsql
as $$ begin raise 'no such luck' using hint = 'Try again.'; end $$;

select monitoring.schedule_job('bad', '1 hour', 'errands.fail');
select pg_temp.run_due();

select results_eq(
    'execute complaints',
    $$values ('job bad', 'failed', interval '0')$$,
    'a job that did not complete has failed'
);

select is(
    (select detail from monitoring.self_check() where check_name = 'job bad'),
    '1 in a row did not complete, the last: failed: no such luck',
    'the detail says how often and why'
);

select monitoring.enable_job('bad', false);
select is_empty('execute complaints', 'a disabled one is nobody''s concern');

-- Behaviour: runs that do not end

delete from monitoring.jobs;
select monitoring.schedule_job('count', '1 day', 'errands.count_to_three', 'UTC', '1 minute');
select monitoring._claim_job('2026-01-15 13:59:50+00', null);
select monitoring._is_own_run('count');
select pg_temp.at_time('2026-01-15 14:03:50+00');
select is_empty('execute complaints', 'a run may outlast its timeout by three minutes');
select pg_temp.at_time('2026-01-15 14:03:52+00');

select results_eq(
    'select * from monitoring.self_check() where status <> ''ok''',
    $$
        values ('job count', 'late', interval '3 minutes 2 seconds',
            'still running 242 seconds after its start')
    $$,
    'then it is late'
);

-- Behaviour: partitions

delete from monitoring.jobs;
select pg_temp.at_time('2026-01-24 10:00+00');

select results_eq(
    'select check_name, status, lateness from monitoring.self_check()',
    $$
        values ('scheduler', 'ok', interval '0'), ('partitions', 'late', interval '10 hours')
    $$,
    'without the partitions of the next day it is late since this day began'
);

drop table monitoring.errors_20260124;

select results_eq(
    $$select status, detail from monitoring.self_check() where check_name = 'partitions'$$,
    $$values ('failed', 'without today''s: errors')$$,
    'without one of today it has failed'
);

select monitoring.ensure_partitions();
select is_empty('execute complaints', 'once they are made all is well');

select * from finish(); -- noqa: AM04
rollback;
