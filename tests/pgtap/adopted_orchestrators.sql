-- Runs of Airflow, Dagster and Prefect, in tables made after theirs.

begin;
select plan(13);
\ir helpers/fixed_clock.psql
\ir helpers/adopting.psql
\o /dev/null
\ir ../../sql/adapters/airflow.sql
\ir ../../sql/adapters/dagster.sql
\ir ../../sql/adapters/prefect.sql
\o

-- Airflow

create schema airflow;
create table airflow.dag_run (
    id serial primary key,
    dag_id varchar(250) not null default 'etl',
    run_id varchar(250) not null default 'r',
    state varchar(50),
    start_date timestamptz,
    end_date timestamptz
);
create table airflow.task_instance (
    dag_id varchar(250) not null default 'etl',
    state varchar(20),
    queue varchar(256) not null default 'default',
    queued_dttm timestamptz
);
insert into airflow.dag_run (state, start_date, end_date) values
('success', '2026-01-15 11:50+00', '2026-01-15 11:58+00'),
('failed', '2026-01-15 11:50+00', '2026-01-15 11:59+00'),
('running', '2026-01-15 11:50+00', null), ('queued', null, null),
('success', '2026-01-14 11:50+00', '2026-01-14 11:58+00');
insert into airflow.task_instance (state, queued_dttm) values
('queued', '2026-01-15 11:59+00'), ('scheduled', null), ('running', '2026-01-15 11:51+00'),
('success', '2026-01-15 11:51+00'), (null, null);

select ok(pg_temp.adopt('airflow'), 'Airflow is adopted');
select is(pg_temp.sync_at('12:00', 'airflow'), 'new 3', 'runs of DAGs are runs');
select set_eq(
    'select pg_temp.runs()',
    array[
        'airflow:1 etl 1 completed (11:50:00-11:58:00)',
        'airflow:2 etl 1 failed (11:50:00-11:59:00)', 'airflow:3 etl 1 running (11:50:00-)'
    ],
    'as they are'
);
update airflow.dag_run set state = 'success', end_date = '2026-01-15 12:00:30+00' where id = 3;
update airflow.dag_run set state = 'running', start_date = '2026-01-15 12:00:40+00', end_date = null
where id = 2;
select is(
    pg_temp.sync_at('12:01', 'airflow'), 'ended 1, restarted 1, unchanged 1',
    'one that is cleared begins anew'
);
select pg_temp.sync_at('12:00', 'airflow_queues');
select is(pg_temp.depths(), 'airflow:default 2/1/0/0 60', 'task instances wait and are worked on');

-- Dagster

create schema dagster;
create table dagster.runs (
    id bigserial primary key,
    run_id varchar(255) unique,
    pipeline_name text default 'assets',
    status varchar(63),
    create_timestamp timestamp default '2026-01-15 11:50',
    update_timestamp timestamp default '2026-01-15 11:59',
    start_time double precision,
    end_time double precision
);
set local timezone = 'Asia/Tokyo';
insert into dagster.runs (run_id, status, start_time, end_time)
select
    r.run_id,
    r.status,
    extract(epoch from timestamptz '2026-01-15 11:50+00') as start_time,
    extract(epoch from r.ended_at::timestamptz) as end_time
from (
    values
    ('a', 'SUCCESS', '2026-01-15 11:58+00'), ('b', 'FAILURE', '2026-01-15 11:59+00'),
    ('c', 'STARTED', null), ('d', 'QUEUED', null), ('e', 'CANCELED', null)
) as r (run_id, status, ended_at);

select ok(pg_temp.adopt('dagster'), 'Dagster is adopted');
select pg_temp.sync_at('12:00', 'dagster');
select set_eq(
    $$select r from pg_temp.runs() as r where r like 'dagster%'$$,
    array[
        'dagster:a assets 1 completed (11:50:00-11:58:00)',
        'dagster:b assets 1 failed (11:50:00-11:59:00)', 'dagster:c assets 1 running (11:50:00-)',
        'dagster:e assets 1 cancelled (11:50:00-11:59:00)'
    ],
    'its runs are runs, with times in UTC'
);
select pg_temp.sync_at('12:00', 'dagster_queues');
select matches(pg_temp.depths(), 'dagster:runs 1/1/0/0 600', 'runs wait and are worked on');

-- Prefect

create schema prefect;
create type prefect.state_type as enum (
    'SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED',
    'CANCELLING'
);
create table prefect.flow (id uuid primary key, name varchar not null);
create table prefect.flow_run (
    id uuid primary key default gen_random_uuid(),
    flow_id uuid not null default '00000000-0000-0000-0000-000000000001',
    state_id uuid,
    state_type prefect.state_type,
    state_name varchar,
    run_count integer not null default 1,
    start_time timestamptz,
    end_time timestamptz,
    expected_start_time timestamptz default '2026-01-15 11:50+00',
    next_scheduled_start_time timestamptz,
    work_queue_name varchar
);
create table prefect.flow_run_state (id uuid primary key, message varchar);
insert into prefect.flow values ('00000000-0000-0000-0000-000000000001', 'nightly');
insert into prefect.flow_run_state
values ('00000000-0000-0000-0000-000000000002', 'Flow run raised an exception: ValueError');
insert into prefect.flow_run (state_type, state_id, start_time, end_time, next_scheduled_start_time)
values
('COMPLETED', null, '2026-01-15 11:50+00', '2026-01-15 11:58+00', null),
(
    'FAILED', '00000000-0000-0000-0000-000000000002', '2026-01-15 11:50+00',
    '2026-01-15 11:59+00', null
),
('RUNNING', null, '2026-01-15 11:50+00', null, null),
('SCHEDULED', null, null, null, '2026-01-15 11:59+00'),
('SCHEDULED', null, null, null, '2026-01-15 13:00+00');

select ok(pg_temp.adopt('prefect'), 'Prefect is adopted');
select pg_temp.sync_at('12:00', 'prefect');
select set_eq(
    $$
        select regexp_replace(r, ':[-0-9a-f]{36}', '') from pg_temp.runs() as r
        where r like 'prefect%'
    $$,
    array[
        'prefect nightly 1 completed (11:50:00-11:58:00)',
        'prefect nightly 1 failed (11:50:00-11:59:00) Flow run raised an exception: ValueError',
        'prefect nightly 1 running (11:50:00-)'
    ],
    'its runs are runs'
);
select pg_temp.sync_at('12:00', 'prefect_queues');
select matches(
    pg_temp.depths(), 'prefect:default 1/1/0/0 60', 'those that are due wait'
);
update prefect.flow_run set state_type = 'COMPLETED', end_time = '2026-01-15 12:00:10+00'
where state_type = 'RUNNING';
select pg_temp.sync_at('12:02', 'prefect_queues');
select matches(pg_temp.depths(), 'prefect:default 1/0/1/0 180', 'and what has ended is counted');
select is_empty('select * from monitoring.v_source_troubles', 'there is no trouble');

select * from finish(); -- noqa: AM04
rollback;
