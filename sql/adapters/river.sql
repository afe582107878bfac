-- River, a job queue for Go. It keeps jobs that have ended for a day (cancelled and discarded ones
-- for a week); the index on state and finalized_at serves the search for those that ended since.

select monitoring.define_adapter(
    'river',
    'River 0.43, of its migrations 4 to 7',
    '{"river_job": ["id", "kind", "queue", "state", "attempt", "max_attempts", "scheduled_at",
        "attempted_at", "finalized_at", "errors"]}',
    p_runs => $$
        select
            j.id as run_id,
            j.queue,
            j.kind as task_type,
            j.state as status,
            j.attempted_at as started_at,
            case
                when j.state = 'retryable'
                    then coalesce((l.error ->> 'at')::timestamptz, j.attempted_at)
                else j.finalized_at
            end as finished_at,
            j.attempt,
            -- One that was discarded is not tried again, however many attempts were left.
            case when j.state = 'discarded' then j.attempt else j.max_attempts end as max_attempts,
            case when j.state in ('retryable', 'discarded') then l.error ->> 'error' end
                as error_message
        from {schema}.river_job as j
        cross join lateral (select j.errors[array_upper(j.errors, 1)] as error) as l
        where j.state = 'running'
            or j.state = 'retryable' and j.attempted_at >= p_since
            or j.state in ('completed', 'cancelled', 'discarded') and j.finalized_at >= p_since
            or j.id = any(p_known::bigint [])
    $$,
    p_statuses => '{"available": "pending", "pending": "pending", "scheduled": "pending",
        "running": "running", "retryable": "failed", "completed": "completed",
        "discarded": "failed", "cancelled": "cancelled"}',
    p_depths => $$
        select
            j.queue,
            count(*) filter (where j.state <> 'running' and j.scheduled_at <= p_now) as pending,
            count(*) filter (where j.state = 'running') as processing,
            null as completed,
            null as failed,
            min(j.scheduled_at) filter (where j.state <> 'running' and j.scheduled_at <= p_now)
                as oldest_ready_at
        from {schema}.river_job as j
        where j.state in ('available', 'retryable', 'scheduled', 'running')
        group by j.queue
    $$
);
