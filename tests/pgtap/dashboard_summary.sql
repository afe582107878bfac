-- get_dashboard_summary: the whole state as one JSON document.

begin;
select plan(13);
\ir helpers/fixed_clock.psql

select monitoring.start_task_tracking('r-1', 'load', p_started_at => '2026-01-15 11:00+00');
select monitoring.start_task_tracking('r-2', 'load', p_started_at => '2026-01-15 11:59+00');
select monitoring.record_finished_tasks(
    '[
        {"task_id": "a", "task_type": "load", "start_time": "2026-01-15T10:00:00Z",
            "end_time": "2026-01-15T10:00:01Z"},
        {"task_id": "b", "task_type": "load", "status": "failed",
            "start_time": "2026-01-15T10:00:00Z", "end_time": "2026-01-15T10:00:03Z"},
        {"task_id": "c", "task_type": "export", "status": "timeout",
            "end_time": "2026-01-15T10:00:03Z"},
        {"task_id": "d", "task_type": "export", "end_time": "2026-01-13T10:00:03Z"}
    ]'
);
select monitoring.record_error('a', kind, severity, 'm')
from (
    values
    ('E-1', 'low'), ('E-1', 'low'), ('E-2', 'critical'), ('E-3', 'critical'), ('E-3', 'critical'),
    ('E-4', 'high'), ('E-5', 'medium')
) as told (kind, severity);
select monitoring.record_error('a', 'many ' || n, 'low', 'm')
from generate_series(10, 29) as n;
select monitoring.update_system_health('service', name, status)
from (
    values
    ('api', 'healthy'), ('web', 'healthy'), ('mail', 'degraded'), ('db', 'unhealthy'),
    ('cron', 'unknown')
) as told (name, status);
select monitoring.record_queue_metrics(queue, pending, p_oldest_ready_seconds => oldest)
from (
    values ('orders', 40, 12.5), ('mail', 2, null), ('print', 0, 90)
) as told (queue, pending, oldest);

create temporary view summary as
select monitoring.get_dashboard_summary() as document;

-- Shape

select is(
    (select array_agg(key order by key) from summary, jsonb_object_keys(document) as key),
    array['alerts', 'errors', 'freshness', 'generated_at', 'health', 'queues', 'tasks'],
    'the document has a part for each area'
);

-- Tasks

select is(
    (select (document -> 'tasks') - 'by_type'::text from summary),
    '{
        "running": 2, "longest_running_ms": 3600000, "ended": 3, "completed": 1, "failed": 2,
        "ended_otherwise": 0, "success_percent": 33.33, "types": 2
    }'::jsonb,
    'tasks are those that run now and those that ended in the last day'
);

select is(
    (select jsonb_path_query_array(document, '$.tasks.by_type[*].task_type') from summary),
    '["export", "load"]'::jsonb,
    'they are told by type, in order of name'
);

select is(
    (select document -> 'tasks' -> 'by_type' -> 1 from summary),
    (select to_jsonb(s) from monitoring.v_task_statistics as s where s.task_type = 'load'),
    'as the view has them'
);

-- Errors

select is(
    (select (document -> 'errors') - 'top'::text from summary),
    '{"occurrences": 27, "low": 22, "medium": 1, "high": 1, "critical": 3}'::jsonb,
    'errors are counted by severity'
);

select is(
    (select jsonb_path_query_array(document, '$.errors.top[*].error_type') from summary),
    '["E-3", "E-2", "E-4", "E-5", "E-1", "many 10", "many 11", "many 12", "many 13", "many 14"]',
    'the ten worst kinds are told, by severity, then number, then name'
);

-- Health

select is(
    (select (document -> 'health') - 'by_component'::text from summary),
    '{"components": 5, "healthy": 2, "degraded": 1, "unhealthy": 1, "unknown": 1}'::jsonb,
    'components are counted by state'
);

select is(
    (
        select jsonb_path_query_array(document, '$.health.by_component[*].component_name')
        from summary
    ),
    '["api", "cron", "db", "mail", "web"]'::jsonb,
    'and told in order of name'
);

-- Queues

select is(
    (select (document -> 'queues') - 'by_queue'::text from summary),
    '{"queues": 3, "pending": 42, "oldest_ready_seconds": 90}'::jsonb,
    'queues are summed up'
);

select is(
    (select jsonb_path_query_array(document, '$.queues.by_queue[*].queue_name') from summary),
    '["mail", "orders", "print"]'::jsonb,
    'and told in order of name'
);

-- Alerts

select is(
    (select document -> 'alerts' from summary),
    '{"active": 0, "low": 0, "medium": 0, "high": 0, "critical": 0}'::jsonb,
    'there are no alerts yet'
);

-- Boundaries

select pg_temp.set_clock('2026-01-17 12:00+00');

select is(
    (select document -> 'errors' ->> 'occurrences' from summary)
    || ' ' || (select document -> 'tasks' ->> 'ended' from summary)
    || ' ' || (select document -> 'queues' ->> 'queues' from summary)
    || ' ' || (select document -> 'health' ->> 'components' from summary)
    || ' ' || (select document -> 'tasks' ->> 'running' from summary),
    '0 0 0 5 2',
    'two days later only what runs and the last state of components are left'
);

select is(
    (select (document ->> 'generated_at')::timestamptz from summary),
    '2026-01-17 12:00+00'::timestamptz,
    'the document tells when it was made'
);

select * from finish(); -- noqa: AM04
rollback;
