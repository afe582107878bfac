-- Jobs of Solid Queue, in tables made after its schema.

begin;
select plan(8);
\ir helpers/fixed_clock.psql
\ir helpers/adopting.psql
\o /dev/null
\ir ../../sql/adapters/solid_queue.sql
\o

create schema app;
create table app.solid_queue_jobs (
    id bigserial primary key,
    queue_name varchar not null default 'mail',
    class_name varchar not null default 'MailJob',
    arguments text,
    priority integer not null default 0,
    active_job_id varchar,
    scheduled_at timestamp(6),
    finished_at timestamp(6),
    created_at timestamp(6) not null default '2026-01-15 11:57'
);
create table app.solid_queue_ready_executions (
    id bigserial primary key,
    job_id bigint not null,
    queue_name varchar not null default 'mail',
    created_at timestamp(6) not null
);
create table app.solid_queue_blocked_executions (
    like app.solid_queue_ready_executions including defaults
);
create table app.solid_queue_scheduled_executions (
    id bigserial primary key,
    job_id bigint not null,
    queue_name varchar not null default 'mail',
    scheduled_at timestamp(6) not null
);
create table app.solid_queue_claimed_executions (
    id bigserial primary key,
    job_id bigint not null,
    process_id bigint,
    created_at timestamp(6) not null
);
create table app.solid_queue_failed_executions (
    id bigserial primary key,
    job_id bigint not null,
    error text,
    created_at timestamp(6) not null
);
set local timezone = 'Asia/Tokyo';
insert into app.solid_queue_jobs (id, finished_at)
select
    n as id,
    case when n = 5 then timestamp '2026-01-15 11:58:30' end as finished_at
from generate_series(1, 7) as n;
insert into app.solid_queue_ready_executions (job_id, created_at)
values (1, '2026-01-15 11:59:00');
insert into app.solid_queue_blocked_executions (job_id, created_at)
values (2, '2026-01-15 11:59:30');
insert into app.solid_queue_scheduled_executions (job_id, scheduled_at) values
(3, '2026-01-15 11:59:50'), (7, '2026-01-15 13:00:00');
insert into app.solid_queue_claimed_executions (job_id, created_at)
values (4, '2026-01-15 11:58:00');
insert into app.solid_queue_failed_executions (job_id, error, created_at) values (
    6, '{"exception_class":"Boom","message":"no \"route\"","backtrace":[]}', '2026-01-15 11:58:40'
);

select ok(pg_temp.adopt('solid_queue'), 'it is adopted');
select pg_temp.sync_at('12:00', 'solid_queue_queues');
select is(
    pg_temp.depths(), 'solid_queue:mail 3/1/0/0 60',
    'jobs wait that are ready, blocked or due'
);
select is(
    pg_temp.sync_at('12:00', 'solid_queue'), 'new 3', 'jobs that run or have ended are runs'
);
select set_eq(
    'select pg_temp.runs()',
    array[
        'solid_queue:4 MailJob 1 running (11:58:00-)',
        'solid_queue:5 MailJob 1 completed (-11:58:30)',
        'solid_queue:6 MailJob 1 failed (-11:58:40) no \"route\"'
    ],
    'when one that has ended began is not kept'
);
delete from app.solid_queue_claimed_executions;
update app.solid_queue_jobs set finished_at = '2026-01-15 12:00:30' where id = 4;
select is(
    pg_temp.sync_at('12:01', 'solid_queue'), 'ended 1, unchanged 2', 'one that was seen to run ends'
);
select results_eq(
    $$select r from pg_temp.runs() as r where r like 'solid_queue:4 %'$$,
    array['solid_queue:4 MailJob 1 completed (11:58:00-12:00:30)'],
    'with when it began'
);
select pg_temp.sync_at('12:02', 'solid_queue_queues');
select is(
    pg_temp.depths(), 'solid_queue:mail 3/0/1/0 180', 'what has completed is counted'
);
select is_empty('select * from monitoring.v_source_troubles', 'there is no trouble');

select * from finish(); -- noqa: AM04
rollback;
