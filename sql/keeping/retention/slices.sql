-- Rows whose table outlives them, removed oldest first and a bounded number at a time: categories
-- that are kept shorter than the rest of their table, and tables without partitions.
-- Writes the retained tables and retention_policies.

-- The end of the span, or the time up to which it has about so many rows when it has more.
create or replace function monitoring._slice_end(
    p_table text,
    p_time_column text,
    p_condition text,
    p_from timestamptz,
    p_to timestamptz,
    p_max_rows bigint
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
-- The condition comes from _due_policies(), which quotes what is in it:
-- @plpgsql_check_options: security_warnings = off
declare
    v_end timestamptz;
begin
    execute format(
        'select case when min(s.at) < max(s.at) then max(s.at) else max(s.at) + $4 end'
        ' from ('
        '    select t.%1$I as at from monitoring.%2$I t'
        '    where t.%1$I >= $1 and t.%1$I < $2 and %3$s order by 1 limit $3 + 1'
        ' ) s having count(*) > $3',
        p_time_column, p_table, p_condition
    )
    into v_end
    using p_from, p_to, p_max_rows, interval '1 microsecond';
    return coalesce(v_end, p_to);
end
$$;

-- Deletes, or in a dry run counts, the rows of a span of time that meet the condition.
create or replace function monitoring._delete_slice(
    p_table text,
    p_time_column text,
    p_condition text,
    p_from timestamptz,
    p_to timestamptz,
    p_is_dry_run boolean
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The condition comes from _due_policies(), which quotes what is in it:
-- @plpgsql_check_options: security_warnings = off
declare
    v_deleted bigint;
begin
    execute format(
        'with gone as ('
        '    %s from monitoring.%I t where t.%I >= $1 and t.%3$I < $2 and %s %s'
        ') select count(*) from gone',
        case when p_is_dry_run then 'select 1' else 'delete' end,
        p_table,
        p_time_column,
        p_condition,
        case when p_is_dry_run then '' else 'returning 1' end
    )
    into v_deleted
    using p_from, p_to;
    return v_deleted;
end
$$;

-- Condition on rows of alias t that roll-ups have taken them; null for a table without roll-ups.
create or replace function monitoring._not_new(p_table text) returns text
language sql
stable
return (
    select
        format(
            't.recorded_xid < %s and t.recorded_xid <> all (%L::bigint [])',
            u.claimed_below,
            u.still_open
        )
    from monitoring.rollup_progress as u
    where u.table_name = p_table
);

-- Condition on rows of alias t that a policy is about, and that may be removed.
create or replace function monitoring._policy_condition(
    p_table text, p_category text, p_now timestamptz
)
returns text
language sql
stable
return (
    select
        -- Rows that came since the last roll-up are not in it yet, however old they are.
        coalesce(monitoring._not_new(p.table_name) || ' and ', '')
        || case
            -- What a complete source still has is told at each reading: forgotten, it would be
            -- a new record.
            when p.table_name = 'record_states'
                then format(
                        '(t.status is null or t.dataset <> all (%L::text [])) and ',
                        array(
                            select s.settings ->> 'dataset' from monitoring.sources as s
                            where s.settings @> '{"is_complete": true}'
                        )
                    )
            else ''
        end
        || case
            -- What people have accepted stays as long as it is found.
            when p.table_name = 'invalid_record_states'
                then format('t.last_detected_at < %L', monitoring._kept_from(p.keep, p_now))
            when r.category_column is null then 'true'
            when p.category <> '' then format('t.%I = %L', r.category_column, p.category)
            else format(
                    't.%I <> all (%L::text [])',
                    r.category_column,
                    array(
                        select o.category from monitoring.retention_policies as o
                        where o.table_name = p.table_name and o.category <> ''
                    )
                )
        end
    from monitoring.retention_policies as p
    inner join monitoring._retained_tables as r on p.table_name = r.table_name
    where p.table_name = p_table and p.category = p_category
);

-- Policies whose rows must be deleted rather than go with whole days, that furthest behind
-- first: from when to when, and the condition on rows of alias t.
create or replace function monitoring._due_policies(p_now timestamptz)
returns table (
    table_name text,
    category text,
    time_column text,
    condition text,
    from_at timestamptz,
    to_at timestamptz
)
language sql
stable
begin atomic
    select
        p.table_name,
        p.category,
        r.time_column,
        monitoring._policy_condition(p.table_name, p.category, p_now) as condition,
        case
            when r.is_partitioned
                then greatest(
                        p.removed_before,
                        date_trunc('day', w.days_before, 'UTC'),
                        (select min(d.begins_at) from monitoring._days(p.table_name) as d)
                    )
            else '-infinity'
        end as from_at,
        monitoring._kept_from(p.keep, p_now) as to_at
    from monitoring.retention_policies as p
    inner join monitoring._retained_tables as r on p.table_name = r.table_name
    cross join lateral (select monitoring._days_due_before(p.table_name, p_now) as days_before) as w
    where
        p.keep is not null
        -- The rest goes with its day.
        and (
            not r.is_partitioned
            or w.days_before is null
            or monitoring._kept_from(p.keep, p_now) > w.days_before
        )
    order by coalesce(p.removed_before, '-infinity'), p.table_name, p.category;
end;

-- Deletes, or in a dry run counts, rows of a span of time slice by slice, oldest first, until
-- there are about so many. Tells how many and how far it came.
create or replace function monitoring._delete_span(
    p_table text,
    p_category text,
    p_time_column text,
    p_condition text,
    p_from timestamptz,
    p_to timestamptz,
    p_max_rows bigint,
    p_is_dry_run boolean
)
returns monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_done monitoring.removal := monitoring._not_removed(
        p_table, p_category, 'delete', p_from, null
    );
    v_end timestamptz;
begin
    if not p_is_dry_run then
        perform monitoring._hold_roll_up(p_table);
    end if;
    if monitoring._has_new_rows(p_table, p_from, p_to) then
        v_done.note := 'waits for a roll-up';
        return v_done;
    end if;
    while v_done.removed_before < p_to and v_done.rows < p_max_rows loop
        v_end := p_to;
        -- An hour of a partitioned table is found through its BRIN index; others are read anyway.
        if p_from > '-infinity' then
            v_end := least(v_done.removed_before + interval '1 hour', p_to);
        end if;
        v_end := monitoring._slice_end(
            p_table, p_time_column, p_condition, v_done.removed_before, v_end,
            p_max_rows - v_done.rows
        );
        v_done.rows := v_done.rows + monitoring._delete_slice(
            p_table, p_time_column, p_condition, v_done.removed_before, v_end, p_is_dry_run
        );
        v_done.removed_before := v_end;
    end loop;
    return v_done;
end
$$;

-- Deletes about 100,000 rows that are due though their day is not, and notes how far it came.
create or replace function monitoring._delete_due_rows(p_now timestamptz, p_is_dry_run boolean)
returns setof monitoring.removal
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    -- About a second of work, and little enough for the next checkpoint.
    v_left bigint := 100000::bigint;
    v_due record;
    v_done monitoring.removal;
begin
    for v_due in
        select d.* from monitoring._due_policies(p_now) d where d.from_at < d.to_at
    loop
        begin
            v_done := monitoring._delete_span(
                v_due.table_name, v_due.category, v_due.time_column, v_due.condition,
                v_due.from_at, v_due.to_at, v_left, p_is_dry_run
            );
            if not p_is_dry_run and isfinite(v_done.removed_before) then
                perform monitoring._note_removed(
                    v_due.table_name, v_due.category, v_done.removed_before, v_done.rows
                );
            end if;
        exception
            when lock_not_available or deadlock_detected then
                v_done := monitoring._not_removed(
                    v_due.table_name, v_due.category, 'delete', v_due.from_at,
                    'busy: will be tried again'
                );
        end;
        if v_done.rows > 0 or v_done.note is not null then
            return next v_done;
        end if;
        v_left := v_left - v_done.rows;
        exit when v_left <= 0;
    end loop;
end
$$;
