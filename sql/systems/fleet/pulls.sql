-- Readings of members, as a runner makes them: begun here, carried there and back, noted here. A
-- reading has a number: what comes of one that a newer has overtaken is no longer taken. All that
-- is told is absolute, so to note it twice changes nothing.
-- A reading tells the state first, whole, and which hours and days of roll-ups have changed; these
-- are wanted until they have been told, in pieces, the newest first. So a reading may end anywhere.
-- Writes fleet_member_states, fleet_rollups, fleet_wanted_rollups and what is told of the state.
-- Lock order: the row in fleet_member_states, then all else of that member.

-- From when on hours or days of members are kept here.
create or replace function monitoring._fleet_rollups_from(p_resolution text, p_now timestamptz)
returns timestamptz
language sql
stable
return (
    select coalesce(max(monitoring._kept_from(p.keep, p_now)), '-infinity')
    from monitoring.retention_policies as p
    where p.table_name = 'fleet_rollups' and p.category = p_resolution
);

create or replace function monitoring.begin_fleet_pull(
    p_member_name text, p_is_due_only boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_member monitoring.fleet_members := monitoring._found_fleet_member(p_member_name);
    v_state monitoring.fleet_member_states;
    v_asked jsonb := '{}'::jsonb;
begin
    -- Whoever comes second begins nothing: by then it is not due.
    select s.* into v_state from monitoring.fleet_member_states s
    where s.member_name = p_member_name
    for update;
    if not v_member.is_enabled or p_is_due_only and v_state.next_pull_at > v_now then
        return jsonb_build_object('skipped', case
            when v_member.is_enabled then 'not due' else 'not enabled'
        end);
    end if;
    if (
        v_now < v_state.rollups_asked_at
            + make_interval(secs => v_member.rollups_every_seconds)
    ) is not true then
        v_asked := jsonb_build_object('rollups', jsonb_build_object(
            'cursor', v_state.rollups_cursor,
            'hours_from', monitoring._fleet_rollups_from('hour', v_now),
            'days_from', monitoring._fleet_rollups_from('day', v_now)
        ));
    end if;
    update monitoring.fleet_member_states s
    set
        pull_id = s.pull_id + 1,
        next_pull_at = v_now
            + make_interval(secs => greatest(v_member.every_seconds, v_member.timeout_seconds))
    where s.member_name = p_member_name
    returning s.* into v_state;
    return jsonb_build_object(
        'member', p_member_name,
        'pull_id', v_state.pull_id,
        'connection', v_member.connection_name,
        'timeout_seconds', v_member.timeout_seconds,
        'asked', v_asked,
        'decisions', monitoring._fleet_decisions_for(p_member_name)
    );
end
$$;

comment on function monitoring.begin_fleet_pull(text, boolean) is
'For runners: begins to read a member and returns what to ask it and which decisions to bring, or '
'why it is skipped. What an older reading of it tells is no longer taken.';

-- Whether a reading is the newest of its member, whose row is locked then.
create or replace function monitoring._is_newest_pull(p_member_name text, p_pull_id bigint)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform from monitoring.fleet_member_states s
    where s.member_name = p_member_name and s.pull_id = p_pull_id
    for update;
    return found;
end
$$;

-- Makes the rows of a member in a table what it told: those that are gone or changed go, those that
-- are new or changed come.
create or replace function monitoring._replace_fleet_rows(
    p_table text, p_member_name text, p_rows jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows jsonb;
begin
    -- A member speaks for itself alone.
    select coalesce(jsonb_agg(r.row || jsonb_build_object('member_name', p_member_name)), '[]')
    into v_rows
    from jsonb_array_elements(p_rows) r (row);
    execute format(
        'delete from monitoring.%1$I t where t.member_name = $1 and t not in ('
        'select r from jsonb_populate_recordset(null::monitoring.%1$I, $2) r)',
        p_table
    )
    using p_member_name, v_rows;
    execute format(
        'insert into monitoring.%1$I select r.*'
        ' from jsonb_populate_recordset(null::monitoring.%1$I, $2) r'
        ' where r not in (select t from monitoring.%1$I t where t.member_name = $1)',
        p_table
    )
    using p_member_name, v_rows;
end
$$;

-- Notes the business days of today of a member; those before stay as they were last seen.
create or replace function monitoring._note_fleet_workflow_days(
    p_member_name text, p_rows jsonb, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.fleet_workflow_days as t (
        member_name, workflow_name, business_date, is_enabled, steps, complete, running, late,
        failed, seen_at
    )
    select
        p_member_name, r.workflow_name, r.business_date, r.is_enabled, r.steps, r.complete,
        r.running, r.late, r.failed, p_now
    from jsonb_populate_recordset(null::monitoring.fleet_workflow_days, p_rows) r
    on conflict (member_name, workflow_name, business_date) do update
        set
            is_enabled = excluded.is_enabled,
            steps = excluded.steps,
            complete = excluded.complete,
            running = excluded.running,
            late = excluded.late,
            failed = excluded.failed,
            seen_at = excluded.seen_at;
end
$$;

-- Wants what has changed of the roll-ups of a member, and keeps its cursor.
create or replace function monitoring._want_fleet_rollups(
    p_member_name text, p_told jsonb, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_told ->> 'is_full')::boolean then
        -- What it no longer has, though it has what is older, was never so.
        with told as (
            select b.source, b.resolution, b.bucket_at
            from jsonb_to_recordset(p_told -> 'buckets')
                b (source text, resolution text, bucket_at timestamptz)
        ),

        oldest as (
            select t.source, t.resolution, min(t.bucket_at) as bucket_at
            from told t
            group by t.source, t.resolution
        )

        delete from monitoring.fleet_rollups r
        using oldest o
        where r.member_name = p_member_name
            and r.source = o.source and r.resolution = o.resolution
            and r.bucket_at >= o.bucket_at
            and (r.source, r.resolution, r.bucket_at) not in (
                select t.source, t.resolution, t.bucket_at from told t
            );
    end if;
    insert into monitoring.fleet_wanted_rollups as w (
        member_name, source, resolution, bucket_at, after_snapshot
    )
    select p_member_name, b.source, b.resolution, b.bucket_at, b.after
    from jsonb_to_recordset(p_told -> 'buckets')
        b (source text, resolution text, bucket_at timestamptz, after text)
    -- What is wanted already is wanted since longer.
    on conflict (member_name, source, resolution, bucket_at) do update
        set after_snapshot = null
        where excluded.after_snapshot is null and w.after_snapshot is not null;
    update monitoring.fleet_member_states
    set rollups_cursor = p_told -> 'cursor', rollups_asked_at = p_now
    where member_name = p_member_name;
end
$$;

-- The hours and days to ask a member for next, the newest first; null when none are wanted.
create or replace function monitoring._next_wanted_rollups(p_member_name text) returns jsonb
language sql
stable
return (
    select
        jsonb_agg(
            jsonb_build_object(
                'source', w.source, 'resolution', w.resolution, 'bucket_at', w.bucket_at,
                'after', w.after_snapshot
            )
            order by w.bucket_at desc, w.resolution desc, w.source asc
        )
    from (
        select n.*
        from monitoring.fleet_wanted_rollups as n
        where n.member_name = p_member_name
        order by n.bucket_at desc, n.resolution desc, n.source asc
        limit 500
    ) as w
);

create or replace function monitoring.note_fleet_changes(
    p_member_name text, p_pull_id bigint, p_changes jsonb
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_table text;
    v_told monitoring.fleet_member_states;
begin
    if not monitoring._is_newest_pull(p_member_name, p_pull_id) then
        return null;
    end if;
    if (p_changes ->> 'format')::integer is distinct from 1 then
        perform monitoring._refuse_choice('format', p_changes ->> 'format', array['1']);
    end if;
    v_told := jsonb_populate_record(null::monitoring.fleet_member_states, p_changes -> 'figures');
    update monitoring.fleet_member_states s
    set
        heard_at = v_now, last_error = null, consecutive_failures = 0,
        server = v_told.server, version = v_told.version, told_at = v_told.told_at,
        evaluated_at = v_told.evaluated_at, rolled_up_at = v_told.rolled_up_at,
        is_current = v_told.is_current, not_current = v_told.not_current,
        open_alerts = v_told.open_alerts, high_alerts = v_told.high_alerts,
        critical_alerts = v_told.critical_alerts, running_tasks = v_told.running_tasks,
        ended_tasks = v_told.ended_tasks, failed_tasks = v_told.failed_tasks,
        components = v_told.components, unhealthy_components = v_told.unhealthy_components
    where s.member_name = p_member_name;
    foreach v_table in array array['alerts', 'tasks', 'components'] loop
        perform monitoring._replace_fleet_rows(
            'fleet_' || v_table, p_member_name, p_changes -> v_table
        );
    end loop;
    perform monitoring._note_fleet_workflow_days(
        p_member_name, p_changes -> 'workflow_days', v_now
    );
    if p_changes ? 'rollups' then
        perform monitoring._want_fleet_rollups(p_member_name, p_changes -> 'rollups', v_now);
    end if;
    return monitoring._next_wanted_rollups(p_member_name);
end
$$;

comment on function monitoring.note_fleet_changes(text, bigint, jsonb) is
'For runners: notes the state that a member told, and returns of which hours and days to ask for '
'the roll-ups; null for none.';

create or replace function monitoring.note_fleet_rollups(
    p_member_name text, p_pull_id bigint, p_rollups jsonb
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    if not monitoring._is_newest_pull(p_member_name, p_pull_id) then
        return null;
    end if;
    delete from monitoring.fleet_rollups r
    using jsonb_to_recordset(p_rollups)
        b (source text, resolution text, bucket_at timestamptz, is_whole boolean)
    where b.is_whole and r.member_name = p_member_name
        and r.source = b.source and r.resolution = b.resolution and r.bucket_at = b.bucket_at;
    insert into monitoring.fleet_rollups as t (
        member_name, source, name, label, component, resolution, bucket_at, row_count,
        value_count, value_sum, value_sum_squares, value_min, value_max, histogram
    )
    select
        p_member_name, b.source, r.name, r.label, r.component, b.resolution, b.bucket_at,
        r.row_count, r.value_count, r.value_sum, r.value_sum_squares, r.value_min, r.value_max,
        r.histogram
    from jsonb_to_recordset(p_rollups)
        b (source text, resolution text, bucket_at timestamptz, rows jsonb)
    cross join jsonb_populate_recordset(null::monitoring.fleet_rollups, b.rows) r
    on conflict (member_name, source, bucket_at, name, label, component, resolution) do update
        set
            row_count = excluded.row_count,
            value_count = excluded.value_count,
            value_sum = excluded.value_sum,
            value_sum_squares = excluded.value_sum_squares,
            value_min = excluded.value_min,
            value_max = excluded.value_max,
            histogram = excluded.histogram;
    delete from monitoring.fleet_wanted_rollups w
    using jsonb_to_recordset(p_rollups) b (source text, resolution text, bucket_at timestamptz)
    where w.member_name = p_member_name
        and w.source = b.source and w.resolution = b.resolution and w.bucket_at = b.bucket_at;
    -- One that answers nothing is not asked again before it is due.
    return case
        when p_rollups <> '[]' then monitoring._next_wanted_rollups(p_member_name)
    end;
end
$$;

comment on function monitoring.note_fleet_rollups(text, bigint, jsonb) is
'For runners: notes the roll-ups of a member that get_fleet_rollups() told, and returns of which '
'hours and days to ask next; null for none.';

create or replace function monitoring.fail_fleet_pull(
    p_member_name text, p_pull_id bigint, p_error text
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.fleet_member_states s
    set
        failed_at = monitoring.clock(),
        last_error = monitoring._capped_text(coalesce(p_error, 'unknown'), 1000),
        consecutive_failures = s.consecutive_failures + 1
    where s.member_name = p_member_name and s.pull_id = p_pull_id;
    return found;
end
$$;

comment on function monitoring.fail_fleet_pull(text, bigint, text) is
'For runners: notes why a member could not be read. False when a newer reading has begun.';

call monitoring._ship_retention('fleet_rollups', '14 days', 'hour');
call monitoring._ship_retention('fleet_rollups', '2 years', 'day');
call monitoring._ship_retention('fleet_workflow_days', '90 days');
