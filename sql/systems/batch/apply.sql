-- Workflows as documents: applying, removing and reading them. Writes workflows, workflow_steps
-- and, through the functions that people call, thresholds and retention.
-- Lock order: configurations wait for each other, then _lock_alerts(), then rows.

-- Seconds as a length of time in a document, such as 20 minutes.
create or replace function monitoring._written_seconds(p_seconds double precision) returns text
language sql
stable
return case
    when p_seconds is not null
        then monitoring._written_length(justify_hours(make_interval(secs => p_seconds)))
end;

-- A step as a workflow's document has it; what is as if left out is left out.
create or replace function monitoring._step_document(p_step monitoring.workflow_steps)
returns jsonb
language sql
stable
return jsonb_strip_nulls(jsonb_build_object(
    'step', p_step.step_name,
    'description', p_step.description,
    'after', nullif(to_jsonb(p_step.after_steps), '[]'),
    'schedule', p_step.schedule,
    'expected', monitoring._written_seconds(p_step.expected_seconds),
    'late_after', monitoring._written_seconds(p_step.late_after_seconds),
    'stuck_after', monitoring._written_seconds(p_step.stuck_after_seconds),
    'long_after', monitoring._written_seconds(p_step.long_after_seconds),
    'minimum_rate', p_step.minimum_rate,
    'optional', nullif(p_step.is_optional, false),
    'until_done', nullif(p_step.is_repeated, false)
));

create or replace function monitoring.get_workflow(p_workflow_name text) returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_workflow monitoring.workflows := monitoring._found_workflow(p_workflow_name);
begin
    return jsonb_strip_nulls(jsonb_build_object(
        'workflow', v_workflow.workflow_name,
        'description', v_workflow.description,
        'time_zone', v_workflow.time_zone,
        'cutover', v_workflow.cutover_time,
        'enabled', v_workflow.is_enabled,
        'steps', (
            select jsonb_agg(monitoring._step_document(s) order by s.position)
            from monitoring.workflow_steps s
            where s.workflow_name = p_workflow_name
        )
    ));
end
$$;

comment on function monitoring.get_workflow(text) is
'The workflow as a document that apply_workflow() takes; PV007 when there is none of that name.';

-- Gives a rule one threshold for the runs of a step, or with null none of their own.
create or replace function monitoring._set_step_limit(
    p_rule_name text, p_step_name text, p_severity text, p_limit double precision
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.set_alert_thresholds(
        p_rule_name,
        case when p_limit is not null then jsonb_build_object(p_severity, p_limit) end,
        jsonb_build_object('task_type', p_step_name)
    );
end
$$;

-- Makes the limits of a step those of the rules, for its task type.
create or replace function monitoring._set_step_limits(p_step monitoring.workflow_steps)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_long double precision := coalesce(p_step.long_after_seconds, 2 * p_step.expected_seconds);
begin
    perform monitoring._set_step_limit(
        'step_late', p_step.step_name, 'high', p_step.late_after_seconds
    );
    perform monitoring._set_step_limit(
        'task_stuck', p_step.step_name, 'critical', p_step.stuck_after_seconds
    );
    perform monitoring._set_step_limit('long_running_task', p_step.step_name, 'medium', v_long);
    -- What is slow for a document is nothing for a batch.
    perform monitoring._set_step_limit(
        'slow_processing', p_step.step_name, 'medium', coalesce(v_long, 3600)
    );
    perform monitoring._set_step_limit(
        'low_throughput', p_step.step_name, 'medium', p_step.minimum_rate
    );
end
$$;

-- Removes the steps of a workflow but those named, with what was set for them alone.
create or replace function monitoring._forget_steps(p_workflow_name text, p_kept text[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._set_step_limit(r.rule_name, s.step_name, 'high', null)
    from monitoring.workflow_steps s
    cross join unnest(array[
        'step_late', 'task_stuck', 'long_running_task', 'slow_processing', 'low_throughput'
    ]) r (rule_name)
    where s.workflow_name = p_workflow_name and s.step_name <> all(p_kept);
    delete from monitoring.workflow_steps s
    where s.workflow_name = p_workflow_name and s.step_name <> all(p_kept);
end
$$;

-- A step of a workflow as a row. Its body is kept parsed, so that it makes such rows while
-- the table has a column more as well, where PL/pgSQL would miss one.
create or replace function monitoring._workflow_step(
    p_step_name text,
    p_workflow_name text,
    p_description text,
    p_position integer,
    p_run_order integer,
    p_after_steps text[],
    p_schedule text,
    p_expected_seconds double precision,
    p_late_after_seconds double precision,
    p_stuck_after_seconds double precision,
    p_long_after_seconds double precision,
    p_minimum_rate double precision,
    p_is_optional boolean,
    p_is_repeated boolean,
    p_expected_since_at timestamptz,
    p_first_applied_at timestamptz
)
returns monitoring.workflow_steps
language sql
stable
return row(
    p_step_name, p_workflow_name, p_description, p_position, p_run_order, p_after_steps,
    p_schedule, p_expected_seconds, p_late_after_seconds, p_stuck_after_seconds,
    p_long_after_seconds, p_minimum_rate, p_is_optional, p_is_repeated, p_expected_since_at,
    p_first_applied_at
)::monitoring.workflow_steps;

-- The steps of a workflow's document as rows.
create or replace function monitoring._wanted_steps(p_workflow jsonb, p_now timestamptz)
returns monitoring.workflow_steps[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select monitoring._workflow_step(
            s.step_name,
            p_workflow ->> 'workflow',
            s.settings ->> 'description',
            s.place,
            o.run_order,
            array(
                select a.name
                from jsonb_array_elements_text(coalesce(s.settings -> 'after', '[]'))
                    with ordinality a (name, place)
                group by a.name
                order by min(a.place)
            ),
            s.settings ->> 'schedule',
            monitoring._seconds_in(s.settings ->> 'expected'),
            monitoring._seconds_in(s.settings ->> 'late_after'),
            monitoring._seconds_in(s.settings ->> 'stuck_after'),
            monitoring._seconds_in(s.settings ->> 'long_after'),
            (s.settings ->> 'minimum_rate')::double precision,
            coalesce((s.settings ->> 'optional')::boolean, false),
            coalesce((s.settings ->> 'until_done')::boolean, false),
            -- A deployment that says the same again must not excuse what was missed.
            case when w.schedule is not distinct from s.settings ->> 'schedule'
                then coalesce(w.expected_since_at, p_now) else p_now end,
            coalesce(w.first_applied_at, p_now)
        )
        from monitoring._steps_in(p_workflow) s
        inner join monitoring._ordered_steps(p_workflow) o on o.step_name = s.step_name
        left join monitoring.workflow_steps w on w.step_name = s.step_name
    );
end
$$;

-- Makes the steps of a workflow, their limits and how long their runs are kept what its document
-- says.
create or replace function monitoring._apply_steps(p_workflow jsonb, p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_steps monitoring.workflow_steps [];
begin
    v_steps := monitoring._wanted_steps(p_workflow, p_now);
    perform monitoring._forget_steps(
        p_workflow ->> 'workflow', array(select s.step_name from unnest(v_steps) s)
    );
    delete from monitoring.workflow_steps w where w.workflow_name = p_workflow ->> 'workflow';
    insert into monitoring.workflow_steps select s.* from unnest(v_steps) s;
    perform monitoring._set_step_limits(s) from unnest(v_steps) s;
    perform monitoring.set_retention('finished_tasks', interval '60 days', s.step_name)
    from unnest(v_steps) s
    where not exists (
        select from monitoring.retention_policies p
        where p.table_name = 'finished_tasks' and p.category = s.step_name
    );
end
$$;

create or replace function monitoring.apply_workflow(p_workflow jsonb) returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_name text := p_workflow ->> 'workflow';
    v_before jsonb;
    v_warnings text [];
begin
    perform monitoring._guard('configuration');
    perform monitoring._check_workflow(p_workflow);
    perform monitoring._lock_alerts();
    select monitoring.get_workflow(w.workflow_name) into v_before
    from monitoring.workflows w
    where w.workflow_name = v_name;
    insert into monitoring.workflows as w (
        workflow_name, description, time_zone, cutover_time, is_enabled, changed_by, changed_at
    )
    values (
        v_name,
        p_workflow ->> 'description',
        coalesce(p_workflow ->> 'time_zone', 'UTC'),
        coalesce(p_workflow ->> 'cutover', '05:00'),
        coalesce((p_workflow ->> 'enabled')::boolean, true),
        session_user,
        v_now
    )
    on conflict (workflow_name) do update
        set
            description = excluded.description,
            time_zone = excluded.time_zone,
            cutover_time = excluded.cutover_time,
            is_enabled = excluded.is_enabled,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at;
    if v_before -> 'enabled' = 'false' then
        -- What was due while nothing was expected is not.
        update monitoring.workflow_steps set expected_since_at = v_now where workflow_name = v_name;
    end if;
    perform monitoring._apply_steps(p_workflow, v_now);
    v_warnings := monitoring._workflow_warnings(monitoring._found_workflow(v_name), v_now);
    return monitoring._workflow_changes(v_before, monitoring.get_workflow(v_name))
        || case
            when v_warnings <> '{}' then jsonb_build_object('warnings', v_warnings)
            else '{}'
        end;
end
$$;

comment on function monitoring.apply_workflow(jsonb) is
'Makes a workflow what a document says, all or nothing; steps that it does not name are removed. '
'Returns what changed, an object of from and to by full path, and under warnings what cannot be in '
'time as it is planned.';

create or replace function monitoring.apply_workflow(p_workflow text) returns jsonb
language sql
volatile
return monitoring.apply_workflow(monitoring._read_document('workflow', p_workflow));

comment on function monitoring.apply_workflow(text) is
'The same for a document in text, such as a literal, which may have comments as people write them: '
'// to the end of the line, and /* */.';

-- How two documents of a workflow differ, step by step, and in the order of the steps that both
-- have: an object of from and to by path.
create or replace function monitoring._workflow_changes(p_old jsonb, p_new jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_changes jsonb := monitoring._config_changes(
        null, coalesce(p_old - 'steps', '{}'), p_new - 'steps'
    );
begin
    return v_changes
        || (
            select coalesce(jsonb_object_agg(
                'steps.' || coalesce(o.step_name, n.step_name),
                jsonb_build_object('from', o.settings, 'to', n.settings)
            ), '{}')
            from monitoring._steps_in(p_old) o
            full join monitoring._steps_in(p_new) n on n.step_name = o.step_name
            where o.settings is distinct from n.settings
        )
        || (
            select case
                when c.before <> c.after
                    then jsonb_build_object(
                        'steps', jsonb_build_object('from', c.before, 'to', c.after)
                    )
                else '{}'::jsonb
            end
            from (
                select
                    jsonb_agg(o.step_name order by o.place) as before,
                    jsonb_agg(o.step_name order by n.place) as after
                from monitoring._steps_in(p_old) o
                inner join monitoring._steps_in(p_new) n on n.step_name = o.step_name
            ) c
        );
end
$$;

create or replace function monitoring.remove_workflow(p_workflow_name text) returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._guard('configuration');
    perform monitoring._lock_alerts();
    perform monitoring._forget_steps(p_workflow_name, array[]::text []);
    delete from monitoring.workflows w where w.workflow_name = p_workflow_name;
    return found;
end
$$;

comment on function monitoring.remove_workflow(text) is
'Removes a workflow with its steps and their limits; false when there is none. Their runs stay, '
'and so does how long these are kept.';
