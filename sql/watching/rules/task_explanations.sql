-- The rows behind alerts about tasks, newest first, as they were when the alert was last seen.
-- Reads active_tasks, finished_tasks and their roll-ups, unsuccessful_attempts and errors.

-- Length of the window of an alert's rule.
create or replace function monitoring._window_of(p_alert monitoring.raised_alerts) returns interval
language sql
stable
return coalesce(
    (
        select
            case
                when r.parameters ? 'window_days'
                    then make_interval(
                            hours => 24
                            * least(
                                (r.parameters ->> 'window_days')::double precision, 3650
                            )::integer
                        )
                else monitoring._minutes_of(r)
            end
        from monitoring.alert_rules as r
        where r.rule_name = p_alert.rule_name
    ),
    '60 minutes'::interval
);

-- What people want to see of an attempt that has ended.
create or replace function monitoring._attempt_details(p_task monitoring._all_finished_tasks)
returns jsonb
language sql
stable
return jsonb_strip_nulls(jsonb_build_object(
    'task_id', p_task.task_id,
    'task_type', p_task.task_type,
    'attempt', p_task.attempt,
    'status', p_task.status,
    'start_time', p_task.started_at,
    'end_time', p_task.finished_at,
    'duration_ms', p_task.duration_ms,
    'items_done', p_task.items_done,
    'worker_id', p_task.worker_id
));

-- What people want to see of an attempt that runs.
create or replace function monitoring._running_details(p_task monitoring.active_tasks)
returns jsonb
language sql
stable
return jsonb_strip_nulls(jsonb_build_object(
    'task_id', p_task.task_id,
    'task_type', p_task.task_type,
    'attempt', p_task.attempt,
    'status', 'running',
    'start_time', p_task.started_at,
    'heartbeat_at', p_task.heartbeat_at,
    'progress_at', p_task.progress_at,
    'items_done', p_task.items_done,
    'items_total', p_task.items_total,
    'worker_id', p_task.worker_id,
    'backend_pid', p_task.backend_pid
));

-- Attempts of a type that ended after one time and until another, with one of some statuses or
-- any, newest first.
create or replace function monitoring._newest_attempts(
    p_task_type text,
    p_statuses text[],
    p_after timestamptz,
    p_until timestamptz,
    p_limit integer
)
returns setof monitoring._all_finished_tasks
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_hour timestamptz;
    v_found integer := 0;
    v_more integer;
begin
    -- Hours in which there were any, from roll-ups; only those are read row by row.
    for v_hour in
        select r.bucket_at
        from monitoring.rollups r
        where r.source = 'tasks'
            and r.resolution = 'hour'
            and r.bucket_at > p_after - interval '1 hour'
            and r.bucket_at <= p_until
            and r.name = p_task_type
            and (p_statuses is null or r.label = any(p_statuses))
        union
        select date_trunc('hour', m.finished_at, 'UTC')
        from monitoring._new_tasks(p_after, p_until + interval '1 microsecond') m
        where m.finished_at > p_after
            and m.task_type = p_task_type
        order by 1 desc
    loop
        return query
        select t.*
        from monitoring._all_finished_tasks t
        where t.finished_at >= v_hour
            and t.finished_at < v_hour + interval '1 hour'
            and t.finished_at > p_after
            and t.finished_at <= p_until
            and t.task_type = p_task_type
            and (p_statuses is null or t.status = any(p_statuses))
        order by t.finished_at desc, t.task_id
        limit p_limit - v_found;
        get diagnostics v_more = row_count;
        v_found := v_found + v_more;
        exit when v_found >= p_limit;
    end loop;
end
$$;

-- Why an attempt ended as it did: type and message of its last error, else what its metadata
-- say; null where nobody said.
create or replace function monitoring._error_of_attempt(
    p_task_id text, p_metadata jsonb, p_started_at timestamptz, p_ended_at timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times: only the days that it ran on are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return coalesce(
        (
            select e.error_type || ': ' || left(e.message, 500)
            from monitoring._all_errors e
            where e.task_id = p_task_id
                -- An error may be told a little after the end that it brought.
                and e.occurred_at >= coalesce(p_started_at, p_ended_at - interval '1 day')
                and e.occurred_at <= p_ended_at + interval '1 minute'
            order by e.occurred_at desc, e.error_id desc
            limit 1
        ),
        left(nullif(btrim(p_metadata ->> 'error_message'), ''), 500),
        'lost: ' || (p_metadata ->> 'lost')
    );
end
$$;

-- Attempts of the alert's task type in the window of its rule.
create or replace function monitoring._explain_attempts(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select e.source, e.happened_at, e.details
    from (
        select
            'processing_metrics' as source,
            a.heartbeat_at as happened_at,
            monitoring._running_details(a) as details
        from monitoring.active_tasks a
        where p_alert.rule_name = 'low_throughput'
            and a.task_type = p_alert.labels ->> 'task_type'
            and a.heartbeat_at <= p_now
        union all
        select 'processing_metrics', t.finished_at, monitoring._attempt_details(t)
        from monitoring._newest_attempts(
            p_alert.labels ->> 'task_type',
            -- Only the mean duration is one of all attempts, whatever became of them.
            case when p_alert.rule_name <> 'slow_processing' then array['completed'] end,
            p_now - monitoring._window_of(p_alert),
            p_now,
            p_limit
        ) t
    ) e
    order by e.happened_at desc
    limit p_limit;
end
$$;

-- Attempts of the alert's task type that failed, timed out or got lost in the window of its
-- rule.
create or replace function monitoring._explain_unsuccessful_attempts(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'processing_metrics',
        t.finished_at,
        monitoring._attempt_details(t) || jsonb_strip_nulls(jsonb_build_object(
            'last_error', monitoring._error_of_attempt(
                t.task_id, t.metadata, t.started_at, t.finished_at
            )
        ))
    from monitoring._newest_attempts(
        p_alert.labels ->> 'task_type',
        monitoring._failures(),
        p_now - monitoring._window_of(p_alert),
        p_now,
        p_limit
    ) t;
end
$$;

-- What failed and has not been done since, each with its last error.
create or replace function monitoring._explain_failed_tasks(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'processing_metrics',
        u.finished_at,
        jsonb_strip_nulls(jsonb_build_object(
            'task_id', u.task_id,
            'task_type', u.task_type,
            'attempt', u.attempt,
            'status', u.status,
            'last_error', monitoring._error_of_attempt(
                u.task_id, u.metadata, u.started_at, u.finished_at
            )
        ))
    from monitoring._undone_work(
        p_now - monitoring._window_of(p_alert), p_now, p_alert.labels ->> 'task_type'
    ) u
    where not p_alert.labels ? 'task_id' or u.task_id = p_alert.labels ->> 'task_id'
    order by u.finished_at desc, u.task_id
    limit p_limit;
end
$$;

-- The alert's task, its earlier attempts and its errors; of attempts that have ended, when they
-- began.
create or replace function monitoring._explain_task(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task_id text := p_alert.labels ->> 'task_id';
begin
    return query
    select r.source, r.happened_at, r.details
    from (
        select
            'processing_metrics' as source,
            a.heartbeat_at as happened_at,
            monitoring._running_details(a) as details
        from monitoring.active_tasks a
        where a.task_id = v_task_id and a.started_at <= p_now
        union all
        select 'processing_metrics', t.started_at,
            monitoring._attempt_details(row(t.*)::monitoring._all_finished_tasks)
        from monitoring._all_finished_tasks t
        where t.task_id = v_task_id and t.started_at <= p_now
        union all
        select
            'error_tracking',
            e.occurred_at,
            jsonb_build_object(
                'error_type', e.error_type, 'severity', e.severity, 'message', left(e.message, 500)
            )
        from monitoring._all_errors e
        where e.task_id = v_task_id and e.occurred_at <= p_now
    ) r
    order by r.happened_at desc
    limit p_limit;
end
$$;

-- What was expected, and the runs before it.
create or replace function monitoring._explain_missed_run(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select r.source, r.happened_at, r.details
    from (
        select
            'v_expected_runs' as source,
            m.due_at as happened_at,
            jsonb_build_object(
                'task_type', e.task_type, 'schedule', e.schedule, 'time_zone', e.time_zone,
                'grace_seconds', e.grace_seconds
            ) as details
        from monitoring._missed_runs(p_now) m
        inner join monitoring.expected_runs e on e.task_type = m.task_type
        where m.task_type = p_alert.labels ->> 'task_type'
        union all
        select 'processing_metrics', coalesce(t.started_at, t.finished_at),
            monitoring._attempt_details(t)
        from monitoring._newest_attempts(
            p_alert.labels ->> 'task_type', null, p_now - interval '1 year', p_now, p_limit
        ) t
    ) r
    order by r.happened_at desc
    limit p_limit;
end
$$;
