-- A runner that goes on beside an upgrade: jobs that a migration brings wait for their code.

begin;
select plan(6);
\ir helpers/fixed_clock.psql
\ir helpers/jobs.psql

delete from monitoring.jobs;
insert into monitoring.jobs (job_name, description, schedule, procedure_name, next_run_at)
values (
    'brought', 'Of the next version.', '1 minute', 'monitoring.come_with_the_next_version',
    monitoring.clock() - interval '1 minute'
);

select is(
    (monitoring._find_due_job(monitoring.clock(), null)).job_name,
    null,
    'a job of ours is not begun before its code is loaded'
);
select is(
    (select last_status from monitoring.jobs where job_name = 'brought'),
    null,
    'nor does it count as failed'
);

create function monitoring.come_with_the_next_version() returns void
language plpgsql
as $$ begin null; end $$;

select is(
    (monitoring._find_due_job(monitoring.clock(), null)).job_name,
    'brought',
    'it is once that is there'
);

drop function monitoring.come_with_the_next_version();
update monitoring.jobs set runs = 1 where job_name = 'brought';

select is(
    (monitoring._find_due_job(monitoring.clock(), null)).job_name,
    'brought',
    'one that has run before is begun all the same, and says what is missing'
);

update monitoring.jobs set runs = 0, procedure_name = 'errands.gone' where job_name = 'brought';

select is(
    (monitoring._find_due_job(monitoring.clock(), null)).job_name,
    'brought',
    'and so is one that calls what is not ours'
);

update monitoring.jobs set procedure_name = 'monitoring.roll_up' where job_name = 'brought';

select is(
    (monitoring._find_due_job(monitoring.clock(), null)).job_name,
    'brought',
    'or what is there from the beginning'
);

select * from finish(); -- noqa: AM04
rollback;
