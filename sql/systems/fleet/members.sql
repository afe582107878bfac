-- The members of a fleet: databases that this one shows as well. People register them; how readings
-- went is kept apart, beside. Writes fleet_members and fleet_member_states.

-- The member of that name, or PV007.
create or replace function monitoring._found_fleet_member(p_member_name text)
returns monitoring.fleet_members
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_member monitoring.fleet_members;
begin
    select m.* into v_member from monitoring.fleet_members m
    where m.member_name = p_member_name;
    if not found then
        perform monitoring._refuse_unknown(
            'member', p_member_name,
            'Take the name from v_fleet_members, or call register_fleet_member() first.'
        );
    end if;
    return v_member;
end
$$;

-- Has a member read as soon as may be.
create or replace function monitoring._read_member_soon(p_member_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.fleet_member_states as s (member_name, next_pull_at)
    values (p_member_name, monitoring.clock())
    on conflict (member_name) do update set next_pull_at = excluded.next_pull_at;
end
$$;

create or replace function monitoring.register_fleet_member(
    p_member_name text,
    p_connection text,
    p_page_url text default null,
    p_every interval default '1 minute',
    p_rollups_every interval default '5 minutes',
    p_timeout interval default '30 seconds',
    p_by text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
begin
    perform monitoring._checked_name('member_name', p_member_name);
    perform monitoring._checked_targets(array[p_connection]);
    if p_page_url !~ '^https?://[^[:space:]@]+$' then
        perform monitoring._refuse_choice('page_url', p_page_url,
            array['an address such as https://monitor.example/pgvigil']);
    end if;
    insert into monitoring.fleet_members as m (
        member_name, connection_name, page_url, every_seconds, rollups_every_seconds,
        timeout_seconds, enabled_at, changed_by, changed_at
    )
    values (
        p_member_name, p_connection, rtrim(nullif(p_page_url, ''), '/'),
        monitoring._checked_span('every', p_every, '10 seconds', '1 day'),
        monitoring._checked_span('rollups_every', p_rollups_every, p_every, '1 day'),
        monitoring._checked_span('timeout', p_timeout, '1 second', '1 hour'),
        v_now, coalesce(p_by, session_user), v_now
    )
    on conflict (member_name) do update
        set
            connection_name = excluded.connection_name,
            page_url = excluded.page_url,
            every_seconds = excluded.every_seconds,
            rollups_every_seconds = excluded.rollups_every_seconds,
            timeout_seconds = excluded.timeout_seconds,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at;
    perform monitoring._read_member_soon(p_member_name);
end
$$;

comment on function monitoring.register_fleet_member(
    text, text, text, interval, interval, interval, text
) is
'Has the runner read another database with pgvigil, whose address it knows by a name, and show it '
'here as a member. Calling it again changes that.';

-- Whether a member is read.
create or replace function monitoring._switch_fleet_member(
    p_member_name text, p_is_enabled boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._found_fleet_member(p_member_name);
    update monitoring.fleet_members m
    set
        enabled_at = case when m.is_enabled then m.enabled_at else monitoring.clock() end,
        is_enabled = p_is_enabled
    where m.member_name = p_member_name;
    perform monitoring._read_member_soon(p_member_name);
end
$$;

create or replace function monitoring.enable_fleet_member(p_member_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_fleet_member(p_member_name, true);
end
$$;

comment on function monitoring.enable_fleet_member(text) is
'Has a member read when it is due, from now on.';

create or replace function monitoring.disable_fleet_member(p_member_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_fleet_member(p_member_name, false);
end
$$;

comment on function monitoring.disable_fleet_member(text) is
'No longer has a member read; what is known of it stays.';

create or replace function monitoring.remove_fleet_member(p_member_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._found_fleet_member(p_member_name);
    -- Whoever reads it now is told that it is gone, for the row of its state goes first.
    delete from monitoring.fleet_member_states where member_name = p_member_name;
    delete from monitoring.fleet_members where member_name = p_member_name;
    delete from monitoring.fleet_alerts where member_name = p_member_name;
    delete from monitoring.fleet_tasks where member_name = p_member_name;
    delete from monitoring.fleet_components where member_name = p_member_name;
    delete from monitoring.fleet_workflow_days where member_name = p_member_name;
    delete from monitoring.fleet_decisions where member_name = p_member_name;
    delete from monitoring.fleet_wanted_rollups where member_name = p_member_name;
    delete from monitoring.fleet_rollups where member_name = p_member_name;
end
$$;

comment on function monitoring.remove_fleet_member(text) is
'Forgets a member and all that it told.';
