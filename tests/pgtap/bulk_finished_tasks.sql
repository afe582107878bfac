-- record_finished_tasks: finished tasks by the thousand.

begin;
select plan(14);
\ir helpers/fixed_clock.psql

-- Interface

select is(
    monitoring.record_finished_tasks(
        '[
            {
                "task_id": "full", "task_type": "load", "status": "failed", "attempt": 3,
                "start_time": "2026-01-15T10:00:00Z", "end_time": "2026-01-15T10:00:01.5Z",
                "input_size": 10, "output_size": 20, "items_done": 4, "items_total": 5,
                "worker_id": "w", "parent_task_id": "p", "step_durations": {"read": 1000.5},
                "counters": {"done": 4}, "metadata": {"any": [1, "x"]}
            },
            {"task_id": "bare", "task_type": "load", "end_time": "2026-01-15T11:00:00+00:00"},
            {"task_id": "short", "task_type": "load", "end_time": "2026-01-15T12:00:00+00:00"}
        ]'
    ),
    3::bigint,
    'an array of finished tasks is recorded, and how many were new is given back'
);

-- Behaviour

select results_eq(
    $$
        select task_id, task_type, status, attempt, start_time, end_time, duration_ms, input_size,
            output_size, items_done, items_total, worker_id, parent_task_id
        from monitoring.processing_metrics order by task_id
    $$,
    $$
        values
        ('bare', 'load', 'completed', 1, null::timestamptz, '2026-01-15 11:00+00'::timestamptz,
            null::double precision, null::bigint, null::bigint, null::bigint, null::bigint, null,
            null),
        ('full', 'load', 'failed', 3, '2026-01-15 10:00+00', '2026-01-15 10:00:01.5+00', 1500, 10,
            20, 4, 5, 'w', 'p'),
        ('short', 'load', 'completed', 1, null, '2026-01-15 12:00+00', null, null, null, null, null,
            null, null)
    $$,
    'a task completed at its first attempt unless told otherwise'
);

select results_eq(
    $$
        select step_durations, counters, metadata, backend_pid from monitoring.processing_metrics
        where task_id = 'full'
    $$,
    $$
        values ('{"read": 1000.5}'::jsonb, '{"done": 4}'::jsonb, '{"any": [1, "x"]}'::jsonb,
            null::integer)
    $$,
    'documents are kept, and no database session is made up'
);

select is_empty(
    'select * from monitoring.unsuccessful_attempts',
    'what is told afterwards does not number the attempts that follow'
);

select is(
    monitoring.record_finished_tasks(
        '[
            {"task_id": "bare", "task_type": "other", "end_time": "2026-01-15T12:00:00+01:00"},
            {"task_id": "bare", "task_type": "load", "end_time": "2026-01-15T11:00:00Z",
                "attempt": 2},
            {"task_id": "bare", "task_type": "load", "end_time": "2026-01-15T11:00:01Z"}
        ]'
    ),
    2::bigint,
    'the same task, attempt and end again, in whatever time zone, is passed over'
);

select results_eq(
    $$
        select task_type, attempt, end_time from monitoring.processing_metrics
        where task_id = 'bare' order by end_time, attempt
    $$,
    $$
        values
        ('load', 1, '2026-01-15 11:00+00'::timestamptz),
        ('load', 2, '2026-01-15 11:00+00'),
        ('load', 1, '2026-01-15 11:00:01+00')
    $$,
    'and what was told first stands'
);

select is(
    monitoring.record_finished_tasks(
        '[
            {"task_id": "double", "task_type": "load", "end_time": "2026-01-15T11:00:00Z"},
            {"task_id": "double", "task_type": "load", "end_time": "2026-01-15T11:00:00Z"}
        ]'
    ),
    1::bigint,
    'also within one call'
);

select is(
    monitoring.record_finished_tasks(
        '[
            {"task_id": "d1", "task_type": "load", "end_time": "2025-05-01T00:00:00Z"},
            {"task_id": "d2", "task_type": "load", "end_time": "2025-05-01T23:59:59.999999Z"},
            {"task_id": "d3", "task_type": "load", "end_time": "2025-05-02T00:00:00Z"},
            {"task_id": "d4", "task_type": "load", "end_time": "1993-10-01T00:00:00Z"}
        ]'
    ),
    4::bigint,
    'tasks of days that have no partition are taken'
);

select set_eq(
    $$select task_id from monitoring.late_finished_tasks where task_id ~ '^d\d'$$,
    array['d1', 'd2', 'd3', 'd4'],
    'they wait to be placed'
);

select is(
    (
        select count(*) from pg_inherits
        where inhparent = 'monitoring.finished_tasks'::regclass
            and inhrelid::regclass::text ~ '_(1993|2025(05))'
    ),
    0::bigint,
    'and no day is made for them'
);

-- Boundaries

select is(monitoring.record_finished_tasks('[]'), 0::bigint, 'no tasks are fine');

select is(
    monitoring.record_finished_tasks(
        (
            select
                jsonb_agg(jsonb_build_object(
                    'task_id', 'many-' || n, 'task_type', 'many',
                    'end_time', timestamptz '2026-01-15 00:00+00' + n * interval '1 second'
                ))
            from generate_series(1, 1000) as n
        )
    ),
    1000::bigint,
    'a thousand tasks are recorded in one call'
);

select monitoring.record_finished_tasks(
    '[{"task_id": "same", "task_type": "t", "start_time": "2026-01-15T11:00:00Z",
        "end_time": "2026-01-15T11:00:00Z", "worker_id": "", "counters": null,
        "status": null, "attempt": null, "metadata": {}}]'
);

select results_eq(
    $$
        select duration_ms, worker_id, counters, status, attempt, metadata
        from monitoring.processing_metrics where task_id = 'same'
    $$,
    $$values (0::double precision, null, null::jsonb, 'completed', 1, '{}'::jsonb)$$,
    'a null is as good as a key left out, and a task may take no time'
);

select monitoring.record_finished_tasks(
    '[{"task_id": "timed", "task_type": "t", "end_time": "2026-01-15T11:00:00Z",
        "duration_ms": 5000}]'
);

select results_eq(
    $$
        select end_time - start_time, duration_ms
        from monitoring.processing_metrics where task_id = 'timed'
    $$,
    $$values (interval '5 seconds', 5000::double precision)$$,
    'who tells how long it took has told the start'
);

select * from finish(); -- noqa: AM04
rollback;
