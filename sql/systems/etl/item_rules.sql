-- Rules about the items of ETL executions: how many failed, how many went well. Reads active_tasks
-- and finished_tasks.

-- Items of the newest attempt of each execution that runs, or ended in the window before p_now,
-- where enough of them are done. What ended since does not count as running.
create or replace function monitoring._etl_items(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns table (
    task_id text,
    worker_id text,
    processed bigint,
    failed bigint,
    success_percent double precision
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        newest.task_id,
        newest.worker_id,
        i.processed,
        i.failed,
        i.success_percent
    from (
        select distinct on (e.task_id) e.*
        from (
            select
                a.task_id, a.worker_id, a.counters, a.items_done, a.items_total,
                'infinity'::timestamptz as ended_at,
                monitoring._number_in(p_rule, 'min_items_running', 20) as least_items
            from monitoring.active_tasks a
            where a.task_type = 'etl' and a.heartbeat_at <= p_now
            union all
            select
                t.task_id, t.worker_id, t.counters, t.items_done, t.items_total, t.finished_at,
                monitoring._number_in(p_rule, 'min_items', 1)
            from monitoring._newest_attempts(
                'etl', null, p_now - monitoring._minutes_of(p_rule), p_now, 2147483647
            ) t
        ) e
        order by e.task_id, e.ended_at desc
    ) newest
    cross join lateral monitoring._item_counts(
        newest.counters, newest.items_done, newest.items_total
    ) i
    where i.processed > 0
        and i.processed::double precision >= newest.least_items
        and i.success_percent is not null
        and i.failed is not null;
end
$$;

-- Percent of the processed items of each ETL execution that failed.
create or replace function monitoring._find_failed_items(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        monitoring._short_name(e.task_id),
        100 * e.failed::double precision / e.processed::double precision,
        monitoring._task_labels('etl', e.task_id, e.worker_id),
        format(
            'ETL execution %s: %s %% of items failed, %s of %s',
            left(e.task_id, 200),
            monitoring._figure(100 * e.failed::double precision / e.processed::double precision),
            e.failed, e.processed
        ),
        null::text,
        null::double precision
    from monitoring._etl_items(p_rule, p_now) e;
end
$$;

call monitoring._ship_rule(
    'item_error_rate_high', 'processing',
    'Many of the items of an ETL execution failed; of one that runs, as soon as enough are done.',
    p_finder => '_find_failed_items',
    p_explainer => '_explain_items',
    p_alert_for_each => 'execution',
    p_comparison => '>',
    p_unit => '%',
    p_thresholds => '{"medium": 5}',
    p_parameters => '{"window_minutes": 60, "min_items": 1, "min_items_running": 20}'
);

-- Percent of the processed items of each ETL execution that went well.
create or replace function monitoring._find_low_item_success(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        monitoring._short_name(e.task_id),
        e.success_percent,
        monitoring._task_labels('etl', e.task_id, e.worker_id),
        format(
            'ETL execution %s: %s %% of items went well, %s of %s failed',
            left(e.task_id, 200), monitoring._figure(e.success_percent), e.failed, e.processed
        ),
        null::text,
        null::double precision
    from monitoring._etl_items(p_rule, p_now) e;
end
$$;

call monitoring._ship_rule(
    'item_success_rate_low', 'processing',
    'Few of the items of an ETL execution went well; of one that runs, as soon as enough are '
    'done.',
    p_finder => '_find_low_item_success',
    p_explainer => '_explain_items',
    p_alert_for_each => 'execution',
    p_comparison => '<',
    p_unit => '%',
    p_thresholds => '{"high": 90}',
    p_parameters => '{"window_minutes": 60, "min_items": 1, "min_items_running": 20}'
);
call monitoring._ship_inhibition('item_success_rate_low', 'item_error_rate_high', '{task_id}');

-- The alert's execution with its counters, and the errors of it and its chunks within the
-- window.
create or replace function monitoring._explain_items(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_execution_id text := p_alert.labels ->> 'task_id';
    v_from timestamptz := p_now - monitoring._window_of(p_alert);
begin
    return query
    select r.source, r.happened_at, r.details
    from (
        select
            'processing_metrics' as source,
            a.heartbeat_at as happened_at,
            monitoring._running_details(a) || jsonb_build_object('counters', a.counters) as details
        from monitoring.active_tasks a
        where a.task_id = v_execution_id and a.heartbeat_at <= p_now
        union all
        select
            'processing_metrics',
            t.finished_at,
            monitoring._attempt_details(row(t.*)::monitoring._all_finished_tasks)
            || jsonb_build_object('counters', t.counters)
        from monitoring._all_finished_tasks t
        where t.task_id = v_execution_id and t.finished_at > v_from and t.finished_at <= p_now
        union all
        select
            'error_tracking',
            e.occurred_at,
            jsonb_build_object(
                'error_type', e.error_type, 'severity', e.severity,
                'message', left(e.message, 500), 'task_id', e.task_id
            )
        from monitoring._all_errors e
        where monitoring._is_of_etl_execution(v_execution_id, e.details, e.task_id)
            and e.occurred_at > v_from
            and e.occurred_at <= p_now
    ) r
    order by r.happened_at desc
    limit p_limit;
end
$$;
