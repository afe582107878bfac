-- pg_net, requests over HTTP from inside PostgreSQL, as Supabase has them. A response is kept for
-- six hours, with an index on when it came; what was asked is gone by then.

select monitoring.define_adapter(
    'pg_net',
    'pg_net 0.20',
    '{"http_request_queue": ["id"],
        "_http_response": ["id", "status_code", "timed_out", "error_msg", "created"]}',
    p_runs => $$
        select
            r.id as run_id,
            'requests' as queue,
            'HTTP request' as task_type,
            case when r.status_code < 400 then 'answered' else 'failed' end as status,
            null as started_at,
            r.created as finished_at,
            null as attempt,
            null as max_attempts,
            case
                when r.status_code >= 400 then 'answered with status ' || r.status_code
                when r.status_code is null then coalesce(
                    r.error_msg, case when r.timed_out then 'timed out' end, 'no answer'
                )
            end as error_message
        from {schema}._http_response as r
        where r.created >= p_since
    $$,
    p_statuses => '{"answered": "completed", "failed": "failed"}',
    p_depths => $$
        select
            'requests' as queue,
            count(*) as pending,
            0 as processing,
            null as completed,
            null as failed,
            null::timestamptz as oldest_ready_at
        from {schema}.http_request_queue as q
    $$
);
