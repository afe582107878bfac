-- Whole days, or months that old days became: emptied first, which locks that partition alone;
-- dropped by a later call, which must lock the parent against everyone, but then for a moment only.
-- One emptied and dropped in one transaction could meet a reader that has the parent and waits for
-- the partition. Writes the partitioned tables, retention_policies and rollup_progress.

-- What emptying a day's partition would remove; null when it is empty.
create or replace function monitoring._look_at_day(
    p_table text, p_begins_at timestamptz, p_is_dry_run boolean
)
returns monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_due monitoring.removal := monitoring._not_removed(
        p_table, '', 'truncate', null, null
    );
    v_name text;
    v_day regclass;
begin
    select d.partition_name, d.ends_at into v_name, v_due.removed_before
    from monitoring._spans_of(p_table) d
    where d.begins_at = p_begins_at;
    v_day := format('monitoring.%I', v_name)::regclass;
    if pg_relation_size(v_day) = 0 then
        return null;
    end if;
    if not p_is_dry_run then
        perform monitoring._hold_roll_up(p_table);
    end if;
    if monitoring._has_new_rows(p_table, p_begins_at, v_due.removed_before) then
        v_due.note := 'waits for a roll-up';
        if not p_is_dry_run then
            perform monitoring._reopen_days(p_table, p_begins_at);
        end if;
    else
        v_due.partitions := 1;
        execute format('select count(*) from monitoring.%I', v_name) into v_due.rows;
        v_due.bytes := pg_total_relation_size(v_day);
    end if;
    return v_due;
end
$$;

-- Days that are due and not empty, oldest first: at most 20, and no more after 5 million rows.
create or replace function monitoring._due_days(p_now timestamptz, p_is_dry_run boolean)
returns setof monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_table text;
    v_begins_at timestamptz;
    v_ends_at timestamptz;
    v_due monitoring.removal;
    v_days integer := 0;
    v_rows bigint := 0::bigint;
begin
    for v_table, v_begins_at, v_ends_at in
        select t.table_name, d.begins_at, d.ends_at
        from monitoring.partitioned_tables t
        cross join lateral monitoring._days_due_before(t.table_name, p_now) w (days_before)
        cross join lateral monitoring._spans_of(t.table_name) d
        where d.ends_at <= w.days_before
        order by d.begins_at, t.table_name
    loop
        begin
            v_due := monitoring._look_at_day(v_table, v_begins_at, p_is_dry_run);
        exception
            when lock_not_available or deadlock_detected or undefined_table
                or insufficient_privilege then
                v_due := monitoring._not_removed(
                    v_table, '', 'truncate', v_ends_at,
                    case sqlstate when '42501' then sqlerrm else 'busy: will be tried again' end
                );
        end;
        if v_due.table_name is not null then
            return next v_due;
            v_days := v_days + 1;
            v_rows := v_rows + v_due.rows;
        end if;
        -- Every day takes locks until the end of the transaction, and counting takes time.
        exit when v_days >= 20 or v_rows >= 5000000;
    end loop;
end
$$;

-- Truncates a day's partition and notes that its rows are gone, unless rows came that wait for a
-- roll-up, or a lock cannot be had.
create or replace function monitoring._empty_day(p_due monitoring.removal)
returns monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_note text := 'busy: will be tried again';
    v_begins_at timestamptz;
    v_name text;
begin
    select d.partition_name, d.begins_at into v_name, v_begins_at
    from monitoring._spans_of(p_due.table_name) d
    where d.ends_at = p_due.removed_before;
    execute format('lock table only monitoring.%I in access exclusive mode', v_name);
    -- Looked at again now that nobody can add to it.
    perform monitoring._look_again_at_partitions(p_due.table_name);
    if monitoring._has_new_rows(p_due.table_name, v_begins_at, p_due.removed_before) then
        v_note := 'waits for a roll-up';
        raise lock_not_available;
    end if;
    execute format('truncate table only monitoring.%I', v_name);
    perform monitoring._note_removed(
        p_due.table_name, null, p_due.removed_before, p_due.rows
    );
    return p_due;
exception
    when lock_not_available or deadlock_detected or undefined_table or insufficient_privilege then
        return monitoring._not_removed(
            p_due.table_name, '', p_due.action, p_due.removed_before,
            case sqlstate when '42501' then sqlerrm else v_note end
        );
end
$$;

-- The ten oldest of a table's days that are due and empty; null when there are none.
create or replace function monitoring._empty_due_days(p_table text, p_now timestamptz)
returns timestamptz[]
language sql
stable
return (
    select (array_agg(d.begins_at order by d.begins_at))[1:10]
    from monitoring._spans_of(p_table) as d
    where
        d.ends_at <= monitoring._days_due_before(p_table, p_now)
        -- Who looked for the day just before midnight may still record in it.
        and d.ends_at + interval '25 hours' <= p_now
        and pg_relation_size(to_regclass('monitoring.' || d.partition_name)) = 0
);

-- Drops a day's partition unless it has rows, or others use it.
create or replace function monitoring._drop_day(
    p_table text, p_begins_at timestamptz, p_is_dry_run boolean
)
returns monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text;
    v_day regclass;
    v_done monitoring.removal := monitoring._not_removed(p_table, '', 'drop', null, null);
begin
    select d.partition_name, d.ends_at into v_name, v_done.removed_before
    from monitoring._spans_of(p_table) d
    where d.begins_at = p_begins_at;
    v_day := to_regclass('monitoring.' || v_name);
    if not p_is_dry_run then
        -- Everyone waits for us now, so we wait for nobody.
        execute format('lock table only monitoring.%I in access exclusive mode nowait', v_name);
    end if;
    if pg_relation_size(v_day) = 0 then
        v_done.partitions := 1;
        v_done.bytes := pg_total_relation_size(v_day);
        if not p_is_dry_run then
            execute format('drop table monitoring.%I', v_name);
        end if;
    end if;
    return v_done;
exception
    when lock_not_available or undefined_table or dependent_objects_still_exist
        or insufficient_privilege then
        return monitoring._not_removed(p_table, '', 'drop', null, sqlerrm);
end
$$;

-- Drops up to ten of a table's days that are due and empty; null when there are none. From then
-- on everyone who records in that table, or reads it, waits for the end of the transaction.
create or replace function monitoring._drop_days(
    p_table text, p_now timestamptz, p_is_dry_run boolean
)
returns monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_done monitoring.removal := monitoring._not_removed(
        p_table, '', 'drop', null, 'busy: will be tried again'
    );
    v_days timestamptz [];
    v_begins_at timestamptz;
    v_day monitoring.removal;
begin
    v_days := monitoring._empty_due_days(p_table, p_now);
    if v_days is null then
        return null;
    end if;
    if not p_is_dry_run then
        if not monitoring._try_guard('partitions') then
            return v_done;
        end if;
        execute format('lock table only monitoring.%I in access exclusive mode', p_table);
    end if;
    v_done.note := null;
    foreach v_begins_at in array v_days loop
        v_day := monitoring._drop_day(p_table, v_begins_at, p_is_dry_run);
        v_done.partitions := v_done.partitions + v_day.partitions;
        v_done.bytes := v_done.bytes + v_day.bytes;
        v_done.removed_before := greatest(v_done.removed_before, v_day.removed_before);
        v_done.note := coalesce(v_day.note, v_done.note);
    end loop;
    if v_done.partitions = 0 then
        raise lock_not_available; -- gives the parent back
    end if;
    return v_done;
exception
    when lock_not_available or deadlock_detected then
        return monitoring._not_removed(p_table, '', 'drop', null, v_done.note);
end
$$;

-- Drops empty days of the first table that has some and can be locked.
create or replace function monitoring._drop_empty_days(
    p_now timestamptz, p_is_dry_run boolean
)
returns setof monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_table text;
    v_done monitoring.removal;
begin
    for v_table in
        select t.table_name from monitoring.partitioned_tables t order by t.table_name
    loop
        v_done := monitoring._drop_days(v_table, p_now, p_is_dry_run);
        if v_done.table_name is not null then
            return next v_done;
        end if;
        -- One parent at a time: two could meet somebody who has one and waits for the other.
        exit when v_done.partitions > 0;
    end loop;
end
$$;
