-- Procrastinate, a job queue for Python. When something became of a job stands in its events, which
-- have no index on the time: of the newest 100,000 those that are new are looked for, by their
-- numbers. How often a job is tried is known to its code alone.

select monitoring.define_adapter(
    'procrastinate',
    'Procrastinate 3',
    '{"procrastinate_jobs": ["id", "queue_name", "task_name", "status", "attempts", "scheduled_at"],
        "procrastinate_events": ["id", "job_id", "type", "at"]}',
    p_runs => $$
        select
            j.id as run_id,
            j.queue_name as queue,
            j.task_name as task_type,
            case when j.status = 'todo' then 'retry' else j.status::text end as status,
            e.started_at,
            case when j.status <> 'doing' then e.ended_at end as finished_at,
            case when j.status = 'doing' then j.attempts + 1 else j.attempts end as attempt,
            -- One that waits again will be tried again, and how often after that is not known.
            case when j.status = 'todo' then j.attempts + 1 else j.attempts end as max_attempts,
            null as error_message
        from (
            select d.id from {schema}.procrastinate_jobs as d where d.status = 'doing'
            union
            select n.job_id
            from (
                select v.job_id, v.type, v.at
                from {schema}.procrastinate_events as v
                order by v.id desc
                limit 100000
            ) as n
            where n.at >= p_since
                and n.type::text in (
                    'deferred_for_retry', 'failed', 'succeeded', 'cancelled', 'aborted'
                )
            union
            select k.id from unnest(p_known::bigint []) as k (id)
        ) as c
        inner join {schema}.procrastinate_jobs as j on j.id = c.id
        cross join lateral (
            select
                max(v.at) filter (where v.type::text = 'started') as started_at,
                max(v.at) filter (
                    where v.type::text in (
                        'deferred_for_retry', 'failed', 'succeeded', 'cancelled', 'aborted'
                    )
                ) as ended_at
            from {schema}.procrastinate_events as v
            where v.job_id = j.id
        ) as e
        where j.status <> 'todo' or e.ended_at >= e.started_at
    $$,
    p_statuses => '{"doing": "running", "aborting": "running", "succeeded": "completed",
        "failed": "failed", "retry": "failed", "cancelled": "cancelled", "aborted": "cancelled"}',
    p_depths => $$
        select
            j.queue_name as queue,
            count(*) filter (
                where j.status = 'todo' and coalesce(j.scheduled_at <= p_now, true)
            ) as pending,
            count(*) filter (where j.status = 'doing') as processing,
            null as completed,
            null as failed,
            min(coalesce(
                j.scheduled_at,
                (select min(v.at) from {schema}.procrastinate_events as v where v.job_id = j.id)
            )) filter (
                where j.status = 'todo' and coalesce(j.scheduled_at <= p_now, true)
            ) as oldest_ready_at
        from {schema}.procrastinate_jobs as j
        where j.status in ('todo', 'doing')
        group by j.queue_name
    $$
);
