-- Oban, a job queue for Elixir. Its Pruner removes what has completed a minute after it was due,
-- unless max_age says otherwise: then jobs may be gone before a reading comes by, which is why
-- those that execute are seen as depths alone. Times have no zone, and are UTC.

select monitoring.define_adapter(
    'oban',
    'Oban 2.23, of its migrations 9 to 14',
    '{"oban_jobs": ["id", "worker", "queue", "state", "attempt", "max_attempts", "scheduled_at",
        "attempted_at", "completed_at", "cancelled_at", "discarded_at", "errors"]}',
    p_runs => $$
        select
            j.id as run_id,
            j.queue,
            j.worker as task_type,
            j.state as status,
            j.attempted_at at time zone 'UTC' as started_at,
            case
                when j.state = 'retryable' then coalesce(
                    (l.error ->> 'at')::timestamptz, j.attempted_at at time zone 'UTC'
                )
                else coalesce(j.completed_at, j.discarded_at, j.cancelled_at) at time zone 'UTC'
            end as finished_at,
            j.attempt,
            case when j.state = 'discarded' then j.attempt else j.max_attempts end as max_attempts,
            case when j.state in ('retryable', 'discarded') then l.error ->> 'error' end
                as error_message
        from {schema}.oban_jobs as j
        cross join lateral (select j.errors[array_upper(j.errors, 1)] as error) as l
        where j.state = 'completed' and j.completed_at >= p_since at time zone 'UTC'
            or j.state = 'discarded' and j.discarded_at >= p_since at time zone 'UTC'
            or j.state = 'cancelled' and j.cancelled_at >= p_since at time zone 'UTC'
            or j.state = 'retryable' and j.attempted_at >= p_since at time zone 'UTC'
    $$,
    p_statuses => '{"completed": "completed", "discarded": "failed", "cancelled": "cancelled",
        "retryable": "failed"}',
    p_depths => $$
        select
            j.queue,
            count(*) filter (
                where j.state <> 'executing' and j.scheduled_at <= p_now at time zone 'UTC'
            ) as pending,
            count(*) filter (where j.state = 'executing') as processing,
            null as completed,
            null as failed,
            min(j.scheduled_at) filter (
                where j.state <> 'executing' and j.scheduled_at <= p_now at time zone 'UTC'
            ) at time zone 'UTC' as oldest_ready_at
        from {schema}.oban_jobs as j
        where j.state in ('available', 'scheduled', 'retryable', 'executing')
        group by j.queue
    $$
);
