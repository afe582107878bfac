-- sync_source: runs of another system become tasks, each once.

begin;
select plan(29);
\ir helpers/fixed_clock.psql
\ir helpers/run_source.psql

select pg_temp.register();

-- Running

select is(pg_temp.sync_at('08:00'), 'nothing', 'a source without rows has nothing to tell');

select pg_temp.put('1', 'WT');
select is(pg_temp.sync_at('08:15'), 'unchanged 1', 'a run that waits is none yet');
select is(pg_temp.attempts_of('1'), null, 'and no task');

select pg_temp.put('1', ' rn', '09:20', null, 10, 100);
select is(
    pg_temp.sync_at('08:30'), 'new 1',
    'a run that has begun is new, its status code written in whatever way'
);
select is(
    pg_temp.attempts_of('1'), '1 running 08:20 of 10/100',
    'its task began when the source says, by the clocks of the source'
);
select is(pg_temp.sync_at('08:45'), 'unchanged 1', 'reading it again changes nothing');
select results_eq(
    $$
        select task_type, items_done, heartbeat_at, metadata
        from monitoring.processing_metrics where task_id = 'erp:1'
    $$,
    $$
        values ('billing', 10::bigint, '2026-01-15 08:30+00'::timestamptz,
            '{"source": "erp", "threads": 4}'::jsonb)
    $$,
    'the task keeps step, records, threads and when it was last heard of'
);

select pg_temp.put('1', 'RN', '09:20', null, 60, 100, p_changed => '09:50');
select is(pg_temp.sync_at('09:00'), 'progressed 1', 'more records are progress');
select results_eq(
    $$
        select items_done, heartbeat_at, progress_at
        from monitoring.processing_metrics where task_id = 'erp:1'
    $$,
    $$values (60::bigint, '2026-01-15 08:50+00'::timestamptz, '2026-01-15 08:50+00'::timestamptz)$$,
    'made when the source last changed it'
);

-- Ending

select pg_temp.put('1', 'CP', '09:20', '10:10', 100, 100);
select is(pg_temp.sync_at('09:15'), 'ended 1', 'a run that is done ends');
select is(
    pg_temp.attempts_of('1'), '1 completed 08:20 to 09:10 of 100/100',
    'at the time that the source says'
);
select is(pg_temp.sync_at('09:30'), 'unchanged 1', 'and that once');
select is(
    (select count(*) from monitoring.processing_metrics), 1::bigint, 'its task is there once'
);

-- Straight to the end

select pg_temp.put('2', 'ER', '10:20', '10:25', 3, 9, 'disk full');
select pg_temp.put('3', 'CN', '10:20', '10:26');
select is(
    pg_temp.sync_at('09:45'), 'new 2, unchanged 1', 'runs that were never seen to run are new'
);
select is(
    pg_temp.attempts_of('2') || '; ' || pg_temp.attempts_of('3'),
    '1 failed 09:20 to 09:25 of 3/9; 1 cancelled 09:20 to 09:26',
    'and are told as they ended'
);
select results_eq(
    $$
        select task_id, error_type, severity, message, component, occurred_at
        from monitoring.error_tracking
    $$,
    $$
        values ('erp:2', 'RunFailed', 'high', 'disk full', 'billing',
            '2026-01-15 09:25+00'::timestamptz)
    $$,
    'what a run failed of is an error, once'
);
select is(
    (
        select metadata ->> 'error_message' from monitoring.processing_metrics
        where task_id = 'erp:2'
    ),
    'disk full',
    'and stays with its task'
);
select results_eq(
    $$
        select task_id, attempt, status, task_type from monitoring.unsuccessful_attempts
        order by task_id
    $$,
    $$values ('erp:2', 1, 'failed', 'billing'), ('erp:3', 1, 'cancelled', 'billing')$$,
    'the rules about tasks see what did not succeed'
);

-- Again under the same name

select pg_temp.put('2', 'RN', '10:50', null, 1, 9);
select is(
    pg_temp.sync_at('10:00'), 'restarted 1, unchanged 2',
    'a failed run that runs again is restarted'
);
select pg_temp.put('2', 'CP', '10:50', '11:05', 9, 9);
select is(pg_temp.sync_at('10:15'), 'ended 1, unchanged 2', 'and ends');
select is(
    pg_temp.attempts_of('2'),
    '1 failed 09:20 to 09:25 of 3/9, 2 completed 09:50 to 10:05 of 9/9',
    'as an attempt of its own'
);
select is_empty(
    $$select * from monitoring.unsuccessful_attempts where task_id = 'erp:2'$$,
    'having succeeded, it no longer counts as failed'
);

select pg_temp.put('4', 'ER', '11:10', '11:12');
select pg_temp.sync_at('10:20');
select pg_temp.put('4', 'CP', '11:13', '11:14');
select pg_temp.sync_at('10:30');
select is(
    pg_temp.attempts_of('4'), '1 failed 10:10 to 10:12, 2 completed 10:13 to 10:14',
    'an attempt that began and ended between two readings is recorded'
);

select pg_temp.put('5', 'RN', '11:30', null, 5, 9);
select pg_temp.sync_at('10:35');
select pg_temp.put('5', 'RN', '11:40', null, 1, 9);
select is(
    pg_temp.sync_at('10:45'), 'restarted 1, unchanged 4',
    'a running run with a later start was begun anew'
);
select is(
    pg_temp.attempts_of('5'), '1 lost 10:30 to 10:40 of 5/9, 2 running 10:40 of 1/9',
    'and its attempt before got lost'
);

select pg_temp.put('6', 'ER', '11:45', '11:46');
select pg_temp.sync_at('10:50');
select pg_temp.put('6', 'RN', '11:45', null, p_changed => '11:52');
select pg_temp.sync_at('10:55');
select pg_temp.put('6', 'CP', '11:45', '11:58', p_changed => '11:58');
select pg_temp.sync_at('11:00');
select is(
    pg_temp.attempts_of('6'), '1 failed 10:45 to 10:46, 2 completed 10:52 to 10:58',
    'a source that leaves the start as it was has the new attempt begin when it was changed'
);

select pg_temp.put('2', 'CP', '10:50', '11:06', 9, 9);
select is(pg_temp.sync_at('11:05'), 'unchanged 6', 'an end that is corrected afterwards');
select is(
    pg_temp.attempts_of('2'),
    '1 failed 09:20 to 09:25 of 3/9, 2 completed 09:50 to 10:05 of 9/9',
    'changes no history'
);

select is(pg_temp.troubles(), null, 'none of that is trouble');

select * from finish(); -- noqa: AM04
rollback;
