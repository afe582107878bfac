-- Before anything was recorded every view is empty, and the dashboard says so.

begin;
select plan(21);
\ir helpers/fixed_clock.psql

select is_empty('select * from monitoring.' || view_name, view_name || ' is empty')
from unnest(
        array[
            'processing_metrics', 'v_realtime_processing_status', 'v_task_statistics',
            'error_tracking', 'error_groups', 'v_error_summary', 'performance_monitoring',
            'v_performance_trends', 'v_application_logs', 'v_health_history', 'system_health',
            'v_system_health_summary', 'queue_monitoring', 'v_queue_performance', 'v_active_alerts',
            'etl_executions', 'etl_logs', 'etl_metrics'
        ]
    ) as view_name;

select is(
    monitoring.get_dashboard_summary() - 'generated_at',
    '{
        "tasks": {
            "running": 0, "longest_running_ms": null, "ended": 0, "completed": 0, "failed": 0,
            "ended_otherwise": 0, "success_percent": null, "types": 0,
            "by_type": []
        },
        "errors": {
            "occurrences": 0, "low": 0, "medium": 0, "high": 0, "critical": 0, "top": []
        },
        "health": {
            "components": 0, "healthy": 0, "degraded": 0, "unhealthy": 0, "unknown": 0,
            "by_component": []
        },
        "queues": {"queues": 0, "pending": 0, "oldest_ready_seconds": null, "by_queue": []},
        "alerts": {"active": 0, "low": 0, "medium": 0, "high": 0, "critical": 0},
        "freshness": {
            "alerts": {
                "known_at": null, "state": "never", "is_known": false, "seconds_old": null,
                "detail": "no alert rule has ever run"
            },
            "scheduler": {
                "known_at": null, "state": "never", "is_known": false, "seconds_old": null,
                "detail": "no job has ever begun"
            },
            "roll-ups": {
                "known_at": null, "state": "never", "is_known": false, "seconds_old": null,
                "detail": "nothing was ever rolled up"
            }
        }
    }'::jsonb,
    'the dashboard shows nothing, with every key there, and that it does not know'
);

select is(
    (monitoring.get_dashboard_summary() ->> 'generated_at')::timestamptz,
    '2026-01-15 12:00+00'::timestamptz,
    'and when it was made'
);

select ok(
    monitoring.get_installation() ?& array[
        'version', 'code_checksum', 'code_loaded_at', 'migrations', 'missing_roles', 'partitions',
        'today'
    ],
    'what is installed is told'
);

select * from finish(); -- noqa: AM04
rollback;
