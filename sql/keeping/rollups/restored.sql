-- Transactions are numbered by the server. Where a dump was restored on another one, its numbers
-- may lie below those of the rows, which would then hide what is recorded from now on: so an offset
-- is added to them. What was recorded between the restore and now is found by a rebuild.

-- Identifier of this server's cluster; null where it may not be read.
create or replace function monitoring._system_identifier() returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if has_function_privilege('pg_control_system()', 'execute') then
        return (select s.system_identifier from pg_control_system() s);
    end if;
    return null;
end
$$;

-- Sees to it that rows recorded from now on have higher transaction numbers than those that are
-- rolled up, on whichever server they were recorded.
create or replace function monitoring._follow_transaction_numbers(p_table text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_server bigint := monitoring._system_identifier();
    v_progress monitoring.rollup_progress;
begin
    select r.* into v_progress from monitoring.rollup_progress r where r.table_name = p_table;
    if v_progress.system_identifier is null then
        update monitoring.rollup_progress
        set system_identifier = v_server
        where table_name = p_table;
    elsif v_progress.system_identifier <> v_server
        -- The next transaction's number, for our own may be older than the last roll-up.
        or pg_snapshot_xmax(pg_current_snapshot())::text::bigint + v_progress.xid_offset
            < v_progress.claimed_below
    then
        perform monitoring._adopt_restored_rows(v_progress, v_server);
    end if;
end
$$;

-- Beginning of the oldest day that a table has rows of, late ones included.
create or replace function monitoring._oldest_day(p_table text) returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_oldest timestamptz;
begin
    execute format(
        'select least('
        '   (select min(d.begins_at) from monitoring._days(%L) d),'
        '   (select date_trunc(''day'', min(l.%I), ''UTC'') from monitoring.%I l)'
        ')',
        p_table,
        (select t.time_column from monitoring.partitioned_tables t where t.table_name = p_table),
        'late_' || p_table
    )
    into v_oldest;
    return v_oldest;
end
$$;

-- Looks up which check of each component is the newest of those in the roll-ups.
create or replace function monitoring._find_latest_checks() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.component_states s
    set
        latest_checked_at = n.checked_at,
        latest_probe_id = n.probe_id,
        latest_status = n.status
    from (
        select distinct on (p.component_name, p.component_type)
            p.component_name, p.component_type, p.checked_at, p.probe_id, p.status
        from monitoring._marked_probes p
        where not p.is_new
        order by p.component_name, p.component_type, p.checked_at desc, p.probe_id desc
    ) n
    where n.component_name = s.component_name and n.component_type = s.component_type;
end
$$;

-- Lets transaction numbers go on from those of the restored rows, and rebuilds the roll-ups from
-- what is there; groups of errors lack what was recorded between the restore and now.
create or replace function monitoring._adopt_restored_rows(
    p_progress monitoring.rollup_progress, p_server bigint
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_offset bigint := greatest(p_progress.claimed_below - txid_current(), 0);
    v_first_day timestamptz;
    v_newest timestamptz := monitoring.clock() + interval '1 day';
begin
    -- Waits for those who are recording, so that their rows are in the rebuild. Partitions are
    -- inserted into through their parent, with its default.
    execute format(
        'alter table only monitoring.%I alter column recorded_xid set default txid_current() + %s',
        p_progress.table_name, v_offset
    );
    execute format(
        'alter table only monitoring.%I alter column recorded_xid set default txid_current() + %s',
        'late_' || p_progress.table_name, v_offset
    );
    update monitoring.rollup_progress
    set
        system_identifier = p_server,
        xid_offset = v_offset,
        -- Transactions of another server are over.
        closing_to_at = null,
        closing_sessions = null
    where table_name = p_progress.table_name;

    v_first_day := monitoring._oldest_day(p_progress.table_name);
    if p_progress.complete_since > v_first_day then
        v_first_day := date_trunc('day', p_progress.complete_since, 'UTC') + interval '24 hours';
    end if;
    perform monitoring.rebuild_rollups(p_progress.source, v_first_day, v_newest)
    where v_first_day < v_newest;
    if p_progress.source = 'health' then
        perform monitoring._find_latest_checks();
    end if;
end
$$;
