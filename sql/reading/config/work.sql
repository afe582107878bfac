-- What is expected of programs in the configuration: sections expected_runs, workflows and
-- error_groups. Writes nothing but through the functions that people call.

-- What is expected of a task type as it is in a configuration.
create or replace function monitoring._expected_run_config(p_expected monitoring.expected_runs)
returns jsonb
language sql
stable
return jsonb_build_object(
    'schedule', (p_expected).schedule,
    'time_zone', (p_expected).time_zone,
    'grace_seconds', (p_expected).grace_seconds,
    'early_seconds', (p_expected).early_seconds,
    'counts', (p_expected).counts,
    'is_enabled', (p_expected).is_enabled
);

-- Section expected_runs of a configuration: what people said.
create or replace function monitoring._expected_runs_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(e.task_type, monitoring._expected_run_config(e)), '{}')
        from monitoring.expected_runs e
        where e.changed_by <> monitoring._announcer()
    );
end
$$;

-- The section with what programs said themselves.
create or replace function monitoring._whole_expected_runs_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(e.task_type, monitoring._expected_run_config(e)), '{}')
        from monitoring.expected_runs e
    );
end
$$;

-- Expects runs of a task type, or expects them no longer.
create or replace function monitoring._configure_expected_runs(
    p_name text, p_old jsonb, p_new jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_new jsonb := coalesce(p_old, '{}') || p_new;
begin
    if p_new is null then
        perform monitoring.remove_expected_runs(p_name);
        return;
    end if;
    perform monitoring.define_expected_runs(
        p_name,
        v_new ->> 'schedule',
        coalesce(v_new ->> 'time_zone', 'UTC'),
        make_interval(secs => coalesce((v_new ->> 'grace_seconds')::double precision, 300)),
        make_interval(secs => coalesce((v_new ->> 'early_seconds')::double precision, 60)),
        coalesce((v_new ->> 'is_enabled')::boolean, true),
        p_counts => coalesce(v_new ->> 'counts', 'starts')
    );
end
$$;

-- Section workflows of a configuration.
create or replace function monitoring._workflows_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                w.workflow_name, monitoring.get_workflow(w.workflow_name) - 'workflow'
            ),
            '{}'
        )
        from monitoring.workflows w
    );
end
$$;

-- Makes a workflow what its document says, or removes it.
create or replace function monitoring._configure_workflows(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_new is null then
        perform monitoring.remove_workflow(p_name);
        return;
    end if;
    perform monitoring.apply_workflow(
        coalesce(p_old, '{}') || p_new || jsonb_build_object('workflow', p_name)
    );
end
$$;

-- Section merged_error_groups of a configuration: which error groups are one, and which are none.
create or replace function monitoring._merged_error_groups_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                m.fingerprint,
                jsonb_build_object(
                    'into', m.merged_into,
                    'note', m.note,
                    'decided_by', m.changed_by,
                    'decided_at', monitoring._time_in_utc(m.changed_at)
                )
            ),
            '{}'
        )
        from monitoring.error_group_merges m
    );
end
$$;

-- Merges an error group, which need not have occurred here yet, takes it out of one, or forgets
-- what was decided.
create or replace function monitoring._configure_merged_error_groups(
    p_name text, p_old jsonb, p_new jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_new is null then
        delete from monitoring.error_group_merges m where m.fingerprint = p_name;
        return;
    end if;
    perform monitoring._merge_error_group(
        p_name,
        coalesce(p_new ->> 'into', p_old ->> 'into'),
        p_new ->> 'note',
        coalesce(p_new ->> 'decided_by', session_user),
        coalesce((p_new ->> 'decided_at')::timestamptz, monitoring.clock())
    );
end
$$;

-- Section error_groups of a configuration: what was decided and holds.
create or replace function monitoring._error_groups_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                g.fingerprint,
                jsonb_build_object(
                    'status', g.status,
                    'muted_until', monitoring._time_in_utc(g.muted_until),
                    'note', g.note,
                    'decided_by', g.changed_by,
                    'decided_at', monitoring._time_in_utc(g.changed_at)
                )
            ),
            '{}'
        )
        from monitoring.error_group_states g
        where (g.muted_until <= monitoring.clock()) is not true
    );
end
$$;

-- Decides about an error group, which need not have occurred here yet, or takes that back.
create or replace function monitoring._configure_error_groups(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_new jsonb := coalesce(p_old, '{}') || p_new;
    v_status text := v_new ->> 'status';
    v_until timestamptz := (v_new ->> 'muted_until')::timestamptz;
begin
    if p_new is null then
        perform monitoring.reopen_error_group(p_name);
        return;
    end if;
    if v_status is null then
        perform monitoring._refuse_choice('status', v_status, array['resolved', 'muted']);
    end if;
    if v_status = 'resolved' and p_new ->> 'muted_until' is not null then
        raise exception using
            errcode = 'PV005',
            message = 'a resolved error group has no muted_until',
            hint = 'Leave muted_until out, or give the status as muted.';
    end if;
    -- A mute that has ended is not begun again.
    if v_status = 'muted' and v_until <= monitoring.clock() then
        return;
    end if;
    perform monitoring._note_group_decision(
        p_name, v_status, case v_status when 'muted' then v_until end, v_new ->> 'note',
        coalesce(p_new ->> 'decided_by', session_user),
        coalesce((p_new ->> 'decided_at')::timestamptz, monitoring.clock())
    );
end
$$;
