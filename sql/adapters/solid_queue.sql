-- Solid Queue, the job queue of Rails. It keeps jobs that have ended for a day
-- (preserve_finished_jobs), with an index on when they ended; those that failed have a row of their
-- own. A retry is another job, and the one before it has finished. Times have no zone, and are UTC.

select monitoring.define_adapter(
    'solid_queue',
    'Solid Queue 1.5',
    '{"solid_queue_jobs": ["id", "queue_name", "class_name", "scheduled_at", "finished_at"],
        "solid_queue_ready_executions": ["job_id", "queue_name", "created_at"],
        "solid_queue_claimed_executions": ["job_id", "created_at"],
        "solid_queue_blocked_executions": ["job_id", "queue_name", "created_at"],
        "solid_queue_scheduled_executions": ["job_id", "queue_name", "scheduled_at"],
        "solid_queue_failed_executions": ["job_id", "error", "created_at"]}',
    p_runs => $$
        select
            j.id as run_id,
            j.queue_name as queue,
            j.class_name as task_type,
            case
                when f.job_id is not null then 'failed'
                when j.finished_at is not null then 'finished'
                else 'claimed'
            end as status,
            r.created_at at time zone 'UTC' as started_at,
            coalesce(f.created_at, j.finished_at) at time zone 'UTC' as finished_at,
            null as attempt,
            null as max_attempts,
            case
                -- An object of class, message and backtrace.
                when f.error like '{%' then substring(f.error from '"message":"((\\.|[^"\\])*)"')
                else f.error
            end as error_message
        from (
            select c.job_id from {schema}.solid_queue_claimed_executions as c
            union
            select e.job_id from {schema}.solid_queue_failed_executions as e
            where e.created_at >= p_since at time zone 'UTC'
            union
            select d.id from {schema}.solid_queue_jobs as d
            where d.finished_at >= p_since at time zone 'UTC'
            union
            select k.id from unnest(p_known::bigint []) as k (id)
        ) as n
        inner join {schema}.solid_queue_jobs as j on j.id = n.job_id
        left join {schema}.solid_queue_claimed_executions as r on r.job_id = j.id
        left join {schema}.solid_queue_failed_executions as f on f.job_id = j.id
        where r.job_id is not null or f.job_id is not null or j.finished_at is not null
    $$,
    p_statuses => '{"claimed": "running", "finished": "completed", "failed": "failed"}',
    p_depths => $$
        select
            w.queue_name as queue,
            count(*) filter (where w.is_waiting) as pending,
            count(*) filter (where not w.is_waiting) as processing,
            null as completed,
            null as failed,
            min(w.ready_at) filter (where w.is_waiting) at time zone 'UTC' as oldest_ready_at
        from (
            select r.queue_name, r.created_at as ready_at, true as is_waiting
            from {schema}.solid_queue_ready_executions as r
            union all
            select b.queue_name, b.created_at, true
            from {schema}.solid_queue_blocked_executions as b
            union all
            select s.queue_name, s.scheduled_at, true
            from {schema}.solid_queue_scheduled_executions as s
            where s.scheduled_at <= p_now at time zone 'UTC'
            union all
            select j.queue_name, c.created_at, false
            from {schema}.solid_queue_claimed_executions as c
            inner join {schema}.solid_queue_jobs as j on j.id = c.job_id
        ) as w
        group by w.queue_name
    $$
);
