-- Prefect's server. A run is one of a flow; indexes on the state and on when it ended serve the
-- search.

select monitoring.define_adapter(
    'prefect',
    'Prefect 3.9',
    '{"flow": ["id", "name"],
        "flow_run": ["id", "flow_id", "state_id", "state_type", "state_name", "run_count",
            "start_time", "end_time", "expected_start_time", "next_scheduled_start_time",
            "work_queue_name"],
        "flow_run_state": ["id", "message"]}',
    p_runs => $$
        select
            r.id as run_id,
            coalesce(r.work_queue_name, 'default') as queue,
            f.name as task_type,
            r.state_type as status,
            r.start_time as started_at,
            r.end_time as finished_at,
            null as attempt,
            null as max_attempts,
            case when r.state_type in ('FAILED', 'CRASHED') then s.message end as error_message
        from {schema}.flow_run as r
        inner join {schema}.flow as f on f.id = r.flow_id
        left join {schema}.flow_run_state as s on s.id = r.state_id
        where r.state_type in ('RUNNING', 'CANCELLING')
            or r.end_time >= p_since and r.state_type in (
                'COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'
            )
            or r.id = any(p_known::uuid [])
    $$,
    p_statuses => '{"SCHEDULED": "pending", "PENDING": "pending", "PAUSED": "pending",
        "RUNNING": "running", "CANCELLING": "running", "COMPLETED": "completed",
        "FAILED": "failed", "CRASHED": "failed", "CANCELLED": "cancelled"}',
    p_depths => $$
        select
            coalesce(r.work_queue_name, 'default') as queue,
            count(*) filter (where r.state_type not in ('RUNNING', 'CANCELLING')) as pending,
            count(*) filter (where r.state_type in ('RUNNING', 'CANCELLING')) as processing,
            null as completed,
            null as failed,
            min(coalesce(r.next_scheduled_start_time, r.expected_start_time)) filter (
                where r.state_type not in ('RUNNING', 'CANCELLING')
            ) as oldest_ready_at
        from {schema}.flow_run as r
        where r.state_type in ('RUNNING', 'CANCELLING', 'PENDING')
            or r.state_type = 'SCHEDULED'
                and coalesce(r.next_scheduled_start_time, r.expected_start_time) <= p_now
        group by 1
    $$,
    p_work => 'type'
);
