-- Jobs of an adopted queue: their depths, their runs, and how much of them is read. River's table
-- is made after its migrations.

begin;
select plan(29);
set local timezone = 'UTC';
\ir helpers/fixed_clock.psql
\ir helpers/adopting.psql
\ir helpers/river.psql

select pg_temp.adopt('river');

-- What became of a job, newest attempt first.
create function pg_temp.story(p_job bigint) returns text
language sql
as $$
    select string_agg(
        format(
            '%s %s%s', t.attempt, t.status, ' left ' || (t.metadata ->> 'retries_left')
        ),
        ', ' order by t.attempt desc
    )
    from monitoring.processing_metrics as t
    where t.task_id = 'river:' || p_job
$$;

-- Makes a job that was begun, and maybe ended, at times of the day.
create function pg_temp.job(
    p_state app.river_job_state, p_begun text default null, p_ended text default null,
    p_attempt integer default 1, p_queue text default 'mail'
)
returns bigint
language sql
as $$
    insert into app.river_job (
        kind, queue, state, attempt, max_attempts, scheduled_at, attempted_at, finalized_at, errors
    )
    values (
        'send', p_queue, p_state, p_attempt, 3, '2026-01-15 11:59+00',
        ('2026-01-15 ' || p_begun || '+00')::timestamptz,
        case when p_state <> 'retryable' then ('2026-01-15 ' || p_ended || '+00')::timestamptz end,
        case when p_state in ('retryable', 'discarded') then array[
            jsonb_build_object('at', '2026-01-15T' || p_ended || 'Z', 'error', 'boom')
        ] end
    )
    returning id
$$;

-- Depths

select pg_temp.job('available', p_attempt => 0);
select pg_temp.job('running', '11:58:00');
select is(
    pg_temp.sync_at('12:00', 'river_queues'), 'pending 1, processing 1, queues 1',
    'jobs that wait and are worked on are counted'
);
select is(pg_temp.depths(), 'river:mail 1/1/0/0 60', 'by queue, with the age of the oldest');
insert into app.river_job (kind, queue, state, scheduled_at) values
('send', 'mail', 'scheduled', '2026-01-15 13:00+00'),
('send', 'mail', 'retryable', '2026-01-15 13:00+00'),
('send', 'mail', 'pending', '2026-01-15 11:00+00');
select pg_temp.sync_at('12:00:30', 'river_queues');
select is(
    pg_temp.depths(), 'river:mail 1/1/0/0 90',
    'those whose time has not come, or that wait for another job, do not wait yet'
);

-- Running totals

select pg_temp.job('completed', '12:00:00', '12:00:10') from generate_series(1, 3);
select pg_temp.job('discarded', '12:00:00', '12:00:20', 3);
select pg_temp.job('completed', '12:00:00', '12:00:20', p_queue => 'bill');
select pg_temp.sync_at('12:01', 'river_queues');
select is(
    pg_temp.depths(), 'river:mail 1/1/0/0 120', 'what has just ended is counted a minute later'
);
select pg_temp.sync_at('12:02', 'river_queues');
select is(
    pg_temp.depths(), 'river:bill 0/0/1/0, river:mail 1/1/3/1 180',
    'then as completed and failed'
);
select pg_temp.sync_at('12:03', 'river_queues');
select is(
    pg_temp.depths(), 'river:bill 0/0/1/0, river:mail 1/1/3/1 240',
    'once; what was counted stays, whether there is anything to do or not'
);
delete from app.river_job where state = 'completed';
select pg_temp.sync_at('12:04', 'river_queues');
select is(
    pg_temp.depths(), 'river:bill 0/0/1/0, river:mail 1/1/3/1 300',
    'or the queue has removed it'
);
select pg_temp.job('completed', '12:03:00', '12:03:30');
select pg_temp.sync_at('12:20', 'river_queues');
select is(
    pg_temp.depths(), 'river:bill 0/0/1/0, river:mail 1/1/4/1 1260',
    'what ended while nobody looked is counted at the next reading'
);
select pg_temp.sync_at('13:05', 'river_queues');
select pg_temp.sync_at('13:25', 'river_queues');
select matches(
    pg_temp.depths(), '^river:bill 0/0/0/0, ',
    'a queue that was at rest for an hour is let go, and recorded as empty once'
);

-- Runs

truncate app.river_job restart identity;
select pg_temp.job('completed', '13:57:00', '13:58:00');
select pg_temp.job('completed', '12:40:00', '12:50:00');
select is(
    pg_temp.sync_at('14:00', 'river'), 'new 1',
    'the first time jobs of the last hour are read, no older'
);
select pg_temp.job('running', '14:00:10');
select is(
    pg_temp.sync_at('14:01', 'river'), 'new 1, unchanged 1', 'one that runs is a task'
);
update app.river_job set state = 'completed', finalized_at = '2026-01-15 14:01:30+00' where id = 3;
select is(pg_temp.sync_at('14:02', 'river'), 'ended 1, unchanged 1', 'and ends');
select is(
    (
        select end_time - start_time from monitoring.processing_metrics where task_id = 'river:3'
    ),
    '80 seconds', 'when it did'
);

-- Retries

select pg_temp.job('retryable', '14:02:10', '14:02:20');
select pg_temp.sync_at('14:03', 'river');
select is(pg_temp.story(4), '1 failed left 2', 'an attempt to be tried again failed, with retries');
select is(
    (select severity || ' ' || message from monitoring.error_tracking where task_id = 'river:4'),
    'medium boom', 'its error is one of medium severity'
);
select monitoring.evaluate_alerts();
select is(
    (
        select severity from monitoring.v_active_alerts
        where rule_name = 'task_failed' and labels ->> 'task_type' = 'send'
    ),
    'medium', 'and so is the alert'
);
update app.river_job set state = 'running', attempt = 2, attempted_at = '2026-01-15 14:03:10+00'
where id = 4;
select pg_temp.sync_at('14:04', 'river');
update app.river_job set state = 'completed', finalized_at = '2026-01-15 14:04:10+00' where id = 4;
select pg_temp.sync_at('14:05', 'river');
select is(pg_temp.story(4), '2 completed left 1, 1 failed left 2', 'the next attempt is another');
select monitoring.evaluate_alerts();
select is_empty(
    $$
        select * from monitoring.v_active_alerts
        where rule_name = 'task_failed' and labels ->> 'task_type' = 'send'
    $$,
    'and makes up for it'
);
select pg_temp.job('discarded', '14:05:10', '14:05:20', 2);
select pg_temp.sync_at('14:06', 'river');
select is(
    pg_temp.story(5), '1 failed left 0', 'one that is discarded has none left, whatever it had'
);
select monitoring.evaluate_alerts();
select is(
    (
        select severity from monitoring.v_active_alerts
        where rule_name = 'task_failed' and labels ->> 'task_type' = 'send'
    ),
    'critical', 'and is critical'
);
select pg_temp.job('cancelled', '14:05:10', '14:05:20');
select pg_temp.sync_at('14:06:30', 'river');
select is(pg_temp.story(6), '1 cancelled left 2', 'one that was cancelled is no failure');

-- How much is read

select pg_temp.job('running', '14:06:40');
select pg_temp.sync_at('14:07', 'river');
update app.river_job set state = 'completed', finalized_at = '2026-01-15 14:07:30+00' where id = 7;
select pg_temp.job('completed', '16:00:00', '17:00:00');
select is(
    pg_temp.sync_at('20:00', 'river'), 'ended 1, new 1, unchanged 3',
    'after a long time whatever ended meanwhile is read'
);
select is(
    (select count(*) from monitoring.v_adopted_river_runs), 0::bigint,
    'and from then on only what is new'
);
select is(
    pg_temp.sync_at('20:01', 'river'), 'nothing', 'which may be nothing'
);
update app.river_job set state = 'running', finalized_at = null where id = 7;
update app.river_job set attempted_at = '2026-01-15 20:01:10+00' where id = 7;
select pg_temp.sync_at('20:02', 'river');
delete from app.river_job where id = 7;
select is(
    pg_temp.sync_at('20:03', 'river'), 'vanished 1',
    'a job that is removed while it runs has vanished'
);
select is(
    (select count(*) from monitoring.source_runs where source_name = 'river'), 1::bigint,
    'runs that no reading looks for again are forgotten'
);

-- More than is read at a time

create or replace function monitoring._most_adopted_runs() returns integer
language sql
immutable
return 2;
select pg_temp.job('completed', '20:03:00', '20:03:1' || n) from generate_series(1, 5) as n;
select is(
    pg_temp.sync_at('20:04', 'river'), 'new 2, read_until 2026-01-15T20:03:12+00:00',
    'the oldest come first'
);
select is(
    pg_temp.sync_at('20:05', 'river'), 'new 1, read_until 2026-01-15T20:03:13+00:00, unchanged 1',
    'then those after them'
);
select pg_temp.sync_at('20:06', 'river');
select pg_temp.sync_at('20:07', 'river');
select pg_temp.sync_at('20:08', 'river');
select is(
    (
        select count(*) from monitoring.processing_metrics
        where start_time = '2026-01-15 20:03:00+00'
    ),
    5::bigint, 'until all are there'
);

select * from finish(); -- noqa: AM04
rollback;
