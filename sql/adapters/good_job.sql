-- GoodJob, a job queue for Rails. It keeps jobs that have ended for two weeks, with an index on
-- when they ended, and each attempt as an execution. How often a job is tried is known to its code
-- alone. Times have no zone, and are UTC.

select monitoring.define_adapter(
    'good_job',
    'GoodJob 4.19',
    '{"good_jobs": ["id", "active_job_id", "queue_name", "job_class", "scheduled_at", "created_at",
        "performed_at", "finished_at", "error", "executions_count"],
        "good_job_executions": ["active_job_id", "created_at", "finished_at", "error"]}',
    p_runs => $$
        select
            j.id as run_id,
            coalesce(j.queue_name, 'default') as queue,
            j.job_class as task_type,
            s.status,
            (case when s.status = 'retried' then e.created_at else j.performed_at end)
                at time zone 'UTC' as started_at,
            (case when s.status = 'retried' then e.finished_at else j.finished_at end)
                at time zone 'UTC' as finished_at,
            greatest(j.executions_count, 1) as attempt,
            -- One that waits again will be tried again, and how often after that is not known.
            greatest(j.executions_count, 1)
            + case when s.status = 'retried' then 1 else 0 end as max_attempts,
            case
                when s.status = 'retried' then e.error
                when s.status = 'discarded' then j.error
            end as error_message
        from {schema}.good_jobs as j
        cross join lateral (
            select case
                when j.finished_at is not null and j.error is null then 'succeeded'
                when j.finished_at is not null then 'discarded'
                when j.performed_at is not null then 'running'
                else 'retried'
            end as status
        ) as s
        left join lateral (
            select x.created_at, x.finished_at, x.error
            from {schema}.good_job_executions as x
            where s.status = 'retried' and x.active_job_id = j.active_job_id
            order by x.created_at desc
            limit 1
        ) as e on true
        where j.finished_at >= p_since at time zone 'UTC'
            or j.finished_at is null and j.performed_at is not null
            or j.finished_at is null and j.error is not null
                and e.finished_at >= p_since at time zone 'UTC'
            or j.id = any(p_known::uuid [])
                and (j.finished_at is not null or j.performed_at is not null or j.error is not null)
    $$,
    p_statuses => '{"running": "running", "succeeded": "completed", "discarded": "failed",
        "retried": "failed"}',
    p_depths => $$
        select
            coalesce(j.queue_name, 'default') as queue,
            count(*) filter (
                where j.performed_at is null
                    and coalesce(j.scheduled_at, j.created_at) <= p_now at time zone 'UTC'
            ) as pending,
            count(*) filter (where j.performed_at is not null) as processing,
            null as completed,
            null as failed,
            min(coalesce(j.scheduled_at, j.created_at)) filter (
                where j.performed_at is null
                    and coalesce(j.scheduled_at, j.created_at) <= p_now at time zone 'UTC'
            ) at time zone 'UTC' as oldest_ready_at
        from {schema}.good_jobs as j
        where j.finished_at is null
        group by 1
    $$
);
