-- pg_timetable, a scheduler that runs beside PostgreSQL. A run is a task of a chain, once it has
-- ended; the log has a BRIN index on that time. Chains that run are seen as depths.

select monitoring.define_adapter(
    'pg_timetable',
    'pg_timetable 7',
    '{"chain": ["chain_id", "chain_name"], "task": ["task_id", "task_name"],
        "active_chain": ["chain_id", "started_at"],
        "execution_log": ["chain_id", "task_id", "txid", "last_run", "finished", "returncode",
            "ignore_error", "output"]}',
    p_runs => $$
        select
            -- A task may stand in a chain more than once.
            concat_ws(
                '-', l.chain_id, l.task_id, l.txid, extract(epoch from l.last_run)
            ) as run_id,
            c.chain_name as queue,
            concat_ws(' / ', coalesce(c.chain_name, 'chain ' || l.chain_id), t.task_name)
                as task_type,
            case
                when l.returncode = 0 then 'done'
                when l.ignore_error then 'ignored'
                else 'failed'
            end as status,
            l.last_run as started_at,
            l.finished as finished_at,
            null as attempt,
            null as max_attempts,
            case when l.returncode <> 0 then coalesce(
                nullif(btrim(l.output, E' \t\r\n'), ''), 'ended with ' || l.returncode
            ) end as error_message
        from {schema}.execution_log as l
        left join {schema}.chain as c on c.chain_id = l.chain_id
        left join {schema}.task as t on t.task_id = l.task_id
        where l.finished >= p_since
    $$,
    p_statuses => '{"done": "completed", "ignored": "completed", "failed": "failed"}',
    p_depths => $$
        select
            coalesce(c.chain_name, 'chain ' || a.chain_id) as queue,
            0 as pending,
            count(*) as processing,
            null as completed,
            null as failed,
            null::timestamptz as oldest_ready_at
        from {schema}.active_chain as a
        left join {schema}.chain as c on c.chain_id = a.chain_id
        group by 1
    $$,
    p_work => 'type'
);
