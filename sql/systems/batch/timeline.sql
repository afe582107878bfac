-- How far a business day is. Reads workflows and workflow_steps, and the runs of their steps.

-- By how much clocks were put back in the 24 hours before a time; 0 where they were not.
create or replace function monitoring._told_twice_before(p_at timestamptz, p_time_zone text)
returns interval
language sql
stable
return greatest(
    (p_at - '24 hours'::interval) at time zone p_time_zone
    - p_at at time zone p_time_zone + '24 hours'::interval,
    '0'::interval
);

-- When a schedule is first due on a business day; null when it is not. A time that clocks leave
-- out is due at the change, one that comes twice at its second time.
create or replace function monitoring._first_due_at(
    p_workflow monitoring.workflows, p_schedule text, p_business_date date
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_begin constant timestamptz := monitoring._day_start(p_workflow, p_business_date);
    v_end constant timestamptz := monitoring._day_start(p_workflow, p_business_date + 1);
    v_next_at timestamptz;
    v_due_at timestamptz;
begin
    if p_schedule is null then
        return null;
    end if;
    v_next_at := v_begin - interval '1 second'
        - monitoring._told_twice_before(v_begin, p_workflow.time_zone);
    loop
        v_next_at := monitoring.next_cron_time(
            monitoring._expected_cron(p_schedule), v_next_at, p_workflow.time_zone
        );
        -- Of a time that comes twice cron takes the first, business days the second.
        v_due_at := monitoring._instant_of(
            v_next_at at time zone p_workflow.time_zone, p_workflow.time_zone
        );
        exit when (v_due_at < v_begin) is not true;
    end loop;
    return case when v_due_at < v_end then v_due_at end;
end
$$;

-- How late a step may begin before it counts as late.
create or replace function monitoring._late_after(p_setting monitoring.workflow_steps)
returns interval
language sql
stable
return make_interval(secs => coalesce(
    p_setting.late_after_seconds,
    (
        select least(t.low, t.medium, t.high, t.critical)
        from monitoring.alert_thresholds as t
        where t.rule_name = 'step_late' and t.labels = '{}'
    ),
    900
));

-- Whether a step that comes after one, at once or by way of others, is among those that have
-- begun.
create or replace function monitoring._is_passed(p_step_name text, p_begun text[])
returns boolean
language sql
stable
begin atomic
    with recursive behind (step_name) as (
        select s.step_name
        from monitoring.workflow_steps as s
        where p_step_name = any(s.after_steps)
        union
        select s.step_name
        from monitoring.workflow_steps as s
        inner join behind as b on b.step_name = any(s.after_steps)
    )

    select exists(select from behind as b where b.step_name = any(p_begun));
end;

-- Whether a step was known when it was due, or without a time of its own before its day ended:
-- else that nobody told of a run says nothing.
create or replace function monitoring._was_watched(
    p_setting monitoring.workflow_steps, p_step monitoring.batch_step, p_day_end timestamptz
)
returns boolean
language sql
stable
return coalesce(p_step.due_at, p_day_end) >= coalesce(p_setting.first_applied_at, '-infinity');

-- pending, running, complete, failed, late, skipped, or unknown for a day that was over before
-- anybody watched the step.
create or replace function monitoring._status_of_step(
    p_setting monitoring.workflow_steps,
    p_step monitoring.batch_step,
    p_day_end timestamptz,
    p_is_passed boolean,
    p_now timestamptz
)
returns text
language sql
stable
return case
    when p_step.status = 'running' then 'running'
    when
        p_step.status = 'completed'
        and not (p_setting.is_repeated and coalesce(p_step.records_remaining, 0) > 0)
        then 'complete'
    when p_step.status <> 'completed' then 'failed'
    when p_step.runs = 0 and p_setting.schedule is not null and p_step.due_at is null
        then 'skipped'
    when
        p_step.runs = 0 and p_now >= p_day_end
        and not monitoring._was_watched(p_setting, p_step, p_day_end)
        then 'unknown'
    when p_step.runs = 0 and p_setting.is_optional and (p_now >= p_day_end or p_is_passed)
        then 'skipped'
    when p_setting.is_optional then 'pending'
    when p_now >= p_day_end then 'late'
    when not monitoring._was_watched(p_setting, p_step, p_day_end) then 'pending'
    when p_step.runs = 0 and p_step.due_at + monitoring._late_after(p_setting) <= p_now then 'late'
    else 'pending'
end;

-- A step with when it was due, what it waits for, its status, and since when it is through.
create or replace function monitoring._judged_step(
    p_workflow monitoring.workflows,
    p_setting monitoring.workflow_steps,
    p_step monitoring.batch_step,
    p_before monitoring.batch_step[],
    p_begun text[],
    p_now timestamptz
)
returns monitoring.batch_step
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_step monitoring.batch_step := p_step;
    v_before_through_at timestamptz;
begin
    v_step.waits_for := array(
        select b.step_name from unnest(p_before) b where b.through_at is null order by b.position
    );
    v_before_through_at := case when v_step.waits_for = '{}' then coalesce(
        (select max(b.through_at) from unnest(p_before) b),
        monitoring._day_start(p_workflow, v_step.business_date)
    ) end;
    if p_setting.schedule is not null then
        v_step.due_at := monitoring._first_due_at(
            p_workflow, p_setting.schedule, v_step.business_date
        );
    elsif p_before <> '{}' then
        v_step.due_at := v_before_through_at;
    end if;
    v_step.status := monitoring._status_of_step(
        p_setting,
        v_step,
        monitoring._day_start(p_workflow, v_step.business_date + 1),
        monitoring._is_passed(v_step.step_name, p_begun),
        p_now
    );
    -- Nothing waits for what need not be.
    v_step.through_at := case
        when v_step.is_optional or v_step.status = 'skipped' then v_before_through_at
        when v_step.status = 'complete' then v_step.finished_at
    end;
    return v_step;
end
$$;

-- The steps of a workflow on a business day as they were at p_now, each after those that it
-- waits for, with estimates if wanted.
create or replace function monitoring._steps_of_day(
    p_workflow monitoring.workflows,
    p_business_date date,
    p_now timestamptz,
    p_has_estimates boolean default false
)
returns setof monitoring.batch_step
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_worked monitoring.batch_step [];
    v_day monitoring.batch_step [] := array[]::monitoring.batch_step [];
    v_before monitoring.batch_step [];
    v_begun text [];
    v_step monitoring.batch_step;
    v_setting monitoring.workflow_steps;
    v_usual jsonb := '{}'::jsonb;
begin
    select array_agg(w), array_agg(w.step_name) filter (where w.runs > 0) into v_worked, v_begun
    from monitoring._worked_steps(p_workflow, p_business_date, p_now) w;
    if p_has_estimates then
        select coalesce(jsonb_object_agg(u.step_name, u.seconds), '{}') into v_usual
        from monitoring._usual_seconds(p_workflow, p_business_date) u;
    end if;
    foreach v_step in array coalesce(v_worked, '{}') loop
        select s.* into v_setting
        from monitoring.workflow_steps s
        where s.step_name = v_step.step_name;
        v_before := array(
            select d from unnest(v_day) d where d.step_name = any(v_setting.after_steps)
        );
        v_step := monitoring._judged_step(
            p_workflow, v_setting, v_step, v_before, coalesce(v_begun, '{}'), p_now
        );
        if p_has_estimates then
            v_step := monitoring._estimated_step(
                p_workflow, v_setting, v_step, v_before,
                case when v_usual ? v_step.step_name then array(
                    select e.value::double precision
                    from jsonb_array_elements_text(v_usual -> v_step.step_name)
                        with ordinality e (value, place)
                    order by e.place
                ) end,
                p_now
            );
        end if;
        v_day := v_day || v_step;
        return next v_step;
    end loop;
end
$$;

create or replace function monitoring.get_batch_timeline(
    p_business_date date default null, p_workflow_name text default null
)
returns table (
    workflow_name text,
    business_date date,
    step_name text,
    status text,
    due_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    duration_seconds double precision,
    runs integer,
    records_processed bigint,
    records_total bigint,
    records_remaining bigint,
    threads integer,
    records_per_second double precision,
    progress_percent numeric,
    eta_at timestamptz,
    eta_from_at timestamptz,
    eta_to_at timestamptz,
    waits_for text[],
    is_optional boolean,
    task_id text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_workflow monitoring.workflows;
begin
    if p_workflow_name is not null then
        perform monitoring._found_workflow(p_workflow_name);
    end if;
    perform monitoring._checked_business_date('business_date', p_business_date);
    for v_workflow in
        select w.* from monitoring.workflows w
        where w.workflow_name = p_workflow_name or (p_workflow_name is null and w.is_enabled)
        order by w.workflow_name
    loop
        return query
        select
            s.workflow_name, s.business_date, s.step_name, s.status, s.due_at, s.started_at,
            s.finished_at, s.duration_seconds, s.runs, s.records_processed, s.records_total,
            s.records_remaining, s.threads,
            s.records_processed / nullif(s.duration_seconds, 0),
            monitoring._progress_percent(s),
            s.eta_at, s.eta_from_at, s.eta_to_at, s.waits_for, s.is_optional, s.task_id
        from monitoring._steps_of_day(
            v_workflow,
            coalesce(p_business_date, monitoring._business_date(v_workflow, v_now)),
            v_now,
            true
        ) s
        order by s.position;
    end loop;
end
$$;

comment on function monitoring.get_batch_timeline(date, text) is
'How far each step of a workflow, or of all that are enabled, is on a business day, or on that of '
'now: its times, records and rate, and when it is expected to be complete.';

-- How much of a step is done, 0 to 100; null when nobody knows.
create or replace function monitoring._progress_percent(p_step monitoring.batch_step)
returns numeric
language sql
immutable
return case
    when p_step.status = 'complete' then 100.0
    when p_step.records_remaining is not null
        then round(
                100.0 * coalesce(p_step.records_processed, 0)
                / nullif(
                    coalesce(p_step.records_processed, 0)::numeric + p_step.records_remaining, 0
                ),
                1
            )
    else round((100 * p_step.run_fraction)::numeric, 1)
end;

create or replace function monitoring.get_step_runs(
    p_business_date date default null, p_workflow_name text default null
)
returns table (
    workflow_name text,
    business_date date,
    step_name text,
    task_id text,
    attempt integer,
    status text,
    started_at timestamptz,
    finished_at timestamptz,
    duration_seconds double precision
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_workflow monitoring.workflows;
begin
    if p_workflow_name is not null then
        perform monitoring._found_workflow(p_workflow_name);
    end if;
    perform monitoring._checked_business_date('business_date', p_business_date);
    for v_workflow in
        select w.* from monitoring.workflows w
        where w.workflow_name = p_workflow_name or (p_workflow_name is null and w.is_enabled)
        order by w.workflow_name
    loop
        business_date := coalesce(p_business_date, monitoring._business_date(v_workflow, v_now));
        return query
        select
            v_workflow.workflow_name, business_date, r.step_name, r.task_id, r.attempt, r.status,
            r.begun_at, r.finished_at, r.seconds
        from (
            select
                d.*,
                row_number() over (
                    partition by d.step_name order by d.begun_at desc, d.attempt desc
                ) as place
            from monitoring._runs_of_day(v_workflow, business_date, v_now) d
        ) r
        inner join monitoring.workflow_steps s on s.step_name = r.step_name
        where r.place <= 100
        order by s.position, r.begun_at, r.attempt;
    end loop;
end
$$;

comment on function monitoring.get_step_runs(date, text) is
'The runs of each step of a workflow, or of all that are enabled, on a business day, or on that of '
'now, in order of their beginning; of each step the newest 100.';
