-- start_task_tracking: what is kept of a task that begins.

begin;
select plan(14);
\ir helpers/fixed_clock.psql

-- Interface

select is(
    monitoring.start_task_tracking('invoice-7', 'invoice', 2048, 'worker-3'),
    1,
    'a first start is attempt 1, told by position: task, type, input size, worker'
);

select is(
    monitoring.start_task_tracking(
        p_task_id => 'invoice-7/page-1',
        p_task_type => 'page',
        p_input_size => 10,
        p_worker_id => 'worker-4',
        p_parent_task_id => 'invoice-7',
        p_metadata => '{"customer": "acme"}',
        p_items_total => 25,
        p_started_at => '2026-01-15 11:30+00'
    ),
    1,
    'everything can be told by name'
);

select is(monitoring.start_task_tracking('bare', 'page'), 1, 'task and type are enough');

-- Behaviour

select results_eq(
    $$
        select task_id, task_type, status, start_time, input_size, worker_id, parent_task_id,
            metadata, items_total, attempt
        from monitoring.processing_metrics
        order by task_id
    $$,
    $$
        values
        ('bare', 'page', 'running', '2026-01-15 12:00+00'::timestamptz, null::bigint, null, null,
            null::jsonb, null::bigint, 1),
        ('invoice-7', 'invoice', 'running', '2026-01-15 12:00+00', 2048, 'worker-3', null,
            null, null, 1),
        ('invoice-7/page-1', 'page', 'running', '2026-01-15 11:30+00', 10, 'worker-4', 'invoice-7',
            '{"customer": "acme"}', 25, 1)
    $$,
    'a running task shows what was told at its start, and began now unless told otherwise'
);

select results_eq(
    $$
        select end_time, duration_ms, output_size, step_durations, counters, items_done
        from monitoring.processing_metrics where task_id = 'invoice-7'
    $$,
    $$
        values (null::timestamptz, null::double precision, null::bigint, null::jsonb, null::jsonb,
            null::bigint)
    $$,
    'a running task shows nothing of its end yet'
);

select results_eq(
    $$
        select heartbeat_at, progress_at from monitoring.processing_metrics
        where task_id = 'invoice-7/page-1'
    $$,
    $$values ('2026-01-15 11:30+00'::timestamptz, '2026-01-15 11:30+00'::timestamptz)$$,
    'a start is the first heartbeat and the first progress'
);

select is(
    (select backend_pid from monitoring.processing_metrics where task_id = 'bare'),
    pg_backend_pid(),
    'the database session that started a task is kept'
);

select is_empty(
    'select * from monitoring._all_finished_tasks',
    'a start writes nothing into history'
);

-- Boundaries

select is(
    monitoring.start_task_tracking(repeat('t', 255), repeat('y', 255), 0, repeat('w', 255)),
    1,
    'names of 255 characters and an input of size 0 are fine'
);

select lives_ok(
    $$select monitoring.start_task_tracking('w', 'page', 9223372036854775807, repeat('ü', 255))$$,
    'a length is counted in characters, not in bytes, and a size may be any bigint'
);

select lives_ok(
    $$select monitoring.start_task_tracking('early', 'p', p_started_at => '1970-01-01 00:00+00')$$,
    'the earliest start is the beginning of 1970'
);

select lives_ok(
    $$select monitoring.start_task_tracking('late', 'p', p_started_at => '2026-01-16 12:00+00')$$,
    'the latest start is a day from now'
);

select monitoring.start_task_tracking('no worker', 'p', p_worker_id => '', p_parent_task_id => '');

select results_eq(
    $$
        select worker_id, parent_task_id from monitoring.processing_metrics
        where task_id = 'no worker'
    $$,
    'values (null::text, null::text)',
    'an empty worker or parent is none'
);

select monitoring.start_task_tracking('json null', 'page', p_metadata => 'null');

select is(
    (select metadata from monitoring.processing_metrics where task_id = 'json null'),
    null,
    'metadata that is a JSON null is none'
);

select * from finish(); -- noqa: AM04
rollback;
