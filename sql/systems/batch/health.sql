-- How well workflows do, by day and altogether. Reads the runs of their steps, their alerts, and
-- roll-ups.

create or replace function monitoring.get_batch_performance(
    p_from date default null, p_to date default null, p_workflow_name text default null
)
returns table (
    workflow_name text,
    business_date date,
    step_name text,
    runs bigint,
    completed bigint,
    failed bigint,
    first_started_at timestamptz,
    last_finished_at timestamptz,
    duration_seconds double precision,
    avg_duration_seconds double precision,
    max_duration_seconds double precision,
    records_processed bigint,
    records_per_second double precision
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_workflow monitoring.workflows;
    v_today date;
begin
    if p_workflow_name is not null then
        perform monitoring._found_workflow(p_workflow_name);
    end if;
    perform monitoring._checked_business_date('from', p_from);
    perform monitoring._checked_business_date('to', p_to);
    for v_workflow in
        select w.* from monitoring.workflows w
        where w.workflow_name = coalesce(p_workflow_name, w.workflow_name)
        order by w.workflow_name
    loop
        v_today := monitoring._business_date(v_workflow, monitoring.clock());
        return query
        select
            v_workflow.workflow_name,
            d.business_date,
            d.step_name,
            count(*),
            count(*) filter (where d.status = 'completed'),
            count(*) filter (where monitoring._is_failure(d.status)),
            min(d.started_at),
            max(d.finished_at),
            sum(d.seconds),
            avg(d.seconds),
            max(d.seconds),
            case when sum(d.items_done) >= 1e18 then 1e18 else sum(d.items_done) end::bigint,
            sum(d.items_done)::double precision
            / nullif(sum(d.seconds) filter (where d.items_done is not null), 0)
        from monitoring._days_of_runs(
            v_workflow, coalesce(p_from, v_today - 6), coalesce(p_to, v_today)
        ) d
        group by d.business_date, d.step_name, d.place
        order by d.business_date desc, d.place;
    end loop;
end
$$;

comment on function monitoring.get_batch_performance(date, date, text) is
'Runs that ended, by business day and step: how many, how long, how many records. Of the last 7 '
'business days unless others are given; reads the rows of those days.';

-- Runs that ended of the steps of a workflow, of some business days.
create or replace function monitoring._days_of_runs(
    p_workflow monitoring.workflows, p_from date, p_to date
)
returns table (
    business_date date, step_name text, place integer, status text, started_at timestamptz,
    finished_at timestamptz, seconds double precision, items_done bigint
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select d.business_date, d.step_name, d.place, d.status, d.started_at, d.finished_at, d.seconds,
        d.items_done
    from (
        select
            monitoring._date_of_run(
                p_workflow, t.metadata, coalesce(t.started_at, t.finished_at)
            ) as business_date,
            s.step_name,
            s.position as place,
            t.status,
            t.started_at,
            t.finished_at,
            t.duration_ms / 1000 as seconds,
            t.items_done
        from monitoring._ended_attempts(
            monitoring._step_names(p_workflow.workflow_name),
            monitoring._day_start(p_workflow, p_from) - interval '6 hours',
            monitoring._day_start(p_workflow, p_to) + interval '8 days'
        ) t
        inner join monitoring.workflow_steps s on s.step_name = t.task_type
    ) d
    where d.business_date between p_from and p_to;
end
$$;

-- How many runs of a workflow's steps ended since a time, in whole hours.
create or replace function monitoring._ended_runs(p_workflow_name text, p_from timestamptz)
returns table (runs bigint, completed bigint, failed bigint)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        coalesce(sum(r.row_count), 0)::bigint,
        coalesce(sum(r.row_count) filter (where r.label = 'completed'), 0)::bigint,
        coalesce(
            sum(r.row_count) filter (where monitoring._is_failure(r.label)), 0
        )::bigint
    from monitoring._counts_between('tasks', p_from, monitoring.clock()) r
    inner join monitoring.workflow_steps s on s.step_name = r.name
    where s.workflow_name = p_workflow_name;
end
$$;

-- The newest runs of a workflow that failed within 7 days, an object each.
create or replace function monitoring._recent_failures(
    p_workflow_name text, p_now timestamptz, p_limit integer
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times, so that only their days are looked at.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_steps text [] := monitoring._step_names(p_workflow_name);
    v_statuses constant text [] := monitoring._failures();
    v_after timestamptz := p_now - interval '7 days';
    v_hour timestamptz;
    v_found jsonb := '[]'::jsonb;
begin
    -- Hours in which any failed, the newest first; only those are read row by row.
    for v_hour in
        select r.bucket_at
        from monitoring.rollups r
        where r.source = 'tasks'
            and r.resolution = 'hour'
            and r.bucket_at > v_after - interval '1 hour'
            and r.bucket_at <= p_now
            and r.name = any(v_steps)
            and r.label = any(v_statuses)
        union
        select date_trunc('hour', m.finished_at, 'UTC')
        from monitoring._new_tasks(v_after, p_now + interval '1 microsecond') m
        where m.finished_at > v_after
            and m.task_type = any(v_steps)
            and m.status = any(v_statuses)
        order by 1 desc
    loop
        v_found := v_found || (
            select coalesce(jsonb_agg(f.details order by f.finished_at desc), '[]')
            from (
                select
                    t.finished_at,
                    monitoring._attempt_details(row(t.*)::monitoring._all_finished_tasks)
                    || jsonb_strip_nulls(
                        jsonb_build_object(
                            'error_message',
                            monitoring._reason_of_end(
                                t.task_id, t.metadata, t.started_at, t.finished_at
                            )
                        )
                    ) as details
                from monitoring._all_finished_tasks t
                where t.finished_at >= v_hour
                    and t.finished_at < v_hour + interval '1 hour'
                    and t.finished_at > v_after
                    and t.finished_at <= p_now
                    and t.task_type = any(v_steps)
                    and t.status = any(v_statuses)
                order by t.finished_at desc
                limit p_limit - jsonb_array_length(v_found)
            ) f
        );
        exit when jsonb_array_length(v_found) >= p_limit;
    end loop;
    return v_found;
end
$$;

-- How each workflow does: today, and its runs of the last day and week.
create or replace function monitoring._batch_health()
returns table (
    workflow_name text,
    business_date date,
    is_enabled boolean,
    steps bigint,
    complete bigint,
    running bigint,
    late bigint,
    failed bigint,
    success_percent numeric,
    failed_runs bigint,
    records_per_second double precision,
    active_alerts bigint,
    recent_failures jsonb
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    return query
    select
        w.workflow_name,
        d.business_date,
        w.is_enabled,
        t.steps,
        t.complete,
        t.running,
        t.late,
        t.failed,
        round(100.0 * r.completed / nullif(r.runs, 0), 2),
        (
            select e.failed
            from monitoring._ended_runs(w.workflow_name, v_now - interval '23 hours') e
        ),
        t.records / nullif(t.seconds, 0),
        (
            select count(*)
            from monitoring.raised_alerts a
            inner join monitoring.workflow_steps s on s.step_name = a.labels ->> 'task_type'
            where s.workflow_name = w.workflow_name
                and a.status = 'firing'
                and a.resolved_at = 'infinity'
        ),
        monitoring._recent_failures(w.workflow_name, v_now, 5)
    from monitoring.workflows w
    cross join lateral (
        select monitoring._business_date(w, v_now) as business_date
    ) d
    cross join lateral (
        select
            count(*) as steps,
            count(*) filter (where s.status = 'complete') as complete,
            count(*) filter (where s.status = 'running') as running,
            count(*) filter (where s.status = 'late') as late,
            count(*) filter (where s.status = 'failed') as failed,
            sum(s.records_processed)::double precision as records,
            sum(s.duration_seconds) filter (where s.records_processed is not null) as seconds
        from monitoring._steps_of_day(w, d.business_date, v_now) s
    ) t
    cross join lateral monitoring._ended_runs(
        w.workflow_name, v_now - interval '167 hours'
    ) r;
end
$$;

create or replace function monitoring.get_batch_health() returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return jsonb_build_object(
        'measured_at', monitoring.clock(),
        'workflows', (
            select coalesce(jsonb_agg(to_jsonb(h) order by h.workflow_name), '[]')
            from monitoring._batch_health() h
        )
    );
end
$$;

comment on function monitoring.get_batch_health() is
'How each workflow does, as one document: its steps today, success percent of 7 days, failed runs '
'of 24 hours, mean rate today, alerts that fire and its newest failures.';
