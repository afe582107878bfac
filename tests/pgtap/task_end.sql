-- complete_task_tracking: what becomes of a task that ends.

begin;
select plan(16);
\ir helpers/fixed_clock.psql

select monitoring.start_task_tracking(
    'etl', 'nightly', 4096, 'worker-1', 'parent', '{"run": 5, "by": "cron"}', 50,
    '2026-01-15 11:00+00'
);
select monitoring.update_task_progress('etl', 40, 60, '{"done": 40, "failed": 2}');

-- Interface

select ok(
    monitoring.complete_task_tracking('etl', 'failed', 1024, '{"extract": 120, "load": 40.5}'),
    'an end is told by position: task, status, output size, step durations'
);

select monitoring.start_task_tracking('short', 'nightly');

select ok(monitoring.complete_task_tracking('short'), 'the task is enough');

select monitoring.start_task_tracking('named', 'nightly', p_metadata => '{"run": 6, "by": "cron"}');
select monitoring.update_task_progress('named', p_counters => '{"done": 3, "failed": 1}');

select ok(
    monitoring.complete_task_tracking(
        p_task_id => 'named',
        p_status => 'timeout',
        p_output_size => 0,
        p_step_durations => '{}',
        p_counters => '{"done": 4, "kept": 0.5}',
        p_metadata => '{"by": "hand"}',
        p_finished_at => '2026-01-15 12:30:00.25+00'
    ),
    'everything can be told by name'
);

-- Behaviour

select is_empty(
    'select * from monitoring.active_tasks',
    'tasks that have ended are no longer among the running ones'
);

select results_eq(
    $$
        select task_id, status, start_time, end_time, duration_ms
        from monitoring.processing_metrics order by task_id
    $$,
    $$
        values
        ('etl', 'failed', '2026-01-15 11:00+00'::timestamptz, '2026-01-15 12:00+00'::timestamptz,
            3600000::double precision),
        ('named', 'timeout', '2026-01-15 12:00+00', '2026-01-15 12:30:00.25+00', 1800250),
        ('short', 'completed', '2026-01-15 12:00+00', '2026-01-15 12:00+00', 0)
    $$,
    'it ended as completed now unless told otherwise, and took the time from its start'
);

select results_eq(
    $$
        select task_type, input_size, output_size, worker_id, parent_task_id, attempt, items_done,
            items_total, step_durations, counters, metadata, backend_pid
        from monitoring.processing_metrics where task_id = 'etl'
    $$,
    $$
        values ('nightly', 4096::bigint, 1024::bigint, 'worker-1', 'parent', 1, 40::bigint,
            60::bigint, '{"load": 40.5, "extract": 120}'::jsonb,
            '{"done": 40, "failed": 2}'::jsonb, '{"by": "cron", "run": 5}'::jsonb, pg_backend_pid())
    $$,
    'all that was told while it ran goes into history'
);

select results_eq(
    $$
        select output_size, step_durations, counters, metadata
        from monitoring.processing_metrics where task_id = 'named'
    $$,
    $$
        values (0::bigint, '{}'::jsonb, '{"done": 4, "kept": 0.5, "failed": 1}'::jsonb,
            '{"by": "hand", "run": 6}'::jsonb)
    $$,
    'counters and metadata told at the end are merged by key with those told before'
);

select results_eq(
    $$
        select heartbeat_at, progress_at, output_size, step_durations, counters, metadata
        from monitoring.processing_metrics where task_id = 'short'
    $$,
    $$
        values (null::timestamptz, null::timestamptz, null::bigint, null::jsonb, null::jsonb,
            null::jsonb)
    $$,
    'what was never told is null, and an ended task has no heartbeat'
);

select results_eq(
    'select task_id, attempt, finished_at from monitoring.unsuccessful_attempts order by task_id',
    $$
        values
        ('etl', 1, '2026-01-15 12:00+00'::timestamptz),
        ('named', 1, '2026-01-15 12:30:00.25+00')
    $$,
    'attempts that did not complete are remembered, for the number of the next'
);

select monitoring.start_task_tracking(s, 'status')
from unnest(array['completed', 'failed', 'cancelled', 'timeout', 'lost']) as s;

select is(
    (
        select array_agg(monitoring.complete_task_tracking(s, s))
        from unnest(array['completed', 'failed', 'cancelled', 'timeout', 'lost']) as s
    ),
    array_fill(true, array[5]),
    'a task may end as completed, failed, cancelled, timeout or lost'
);

select results_eq(
    $$
        select task_id from monitoring.processing_metrics
        where task_type = 'status' and task_id = status order by task_id
    $$,
    $$values ('cancelled'), ('completed'), ('failed'), ('lost'), ('timeout')$$,
    'and is kept as that'
);

-- Boundaries

select monitoring.ensure_partitions(1);
select monitoring.start_task_tracking('midnight', 'nightly');
select monitoring.complete_task_tracking('midnight', p_finished_at => '2026-01-16 00:00+00');

select is(
    (select tableoid::regclass::text from monitoring.finished_tasks where task_id = 'midnight'),
    'finished_tasks_20260116',
    'a task that ends at midnight UTC belongs to the day that begins'
);

select monitoring.start_task_tracking('ahead', 'nightly', p_started_at => '2026-01-15 12:00:02+00');

select ok(
    monitoring.complete_task_tracking('ahead', p_finished_at => '2026-01-15 12:00:01+00'),
    'an end before the start, as clocks of two machines may differ, is accepted'
);

select results_eq(
    $$
        select start_time, end_time, duration_ms
        from monitoring.processing_metrics where task_id = 'ahead'
    $$,
    $$
        values ('2026-01-15 12:00:02+00'::timestamptz, '2026-01-15 12:00:02+00'::timestamptz,
            0::double precision)
    $$,
    'and the task took no time'
);

select monitoring.start_task_tracking('old', 'nightly', p_started_at => '2025-03-01 12:00+00');

select lives_ok(
    $$select monitoring.complete_task_tracking('old', p_finished_at => '2025-02-01 12:00+00')$$,
    'even where neither day has a partition yet'
);

select is(
    (select end_time from monitoring.processing_metrics where task_id = 'old'),
    '2025-03-01 12:00+00'::timestamptz,
    'the task goes into the day it began on'
);

select * from finish(); -- noqa: AM04
rollback;
