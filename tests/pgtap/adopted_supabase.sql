-- Responses of pg_net and runs of pgflow, in tables made after theirs.

begin;
select plan(8);
\ir helpers/fixed_clock.psql
\ir helpers/adopting.psql
\o /dev/null
\ir ../../sql/adapters/pg_net.sql
\ir ../../sql/adapters/pgflow.sql
\o

-- pg_net

create schema net;
create unlogged table net.http_request_queue (id bigserial, url text not null default 'x');
create unlogged table net._http_response (
    id bigint,
    status_code integer,
    timed_out boolean,
    error_msg text,
    created timestamptz not null
);
insert into net.http_request_queue default values;
insert into net._http_response values
(1, 200, false, null, '2026-01-15 11:55+00'), (2, 503, false, null, '2026-01-15 11:56+00'),
(3, null, true, null, '2026-01-15 11:57+00'),
(4, null, false, 'Could not resolve host', '2026-01-15 11:58+00');

select ok(pg_temp.adopt('pg_net'), 'pg_net is adopted');
select is(pg_temp.sync_at('12:00', 'pg_net'), 'new 4', 'responses are runs');
select set_eq(
    'select pg_temp.runs()',
    array[
        'pg_net:1 HTTP request 1 completed (-11:55:00)',
        'pg_net:2 HTTP request 1 failed (-11:56:00) answered with status 503',
        'pg_net:3 HTTP request 1 failed (-11:57:00) timed out',
        'pg_net:4 HTTP request 1 failed (-11:58:00) Could not resolve host'
    ],
    'those that are refused, or do not come, have failed'
);
select pg_temp.sync_at('12:00', 'pg_net_queues');
select is(pg_temp.depths(), 'pg_net:requests 1/0/0/0', 'requests wait');

-- pgflow

create schema pgflow;
create table pgflow.runs (
    run_id uuid primary key default gen_random_uuid(),
    flow_slug text not null default 'import',
    status text not null default 'started',
    started_at timestamptz not null default '2026-01-15 11:50+00',
    completed_at timestamptz,
    failed_at timestamptz
);
create table pgflow.step_tasks (
    flow_slug text not null default 'import',
    run_id uuid not null,
    step_slug text not null,
    task_index integer not null default 0,
    status text not null,
    error_message text,
    queued_at timestamptz not null,
    completed_at timestamptz,
    failed_at timestamptz
);
insert into pgflow.runs (status, completed_at, failed_at) values
('started', null, null), ('completed', '2026-01-15 11:58+00', null),
('failed', null, '2026-01-15 11:59+00');
insert into pgflow.step_tasks (run_id, step_slug, status, error_message, queued_at)
select
    r.run_id,
    s.step_slug,
    s.status,
    s.error_message,
    '2026-01-15 11:59+00' as queued_at
from pgflow.runs as r
inner join (
    values
    ('started', 'fetch', 'started', null), ('started', 'parse', 'queued', null),
    ('failed', 'fetch', 'completed', null), ('failed', 'parse', 'failed', 'no JSON')
) as s (run_status, step_slug, status, error_message) on r.status = s.run_status;

select ok(pg_temp.adopt('pgflow'), 'pgflow is adopted');
select pg_temp.sync_at('12:00', 'pgflow');
select set_eq(
    $$
        select regexp_replace(r, ':[-0-9a-f]{36}', '') from pg_temp.runs() as r
        where r like 'pgflow%'
    $$,
    array[
        'pgflow import 1 running (11:50:00-)', 'pgflow import 1 completed (11:50:00-11:58:00)',
        'pgflow import 1 failed (11:50:00-11:59:00) parse: no JSON'
    ],
    'flows are runs, with the error of the step that failed'
);
select pg_temp.sync_at('12:00', 'pgflow_queues');
select matches(
    pg_temp.depths(), 'pgflow:import 1/1/0/0 60', 'tasks of steps wait and are worked on'
);
select is_empty('select * from monitoring.v_source_troubles', 'there is no trouble');

select * from finish(); -- noqa: AM04
rollback;
