-- Dagster's run storage. The index on status and update_timestamp serves the search for runs that
-- ended since. Times are seconds since 1970, or have no zone and are UTC.

select monitoring.define_adapter(
    'dagster',
    'Dagster 1.13',
    '{"runs": ["run_id", "pipeline_name", "status", "start_time", "end_time", "create_timestamp",
        "update_timestamp"]}',
    p_runs => $$
        select
            r.run_id,
            'runs' as queue,
            r.pipeline_name as task_type,
            r.status,
            to_timestamp(r.start_time) as started_at,
            case
                when r.status in ('SUCCESS', 'FAILURE', 'CANCELED') then coalesce(
                    to_timestamp(r.end_time), r.update_timestamp at time zone 'UTC'
                )
            end as finished_at,
            null as attempt,
            null as max_attempts,
            null as error_message
        from {schema}.runs as r
        where r.status in ('STARTED', 'CANCELING')
            or r.status in ('SUCCESS', 'FAILURE', 'CANCELED')
                and r.update_timestamp >= p_since at time zone 'UTC'
            or r.run_id = any(p_known)
    $$,
    p_statuses => '{"QUEUED": "pending", "NOT_STARTED": "pending", "MANAGED": "pending",
        "STARTING": "pending", "STARTED": "running", "CANCELING": "running",
        "SUCCESS": "completed", "FAILURE": "failed", "CANCELED": "cancelled"}',
    p_depths => $$
        select
            'runs' as queue,
            count(*) filter (where r.status in ('QUEUED', 'NOT_STARTED')) as pending,
            count(*) filter (where r.status in ('STARTING', 'STARTED', 'CANCELING')) as processing,
            null as completed,
            null as failed,
            min(r.create_timestamp) filter (where r.status in ('QUEUED', 'NOT_STARTED'))
                at time zone 'UTC' as oldest_ready_at
        from {schema}.runs as r
        where r.status in ('QUEUED', 'NOT_STARTED', 'STARTING', 'STARTED', 'CANCELING')
    $$,
    p_work => 'type'
);
