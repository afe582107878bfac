-- Partitions by UTC day. A recording function asks _has_partition before it inserts, which is one
-- look into the catalogue cache; where the day is missing the row goes into the late table. So only
-- jobs and admins make partitions.
-- Lock order: the guard 'partitions', then the parent, then the partition. Who
-- makes partitions waits for the first; who drops them only tries it, and waits for the parent no
-- longer than lock_timeout. So a partition that was seen under that lock stays until the
-- transaction ends.

-- Name of the partition that holds the UTC day of the given time.
create or replace function monitoring._partition_name(p_table text, p_at timestamptz) returns text
language sql
stable -- to_char is, and a stricter mark than its body's keeps a function from being inlined
return p_table || to_char(p_at at time zone 'UTC', '_YYYYMMDD');

-- Whether a table has the partition for the given time.
create or replace function monitoring._has_partition(p_table text, p_at timestamptz)
returns boolean
language sql
stable
-- The same as _partition_name, with fewer operators: it stands in every recording call.
return to_regclass(
    to_char(p_at at time zone 'UTC', '"monitoring.' || p_table || '_"YYYYMMDD')
) is not null;

-- Name of the partition that holds the UTC month of the given time, once old days became one.
create or replace function monitoring._month_name(p_table text, p_at timestamptz) returns text
language sql
stable
return p_table || to_char(p_at at time zone 'UTC', '_YYYYMM');

-- Whether a table has a partition for the given time, be it of its day or of its month.
create or replace function monitoring._has_place(p_table text, p_at timestamptz) returns boolean
language sql
stable
return monitoring._has_partition(p_table, p_at)
or to_regclass('monitoring.' || monitoring._month_name(p_table, p_at)) is not null;

-- Waits until nobody else makes or drops partitions, and keeps it so until the transaction ends.
create or replace function monitoring._lock_partitions() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._guard('partitions');
    -- Only a lock on a relation makes a session see what others have just made: without it a new
    -- partition would go on missing for those who had looked for it. Nobody else takes this mode.
    lock table only monitoring.partitioned_tables in row share mode;
end
$$;

-- Makes this session find out anew which partitions a table has. A list that it made at the very
-- moment at which one was added may lack that one until the next is.
create or replace function monitoring._look_again_at_partitions(p_table text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Any change to the table's own entry in the catalogue makes this session read it anew, and
    -- a grant is one that waits for nobody.
    execute format('grant select on monitoring.%I to current_user', p_table);
    raise lock_not_available;
exception
    when lock_not_available then
        null; -- taken back
end
$$;

-- Bounds of a month. Written out, because a time is shown as the session's settings say.
create or replace function monitoring._month_bounds(p_month timestamptz) returns text[]
language sql
stable
return array[
    to_char(p_month at time zone 'UTC', 'YYYY-MM-DD "00:00:00+00"'),
    to_char(
        p_month at time zone 'UTC' + '1 month'::interval, 'YYYY-MM-DD "00:00:00+00"'
    )
];

-- Makes a table that can become a partition of another. "create table ... partition of" would lock
-- the parent against everyone; attaching a table that was made alone does not.
create or replace function monitoring._make_apart(p_table text, p_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('create table monitoring.%I (like monitoring.%I including all)', p_name, p_table);
    if exists (select from monitoring.rollup_progress r where r.table_name = p_table) then
        -- The planner is to take the index that finds new rows, even where one transaction
        -- recorded the whole day.
        execute format(
            'alter table monitoring.%I alter column recorded_xid set (n_distinct = -1)', p_name
        );
    end if;
end
$$;

-- Makes one day's partition of a table; false when it was there.
create or replace function monitoring._make_partition(p_table text, p_day date) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_from timestamptz := p_day::timestamp at time zone 'UTC';
    v_name text := monitoring._partition_name(p_table, v_from);
begin
    if monitoring._has_place(p_table, v_from) then
        return false;
    end if;
    perform monitoring._make_apart(p_table, v_name);
    execute format(
        'alter table monitoring.%I attach partition monitoring.%I for values from (%L) to (%L)',
        -- Written out, because a time is shown as the session's settings say.
        p_table, v_name,
        to_char(p_day, 'YYYY-MM-DD "00:00:00+00"'), to_char(p_day + 1, 'YYYY-MM-DD "00:00:00+00"')
    );
    return true;
end
$$;

-- BRIN indexes of the partition of a day, by which rows are found by time; none where there is
-- no partition.
create or replace function monitoring._time_indexes(p_table text, p_at timestamptz)
returns setof regclass
language sql
stable
begin atomic
    select c.oid::regclass
    from pg_index as i
    inner join pg_class as c on i.indexrelid = c.oid
    inner join pg_am as a on c.relam = a.oid
    where
        i.indrelid = to_regclass('monitoring.' || monitoring._partition_name(p_table, p_at))
        and a.amname = 'brin';
end;

-- Lets the BRIN indexes of the last three days know their last pages, which neither recording
-- nor vacuum does; without that, every search for new rows reads the end of every day.
create or replace function monitoring._index_past_days() returns void
language sql
volatile
begin atomic
    select brin_summarize_new_values(i.time_index)
    from monitoring.partitioned_tables as t
    cross join generate_series(1, 3) as o (days)
    cross join
        lateral monitoring._time_indexes(
            t.table_name, monitoring.clock() - o.days * interval '24 hours'
        ) as i (time_index);
end;

create or replace function monitoring.ensure_partitions(p_days_ahead integer default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_today date := (monitoring.clock() at time zone 'UTC')::date;
    v_made integer;
begin
    if not coalesce(p_days_ahead, 0) between 0 and 100 then
        perform monitoring._refuse_number('p_days_ahead', p_days_ahead::text, 'a number from 0 to 100');
    end if;
    perform monitoring._index_past_days();
    perform monitoring._lock_partitions();
    select count(*) filter (
        where monitoring._make_partition(t.table_name, v_today + o.days)
    )::integer
    into v_made
    from monitoring.partitioned_tables t,
        generate_series(0, coalesce(p_days_ahead, t.days_ahead)) o (days);
    return v_made;
end
$$;

comment on function monitoring.ensure_partitions(integer) is
'Makes the missing partitions from today to so many days ahead (0 to 100, or as configured for '
'each table) for every partitioned table; returns how many it made.';

call monitoring._ship_job(
    'make_partitions', 'Makes the partitions of the days to come.',
    '1 hour', 'monitoring.ensure_partitions'
);

create or replace function monitoring.prepare_backfill(
    p_table_name text, p_from date, p_to date default null
)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_today date := (monitoring.clock() at time zone 'UTC')::date;
    v_to date := coalesce(p_to, p_from);
begin
    perform monitoring._check_partitioned_table(p_table_name);
    if (p_from between date '1970-01-01' and v_to and v_to <= v_today) is not true then
        raise exception using
            errcode = 'PV006',
            message = format('there are no past days from %s to %s',
                coalesce(p_from::text, 'null'), coalesce(v_to::text, 'null')),
            hint = 'Give p_from and a p_to that is not before it, from 1970-01-01 until today.';
    end if;
    -- Every partition takes locks until the end of the transaction, and locks are limited.
    if v_to - p_from >= 100 then
        perform monitoring._refuse_number('the number of days', (v_to - p_from + 1)::text,
            'a number from 1 to 100, and call again for others');
    end if;
    perform monitoring._lock_partitions();
    return (
        select
            count(*) filter (
                where monitoring._make_partition(p_table_name, p_from + o.days)
            )::integer
        from generate_series(0, v_to - p_from) o (days)
    );
end
$$;

comment on function monitoring.prepare_backfill(text, date, date) is
'Makes the missing partitions of a table for past days, at most 100 in a call, so that what is '
'loaded for them can be placed however many days there are; returns how many it made.';

-- Raises PV007 unless a table is partitioned by day.
create or replace function monitoring._check_partitioned_table(p_table_name text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select from monitoring.partitioned_tables t where t.table_name = p_table_name
    ) then
        perform monitoring._refuse_unknown(
            'partitioned table', p_table_name,
            'Take the name from v_retention.'
        );
    end if;
end
$$;

create or replace function monitoring.set_partitions_ahead(
    p_days integer, p_table_name text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if coalesce(p_days, 0) not between 0 and 100 then
        perform monitoring._refuse_number('p_days', p_days::text, 'a number from 0 to 100');
    end if;
    update monitoring.partitioned_tables
    set
        decided_days_ahead = p_days,
        changed_by = case when p_days is not null then session_user end,
        changed_at = case when p_days is not null then monitoring.clock() end
    where table_name = p_table_name or p_table_name is null;
    if not found then
        perform monitoring._refuse_unknown(
            'partitioned table', p_table_name,
            'Take the name from v_retention, or leave it out to mean all.'
        );
    end if;
end
$$;

comment on function monitoring.set_partitions_ahead(integer, text) is
'Sets how many days ahead (0 to 100) partitions are made, for one table or for all; null is as '
'shipped.';
