-- Business days: from cut-over to cut-over by the clocks of a workflow. Reads workflows.

-- The moment from which on the clocks of a time zone show no time before the given one: that of
-- the change where they leave it out, the second where it comes twice.
--
-- Clocks jump. A time of day counts as of the moment from which on the clocks never show less: one
-- that they leave out begins at the change, one that comes twice at its second time. So times keep
-- their order, and whatever begins at one ends what was before.
create or replace function monitoring._instant_of(p_local timestamp, p_time_zone text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_at timestamptz := p_local at time zone p_time_zone;
    v_before interval := (v_at - interval '24 hours') at time zone p_time_zone
        - (v_at - interval '24 hours') at time zone 'UTC';
    v_after interval := (v_at + interval '24 hours') at time zone p_time_zone
        - (v_at + interval '24 hours') at time zone 'UTC';
    v_late timestamptz;
    v_early timestamptz;
    v_middle timestamptz;
begin
    if v_before = v_after then
        return v_at;
    end if;
    v_late := (p_local - v_before) at time zone 'UTC';
    v_early := (p_local - v_after) at time zone 'UTC';
    if v_early at time zone p_time_zone = p_local then
        return v_early; -- After the change, or the second of two.
    elsif v_late at time zone p_time_zone = p_local then
        return v_late; -- Before it.
    end if;
    -- Left out: the change lies between, at a whole second.
    while v_late - v_early > interval '1 second' loop
        v_middle := date_trunc('second', v_early + (v_late - v_early) / 2);
        if v_middle at time zone p_time_zone > p_local then
            v_late := v_middle;
        else
            v_early := v_middle;
        end if;
    end loop;
    return v_late;
end
$$;

-- When a business day begins. A cut-over that clocks leave out is taken at the change, one that
-- comes twice at its second time.
create or replace function monitoring._day_start(
    p_workflow monitoring.workflows, p_business_date date
)
returns timestamptz
language sql
stable
return monitoring._instant_of(
    p_business_date + p_workflow.cutover_time::time, p_workflow.time_zone
);

-- The business day of a workflow that a time lies in.
create or replace function monitoring._business_date(
    p_workflow monitoring.workflows, p_at timestamptz
)
returns date
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_date date;
begin
    -- A time that cannot be lies in no day.
    if p_at not between '1970-01-01 00:00+00' and '2999-12-31 00:00+00' then
        return null;
    end if;
    v_date := (
        p_at at time zone p_workflow.time_zone - p_workflow.cutover_time::time::interval
    )::date;
    -- Where clocks jump, by a day at most, business days do not.
    while p_at < monitoring._day_start(p_workflow, v_date) loop
        v_date := v_date - 1;
    end loop;
    while p_at >= monitoring._day_start(p_workflow, v_date + 1) loop
        v_date := v_date + 1;
    end loop;
    return v_date;
end
$$;

-- The workflow of a name, or PV007.
create or replace function monitoring._found_workflow(p_workflow_name text)
returns monitoring.workflows
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_workflow monitoring.workflows;
begin
    select w.* into v_workflow
    from monitoring.workflows w
    where w.workflow_name = p_workflow_name;
    if not found then
        perform monitoring._refuse_unknown(
            'workflow', p_workflow_name,
            'Take the name from batch_workflow_config.'
        );
    end if;
    return v_workflow;
end
$$;

create or replace function monitoring.business_date_of(p_at timestamptz, p_workflow_name text)
returns date
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return monitoring._business_date(
        monitoring._found_workflow(p_workflow_name), monitoring._checked_moment('at', p_at)
    );
end
$$;

comment on function monitoring.business_date_of(timestamptz, text) is
'The business day of a workflow that a time lies in: from cut-over to cut-over in its time zone.';

-- The business date that a run's metadata states, as YYYY-MM-DD; null when it states none that
-- there is.
create or replace function monitoring._stated_date(p_metadata jsonb) returns date
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_text text := p_metadata ->> 'business_date';
begin
    if v_text is null or v_text !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then
        return null;
    end if;
    return v_text::date;
exception
    when datetime_field_overflow or invalid_datetime_format then
        return null;
end
$$;

-- The business day that a run belongs to: the one that its metadata states, or else that in
-- which it began.
create or replace function monitoring._date_of_run(
    p_workflow monitoring.workflows, p_metadata jsonb, p_at timestamptz
)
returns date
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce(
        case when p_metadata ? 'business_date' then monitoring._stated_date(p_metadata) end,
        monitoring._business_date(p_workflow, p_at)
    );
end
$$;

-- The business day that an alert about a step is about: the one in its labels, else that of the
-- run, else that in which the alert began; null for what is no step.
create or replace function monitoring._date_of_alert(p_labels jsonb, p_started_at timestamptz)
returns date
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_stated date;
    v_workflow monitoring.workflows;
    v_task monitoring.active_tasks;
begin
    if not p_labels ? 'task_type' then
        return null;
    end if;
    v_stated := monitoring._stated_date(p_labels);
    if v_stated is not null then
        return v_stated;
    end if;
    select w.* into v_workflow
    from monitoring.workflow_steps s
    inner join monitoring.workflows w on w.workflow_name = s.workflow_name
    where s.step_name = p_labels ->> 'task_type';
    if not found then
        return null;
    end if;
    select t.* into v_task
    from monitoring.active_tasks t
    where t.task_id = p_labels ->> 'task_id';
    return case
        when v_task.task_id is null then monitoring._business_date(v_workflow, p_started_at)
        else monitoring._date_of_run(v_workflow, v_task.metadata, v_task.started_at)
    end;
end
$$;
