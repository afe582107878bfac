-- Runs of steps on a business day, as of a time. Reads workflow_steps, active_tasks,
-- finished_tasks and their roll-ups; only minutes, or hours, in which runs of the steps ended are
-- read by row.

-- Names of the steps of a workflow.
create or replace function monitoring._step_names(p_workflow_name text) returns text[]
language sql
stable
return array(
    select s.step_name from monitoring.workflow_steps as s
    where s.workflow_name = p_workflow_name
);

-- Minutes, or hours where minutes are no longer kept, in which attempts of some types ended from
-- one time on and before another.
create or replace function monitoring._spans_with_ends(
    p_task_types text[], p_from timestamptz, p_until timestamptz
)
returns table (begins_at timestamptz, ends_at timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times, so that only their days are looked at.
set plan_cache_mode = force_custom_plan
as $$
declare
    -- Minutes are kept for a while only; before that hours tell.
    v_minutes_since timestamptz := date_trunc(
        'hour', monitoring._minutes_stored_since('tasks') + interval '1 hour', 'UTC'
    );
begin
    return query
    with hours as (
        select distinct r.bucket_at
        from monitoring.rollups r
        where r.source = 'tasks'
            and r.resolution = 'hour'
            and r.bucket_at > p_from - interval '1 hour'
            and r.bucket_at < p_until
            and r.name = any(p_task_types)
    )

    select h.bucket_at, h.bucket_at + interval '1 hour'
    from hours h
    where h.bucket_at < v_minutes_since
    union
    -- There are sixty times as many minutes: only those of these hours are looked at.
    select r.bucket_at, r.bucket_at + interval '1 minute'
    from hours h
    inner join monitoring.rollups r
        on r.source = 'tasks'
        and r.resolution = 'minute'
        and r.bucket_at >= h.bucket_at
        and r.bucket_at < h.bucket_at + interval '1 hour'
        and r.name = any(p_task_types)
    where h.bucket_at >= v_minutes_since
    union
    select
        date_trunc(n.unit, n.finished_at, 'UTC'),
        date_trunc(n.unit, n.finished_at, 'UTC') + ('1 ' || n.unit)::interval
    from (
        select
            m.finished_at,
            case when m.finished_at < v_minutes_since then 'hour' else 'minute' end as unit
        from monitoring._new_tasks(p_from, p_until) m
        where m.task_type = any(p_task_types)
    ) n;
end
$$;

-- Attempts of some types that ended from one time on and before another.
create or replace function monitoring._ended_attempts(
    p_task_types text[], p_from timestamptz, p_until timestamptz
)
returns setof monitoring._all_finished_tasks
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_begins_at timestamptz;
    v_ends_at timestamptz;
begin
    for v_begins_at, v_ends_at in
        select s.begins_at, s.ends_at
        from monitoring._spans_with_ends(p_task_types, p_from, p_until) s
    loop
        return query
        select t.*
        from monitoring._all_finished_tasks t
        where t.finished_at >= v_begins_at
            and t.finished_at < v_ends_at
            and t.finished_at >= p_from
            and t.finished_at < p_until
            and t.task_type = any(p_task_types);
    end loop;
end
$$;

-- A whole number below a milliard that a text is; null when it is none.
create or replace function monitoring._small_number(p_text text) returns integer
language sql
immutable
return case when p_text ~ '^[0-9]{1,9}$' then p_text::integer end;

-- The counter remaining of a run; null when it has none.
create or replace function monitoring._remaining(p_counters jsonb) returns bigint
language sql
immutable
return case
    when p_counters ? 'remaining'
        then least((p_counters ->> 'remaining')::double precision, 1e18)::bigint
end;

-- Attempts of the steps of a workflow that belong to a business day and had begun by p_now; one
-- that ended later was running then. One that states its day is found if it ended from six hours
-- before the day to a week after.
create or replace function monitoring._runs_of_day(
    p_workflow monitoring.workflows, p_business_date date, p_now timestamptz
)
returns table (
    step_name text, task_id text, attempt integer, status text, begun_at timestamptz,
    finished_at timestamptz, seconds double precision, items_done bigint, items_total bigint,
    remaining bigint, threads integer, progress_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_day_start timestamptz := monitoring._day_start(p_workflow, p_business_date);
    v_steps text [] := monitoring._step_names(p_workflow.workflow_name);
begin
    return query
    select
        a.task_type, a.task_id, a.attempt,
        case when a.finished_at <= p_now then a.status else 'running' end,
        a.begun_at,
        case when a.finished_at <= p_now then a.finished_at end,
        greatest(
            date_part('epoch', least(a.finished_at, p_now) - a.begun_at), 0
        ),
        a.items_done, a.items_total, monitoring._remaining(a.counters),
        monitoring._small_number(a.metadata ->> 'threads'), a.progress_at
    from (
        select
            t.task_type, t.task_id, t.attempt, t.status,
            coalesce(t.started_at, t.finished_at) as begun_at, t.finished_at,
            t.items_done, t.items_total, t.counters, t.metadata, null::timestamptz as progress_at
        -- Who states the day may be early, and repeat it a week after.
        from monitoring._ended_attempts(
            v_steps, v_day_start - interval '6 hours', v_day_start + interval '8 days'
        ) t
        union all
        select
            t.task_type, t.task_id, t.attempt, 'running', t.started_at, 'infinity'::timestamptz,
            t.items_done, t.items_total, t.counters, t.metadata, t.progress_at
        from monitoring.active_tasks t
        where t.task_type = any(v_steps)
    ) a
    where a.begun_at <= p_now
        and monitoring._date_of_run(p_workflow, a.metadata, a.begun_at) = p_business_date;
end
$$;

-- The steps of a workflow in an order in which each follows those that it waits for, with what
-- was done on a business day by p_now, not yet judged.
create or replace function monitoring._worked_steps(
    p_workflow monitoring.workflows, p_business_date date, p_now timestamptz
)
returns setof monitoring.batch_step
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_step monitoring.batch_step;
begin
    for v_step.step_name, v_step.position, v_step.is_optional, v_step.status, v_step.started_at,
        v_step.finished_at, v_step.runs, v_step.task_id, v_step.duration_seconds,
        v_step.records_processed, v_step.records_total, v_step.records_remaining, v_step.threads,
        v_step.run_started_at, v_step.run_progress_at, v_step.run_fraction
    in
        select
            s.step_name, s.position, s.is_optional, r.status,
            case when s.is_repeated then r.first_begun_at else r.begun_at end,
            r.finished_at, coalesce(r.runs, 0)::integer, r.task_id,
            case when s.is_repeated then r.all_seconds else r.seconds end,
            case when s.is_repeated then r.all_items else r.items_done end,
            r.items_total, r.remaining, r.threads, r.begun_at, r.progress_at,
            case
                when r.items_done < r.items_total
                    then r.items_done / r.items_total::double precision
                when r.items_done >= r.items_total and r.items_total > 0 then 1
            end
        from monitoring.workflow_steps s
        left join (
            select distinct on (d.step_name)
                d.*,
                count(*) over w as runs,
                min(d.begun_at) over w as first_begun_at,
                sum(d.seconds) over w as all_seconds,
                case when sum(d.items_done) over w >= 1e18
                    then 1e18 else sum(d.items_done) over w
                end::bigint as all_items
            from monitoring._runs_of_day(p_workflow, p_business_date, p_now) d
            window w as (partition by d.step_name)
            order by d.step_name, d.status = 'running' desc, d.begun_at desc, d.attempt desc
        ) r on r.step_name = s.step_name
        where s.workflow_name = p_workflow.workflow_name
        order by s.run_order
    loop
        v_step.workflow_name := p_workflow.workflow_name;
        v_step.business_date := p_business_date;
        return next v_step;
    end loop;
end
$$;
