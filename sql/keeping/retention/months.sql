-- Old days become months, where rows are kept for long: every partition costs each query that reads
-- all of a table, in planning and in locks. One transaction copies the days of a month and puts it
-- in their place, so that each row is there once at any moment. Nobody records in days that are
-- closed; who places late rows, or deletes some, waits.
-- Lock order: the guard 'partitions', then the days, then the parent, which everyone waits for, but
-- only until the transaction ends. Writes the partitioned tables.

-- The oldest month of a table whose days are to be merged; null when there is none. All of it has
-- been over for two months, and will be kept for at least one more.
create or replace function monitoring._mergeable_month(p_table text, p_now timestamptz)
returns timestamptz
language sql
stable
return (
    select min(m.begins_at)
    from (
        select
            date_trunc('month', d.begins_at, 'UTC') as begins_at,
            max(d.ends_at) as ends_at,
            count(*) as days,
            sum(pg_relation_size(to_regclass('monitoring.' || d.partition_name))) as bytes
        from monitoring._spans_of(p_table) as d
        where d.ends_at = d.begins_at + interval '24 hours'
        group by date_trunc('month', d.begins_at, 'UTC')
    ) as m
    cross join lateral (select monitoring._days_due_before(p_table, p_now) as due_before) as w
    left join monitoring.rollup_progress as r on r.table_name = p_table
    where
        m.days > 1
        -- What is larger takes too long to copy, and stays as it is.
        and m.bytes <= 1073741824
        and m.begins_at + interval '93 days' <= p_now
        and m.ends_at <= coalesce(r.open_since_at, p_now)
        and m.begins_at >= coalesce(w.due_before, '-infinity') + interval '31 days'
);

-- Makes the table that the days of a month go to, still apart, and copies them; returns the rows.
create or replace function monitoring._copy_month(
    p_table text, p_month timestamptz, p_days text[]
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text := monitoring._month_name(p_table, p_month);
    v_day text;
    v_copied bigint;
    v_rows bigint := 0::bigint;
    v_index regclass;
begin
    foreach v_day in array p_days loop
        execute format('lock table only monitoring.%I in share mode', v_day);
    end loop;
    perform monitoring._make_apart(p_table, v_name);
    foreach v_day in array p_days loop
        execute format('insert into monitoring.%I select * from only monitoring.%I', v_name, v_day);
        get diagnostics v_copied = row_count;
        v_rows := v_rows + v_copied;
    end loop;
    for v_index in
        select i.indexrelid::regclass
        from pg_index i
        inner join pg_class c on c.oid = i.indexrelid
        inner join pg_am a on a.oid = c.relam
        where i.indrelid = to_regclass('monitoring.' || v_name) and a.amname = 'brin'
    loop
        perform brin_summarize_new_values(v_index);
    end loop;
    return v_rows;
end
$$;

-- Puts the days of a month into one partition, unless a lock cannot be had.
create or replace function monitoring._merge_month(p_table text, p_month timestamptz)
returns monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_done monitoring.removal := monitoring._not_removed(p_table, '', 'merge', null, null);
    v_name text := monitoring._month_name(p_table, p_month);
    v_bounds text[] := monitoring._month_bounds(p_month);
    v_time_column text;
    v_days text[];
    v_day text;
begin
    select t.time_column into v_time_column
    from monitoring.partitioned_tables t where t.table_name = p_table;
    v_days := array(
        select d.partition_name from monitoring._spans_of(p_table) d
        where date_trunc('month', d.begins_at, 'UTC') = p_month
        order by d.begins_at
    );
    v_done.rows := monitoring._copy_month(p_table, p_month, v_days);
    -- Attaching need not read what a constraint says already.
    execute format(
        'alter table monitoring.%I add constraint %I check (%3$I >= %4$L and %3$I < %5$L)',
        v_name, v_name || '_ck', v_time_column, v_bounds[1], v_bounds[2]
    );
    execute format('lock table only monitoring.%I in access exclusive mode', p_table);
    foreach v_day in array v_days loop
        execute format('alter table monitoring.%I detach partition monitoring.%I', p_table, v_day);
    end loop;
    execute format(
        'alter table monitoring.%I attach partition monitoring.%I for values from (%L) to (%L)',
        p_table, v_name, v_bounds[1], v_bounds[2]
    );
    execute format('alter table monitoring.%I drop constraint %I', v_name, v_name || '_ck');
    foreach v_day in array v_days loop
        execute format('drop table monitoring.%I', v_day);
    end loop;
    v_done.partitions := cardinality(v_days);
    return v_done;
exception
    when lock_not_available or deadlock_detected or dependent_objects_still_exist
        or insufficient_privilege then
        return monitoring._not_removed(p_table, '', 'merge', null, case
            when sqlstate in ('55P03', '40P01') then 'busy: will be tried again'
            else sqlerrm
        end);
end
$$;

-- Merges the oldest month of the first table that has one to be merged; a dry run tells which.
create or replace function monitoring._merge_old_days(p_now timestamptz, p_is_dry_run boolean)
returns setof monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_table text;
    v_month timestamptz;
    v_done monitoring.removal;
begin
    select t.table_name, m.month_at into v_table, v_month
    from monitoring.partitioned_tables t
    cross join lateral (
        select monitoring._mergeable_month(t.table_name, p_now) as month_at
    ) m
    where m.month_at is not null
    order by m.month_at, t.table_name
    limit 1;
    if v_table is null then
        return;
    end if;
    if p_is_dry_run then
        v_done := monitoring._not_removed(v_table, '', 'merge', null, null);
        select count(*)::integer into v_done.partitions
        from monitoring._spans_of(v_table) d
        where date_trunc('month', d.begins_at, 'UTC') = v_month;
    elsif not monitoring._try_guard('partitions') then
        v_done := monitoring._not_removed(
            v_table, '', 'merge', null, 'busy: will be tried again'
        );
    else
        v_done := monitoring._merge_month(v_table, v_month);
    end if;
    return next v_done;
end
$$;

-- Drops days that are empty, or else merges old ones: one table at a time, for both lock it.
create or replace function monitoring._tidy_days(p_now timestamptz, p_is_dry_run boolean)
returns setof monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return query select d.* from monitoring._drop_empty_days(p_now, p_is_dry_run) d;
    if not found then
        return query select d.* from monitoring._merge_old_days(p_now, p_is_dry_run) d;
    end if;
end
$$;
