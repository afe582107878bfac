-- Pings: one word a call about work that has a name.

begin;
select plan(39);
\ir helpers/fixed_clock.psql

select set_config('monitoring.strict', 'off', true);

-- What is recorded: task, attempt, status and seconds of the runs of a name, the newest last.
create function pg_temp.runs(p_name text) returns text
language sql
as $$
    select string_agg(
        concat_ws(
            ' ', t.task_id, t.attempt, coalesce(t.status, 'running'),
            (t.duration_ms / 1000)::integer
        ),
        ', ' order by t.end_time, t.task_id
    )
    from monitoring.processing_metrics as t
    where t.task_type = p_name and t.end_time is not null
$$;

-- Names

select is(
    monitoring.record_ping('backup', p_is_created => false), null,
    'a name that is not known is not recorded where it may not be made'
);
select is(pg_temp.runs('backup'), null, 'nothing at all is');
select is(monitoring.record_ping('backup'), 'created', 'otherwise it is made');
select pg_temp.set_clock('2026-01-15 12:00:00.1+00');
select is(monitoring.record_ping('backup'), 'recorded', 'and known from then on');
select pg_temp.set_clock('2026-01-15 12:00:00.2+00');
select is(
    monitoring.record_ping(monitoring.define_ping('backup')::text, p_is_created => false),
    'recorded', 'its id stands for it'
);
select isnt(monitoring.define_ping('weekly'), null, 'a name can be made before it is pinged');
select is(
    monitoring.define_ping('weekly'), monitoring.define_ping('weekly'), 'its id stays the same'
);
select is(monitoring.remove_ping('weekly'), true, 'and it can be forgotten');
select is(monitoring.remove_ping('weekly'), false, 'once');

-- Success alone

select is(
    pg_temp.runs('backup'), 'backup 1 completed 0, backup 1 completed 0, backup 1 completed 0',
    'an end of what did not start is a run, however soon the next one comes'
);

-- Start and end

select pg_temp.set_clock('2026-01-15 12:00+00');
select monitoring.record_ping('load', 'start');
select pg_temp.set_clock('2026-01-15 12:01+00');
select monitoring.record_ping('load', 'SUCCESS', p_body => E'12 rows\nall well');
select is(pg_temp.runs('load'), 'load 1 completed 60', 'a start and an end are one run');
select is(
    (
        select l.message from monitoring.v_application_logs as l
        where l.component = 'load' and l.task_id = 'load'
    ),
    E'12 rows\nall well', 'what it said is a line of its log'
);
select monitoring.record_ping('load', 'log', p_body => 'aside');
select is(pg_temp.runs('load'), 'load 1 completed 60', 'a log alone is no run');

-- Failure

select pg_temp.set_clock('2026-01-15 12:01:30+00');
select monitoring.record_ping('load', 'start');
select monitoring.record_ping('load', '3', p_body => E'\n  no space left \nat once');
select pg_temp.set_clock('2026-01-15 12:02+00');
select is(
    pg_temp.runs('load'), 'load 1 completed 60, load 1 failed 0', 'an exit status is a failure'
);
select results_eq(
    $$
        select error_type collate "default", message, severity collate "default",
            details, stack
        from monitoring.error_tracking where task_id = 'load'
    $$,
    $$
        values (
            'ExitStatus', 'no space left', 'high', '{"exit_status": 3}'::jsonb,
            E'\n  no space left \nat once'
        )
    $$,
    'and an error with what it said, of which the first line counts'
);
select monitoring.record_ping('load', 'fail');
select is(
    (
        select e.message from monitoring.error_tracking as e where e.error_type = 'PingFailed'
    ),
    'it said that it failed', 'one that says nothing else is an error as well'
);
select is(
    (select max(t.attempt) from monitoring.processing_metrics as t where t.task_id = 'load'),
    2, 'a failure makes the next run another attempt'
);
select pg_temp.set_clock('2026-01-15 12:03+00');
select monitoring.record_ping('load', '0');
select is(
    (select count(*) from monitoring.unsuccessful_attempts as u where u.task_id = 'load'),
    0::bigint, 'which the next success makes up for'
);

-- Runs that overlap

select monitoring.record_ping('sync', 'start', 'A0000000-0000-4000-8000-000000000001');
select monitoring.record_ping('sync', 'start', 'b0000000-0000-4000-8000-000000000001');
select pg_temp.set_clock('2026-01-15 12:04+00');
select monitoring.record_ping('sync', 'success', 'a0000000-0000-4000-8000-000000000001');
select is(
    pg_temp.runs('sync'), 'sync:a0000000-0000-4000-8000-000000000001 1 completed 60',
    'the end of a run id ends the run of that id, in whatever case it is written'
);
select is(
    (select count(*) from monitoring.active_tasks as a where a.task_type = 'sync'), 1::bigint,
    'the other one goes on'
);
select monitoring.record_ping('sync', 'success', 'c0000000-0000-4000-8000-000000000001');
select is(
    (select count(*) from monitoring.active_tasks as a where a.task_type = 'sync'), 1::bigint,
    'also when one ends that did not start'
);
select monitoring.record_ping('sync', 'success');
select is(
    (select count(*) from monitoring.active_tasks as a where a.task_type = 'sync'), 0::bigint,
    'an end without an id ends what runs'
);
select is(
    (
        select string_agg(distinct t.metadata ->> 'work', ' ')
        from monitoring.processing_metrics as t where t.task_type = 'sync'
    ),
    'sync', 'runs of all ids are the same work'
);

-- Starts that are told again, and lengths

select pg_temp.set_clock('2026-01-15 12:05+00');
select monitoring.record_ping('again', 'start', 'a');
select pg_temp.set_clock('2026-01-15 12:06+00');
select monitoring.record_ping('again', 'start', 'a');
select is(
    (
        select a.heartbeat_at - a.started_at from monitoring.active_tasks as a
        where a.task_id = 'again:a'
    ),
    interval '1 minute', 'a start of a run id that runs says that it is at work'
);
select monitoring.record_ping('again', 'success', 'a', p_duration => '1 second');
select is(
    pg_temp.runs('again'), 'again:a 1 completed 60',
    'and is no other attempt; how long it took is known better here'
);
select monitoring.record_ping('lengthy', p_duration => '90 seconds');
select is(
    pg_temp.runs('lengthy'), 'lengthy 1 completed 90',
    'an end of what did not start says how long it took'
);
select monitoring.record_ping('hasty', 'success', 'a');
select monitoring.record_ping('hasty', 'start', 'a');
select is(
    pg_temp.runs('hasty'), 'hasty:a 1 completed 0',
    'a start that comes after the end of its run id begins nothing'
);
select pg_temp.set_clock('2026-01-15 12:07:01+00');
select monitoring.record_ping('hasty', 'start', 'a');
select is(
    (select count(*) from monitoring.active_tasks as a where a.task_id = 'hasty:a'), 1::bigint,
    'more than a minute later it is another run'
);
select monitoring.record_ping('endless', p_duration => '178000000 years');
select is(
    pg_temp.runs('endless'), 'endless 1 completed 0', 'a length that cannot be is left out'
);
select monitoring.record_ping('backwards', p_duration => '-1 second');
select is(pg_temp.runs('backwards'), 'backwards 1 completed 0', 'as is a negative one');
select is(
    (
        select count(*) from monitoring.error_tracking as e
        where e.fingerprint = 'pgvigil.repaired:duration'
    ),
    1::bigint, 'which is told'
);

-- Whatever comes

select is(monitoring.record_ping('odd', '256'), 'created', 'no action raises');
select is(pg_temp.runs('odd'), 'odd 1 failed 0', 'one that means nothing is a failure');
select is(monitoring.record_ping(null, null, ' ', ''), 'created', 'no name is needed');
select is(pg_temp.runs('(unnamed)'), '(unnamed) 1 completed 0', 'the run has no name then');
select monitoring.record_ping('long', 'fail', p_body => repeat('x', 100000));
select is(
    (
        select length(e.stack) from monitoring.error_tracking as e
        where e.component = 'long'
    ),
    8000, 'what is long is cut'
);
select monitoring.record_ping(repeat('n', 250), 'start', 'a0000000-0000-4000-8000-000000000001');
select monitoring.record_ping(repeat('n', 250), 'success', 'a0000000-0000-4000-8000-000000000001');
select is(
    (
        select array[count(*), count(*) filter (where t.status = 'completed')]
        from monitoring.processing_metrics as t where t.task_type = repeat('n', 250)
    ),
    array[1, 1]::bigint[], 'a name and an id that are too long together belong together'
);
select is(
    (select count(*) from monitoring.v_pings as p where p.ping_name = 'sync'), 1::bigint,
    'names can be seen'
);
select hasnt_column('monitoring', 'v_pings', 'ping_id', 'and their ids cannot');

select * from finish(); -- noqa: AM04
rollback;
