-- ETL at a glance: one execution, and all of the last day. Reads active_tasks, finished_tasks and
-- their roll-ups, errors and log_lines.

-- Items of an execution by how they went, and what percent of those processed went well; null
-- where it was not told.
create or replace function monitoring._item_counts(
    p_counters jsonb, p_items_done bigint, p_items_total bigint
)
returns table (
    total bigint,
    processed bigint,
    successful bigint,
    failed bigint,
    success_percent double precision
)
language sql
immutable
begin atomic
    select
        c.total,
        c.processed,
        s.successful,
        s.failed,
        100 * s.successful::double precision / nullif(c.processed, 0)::double precision
            as success_percent
    from (
        select
            coalesce(monitoring._counter(p_counters, 'total_fixtures'), p_items_total) as total,
            coalesce(
                monitoring._counter(p_counters, 'processed_fixtures'),
                monitoring._counter(p_counters, 'successful_fixtures')
                + monitoring._counter(p_counters, 'failed_fixtures'),
                p_items_done
            ) as processed,
            monitoring._counter(p_counters, 'successful_fixtures') as successful,
            monitoring._counter(p_counters, 'failed_fixtures') as failed
    ) as c
    -- Who tells only of one kind has told of the other as well.
    cross join lateral (
        select
            coalesce(
                c.successful, case when c.failed <= c.processed then c.processed - c.failed end
            ) as successful,
            coalesce(
                c.failed, case when c.successful <= c.processed then c.processed - c.successful end
            ) as failed
    ) as s;
end;

-- How many chunks of an execution ended in a span and how, and how many run.
create or replace function monitoring._summarize_etl_chunks(
    p_execution_id text, p_from timestamptz, p_to timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for its arguments, so that only the time of the execution is looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return (
        select jsonb_build_object(
            'running', count(*) filter (where c.status = 'running'),
            'completed', count(*) filter (where c.status = 'completed'),
            'failed', count(*) filter (where monitoring._is_failure(c.status)),
            'cancelled', count(*) filter (where c.status = 'cancelled'),
            'mean_duration_seconds', avg(c.seconds),
            'max_duration_seconds', max(c.seconds)
        )
        from (
            select 'running' as status, null::double precision as seconds
            from monitoring.active_tasks a
            where a.parent_task_id = p_execution_id and a.task_type = 'etl.chunk'
            union all
            select t.status, t.duration_ms / 1000
            from monitoring._all_finished_tasks t
            where t.parent_task_id = p_execution_id
                and t.task_type = 'etl.chunk'
                and t.finished_at >= p_from
                and t.finished_at <= p_to
        ) c
    );
end
$$;

-- Errors of an execution and its chunks in a span.
create or replace function monitoring._count_etl_errors(
    p_execution_id text, p_from timestamptz, p_to timestamptz
)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return (
        select count(*)
        from monitoring._all_errors e
        where e.occurred_at >= p_from
            and e.occurred_at <= p_to
            and monitoring._is_of_etl_execution(p_execution_id, e.details, e.task_id)
    );
end
$$;

create or replace function monitoring.get_etl_execution_summary(p_execution_id text)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_task monitoring.processing_metrics;
    v_items record;
    v_seconds double precision;
    v_from timestamptz;
    v_to timestamptz;
begin
    select t.* into v_task
    from monitoring.processing_metrics t
    where t.task_id = p_execution_id and t.task_type = 'etl'
    order by t.end_time is null desc, t.end_time desc
    limit 1;
    if not found then
        return null;
    end if;
    select i.* into v_items
    from monitoring._item_counts(v_task.counters, v_task.items_done, v_task.items_total) i;
    v_from := coalesce(v_task.start_time, v_task.end_time);
    v_to := coalesce(v_task.end_time, 'infinity');
    v_seconds := coalesce(
        v_task.duration_ms / 1000,
        date_part(
            'epoch', coalesce(v_task.end_time, greatest(v_now, v_task.start_time)) - v_task.start_time
        )
    );
    return jsonb_build_object(
        'execution_id', v_task.task_id,
        'status', monitoring._etl_status(v_task.status),
        'attempt', v_task.attempt,
        'started_at', v_task.start_time,
        'finished_at', v_task.end_time,
        'duration_seconds', v_seconds,
        'statistics', jsonb_build_object(
            'total_fixtures', v_items.total,
            'processed_fixtures', v_items.processed,
            'successful_fixtures', v_items.successful,
            'failed_fixtures', v_items.failed
        ),
        -- More may come than was expected.
        'progress_percent', case
            when v_items.processed <= v_items.total then
                100 * v_items.processed::double precision
                / nullif(v_items.total, 0)::double precision
            when v_items.processed > v_items.total then 100
        end,
        'success_percent', v_items.success_percent,
        'items_per_second', v_items.processed::double precision / nullif(v_seconds, 0),
        'chunks', jsonb_build_object(
            'total_chunks', monitoring._counter(v_task.counters, 'total_chunks'),
            'processed_chunks', monitoring._counter(v_task.counters, 'processed_chunks')
        ) || monitoring._summarize_etl_chunks(p_execution_id, v_from, v_to),
        'errors', monitoring._count_etl_errors(p_execution_id, v_from, v_to),
        'step_durations', v_task.step_durations,
        'error_message', v_task.metadata -> 'error_message',
        'config', v_task.metadata -> 'config'
    );
end
$$;

comment on function monitoring.get_etl_execution_summary(text) is
'The newest attempt of an ETL execution with its figures, chunks and errors, so far where it still '
'runs; null when there is none of that name. Of items, percent are of those processed.';

-- How many executions run, and of those that ended in the 24 hours before how, how long and how
-- well.
create or replace function monitoring._summarize_etl_executions(p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_running bigint;
begin
    select count(*) into v_running
    from monitoring.active_tasks a
    where a.task_type = 'etl';
    return (
        select jsonb_build_object(
            'executions', jsonb_build_object(
                'RUNNING', v_running,
                'COMPLETED', count(*) filter (where t.status = 'completed'),
                'FAILED', count(*) filter (where monitoring._is_failure(t.status)),
                'CANCELLED', count(*) filter (where t.status = 'cancelled')
            ),
            'mean_duration_seconds', avg(t.duration_ms) / 1000,
            'mean_success_percent', avg(i.success_percent)
        )
        from monitoring._newest_attempts(
            'etl', null, p_now - interval '24 hours', p_now, 2147483647
        ) t
        cross join lateral monitoring._item_counts(t.counters, t.items_done, t.items_total) i
    );
end
$$;

-- The execution that began last of those that run and the one that ended last, within 90 days.
create or replace function monitoring._last_etl_execution(p_now timestamptz) returns jsonb
language sql
stable
return (
    select
        jsonb_build_object(
            'execution_id', e.task_id,
            'status', monitoring._etl_status(e.status),
            'started_at', e.started_at,
            'finished_at', e.finished_at
        )
    from (
        (
            select
                a.task_id,
                'running' as status,
                a.started_at,
                null::timestamptz as finished_at
            from monitoring.active_tasks as a
            where a.task_type = 'etl'
            order by a.started_at desc
            limit 1
        )
        union all
        select
            t.task_id,
            t.status,
            t.started_at,
            t.finished_at
        from monitoring._newest_attempts('etl', null, p_now - '90 days'::interval, p_now, 1) as t
    ) as e
    order by coalesce(e.started_at, e.finished_at) desc
    limit 1
);

-- Log lines of ETL in a span, by level.
create or replace function monitoring._summarize_etl_logs(p_from timestamptz, p_to timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return (
        select jsonb_build_object(
            'DEBUG', count(*) filter (where l.level = 'DEBUG'),
            'INFO', count(*) filter (where l.level = 'INFO'),
            'WARNING', count(*) filter (where l.level = 'WARNING'),
            'ERROR', count(*) filter (where l.level = 'ERROR'),
            'CRITICAL', count(*) filter (where l.level = 'CRITICAL')
        )
        from monitoring._all_log_lines l
        where l.logged_at > p_from
            and l.logged_at <= p_to
            and l.details @> '{}'
            and l.details ? 'execution_id'
    );
end
$$;

-- Errors in a span that say to which execution they belong.
create or replace function monitoring._count_all_etl_errors(p_from timestamptz, p_to timestamptz)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return (
        select count(*)
        from monitoring._all_errors e
        where e.occurred_at > p_from
            and e.occurred_at <= p_to
            and e.details @> '{}'
            and e.details ? 'execution_id'
    );
end
$$;

create or replace function monitoring.get_etl_health_status() returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_from timestamptz := v_now - interval '24 hours';
begin
    return jsonb_build_object(
        'generated_at', v_now,
        'last_execution', monitoring._last_etl_execution(v_now),
        'logs', monitoring._summarize_etl_logs(v_from, v_now),
        'errors', monitoring._count_all_etl_errors(v_from, v_now)
    ) || monitoring._summarize_etl_executions(v_now);
end
$$;

comment on function monitoring.get_etl_health_status() is
'How ETL is doing: executions by status, mean duration and success of those that ended within 24 '
'hours, the last execution, and log lines by level and errors of 24 hours.';
