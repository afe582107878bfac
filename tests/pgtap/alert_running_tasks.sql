-- Rules long_running_task, task_stuck and backend_gone: single tasks that run.

begin;
select plan(28);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

create function pg_temp.started(
    p_task_id text, p_start timestamptz, p_task_type text default 'etl'
) returns integer
language sql
as $$
    select monitoring.start_task_tracking(
        p_task_id, p_task_type, p_worker_id => 'w1', p_items_total => 10, p_started_at => p_start
    )
$$;

-- Interface

select results_eq(
    $$
        select r.rule_name, t.medium, t.high, t.critical, r.comparison, r.is_enabled
        from monitoring.alert_rules as r
        inner join monitoring.alert_thresholds as t on r.rule_name = t.rule_name
        where r.rule_name in ('long_running_task', 'task_stuck', 'backend_gone') and t.labels = '{}'
        order by 1
    $$,
    $$
        values
        ('backend_gone', null::float8, 0::float8, null::float8, '>=', false),
        ('long_running_task', 3600, null, null, '>', true),
        ('task_stuck', null, null, 3600, '>=', true)
    $$,
    'an hour is long, an hour without progress critical; sessions are not watched unless wanted'
);
select is(
    (
        select array_agg(target_rule || ' ' || equal_labels::text) from monitoring.alert_inhibitions
        where source_rule = 'task_stuck'
    ),
    array['long_running_task {task_id}'],
    'of a stuck task it is not told as well that it runs for long'
);
select is_empty(
    $$
        select * from monitoring.alert_rules as r
        cross join lateral pg_temp.findings_of(r.rule_name) as f
        where r.rule_name in ('long_running_task', 'task_stuck', 'backend_gone')
    $$,
    'where nothing runs nothing is found'
);

-- Running for long

select pg_temp.started('short', '2026-01-15 11:00:00.000001+00');
select pg_temp.started('just', '2026-01-15 11:00+00');
select pg_temp.started('long', '2026-01-15 09:00+00', 'ocr');
select pg_temp.started('ahead', '2026-01-15 13:00+00');

select results_eq(
    $$select * from pg_temp.values_of('long_running_task')$$,
    $$values ('just#1', 3600.000), ('long#1', 10800.000)$$,
    'what has not been running for the least threshold need not be looked at'
);
select results_eq(
    $$
        select labels, summary from pg_temp.findings_of('long_running_task')
        where fingerprint = 'long#1'
    $$,
    $$
        values (
            '{"task_id": "long", "task_type": "ocr", "worker_id": "w1"}'::jsonb,
            'task long of type ocr has been running for 3 h'
        )
    $$,
    'labels are type, task and worker'
);

select monitoring.set_alert_thresholds('long_running_task', '{"low": 60}', '{"task_type": "etl"}');

select results_eq(
    $$select * from pg_temp.values_of('long_running_task')$$,
    $$values ('just#1', 3600.000), ('long#1', 10800.000), ('short#1', 3600.000)$$,
    'a lower threshold of one type brings in more'
);
select results_eq(
    $$select * from pg_temp.values_of('long_running_task', '2026-01-15 11:02+00')$$,
    $$values ('just#1', 120.000), ('long#1', 7320.000), ('short#1', 120.000)$$,
    'looking back it is what ran then'
);

select monitoring.set_alert_thresholds('long_running_task', null, '{"task_type": "etl"}');

-- Stuck

select monitoring.update_task_progress('long', 4, p_at => '2026-01-15 11:00+00');
select monitoring.update_task_progress('just', p_at => '2026-01-15 11:59+00');

select results_eq(
    $$select * from pg_temp.values_of('task_stuck')$$,
    $$values ('just#1', 3600.000), ('long#1', 3600.000)$$,
    'a heartbeat is no progress'
);
select is(
    (select summary from pg_temp.findings_of('task_stuck') where fingerprint = 'long#1'),
    'task long of type ocr has made no progress for 1 h, at item 4 of 10',
    'the summary says how far it has come'
);
select pg_temp.set_clock('2026-01-15 11:59:59+00');
select is_empty(
    $$select * from pg_temp.values_of('task_stuck')$$,
    'within the hour nothing is stuck'
);
select pg_temp.set_clock('2026-01-15 12:00+00');
select pg_temp.set_parameter('task_stuck', 'by', '"heartbeat"');
select results_eq(
    $$select * from pg_temp.values_of('task_stuck')$$,
    $$values ('long#1', 3600.000)$$,
    'unless any word counts'
);
select pg_temp.set_parameter('task_stuck', 'by', '"progress"');
select monitoring.update_task_progress('just', 1);
select is_empty(
    $$select * from pg_temp.values_of('task_stuck') where fingerprint = 'just#1'$$,
    'who gets further is stuck no longer'
);

-- Sessions

do $$
begin
    perform monitoring.record_batch('{"calls": [
        {"function": "start_task_tracking", "run": 1,
         "arguments": {"task_id": "in a batch", "task_type": "load"}},
        {"function": "start_etl_execution", "run": 2,
         "arguments": {"execution_id": "etl in a batch"}},
        {"function": "update_task_progress", "run": 1,
         "arguments": {"task_id": "in a batch", "items_done": 4}}
    ]}'::jsonb);
end
$$;
select pg_temp.set_clock('2026-01-15 12:05+00');
-- No process has this number; that of this session is still there.
update monitoring.active_tasks set backend_pid = 2147483647 where task_id = 'long';
-- A session that began after its task last spoke is another.
update monitoring.active_tasks set heartbeat_at = '2000-01-01 00:00+00' where task_id = 'just';
update monitoring.active_tasks set heartbeat_at = '2126-01-01 00:00+00' where task_id = 'ahead';
update monitoring.active_tasks set heartbeat_at = '2126-01-01 00:00+00' where task_id = 'short';

select results_eq(
    $$select fingerprint from pg_temp.values_of('backend_gone')$$,
    $$values ('just#1'), ('long#1')$$,
    'a session that has ended is gone, also when its number was given to another'
);
select set_eq(
    $$
        select task_id, is_backend_alive from monitoring.v_realtime_processing_status
        where backend_pid is null
    $$,
    $$values ('in a batch', null::boolean), ('etl in a batch', null)$$,
    'a task that was told of in a batch has no session that could be gone'
);
select is(
    (
        select t.backend_pid from monitoring.active_tasks as t
        where monitoring.update_task_progress('in a batch') and t.task_id = 'in a batch'
    ),
    null, 'the session that speaks for it by itself'
);
select is(
    (select t.backend_pid from monitoring.active_tasks as t where t.task_id = 'in a batch'),
    pg_backend_pid(), 'is its own from then on'
);
select results_eq(
    $$
        select value, labels ->> 'task_id', summary from pg_temp.findings_of('backend_gone')
        where fingerprint = 'long#1'
    $$,
    $$
        values (
            3900::float8, 'long',
            'task long of type ocr: its database session (process 2147483647) has ended, '
            '1 h 5 min after the task last spoke it still runs'
        )
    $$,
    'the value is the time since the task last spoke'
);
select pg_temp.set_clock('2026-01-15 12:00+00');

-- Tasks that have ended since

update monitoring.active_tasks set heartbeat_at = started_at;
select monitoring.complete_task_tracking('long', p_finished_at => '2026-01-15 12:30+00');
select monitoring.complete_task_tracking('just', 'failed', p_finished_at => '2026-01-15 12:00+00');
select
    pg_temp.ended(
        'etl', 'completed', '2026-01-16 03:00+00', extract(epoch from interval '16 hours')
    );
select pg_temp.ended('etl', 'completed', '2026-01-16 03:00+00');
select pg_temp.ended('etl', 'completed', '2026-01-15 12:00:30+00', 7200);
select pg_temp.ended('etl', 'completed', '2026-01-15 11:59:30+00', 7200);

select results_eq(
    $$select * from pg_temp.values_of('long_running_task', '2026-01-15 12:00+00')$$,
    $$values ('long#1', 10800.000), ('task 1#1', 3600.000), ('task 3#1', 7170.000)$$,
    'what ran then and has ended since is found, of what is not rolled up'
);
select pg_temp.roll_up_own('tasks');
select results_eq(
    $$select * from pg_temp.values_of('long_running_task', '2026-01-15 12:00+00')$$,
    $$values ('long#1', 10800.000), ('task 1#1', 3600.000), ('task 3#1', 7170.000)$$,
    'and of what is'
);
select results_eq(
    $$select fingerprint from pg_temp.values_of('long_running_task', '2026-01-15 11:59:29+00')$$,
    $$values ('long#1'), ('task 3#1'), ('task 4#1')$$,
    'so is one that ended a moment later'
);
select results_eq(
    $$select fingerprint from pg_temp.values_of('long_running_task', '2026-01-15 11:59:30+00')$$,
    $$values ('long#1'), ('task 3#1')$$,
    'one that ended at that very moment is not'
);
select pg_temp.forget_roll_ups();

-- Names

select pg_temp.started(n.name, '2026-01-15 01:00+00', n.name)
from (values ('it''s "größer" \ %s'), (repeat('ä', 255)), (repeat('😀', 255))) as n (name);

select is_empty(
    $$
        select f.fingerprint, f.summary
        from unnest(array['long_running_task', 'task_stuck', 'backend_gone']) as r (rule_name)
        cross join lateral pg_temp.findings_of(r.rule_name) as f
        where length(f.fingerprint) > 255 or length(f.summary) > 500 or f.summary is null
            or octet_length(f.fingerprint) > 512
    $$,
    'fingerprints and summaries stay short, whatever the name'
);
select is(
    (
        select count(distinct f.fingerprint) from pg_temp.findings_of('task_stuck') as f
        where length(f.labels ->> 'task_type') > 4
    ),
    3::bigint,
    'and tell tasks apart'
);
select isnt(
    monitoring._attempt_fingerprint(repeat('x', 255), 1),
    monitoring._attempt_fingerprint(repeat('x', 254) || 'y', 1),
    'also those that differ at their end'
);
select ok(
    monitoring._attempt_fingerprint('t', 1) <> monitoring._attempt_fingerprint('t', 2),
    'and attempts'
);

-- The same attempt twice at a time, as clocks of two machines may have it.
select monitoring.complete_task_tracking(repeat('ä', 255), p_finished_at => '2026-01-15 13:00+00');
select pg_temp.started(repeat('ä', 255), '2026-01-15 10:30+00');
select results_eq(
    $$
        select f.value from pg_temp.findings_of('long_running_task', '2026-01-15 12:00+00') as f
        where f.labels ->> 'task_id' = repeat('ä', 255)
    $$,
    $$values (39600::float8)$$,
    'a name used twice at a time is one alert'
);

-- Asleep

select monitoring.set_alert_thresholds(r.name, '{}')
from unnest(array['long_running_task', 'task_stuck', 'backend_gone']) as r (name);
select is_empty(
    $$
        select f.* from unnest(array['long_running_task', 'task_stuck', 'backend_gone']) as r (name)
        cross join lateral pg_temp.findings_of(r.name) as f
    $$,
    'without a threshold nothing is looked at'
);
select monitoring.set_alert_thresholds('long_running_task', '{"medium": 100}');
select monitoring.change_alert_rule('long_running_task', '{"comparison": "<"}');
select ok(
    exists (
        select from pg_temp.findings_of('long_running_task', '2026-01-15 11:00:30+00') as f
        where f.value < 100
    ),
    'who turns the comparison round gets those that have just begun'
);

select * from finish(); -- noqa: AM04
rollback;
