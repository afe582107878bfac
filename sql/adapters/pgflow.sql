-- pgflow, workflows on pgmq, as for Supabase. A run is one of a flow; when one ended has no index,
-- so that a reading looks at all runs there are. The tasks of steps are seen as depths, by flow.

select monitoring.define_adapter(
    'pgflow',
    'pgflow 0.8',
    '{"runs": ["run_id", "flow_slug", "status", "started_at", "completed_at", "failed_at"],
        "step_tasks": ["run_id", "flow_slug", "step_slug", "status", "queued_at", "failed_at",
            "error_message"]}',
    p_runs => $$
        select
            r.run_id,
            r.flow_slug as queue,
            r.flow_slug as task_type,
            r.status,
            r.started_at,
            coalesce(r.completed_at, r.failed_at) as finished_at,
            null as attempt,
            null as max_attempts,
            f.message as error_message
        from {schema}.runs as r
        left join lateral (
            select concat_ws(': ', t.step_slug, t.error_message) as message
            from {schema}.step_tasks as t
            where r.status = 'failed' and t.run_id = r.run_id and t.status = 'failed'
            order by t.failed_at
            limit 1
        ) as f on true
        where r.status = 'started' or r.completed_at >= p_since or r.failed_at >= p_since
            or r.run_id = any(p_known::uuid [])
    $$,
    p_statuses => '{"started": "running", "completed": "completed", "failed": "failed"}',
    p_depths => $$
        select
            t.flow_slug as queue,
            count(*) filter (where t.status = 'queued') as pending,
            count(*) filter (where t.status = 'started') as processing,
            null as completed,
            null as failed,
            min(t.queued_at) filter (where t.status = 'queued') as oldest_ready_at
        from {schema}.step_tasks as t
        where t.status in ('queued', 'started')
        group by t.flow_slug
    $$
);
