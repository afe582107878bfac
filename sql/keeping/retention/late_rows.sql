-- Placing late rows: what roll-ups have taken goes into the partition of its day, or away where its
-- day is no longer kept. A row keeps the number of the transaction that recorded it, so it stays
-- rolled up, and the day stays closed. Within bounds: days that many late rows made would slow
-- every reader down and use up the cluster's locks.
-- Lock order: the row in rollup_progress, the guard 'partitions', then the partitions. Recorders
-- wait for none of these. Writes the late tables and the partitioned ones.

-- Days with a partition up to which placing late rows makes more of them for a table.
create or replace function monitoring._most_days() returns integer
language sql
stable
return 400;

-- Removes, or in a dry run counts, late rows of a table that are rolled up and older than they
-- are kept: at most 50,000 of each category.
create or replace function monitoring._remove_late_rows(
    p_table text, p_now timestamptz, p_is_dry_run boolean
)
returns setof monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The condition comes from _policy_condition(), which quotes what is in it:
-- @plpgsql_check_options: security_warnings = off
declare
    v_time_column text;
    v_condition text;
    v_done monitoring.removal;
begin
    select t.time_column into v_time_column
    from monitoring.partitioned_tables t where t.table_name = p_table;
    for v_done.category, v_done.removed_before, v_condition in
        select
            p.category, monitoring._kept_from(p.keep, p_now),
            monitoring._policy_condition(p.table_name, p.category, p_now)
        from monitoring.retention_policies p
        where p.table_name = p_table and p.keep is not null
        order by p.category
    loop
        v_done := monitoring._not_removed(
            'late_' || p_table, v_done.category, 'delete', v_done.removed_before, null
        );
        execute format(
            'with due as ('
            '   select t.ctid from monitoring.%1$I t where t.%2$I < $1 and %3$s limit 50000'
            ' ), gone as (%4$s) select count(*) from gone',
            'late_' || p_table, v_time_column, v_condition,
            case
                when p_is_dry_run then 'select from due'
                else format(
                    'delete from monitoring.%I where ctid = any(array(select d.ctid from due d))'
                    ' returning 1', 'late_' || p_table
                )
            end
        )
        into v_done.rows
        using v_done.removed_before;
        if v_done.rows = 0 then
            execute format(
                'select ''waits for a roll-up'' where exists ('
                '  select from monitoring.%I t where t.%I < $1 and %s)',
                'late_' || p_table, v_time_column,
                replace(v_condition, coalesce(monitoring._not_new(p_table) || ' and ', ''), '')
            )
            into v_done.note
            using v_done.removed_before;
            continue when v_done.note is null;
        elsif not p_is_dry_run then
            update monitoring.rollup_progress r
            set complete_since = greatest(r.complete_since, v_done.removed_before)
            where r.table_name = p_table;
        end if;
        return next v_done;
    end loop;
end
$$;

-- Removes, or in a dry run counts, late rows that are older than they are kept.
create or replace function monitoring._remove_all_late_rows(
    p_now timestamptz, p_is_dry_run boolean
)
returns setof monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_table text;
begin
    for v_table in
        select t.table_name from monitoring.partitioned_tables t order by t.table_name
    loop
        begin
            if not p_is_dry_run then
                perform monitoring._hold_roll_up(v_table);
            end if;
            return query select d.* from monitoring._remove_late_rows(v_table, p_now, p_is_dry_run) d;
        exception
            when lock_not_available or deadlock_detected then
                return query select d.* from monitoring._not_removed(
                    'late_' || v_table, '', 'delete', null, 'busy: will be tried again'
                ) d;
        end;
    end loop;
end
$$;

-- Days, the newest first, of a table's late rows that roll-ups have taken, with their number and
-- whether the day has a partition.
create or replace function monitoring._waiting_days(p_table text)
returns table (begins_at timestamptz, waiting bigint, has_partition boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
-- The condition comes from _not_new(), which quotes what is in it:
-- @plpgsql_check_options: security_warnings = off, extra_warnings = off
begin
    return query execute format(
        'select d.begins_at, d.waiting, monitoring._has_place(%1$L, d.begins_at)'
        ' from ('
        '   select date_trunc(''day'', t.%2$I, ''UTC'') as begins_at, count(*) as waiting'
        '   from monitoring.%3$I t where %4$s group by 1'
        ' ) d order by d.begins_at desc',
        p_table,
        (select t.time_column from monitoring.partitioned_tables t where t.table_name = p_table),
        'late_' || p_table,
        coalesce(monitoring._not_new(p_table), 'true')
    );
end
$$;

-- Moves late rows of a day that roll-ups have taken into its partition, so many at most.
create or replace function monitoring._place_day(
    p_table text, p_begins_at timestamptz, p_most bigint
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The condition comes from _not_new(), which quotes what is in it:
-- @plpgsql_check_options: security_warnings = off
declare
    v_placed bigint;
begin
    execute format(
        'with taken as ('
        '   delete from monitoring.%1$I where ctid = any(array('
        '     select t.ctid from monitoring.%1$I t'
        '     where t.%3$I >= $1 and t.%3$I < $1 + interval ''24 hours'' and %4$s limit $2'
        '   )) returning *'
        ' ), placed as ('
        -- One that is there was told twice while both tellings were under way.
        '   insert into monitoring.%2$I select * from taken on conflict do nothing'
        ' ) select count(*) from taken',
        'late_' || p_table, p_table,
        (select t.time_column from monitoring.partitioned_tables t where t.table_name = p_table),
        coalesce(monitoring._not_new(p_table), 'true')
    )
    into v_placed
    using p_begins_at, p_most;
    return v_placed;
end
$$;

-- Places late rows of a table, the newest days first: about so many rows, and days made anew, at
-- most.
create or replace function monitoring._place_rows_of(
    p_table text, p_most bigint, p_most_days integer
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_day record;
    v_days integer := (select count(*)::integer from monitoring._days(p_table));
    v_made integer := 0;
    v_placed bigint := 0::bigint;
begin
    for v_day in select w.* from monitoring._waiting_days(p_table) w loop
        exit when v_placed >= p_most;
        if not v_day.has_partition then
            continue when v_made >= p_most_days or v_days + v_made >= monitoring._most_days();
            perform monitoring._lock_partitions();
            perform monitoring._make_partition(p_table, (v_day.begins_at at time zone 'UTC')::date);
            v_made := v_made + 1;
        end if;
        v_placed := v_placed + monitoring._place_day(
            p_table, v_day.begins_at, p_most - v_placed
        );
    end loop;
    return v_placed;
end
$$;

create or replace function monitoring.place_late_rows() returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_table text;
    v_removed bigint;
    v_placed bigint;
    v_done jsonb := jsonb_build_object();
    v_is_removing boolean;
begin
    -- A clock that has just gone on by far may be wrong.
    select w.p_until is null into v_is_removing from monitoring._clean_up_waits_until(v_now) w;
    for v_table in
        select t.table_name from monitoring.partitioned_tables t order by t.table_name
    loop
        -- A roll-up of the table, or a clean-up, may take a while: this is for another time.
        perform from monitoring.rollup_progress r where r.table_name = v_table
        for update skip locked;
        continue when not found and exists (
            select from monitoring.rollup_progress r where r.table_name = v_table
        );
        v_removed := 0;
        if v_is_removing then
            select coalesce(sum(d.rows), 0)::bigint into v_removed
            from monitoring._remove_late_rows(v_table, v_now, false) d;
        end if;
        v_placed := monitoring._place_rows_of(v_table, 50000::bigint, 20);
        if v_removed + v_placed > 0 then
            v_done := v_done || jsonb_build_object(
                v_table, jsonb_build_object('placed', v_placed, 'removed', v_removed)
            );
        end if;
    end loop;
    return v_done;
end
$$;

comment on function monitoring.place_late_rows() is
'Moves late rows that are rolled up into the partition of their day, which it makes within bounds, '
'and removes those older than they are kept; returns how many, by table.';

call monitoring._ship_job(
    'place_late_rows', 'Places what was recorded late in its day.',
    '10 minutes', 'monitoring.place_late_rows'
);
