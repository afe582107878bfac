-- Jobs of Oban, in a table made after its migrations.

begin;
select plan(8);
\ir helpers/fixed_clock.psql
\ir helpers/adopting.psql
\o /dev/null
\ir ../../sql/adapters/oban.sql
\o

create schema app;
create type app.oban_job_state as enum (
    'available', 'suspended', 'scheduled', 'executing', 'retryable', 'completed', 'discarded',
    'cancelled'
);
create table app.oban_jobs (
    id bigserial primary key,
    state app.oban_job_state not null default 'available',
    queue text not null default 'default',
    worker text not null,
    args jsonb not null default '{}',
    errors jsonb[] not null default array[]::jsonb[],
    attempt integer not null default 0,
    max_attempts integer not null default 20,
    inserted_at timestamp not null default timezone('UTC', now()),
    scheduled_at timestamp not null default timezone('UTC', now()),
    attempted_at timestamp,
    completed_at timestamp,
    discarded_at timestamp,
    cancelled_at timestamp
);
-- Readings must not depend on the zone of a session.
set local timezone = 'Asia/Tokyo';
insert into app.oban_jobs (state, worker, attempt, max_attempts, scheduled_at) values
('available', 'Mail', 0, 3, '2026-01-15 11:59:00'),
('available', 'Mail', 0, 3, '2026-01-15 11:59:30'),
('scheduled', 'Mail', 0, 3, '2026-01-15 13:00:00'),
('suspended', 'Mail', 0, 3, '2026-01-15 11:00:00'),
('executing', 'Mail', 1, 3, '2026-01-15 11:58:00'),
('retryable', 'Mail', 1, 3, '2026-01-15 12:01:00'),
('completed', 'Mail', 1, 3, '2026-01-15 11:58:00'),
('discarded', 'Mail', 2, 3, '2026-01-15 11:58:00'),
('cancelled', 'Mail', 1, 3, '2026-01-15 11:58:00');
update app.oban_jobs set attempted_at = '2026-01-15 11:58:00' where attempt > 0;
update app.oban_jobs set completed_at = '2026-01-15 11:58:30' where state = 'completed';
update app.oban_jobs set discarded_at = '2026-01-15 11:58:40' where state = 'discarded';
update app.oban_jobs set cancelled_at = '2026-01-15 11:58:50' where state = 'cancelled';
update app.oban_jobs
set errors = array['{"at": "2026-01-15T11:58:20.5Z", "error": "** (Boom) no route"}'::jsonb]
where state in ('retryable', 'discarded');

select ok(pg_temp.adopt('oban'), 'it is adopted');
select is(
    pg_temp.sync_at('12:00', 'oban_queues'), 'pending 2, processing 1, queues 1',
    'jobs wait or execute'
);
select is(
    pg_temp.depths(), 'oban:default 2/1/0/0 60', 'those that are suspended do neither'
);
select is(
    pg_temp.sync_at('12:00', 'oban'), 'new 4', 'jobs that have ended are runs'
);
select set_eq(
    'select pg_temp.runs()',
    array[
        'oban:6 Mail 1 failed left 2 (11:58:00-11:58:20) ** (Boom) no route',
        'oban:7 Mail 1 completed left 2 (11:58:00-11:58:30)',
        'oban:8 Mail 1 failed left 0 (11:58:00-11:58:40) ** (Boom) no route',
        'oban:9 Mail 1 cancelled left 2 (11:58:00-11:58:50)'
    ],
    'with times in UTC; one that was discarded is not tried again'
);
update app.oban_jobs set state = 'completed', completed_at = '2026-01-15 12:00:30' where id = 5;
delete from app.oban_jobs where id in (7, 8, 9);
select is(
    pg_temp.sync_at('12:02', 'oban'), 'new 1, unchanged 1',
    'what the pruner removes is no loss'
);
select pg_temp.sync_at('12:02', 'oban_queues');
select is(
    pg_temp.depths(), 'oban:default 3/0/1/0 180',
    'what has completed is counted, and a retry whose time has come waits'
);
select is_empty('select * from monitoring.v_source_troubles', 'there is no trouble');

select * from finish(); -- noqa: AM04
rollback;
