-- What a workflow that may be applied will suffer from all the same. Reads workflow_steps.

-- A time of a business day by the clocks of its workflow.
create or replace function monitoring._step_time(
    p_workflow monitoring.workflows, p_at timestamptz, p_business_date date
)
returns text
language sql
stable
return to_char(p_at at time zone p_workflow.time_zone, 'HH24:MI')
|| case
    when (p_at at time zone p_workflow.time_zone)::date > p_business_date then ' of the day after'
    else ''
end;

-- When the steps of a business day begin and end if each is on time and takes as long as
-- expected, and which of those before it each waits for longest.
create or replace function monitoring._plan_of_day(
    p_workflow monitoring.workflows, p_business_date date
)
returns table (
    step_name text, due_at timestamptz, begins_at timestamptz, ends_at timestamptz,
    waits_for text, before_begins_at timestamptz, before_ends_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_step monitoring.workflow_steps;
    v_begins jsonb := jsonb_build_object();
    v_ends jsonb := jsonb_build_object();
begin
    for v_step in
        select s.* from monitoring.workflow_steps s
        where s.workflow_name = p_workflow.workflow_name
        order by s.run_order
    loop
        step_name := v_step.step_name;
        due_at := monitoring._first_due_at(p_workflow, v_step.schedule, p_business_date);
        -- Of those that it waits for, the one that is through last.
        select a.name, (v_begins ->> a.name)::timestamptz, (v_ends ->> a.name)::timestamptz
        into waits_for, before_begins_at, before_ends_at
        from unnest(v_step.after_steps) a (name)
        order by 3 desc nulls last, 2 desc nulls last
        limit 1;
        begins_at := coalesce(
            greatest(due_at, before_ends_at), monitoring._day_start(p_workflow, p_business_date)
        );
        ends_at := begins_at + make_interval(secs => coalesce(v_step.expected_seconds, 0));
        if v_step.is_optional or (v_step.schedule is not null and due_at is null) then
            -- Nothing waits for it, but for what it waits for itself.
            v_begins := v_begins || jsonb_build_object(step_name, before_begins_at);
            v_ends := v_ends || jsonb_build_object(step_name, before_ends_at);
        else
            v_begins := v_begins || jsonb_build_object(step_name, begins_at);
            v_ends := v_ends || jsonb_build_object(step_name, ends_at);
        end if;
        if v_step.schedule is null or due_at is not null then
            return next;
        end if;
    end loop;
end
$$;

-- Steps that are due before what they wait for begins or is through, and those that are not
-- through when their business day ends, on any of eight days, in a sentence each.
create or replace function monitoring._workflow_warnings(
    p_workflow monitoring.workflows, p_now timestamptz
)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_today date := monitoring._business_date(p_workflow, p_now);
begin
    return array(
        select distinct on (w.place, w.step_name) w.warning
        from (
            select
                1 as place, p.step_name, d.day,
                format(
                    'step "%s" is due at %s, before step "%s", which it waits for, %s: it will be '
                    'late each time. Its business day begins at %s (%s)',
                    p.step_name, monitoring._step_time(p_workflow, p.due_at, d.day), p.waits_for,
                    case
                        when p.before_begins_at > p.due_at
                            then 'begins at ' || monitoring._step_time(
                                p_workflow, p.before_begins_at, d.day
                            )
                        else 'is expected to be through at ' || monitoring._step_time(
                                p_workflow, p.before_ends_at, d.day
                            )
                    end,
                    p_workflow.cutover_time, p_workflow.time_zone
                ) as warning,
                p.before_ends_at > p.due_at as is_so
            from generate_series(0, 7) n (days)
            cross join lateral (select v_today + n.days as day) d
            cross join lateral monitoring._plan_of_day(p_workflow, d.day) p
            union all
            select
                2, p.step_name, d.day,
                format(
                    'step "%s" begins at %s at the earliest and is expected to be through at %s, '
                    'after the cut-over at %s (%s): its business day is over by then',
                    p.step_name, monitoring._step_time(p_workflow, p.begins_at, d.day),
                    monitoring._step_time(p_workflow, p.ends_at, d.day),
                    p_workflow.cutover_time, p_workflow.time_zone
                ),
                p.ends_at > monitoring._day_start(p_workflow, d.day + 1)
            from generate_series(0, 7) n (days)
            cross join lateral (select v_today + n.days as day) d
            cross join lateral monitoring._plan_of_day(p_workflow, d.day) p
        ) w
        where w.is_so
        order by w.place, w.step_name, w.day
    );
end
$$;
