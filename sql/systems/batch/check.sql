-- What is wrong with a workflow that its schema cannot say. Reads workflow_steps.

-- Whole seconds of a length of time such as 20 minutes; null unless it is one above 0 of at most
-- 366 days.
create or replace function monitoring._seconds_in(p_length text) returns double precision
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seconds double precision;
begin
    v_seconds := ceil(date_part('epoch', p_length::interval));
    return case when v_seconds > 0 and v_seconds <= 31622400 then v_seconds end;
exception
    when datetime_field_overflow or invalid_datetime_format or interval_field_overflow then
        return null;
end
$$;

-- What is wrong with a time zone or a schedule; nulls when nothing is.
create or replace function monitoring._clock_problem(
    p_path text, p_time_zone text, p_schedule text, out problem text, out hint text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_cron text := monitoring._expected_cron(p_schedule);
begin
    if p_time_zone is not null then
        perform monitoring._check_time_zone(p_time_zone);
    end if;
    if p_schedule is not null then
        perform monitoring._check_expected_schedule(p_schedule);
        if monitoring.next_cron_time(v_cron, '2000-01-01 00:00+00', 'UTC') is null then
            perform monitoring._refuse_number('schedule', p_schedule, 'one that is due some day');
        end if;
    end if;
exception
    when others then
        if sqlstate !~ '^PV' then
            raise;
        end if;
        get stacked diagnostics hint = pg_exception_hint;
        problem := format('%s: %s', p_path, sqlerrm);
end
$$;

-- The steps of a workflow's document, each with its full path.
create or replace function monitoring._steps_in(p_workflow jsonb)
returns table (path text, step_name text, place integer, settings jsonb)
language sql
stable
begin atomic
    select
        format('workflow.steps[%s]', s.place - 1) as path,
        s.settings ->> 'step' as step_name,
        s.place::integer as place,
        s.settings
    from jsonb_array_elements(p_workflow -> 'steps') with ordinality as s (settings, place);
end;

-- Steps in an order in which each follows those that it waits for; those in a cycle, or behind
-- one, are left out.
create or replace function monitoring._ordered_steps(p_workflow jsonb)
returns table (step_name text, run_order integer)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_done text [] := array[]::text [];
    v_next text;
begin
    loop
        -- Of the steps that wait for nothing more, the first as they were given.
        select s.step_name into v_next
        from monitoring._steps_in(p_workflow) s
        where s.step_name <> all(v_done)
            and not exists (
                select
                from jsonb_array_elements_text(coalesce(s.settings -> 'after', '[]')) a (name)
                where a.name <> all(v_done)
            )
        order by s.place
        limit 1;
        exit when not found;
        v_done := v_done || v_next;
        step_name := v_next;
        run_order := cardinality(v_done);
        return next;
    end loop;
end
$$;

-- Steps that wait for each other in a circle, such as a -> b -> a; null when none do. All steps
-- named under after must be there.
create or replace function monitoring._cycle_in(p_workflow jsonb) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_left text [];
    v_way text [];
    v_next text;
begin
    select array_agg(s.step_name order by s.place) into v_left
    from monitoring._steps_in(p_workflow) s
    where s.step_name not in (select o.step_name from monitoring._ordered_steps(p_workflow) o);
    v_next := v_left[1];
    -- Each that is left waits for another that is left; going back, one comes round again.
    while v_next is not null loop
        if v_next = any(v_way) then
            return array_to_string(
                v_next || v_way[1 : array_position(v_way, v_next)], ' -> '
            );
        end if;
        v_way := v_next || v_way;
        select a.name into v_next
        from monitoring._steps_in(p_workflow) s
        cross join lateral jsonb_array_elements_text(coalesce(s.settings -> 'after', '[]')) a (name)
        where s.step_name = v_way[1] and a.name = any(v_left)
        order by a.name
        limit 1;
    end loop;
    return null;
end
$$;

-- What is wrong with a workflow that fits the schema, by full path, cycles left aside.
create or replace function monitoring._step_problems(p_workflow jsonb)
returns table (problem text, hint text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        format('%s.step appears twice: "%s"', s.path, s.step_name),
        'Name each step once.'
    from monitoring._steps_in(p_workflow) s
    where exists (
        select from monitoring._steps_in(p_workflow) o
        where o.step_name = s.step_name and o.place < s.place
    )
    union all
    select
        format('%s.step belongs to workflow "%s": "%s"', s.path, w.workflow_name, s.step_name),
        'A task type is a step of one workflow; take it out of the other, or name it otherwise.'
    from monitoring._steps_in(p_workflow) s
    inner join monitoring.workflow_steps w on s.step_name = w.step_name
    where w.workflow_name <> p_workflow ->> 'workflow'
    union all
    select
        format('%s.after names no step of the workflow: "%s"', s.path, a.name),
        'Name steps that the workflow has.'
    from monitoring._steps_in(p_workflow) s
    cross join lateral jsonb_array_elements_text(coalesce(s.settings -> 'after', '[]')) a (name)
    where a.name not in (select o.step_name from monitoring._steps_in(p_workflow) as o)
    union all
    select
        format('%s.%s is not a length of time: "%s"', s.path, k.key, s.settings ->> k.key),
        'Give a length above 0 and up to 366 days, such as "20 minutes" or "1 hour 30 minutes".'
    from monitoring._steps_in(p_workflow) s
    cross join unnest(array['expected', 'late_after', 'stuck_after', 'long_after']) k (key)
    where s.settings ->> k.key is not null
        and monitoring._seconds_in(s.settings ->> k.key) is null
    union all
    select c.problem, c.hint
    from monitoring._steps_in(p_workflow) s
    cross join lateral monitoring._clock_problem(
            s.path || '.schedule', null, s.settings ->> 'schedule'
        ) c
    where c.problem is not null
    union all
    select c.problem, c.hint
    from monitoring._clock_problem(
            'workflow.time_zone', p_workflow ->> 'time_zone', null
        ) c
    where c.problem is not null;
end
$$;

-- Raises PV009, naming all that is wrong by full path, unless a document is a workflow.
create or replace function monitoring._check_workflow(p_workflow jsonb) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_problems text [];
    v_hints text [];
    v_cycle text;
begin
    select array_agg(p.problem), array_agg(p.hint) into v_problems, v_hints
    from monitoring._config_problems(
        'workflow', coalesce(p_workflow, 'null'), monitoring.get_workflow_schema()
    ) p;
    if v_problems is null then
        select array_agg(p.problem), array_agg(p.hint) into v_problems, v_hints
        from monitoring._step_problems(p_workflow) p;
    end if;
    if v_problems is not null then
        perform monitoring._refuse_config(v_problems, v_hints);
    end if;
    v_cycle := monitoring._cycle_in(p_workflow);
    if v_cycle is not null then
        perform monitoring._refuse_config(
            array[format('workflow.steps wait for each other: %s', v_cycle)],
            array['Take one of them out of "after".']
        );
    end if;
end
$$;
