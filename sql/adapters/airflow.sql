-- Airflow's metadata. A run is one of a DAG; when one ended has no index: those that run are found
-- by their state, those that ran at the last reading by their numbers, and among the newest 20,000
-- those that ended since. Task instances are seen as depths, by queue.

select monitoring.define_adapter(
    'airflow',
    'Airflow 3.3',
    '{"dag_run": ["id", "dag_id", "state", "start_date", "end_date"],
        "task_instance": ["queue", "state", "queued_dttm"]}',
    p_runs => $$
        select
            r.id as run_id,
            null as queue,
            r.dag_id as task_type,
            r.state as status,
            r.start_date as started_at,
            r.end_date as finished_at,
            null as attempt,
            null as max_attempts,
            null as error_message
        from {schema}.dag_run as r
        where r.id = any(array(
            select a.id from {schema}.dag_run as a where a.state = 'running'
            union
            select n.id
            from (
                select d.id, d.end_date from {schema}.dag_run as d order by d.id desc limit 20000
            ) as n
            where n.end_date >= p_since
            union
            select k.id from unnest(p_known::integer []) as k (id)
        ))
    $$,
    p_statuses => '{"queued": "pending", "running": "running", "success": "completed",
        "failed": "failed"}',
    p_depths => $$
        select
            coalesce(i.queue, 'default') as queue,
            count(*) filter (where i.state in ('scheduled', 'queued')) as pending,
            count(*) filter (where i.state in ('running', 'restarting')) as processing,
            null as completed,
            null as failed,
            min(i.queued_dttm) filter (where i.state = 'queued') as oldest_ready_at
        from {schema}.task_instance as i
        where i.state in ('scheduled', 'queued', 'running', 'restarting')
        group by 1
    $$,
    p_work => 'type'
);
