-- PgQueuer, a job queue for Python. A job leaves the queue when it has ended; what became of it
-- stands in the log, which has an index on the time. How often a job is tried is known to its code
-- alone.

select monitoring.define_adapter(
    'pgqueuer',
    'PgQueuer 1.6',
    '{"pgqueuer": ["id", "entrypoint", "status", "execute_after", "updated", "attempts"],
        "pgqueuer_log": ["id", "job_id", "entrypoint", "status", "created", "traceback"]}',
    p_runs => $$
        select
            q.id as run_id,
            q.entrypoint as queue,
            q.entrypoint as task_type,
            'picked' as status,
            q.updated as started_at,
            null::timestamptz as finished_at,
            q.attempts + 1 as attempt,
            null::integer as max_attempts,
            null as error_message
        from {schema}.pgqueuer as q
        where q.status = 'picked'
        union all
        select
            l.job_id,
            l.entrypoint,
            l.entrypoint,
            case when l.status = 'queued' then 'retry' else l.status::text end,
            p.picked_at,
            l.created,
            p.attempts,
            case when l.status = 'queued' then p.attempts + 1 else p.attempts end,
            coalesce(l.traceback ->> 'exception_message', l.traceback ->> 'exception_type')
        from (
            select distinct on (n.job_id)
                n.id, n.job_id, n.entrypoint, n.status, n.created, n.traceback
            from {schema}.pgqueuer_log as n
            where (n.created >= p_since or n.job_id = any(p_known::bigint []))
                -- One that was put back with what went wrong is tried again.
                and (n.status not in ('queued', 'picked')
                    or n.status = 'queued' and n.traceback is not null)
            order by n.job_id, n.created desc, n.id desc
        ) as l
        cross join lateral (
            select max(v.created) as picked_at, count(*) as attempts
            from {schema}.pgqueuer_log as v
            where v.job_id = l.job_id and v.status = 'picked' and v.created <= l.created
        ) as p
        where not exists (
            select from {schema}.pgqueuer as r where r.id = l.job_id and r.status = 'picked'
        )
    $$,
    p_statuses => '{"picked": "running", "successful": "completed", "exception": "failed",
        "failed": "failed", "retry": "failed", "canceled": "cancelled", "deleted": "cancelled"}',
    p_depths => $$
        select
            q.entrypoint as queue,
            count(*) filter (where q.status = 'queued' and q.execute_after <= p_now) as pending,
            count(*) filter (where q.status = 'picked') as processing,
            null as completed,
            null as failed,
            min(q.execute_after) filter (where q.status = 'queued' and q.execute_after <= p_now)
                as oldest_ready_at
        from {schema}.pgqueuer as q
        where q.status in ('queued', 'picked')
        group by q.entrypoint
    $$
);
