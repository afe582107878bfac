-- v_realtime_processing_status and v_task_statistics: what runs, and how the last day went.

begin;
select plan(17);
\ir helpers/fixed_clock.psql

-- What runs

select monitoring.start_task_tracking(
    'import', 'load', 100, 'worker-1', 'nightly', null, 8, '2026-01-15 11:00+00'
);
select monitoring.update_task_progress(
    'import', 3, null, '{"failed": 1}', '2026-01-15 11:45+00'
);
select monitoring.update_task_progress('import', p_at => '2026-01-15 11:59:30.5+00');

select results_eq(
    $$
        select task_type, attempt, worker_id, parent_task_id, start_time, running_ms, items_done,
            items_total, progress_percent, counters, heartbeat_at, progress_at,
            seconds_without_progress, backend_pid
        from monitoring.v_realtime_processing_status where task_id = 'import'
    $$,
    $$
        values ('load', 1, 'worker-1', 'nightly', '2026-01-15 11:00+00'::timestamptz,
            3600000::double precision, 3::bigint, 8::bigint, 37.5::numeric,
            '{"failed": 1}'::jsonb, '2026-01-15 11:59:30.5+00'::timestamptz,
            '2026-01-15 11:45+00'::timestamptz, 900::double precision, pg_backend_pid())
    $$,
    'a running task shows how long it has run, how far it is and how long it has stood still'
);

select monitoring.start_task_tracking(name, 'progress', p_items_total => total)
from (
    values ('nothing told', 10), ('no total', null), ('none expected', 0), ('begun', 10),
    ('beyond', 10), ('thirds', 3)
) as task (name, total);
select monitoring.update_task_progress(name, done)
from (
    values ('no total', 5), ('none expected', 0), ('begun', 0), ('beyond', 11), ('thirds', 1)
) as task (name, done);

select results_eq(
    $$
        select task_id, progress_percent from monitoring.v_realtime_processing_status
        where task_type = 'progress' order by task_id
    $$,
    $$
        values ('begun', 0.0::numeric), ('beyond', 100.0), ('no total', null),
            ('none expected', null), ('nothing told', null), ('thirds', 33.3)
    $$,
    'progress is known when both numbers are, and never more than 100 percent'
);

select monitoring.complete_task_tracking('begun');

select is_empty(
    $$select * from monitoring.v_realtime_processing_status where task_id = 'begun'$$,
    'a task that has ended is shown no longer'
);

select monitoring.start_task_tracking(
    'ahead', 'clock', p_started_at => '2026-01-15 12:00:05+00'
);

select results_eq(
    $$
        select running_ms >= 0, seconds_without_progress >= 0
        from monitoring.v_realtime_processing_status where task_id = 'ahead'
    $$,
    'values (true, true)',
    'a start by a clock that is ahead makes no time negative'
);

-- What ended in the last day

-- Percentiles are told by the value that stands for all in its cell.
create function pg_temp.stand_in(p_value double precision) returns double precision
language sql
as $$
    select monitoring._histogram_value(monitoring._histogram_cell(p_value))
$$;

select
    monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
        'task_id', 'export-' || n, 'task_type', 'export',
        'start_time', timestamptz '2026-01-15 10:00+00',
        'end_time', timestamptz '2026-01-15 10:00+00' + n * interval '10 milliseconds'
    )))
from generate_series(1, 100) as n;

select results_eq(
    $$
        select tasks, completed, failed, ended_otherwise, success_percent, avg_duration_ms,
            p50_duration_ms, p95_duration_ms, p99_duration_ms, max_duration_ms
        from monitoring.v_task_statistics where task_type = 'export'
    $$,
    $$
        values (100::bigint, 100::bigint, 0::bigint, 0::bigint, 100.00::numeric,
            505::double precision, pg_temp.stand_in(500), pg_temp.stand_in(950),
            pg_temp.stand_in(990), 1000::double precision)
    $$,
    'durations are told by their mean, percentiles and the longest'
);

select monitoring.record_finished_tasks(
    '[
        {"task_id": "a", "task_type": "mixed", "status": "completed",
            "start_time": "2026-01-15T09:00:00Z", "end_time": "2026-01-15T09:00:02Z"},
        {"task_id": "a", "task_type": "mixed", "status": "failed", "attempt": 2,
            "start_time": "2026-01-15T09:00:00Z", "end_time": "2026-01-15T09:00:04Z"},
        {"task_id": "b", "task_type": "mixed", "status": "cancelled",
            "end_time": "2026-01-15T09:00:05Z"},
        {"task_id": "c", "task_type": "mixed", "status": "timeout",
            "end_time": "2026-01-15T09:00:06Z"},
        {"task_id": "d", "task_type": "mixed", "status": "lost",
            "end_time": "2026-01-15T09:00:07Z"},
        {"task_id": "e", "task_type": "mixed", "status": "completed",
            "end_time": "2026-01-15T09:00:08Z"}
    ]'
);

select results_eq(
    $$
        select tasks, completed, failed, ended_otherwise, success_percent
        from monitoring.v_task_statistics where task_type = 'mixed'
    $$,
    'values (6::bigint, 2::bigint, 3::bigint, 1::bigint, 33.33::numeric)',
    'every attempt counts, by how it ended'
);

select results_eq(
    $$
        select avg_duration_ms, p50_duration_ms, max_duration_ms
        from monitoring.v_task_statistics where task_type = 'mixed'
    $$,
    'values (3000::double precision, 2000::double precision, 4000::double precision)',
    'an attempt of which the start is unknown has no duration'
);

select monitoring.record_finished_tasks(
    '[{"task_id": "x", "task_type": "endless", "end_time": "2026-01-15T09:00:00Z"}]'
);

select results_eq(
    $$
        select tasks, avg_duration_ms, p50_duration_ms, p95_duration_ms, max_duration_ms
        from monitoring.v_task_statistics where task_type = 'endless'
    $$,
    $$
        values (1::bigint, null::double precision, null::double precision, null::double precision,
            null::double precision)
    $$,
    'where no duration is known none is told'
);

-- Boundaries

select
    monitoring.record_finished_tasks(
        jsonb_agg(jsonb_build_object('task_id', at, 'task_type', 'window', 'end_time', at))
    )
from unnest(
        array[
            '2026-01-14 12:00:00+00', '2026-01-14 12:59:59.999999+00',
            '2026-01-14 13:00:00+00', '2026-01-15 12:00:00+00',
            '2026-01-15 13:00:00+00', '2026-01-16 12:00:00+00'
        ]
    ) as at;

select results_eq(
    $$
        select tasks from monitoring.v_task_statistics where task_type = 'window'
    $$,
    $$values (2::bigint)$$,
    'the last day is this hour and the 23 before it, and does not reach into the future'
);

select pg_temp.set_clock('2026-01-16 12:59:59.999999+00');

select results_eq(
    $$
        select tasks from monitoring.v_task_statistics where task_type = 'window'
    $$,
    $$values (2::bigint)$$,
    'and moves with the clock'
);

select pg_temp.set_clock('2026-03-01 12:00+00');

select is_empty('select * from monitoring.v_task_statistics', 'after a day of rest it is empty');

select results_eq(
    $$
        select running_ms from monitoring.v_realtime_processing_status where task_id = 'import'
    $$,
    $$values (extract(epoch from interval '45 days 1 hour')::double precision * 1000)$$,
    'what runs is shown however long it has'
);

-- By the real clock, for a session cannot be older than itself.

select pg_temp.set_clock('');
select monitoring.start_task_tracking('alive', 'load');

select ok(
    (
        select is_backend_alive from monitoring.v_realtime_processing_status
        where task_id = 'alive'
    ),
    'the session that started a task is alive'
);

select is(
    (
        select is_backend_alive from monitoring.v_realtime_processing_status
        where task_id = 'import'
    ),
    null,
    'that a session has ended says nothing where none is expected to stay'
);

select monitoring.enable_alert_rule('backend_gone');

select is(
    (
        select is_backend_alive from monitoring.v_realtime_processing_status
        where task_id = 'import'
    ),
    false,
    'where the rule about it is on it does; a session that is younger than the task is another one'
);

select monitoring.set_alert_thresholds('backend_gone', '{}');
select monitoring.set_alert_thresholds('backend_gone', '{"high": 0}', '{"task_type": "other"}');

select is(
    (
        select is_backend_alive from monitoring.v_realtime_processing_status
        where task_id = 'import'
    ),
    null,
    'and only for the tasks that the rule looks at'
);

select monitoring.update_task_progress('import');

select ok(
    (
        select is_backend_alive from monitoring.v_realtime_processing_status
        where task_id = 'import'
    ),
    'the session that told the last heartbeat is the one that counts'
);

select * from finish(); -- noqa: AM04
rollback;
