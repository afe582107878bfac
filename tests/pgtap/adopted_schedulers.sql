-- Runs of pg_timetable and pgAgent, in tables made after theirs.

begin;
select plan(9);
\ir helpers/fixed_clock.psql
\ir helpers/adopting.psql
\o /dev/null
\ir ../../sql/adapters/pg_timetable.sql
\ir ../../sql/adapters/pgagent.sql
\o

-- pg_timetable

create schema timetable;
create table timetable.chain (chain_id bigserial primary key, chain_name text not null unique);
create table timetable.task (
    task_id bigserial primary key,
    chain_id bigint,
    task_name text,
    command text not null default 'select 1'
);
create table timetable.active_chain (
    chain_id bigint not null,
    client_name text not null default 'worker',
    started_at timestamptz
);
create table timetable.execution_log (
    chain_id bigint,
    task_id bigint,
    txid bigint not null,
    last_run timestamptz,
    finished timestamptz,
    returncode integer,
    ignore_error boolean,
    output text
);
insert into timetable.chain (chain_name) values ('nightly'), ('hourly');
insert into timetable.task (chain_id, task_name) values (1, 'copy'), (1, 'clean'), (2, null);
insert into timetable.active_chain (chain_id, started_at) values (2, '2026-01-15 11:59+00');
insert into timetable.execution_log values
(1, 1, 7, '2026-01-15 11:50+00', '2026-01-15 11:51+00', 0, false, 'COPY 5'),
(1, 2, 7, '2026-01-15 11:51+00', '2026-01-15 11:52+00', 1, false, E'ERROR: no table\n'),
(2, 3, 8, '2026-01-15 11:53+00', '2026-01-15 11:54+00', -1, true, ''),
(1, 1, 6, '2026-01-14 11:50+00', '2026-01-14 11:51+00', 0, false, 'COPY 5');

select ok(pg_temp.adopt('pg_timetable'), 'pg_timetable is adopted');
select is(
    pg_temp.sync_at('12:00', 'pg_timetable'), 'new 3', 'tasks of chains that have ended are runs'
);
select set_eq(
    $$select regexp_replace(r, ':\d+-(\d+)-\S+', ':\1') from pg_temp.runs() as r$$,
    array[
        'pg_timetable:1 nightly / copy 1 completed (11:50:00-11:51:00)',
        'pg_timetable:2 nightly / clean 1 failed (11:51:00-11:52:00) ERROR: no table',
        'pg_timetable:3 hourly 1 completed (11:53:00-11:54:00) ended with -1'
    ],
    'one whose error is to be ignored has completed'
);
select pg_temp.sync_at('12:00', 'pg_timetable_queues');
select is(pg_temp.depths(), 'pg_timetable:hourly 0/1/0/0', 'a chain that runs is worked on');

-- pgAgent

create schema pgagent;
create table pgagent.pga_job (jobid serial primary key, jobname text not null);
create table pgagent.pga_joblog (
    jlgid serial primary key,
    jlgjobid integer not null default 1,
    jlgstatus character(1) not null,
    jlgstart timestamptz not null,
    jlgduration interval
);
create table pgagent.pga_jobsteplog (
    jslid serial primary key,
    jsljlgid integer not null,
    jsljstid integer not null default 1,
    jslstatus character(1) not null,
    jslresult integer,
    jsloutput text
);
insert into pgagent.pga_job (jobname) values ('vacuum');
insert into pgagent.pga_joblog (jlgstatus, jlgstart, jlgduration) values
('s', '2026-01-15 11:50+00', '1 minute'), ('f', '2026-01-15 11:52+00', '1 minute'),
('f', '2026-01-15 11:53+00', '1 minute'), ('d', '2026-01-15 11:54+00', '1 minute'),
('r', '2026-01-15 11:55+00', null), ('i', '2026-01-15 11:56+00', null);
insert into pgagent.pga_jobsteplog (jsljlgid, jslstatus, jslresult, jsloutput) values
(2, 's', 0, 'fine'), (2, 'f', 1, E'ERROR: no table\n'), (3, 'f', 3, '');

select ok(pg_temp.adopt('pgagent'), 'pgAgent is adopted');
select is(pg_temp.sync_at('12:00', 'pgagent'), 'new 6', 'jobs that run or have ended are runs');
select set_eq(
    $$select r from pg_temp.runs() as r where r like 'pgagent%'$$,
    array[
        'pgagent:1 vacuum 1 completed (11:50:00-11:51:00)',
        'pgagent:2 vacuum 1 failed (11:52:00-11:53:00) ERROR: no table',
        'pgagent:3 vacuum 1 failed (11:53:00-11:54:00) step ended with 3',
        'pgagent:4 vacuum 1 cancelled (11:54:00-11:55:00)',
        'pgagent:5 vacuum 1 running (11:55:00-)',
        'pgagent:6 vacuum 1 completed (11:56:00-11:56:00)'
    ],
    'with what the step says that failed'
);
update pgagent.pga_joblog set jlgstatus = 's', jlgduration = '6 minutes' where jlgid = 5;
select is(
    pg_temp.sync_at('12:02', 'pgagent'), 'ended 1, unchanged 2', 'one that ran ends'
);
select is_empty('select * from monitoring.v_source_troubles', 'there is no trouble');

select * from finish(); -- noqa: AM04
rollback;
