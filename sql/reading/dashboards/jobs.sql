-- Jobs as people speak of them: a task type, a step of a workflow or a run expected by the clock;
-- how each is, when it is due and how it went lately (job_history.sql).

-- All jobs that ran since a time, run now, or are to run; our own have v_jobs.
create or replace function monitoring._known_jobs(p_since timestamptz)
returns table (job_name text, kind text, workflow_name text)
language sql
stable
begin atomic
    select
        n.name as job_name,
        case
            when s.step_name is not null then 'step'
            when e.task_type is not null then 'expected'
            else 'type'
        end as kind,
        s.workflow_name
    from (
        select k.name from monitoring.known_names as k
        where k.kind = 'tasks' and k.seen_at >= p_since
        union
        select t.task_type from monitoring._new_tasks(p_since) as t
        union
        select a.task_type from monitoring.active_tasks as a
        union
        select x.task_type from monitoring.expected_runs as x
        union
        select w.step_name
        from monitoring.workflow_steps as w
        inner join monitoring.workflows as f on w.workflow_name = f.workflow_name
        where f.is_enabled
    ) as n
    left join monitoring.workflow_steps as s on n.name = s.step_name
    left join monitoring.expected_runs as e on n.name = e.task_type
    where not starts_with(n.name, 'pgvigil.');
end;

-- When runs of jobs are due next, and since when one that has not come: of expected runs.
create or replace function monitoring._due_of_expected(p_names text[], p_now timestamptz)
returns table (
    job_name text, schedule text, time_zone text, next_due_at timestamptz, missing_since timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        (t.expected).task_type,
        (t.expected).schedule,
        (t.expected).time_zone,
        t.next_due_at,
        m.due_at
    from monitoring._times_of_expected_runs(p_now) t
    left join monitoring._missed_runs(p_now) m on m.task_type = (t.expected).task_type
    where (t.expected).is_enabled and (t.expected).task_type = any(p_names);
end
$$;

-- The same of steps, on the present business day of their workflow.
create or replace function monitoring._due_of_steps(p_names text[], p_now timestamptz)
returns table (
    job_name text, schedule text, time_zone text, next_due_at timestamptz, missing_since timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        d.step_name,
        s.schedule,
        w.time_zone,
        case
            when s.schedule is not null
                then monitoring.next_cron_time(
                        monitoring._expected_cron(s.schedule), p_now, w.time_zone
                    )
            when d.due_at > p_now then d.due_at
        end,
        case when d.status = 'late' then d.due_at end
    from monitoring.workflows w
    cross join lateral monitoring._steps_of_day(
        w, monitoring._business_date(w, p_now), p_now
    ) d
    inner join monitoring.workflow_steps s on s.step_name = d.step_name
    where w.is_enabled
        and d.step_name = any(p_names)
        and exists (
            select from monitoring.workflow_steps o
            where o.workflow_name = w.workflow_name and o.step_name = any(p_names)
        );
end
$$;

-- How a job is, in a word.
create or replace function monitoring._state_of_job(
    p_running bigint, p_missing_since timestamptz, p_kind text, p_last_status text
)
returns text
language sql
immutable
return case
    when p_running > 0 then 'running'
    when p_missing_since is not null then case p_kind when 'step' then 'late' else 'missed' end
    when p_last_status is null then 'silent'
    when monitoring._is_failure(p_last_status) then 'failed'
    when p_last_status = 'completed' then 'ok'
    else p_last_status
end;

-- Names of jobs in the order in which they are listed: those first about which alerts fire, the
-- worst before the others.
create or replace function monitoring._chosen_jobs(
    p_since timestamptz,
    p_search text,
    p_kind text,
    p_workflow_name text,
    p_is_troubled boolean,
    p_job_name text,
    p_limit integer,
    p_after_trouble integer,
    p_after_name text
)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select k.job_name
        from monitoring._known_jobs(p_since) k
        left join monitoring._alerts_about(array['task_type']) a on a.about = array[k.job_name]
        where (p_job_name is null or k.job_name = p_job_name)
            and (p_kind is null or k.kind = p_kind)
            and (p_workflow_name is null or k.workflow_name = p_workflow_name)
            and (p_is_troubled is null or (a.alerts is not null) = p_is_troubled)
            and (p_search is null or position(
                lower(p_search collate "C") in lower(k.job_name collate "C")
            ) > 0)
            and (p_after_name is null or (-coalesce(a.trouble, 0), k.job_name) > (
                -coalesce(p_after_trouble::bigint, 0), p_after_name
            ))
        order by coalesce(a.trouble, 0) desc, k.job_name
        limit p_limit
    );
end
$$;

create or replace function monitoring.get_jobs(
    p_search text default null,
    p_kind text default null,
    p_workflow_name text default null,
    p_is_troubled boolean default null,
    p_job_name text default null,
    p_days integer default 30,
    p_limit integer default 100,
    p_after_trouble integer default null,
    p_after_name text default null
)
returns table (
    job_name text,
    kind text,
    workflow_name text,
    state text,
    schedule text,
    time_zone text,
    next_due_at timestamptz,
    missing_since timestamptz,
    seconds_late double precision,
    running bigint,
    running_since timestamptz,
    last_task_id text,
    last_attempt integer,
    last_status text,
    last_start_at timestamptz,
    last_end_at timestamptz,
    last_duration_ms double precision,
    ended bigint,
    completed bigint,
    failed bigint,
    success_percent numeric,
    p50_duration_ms double precision,
    p95_duration_ms double precision,
    recent_p50_duration_ms double precision,
    alerts bigint,
    worst_severity text,
    trouble integer,
    days jsonb
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_from timestamptz;
    v_names text [];
begin
    if p_days is null or p_days not between 1 and 366 then
        perform monitoring._refuse_number('days', p_days::text, 'a number from 1 to 366');
    end if;
    if p_limit is null or p_limit not between 0 and 10000 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 0 to 10000');
    end if;
    v_from := date_trunc('day', v_now, 'UTC') - make_interval(hours => 24 * (p_days - 1));
    v_names := monitoring._chosen_jobs(
        -- Who asks for one by name finds it however long ago it ran.
        case when p_job_name is null then v_from else '-infinity' end,
        p_search, p_kind, p_workflow_name, p_is_troubled, p_job_name, p_limit,
        p_after_trouble, p_after_name
    );
    return query
    with sums as materialized (
        select s.* from monitoring._sums_of_jobs(v_names, v_from) s
    ),
    newest as materialized (
        select l.*
        from (
            select array_agg(s.job_name) as names, array_agg(s.last_day_at) as days
            from sums s where s.last_day_at is not null
        ) a
        cross join lateral monitoring._last_runs(a.names, a.days) l
    ),
    due as materialized (
        select d.* from monitoring._due_of_expected(v_names, v_now) d
        union all
        select d.* from monitoring._due_of_steps(v_names, v_now) d
    )
    select
        s.job_name, k.kind, k.workflow_name,
        monitoring._state_of_job(r.running, d.missing_since, k.kind, l.status),
        d.schedule, d.time_zone, d.next_due_at, d.missing_since,
        date_part('epoch', v_now - d.missing_since),
        r.running, r.since_at,
        l.task_id, l.attempt, l.status, l.started_at, l.finished_at, l.duration_ms,
        s.ended, s.completed, s.failed, round(100.0 * s.completed / nullif(s.ended, 0), 2),
        s.p50_duration_ms, s.p95_duration_ms, s.recent_p50_duration_ms,
        coalesce(a.alerts, 0), a.worst_severity, coalesce(a.trouble, 0), s.days
    from sums s
    inner join monitoring._known_jobs('-infinity') k on k.job_name = s.job_name
    left join newest l on l.task_type = s.job_name
    left join monitoring._alerts_about(array['task_type']) a on a.about = array[s.job_name]
    left join lateral (
        select x.* from due x where x.job_name = s.job_name
        order by x.missing_since is null, x.next_due_at
        limit 1
    ) d on true
    cross join lateral (
        select count(*) as running, min(t.started_at) as since_at
        from monitoring.active_tasks t
        where t.task_type = s.job_name
    ) r
    order by coalesce(a.trouble, 0) desc, s.job_name;
end
$$;

comment on function monitoring.get_jobs(
    text, text, text, boolean, text, integer, integer, integer, text
) is
'Task types, steps of workflows and expected runs, those in trouble first, with state, last run, '
'next due, and counts and durations (ms) of the last p_days UTC days. p_after_... say where the '
'page before ended: its last trouble and job_name.';
