-- Graphile Worker, a job queue for Node.js. It deletes jobs once they are done, so that nothing is
-- left to tell of those: there are depths, and the jobs that have failed for the last time. Its
-- tables have row security without a policy; the view "jobs" is for others to read.

select monitoring.define_adapter(
    'graphile_worker',
    'Graphile Worker 0.17',
    '{"jobs": ["id", "task_identifier", "run_at", "attempts", "max_attempts", "last_error",
        "updated_at", "locked_at"]}',
    p_runs => $$
        select
            j.id as run_id,
            -- What is not deleted is no measure of what was done.
            null as queue,
            j.task_identifier as task_type,
            'failed' as status,
            null as started_at,
            j.updated_at as finished_at,
            j.attempts as attempt,
            j.max_attempts,
            j.last_error as error_message
        from {schema}.jobs as j
        where j.attempts >= j.max_attempts and j.locked_at is null and j.updated_at >= p_since
    $$,
    p_statuses => '{"failed": "failed"}',
    p_depths => $$
        select
            j.task_identifier as queue,
            count(*) filter (
                where j.locked_at is null and j.attempts < j.max_attempts and j.run_at <= p_now
            ) as pending,
            count(*) filter (where j.locked_at is not null) as processing,
            null as completed,
            count(*) filter (where j.locked_at is null and j.attempts >= j.max_attempts) as failed,
            min(j.run_at) filter (
                where j.locked_at is null and j.attempts < j.max_attempts and j.run_at <= p_now
            ) as oldest_ready_at
        from {schema}.jobs as j
        group by j.task_identifier
    $$
);
