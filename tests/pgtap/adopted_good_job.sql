-- Jobs of GoodJob, in tables made after its migrations.

begin;
select plan(9);
\ir helpers/fixed_clock.psql
\ir helpers/adopting.psql
\o /dev/null
\ir ../../sql/adapters/good_job.sql
\o

create schema app;
create table app.good_jobs (
    id uuid primary key default gen_random_uuid(),
    queue_name text,
    priority integer,
    serialized_params jsonb,
    scheduled_at timestamp(6),
    performed_at timestamp(6),
    finished_at timestamp(6),
    error text,
    created_at timestamp(6) not null default '2026-01-15 11:57',
    updated_at timestamp(6) not null default '2026-01-15 11:57',
    active_job_id uuid,
    executions_count integer,
    job_class text,
    locked_by_id uuid,
    locked_at timestamp(6)
);
create table app.good_job_executions (
    id uuid primary key default gen_random_uuid(),
    created_at timestamp(6) not null,
    updated_at timestamp(6) not null default '2026-01-15 11:57',
    active_job_id uuid not null,
    job_class text,
    finished_at timestamp(6),
    error text
);
set local timezone = 'Asia/Tokyo';

create function pg_temp.id(p_number integer) returns uuid
language sql
as $$
    select format('00000000-0000-0000-0000-%s', lpad(p_number::text, 12, '0'))::uuid
$$;
create function pg_temp.job(
    p_number integer, p_due text, p_performed text, p_finished text, p_error text, p_count integer
)
returns void
language sql
as $$
    insert into app.good_jobs (
        id, active_job_id, job_class, queue_name, scheduled_at, performed_at, finished_at, error,
        executions_count
    )
    values (
        pg_temp.id(p_number), pg_temp.id(p_number), 'MailJob', 'mail',
        ('2026-01-15 ' || p_due)::timestamp, ('2026-01-15 ' || p_performed)::timestamp,
        ('2026-01-15 ' || p_finished)::timestamp, p_error, p_count
    )
$$;
select pg_temp.job(1, '11:59:00', null, null, null, 0);
select pg_temp.job(2, null, null, null, null, 0);
select pg_temp.job(3, '13:00:00', null, null, null, 0);
select pg_temp.job(4, '11:58:00', '11:58:00', null, null, 1);
select pg_temp.job(5, null, '11:58:00', '11:58:30', null, 1);
select pg_temp.job(6, null, '11:58:00', '11:58:40', 'Net::Error: no route', 5);
select pg_temp.job(7, '12:01:00', null, null, 'Net::Error: not yet', 2);
insert into app.good_job_executions (active_job_id, created_at, finished_at, error) values
(pg_temp.id(7), '2026-01-15 11:50:00', '2026-01-15 11:50:10', 'Net::Error: before'),
(pg_temp.id(7), '2026-01-15 11:58:10', '2026-01-15 11:58:20', 'Net::Error: not yet');

select ok(pg_temp.adopt('good_job'), 'it is adopted');
select pg_temp.sync_at('12:00', 'good_job_queues');
select is(
    pg_temp.depths(), 'good_job:mail 2/1/0/0 180',
    'jobs wait from when they are due, or were made'
);
select is(pg_temp.sync_at('12:00', 'good_job'), 'new 4', 'jobs that run or have ended are runs');
select set_eq(
    $$select replace(r, '00000000-0000-0000-0000-00000000000', '') from pg_temp.runs() as r$$,
    array[
        'good_job:4 MailJob 1 running left 0 (11:58:00-)',
        'good_job:5 MailJob 1 completed left 0 (11:58:00-11:58:30)',
        'good_job:6 MailJob 1 failed left 0 (11:58:00-11:58:40) Net::Error: no route',
        'good_job:7 MailJob 1 failed left 1 (11:58:10-11:58:20) Net::Error: not yet'
    ],
    'one that is tried again has failed by its last execution, and has retries left'
);
select is(pg_temp.sync_at('12:01', 'good_job'), 'unchanged 4', 'nothing new is nothing new');
update app.good_jobs set performed_at = '2026-01-15 12:01:10', executions_count = 3
where id = pg_temp.id(7);
update app.good_jobs set finished_at = '2026-01-15 12:01:20' where id = pg_temp.id(4);
select is(
    pg_temp.sync_at('12:01:30', 'good_job'), 'ended 1, restarted 1, unchanged 2',
    'a retry is another attempt'
);
update app.good_jobs set finished_at = '2026-01-15 12:01:40', error = null
where id = pg_temp.id(7);
select is(
    pg_temp.sync_at('12:02', 'good_job'), 'ended 1, unchanged 3', 'which ends'
);
select pg_temp.sync_at('12:03', 'good_job_queues');
select is(
    pg_temp.depths(), 'good_job:mail 2/0/2/0 360', 'what has completed is counted'
);
select is_empty('select * from monitoring.v_source_troubles', 'there is no trouble');

select * from finish(); -- noqa: AM04
rollback;
