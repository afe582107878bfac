-- pg-boss, a job queue for Node.js. A queue is a job name. From version 11 on an index on queue and
-- completed_on serves the search for jobs that ended since; version 10 has none, so that a reading
-- looks at all jobs that are not archived yet (12 hours of them, unless that was changed).

select monitoring.define_adapter(
    'pg_boss',
    'pg-boss 10 and 12',
    '{"queue": ["name"], "job": ["id", "name", "state", "retry_limit", "retry_count", "retry_delay",
        "retry_backoff", "start_after", "started_on", "completed_on", "output"]}',
    p_runs => $$
        select
            j.id as run_id,
            j.name as queue,
            j.name as task_type,
            j.state as status,
            j.started_on as started_at,
            case
                when j.state <> 'retry' then j.completed_on
                -- When an attempt failed is not kept, but when the next is to be, after a delay
                -- that with backoff doubles each time and is left to chance.
                else greatest(j.started_on, j.start_after - case
                    when j.retry_backoff
                        then j.retry_delay * 2 ^ least(16, j.retry_count + 1)
                    else j.retry_delay
                end * interval '1 second')
            end as finished_at,
            j.retry_count + 1 as attempt,
            j.retry_limit + 1 as max_attempts,
            case when j.state in ('retry', 'failed') then j.output ->> 'message' end
                as error_message
        from {schema}.queue as q
        cross join lateral (
            select
                m.id, m.name, m.state, m.retry_limit, m.retry_count, m.retry_delay, m.retry_backoff,
                m.start_after, m.started_on, m.completed_on, m.output
            from {schema}.job as m
            where m.name = q.name
                and (
                    m.state = 'active'
                    or m.state = 'retry' and m.started_on >= p_since
                    or m.completed_on >= p_since
                    or m.id = any(p_known::uuid [])
                )
            -- Its indexes begin with the queue: each queue is searched by itself.
            offset 0
        ) as j
        where q.name not like '\_\_pgboss\_\_%'
    $$,
    p_statuses => '{"created": "pending", "active": "running", "retry": "failed",
        "completed": "completed", "failed": "failed", "cancelled": "cancelled"}',
    p_depths => $$
        select
            j.name as queue,
            count(*) filter (where j.state <> 'active' and j.start_after <= p_now) as pending,
            count(*) filter (where j.state = 'active') as processing,
            null as completed,
            null as failed,
            min(j.start_after) filter (where j.state <> 'active' and j.start_after <= p_now)
                as oldest_ready_at
        from {schema}.queue as q
        inner join {schema}.job as j on j.name = q.name
        where q.name not like '\_\_pgboss\_\_%' and j.state in ('created', 'retry', 'active')
        group by j.name
    $$
);
