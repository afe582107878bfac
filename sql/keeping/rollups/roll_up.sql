-- Rolling up: whatever was recorded since the last time is added to the roll-ups, each row once.
-- A claim is the snapshot of the run that made it, kept in rollup_progress: rows of transactions
-- that had ended then are in, those of transactions still open come with a later run. So a long
-- transaction holds up only its own rows, and a late row is as good as any other.
-- Lock order: the row in rollup_progress, then roll-ups.

-- Transactions whose rows can be counted on now: all below a number, except those that are open.
create or replace function monitoring._ended_transactions(
    p_xid_offset bigint, out below bigint, out still_open bigint[]
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_snapshot pg_snapshot := pg_current_snapshot();
begin
    below := pg_snapshot_xmax(v_snapshot)::text::bigint + p_xid_offset;
    still_open := array(
        select x.xid::text::bigint + p_xid_offset from pg_snapshot_xip(v_snapshot) x (xid)
    );
    -- Our own transaction may still record something, such as the end of the job that this is.
    if txid_current() + p_xid_offset < below then
        still_open := still_open || (txid_current() + p_xid_offset);
    end if;
end
$$;

create or replace view monitoring._minutes_kept as
select coalesce(min(monitoring._kept_from(p.keep, c.now)), '-infinity') as since_at
from monitoring.retention_policies as p
cross join (select monitoring.clock() as now) as c
where p.table_name = 'rollups' and p.category = 'minute';

comment on view monitoring._minutes_kept is
'How far back there are roll-ups by the minute. A view, so that readers may ask.';

-- How far back there are roll-ups by the minute: older rows, as in a backfill, go to hours and
-- days only.
create or replace function monitoring._minutes_kept_since() returns timestamptz
language sql
stable
return (select k.since_at from monitoring._minutes_kept as k);

-- Adds the new rows of a source to its roll-ups; returns how many buckets that changed.
create or replace function monitoring._merge_rollups(
    p_source text, p_below bigint, p_still_open bigint[]
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_minutes_since timestamptz := monitoring._minutes_kept_since();
    v_is_reached boolean;
    v_written bigint;
    v_hours timestamptz [];
begin
    v_is_reached := exists (select from monitoring._reached_limits l where l.kind = p_source);
    if v_is_reached then
        perform monitoring._meet_names(p_source, p_below, p_still_open);
    end if;
    loop
        with added as materialized (
            select a.*
            from monitoring._add_up(
                p_source, true, p_below, p_still_open, p_minutes_since => v_minutes_since
            ) a
        ),

        -- Names that are too many are folded before they are added up, so once more.
        refused as materialized (
            select monitoring._reaches_limit(
                p_source, array_agg(d.name), array_agg(d.component), array_agg(d.label)
            ) as is_so
            from (
                select distinct
                    a.name, a.component,
                    case when p_source = 'metrics' then a.label else '' end as label
                from added a
                where a.resolution = 'day' and not v_is_reached
            ) d
        ),

        written as (
            insert into monitoring.rollups as t (
                source, name, label, component, resolution, bucket_at, row_count, value_count,
                value_sum, value_sum_squares, value_min, value_max, histogram
            )
            select a.* from added a
            where (select r.is_so from refused r) is not true
            on conflict (source, bucket_at, name, label, component, resolution) do update
                set
                    row_count = t.row_count + excluded.row_count,
                    value_count = t.value_count + excluded.value_count,
                    value_sum = t.value_sum + excluded.value_sum,
                    value_sum_squares = t.value_sum_squares + excluded.value_sum_squares,
                    value_min = least(t.value_min, excluded.value_min),
                    value_max = greatest(t.value_max, excluded.value_max),
                    histogram = monitoring._merge_histograms(array[t.histogram, excluded.histogram])
            returning t.resolution, t.bucket_at
        )

        select count(*), array_agg(distinct w.bucket_at) filter (where w.resolution = 'hour')
        into v_written, v_hours
        from written w;
        exit when v_written > 0 or v_is_reached;
        v_is_reached := exists (
            select from monitoring._reached_limits l where l.kind = p_source
        );
        exit when not v_is_reached;
    end loop;
    perform monitoring._unsettle(v_hours)
    where p_source = 'tasks';
    perform monitoring._note_changed_hours(p_source, v_hours);
    return v_written;
end
$$;

-- Adds what new checks tell about uptime to its roll-ups; returns how many buckets that changed.
create or replace function monitoring._merge_uptime(p_below bigint, p_still_open bigint[])
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_written bigint;
    v_hours timestamptz [];
begin
    with written as (
        insert into monitoring.rollups as t (
            source, name, label, component, resolution, bucket_at, row_count, value_count,
            value_sum, value_sum_squares
        )
        select u.source, u.name, u.label, u.component, u.resolution, u.bucket_at, 0, 0, u.seconds, 0
        from monitoring._add_up_uptime(p_below, p_still_open) u
        on conflict (source, bucket_at, name, label, component, resolution) do update
            -- Whole microseconds, or crumbs would add up with every late check.
            set value_sum
                = round((t.value_sum + excluded.value_sum)::numeric, 6)::double precision
        returning t.resolution, t.bucket_at
    )

    select count(*), array_agg(distinct w.bucket_at) filter (where w.resolution = 'hour')
    into v_written, v_hours
    from written w;
    perform monitoring._note_changed_hours('uptime', v_hours);
    return v_written;
end
$$;

-- Whether new rows can be in a table: what is quick to plan and to find out, most often that there
-- are none.
create or replace function monitoring._may_have_new_rows(p_table text) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set max_parallel_workers_per_gather = 0
set enable_seqscan = off
as $$
declare
    v_is_so boolean;
begin
    execute format(
        'select exists (select from monitoring.%I l where l.recorded_xid >= $1)'
        ' or exists (select from monitoring.%I d where d.recorded_xid >= $1 and d.%I >= $2)',
        'late_' || p_table, p_table,
        (select t.time_column from monitoring.partitioned_tables t where t.table_name = p_table)
    )
    into v_is_so
    using monitoring._first_new_transaction(p_table), monitoring._open_since(p_table);
    return v_is_so;
end
$$;

-- Adds the new rows of a table to whatever is kept of it, and notes that they are in.
create or replace function monitoring._roll_up_table(
    p_table text, p_below bigint, p_still_open bigint[]
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_written bigint := 0::bigint;
begin
    if monitoring._may_have_new_rows(p_table) then
        select monitoring._merge_rollups(r.source, p_below, p_still_open) into v_written
        from monitoring.rollup_progress r
        where r.table_name = p_table;
    end if;
    -- Every new row is in some bucket: where none was written there is nothing else to do.
    if v_written > 0 and p_table = 'errors' then
        perform monitoring._meet_error_groups(p_below, p_still_open);
        perform monitoring._merge_error_groups(p_below, p_still_open);
        perform monitoring._count_errors(p_below, p_still_open);
    elsif v_written > 0 and p_table = 'finished_tasks' then
        perform monitoring._count_ended_tasks(p_below, p_still_open);
        perform monitoring._note_expected_starts(p_below, p_still_open);
    elsif v_written > 0 and p_table = 'health_probes' then
        v_written := v_written + monitoring._merge_uptime(p_below, p_still_open);
        perform monitoring._merge_component_states(p_below, p_still_open);
    end if;
    update monitoring.rollup_progress
    set
        claimed_below = p_below,
        still_open = p_still_open,
        rolled_up_at = monitoring.clock()
    where table_name = p_table;
    if p_table = 'finished_tasks' then
        perform monitoring._recount_taken_back('tasks');
        -- A snapshot that is older than the last rebuild would keep what it no longer says.
        perform monitoring._settle_trends()
        where current_setting('transaction_isolation') = 'read committed';
    end if;
    return v_written;
end
$$;

create or replace function monitoring.roll_up() returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_table text;
    v_below bigint;
    v_still_open bigint [];
    v_yesterday timestamptz := monitoring._yesterday();
    v_running text [];
    v_written jsonb := jsonb_build_object();
begin
    if current_setting('transaction_isolation') = 'read committed' and exists (
        select from monitoring.rollup_progress r where r.open_since_at <> v_yesterday
    ) then
        v_running := monitoring._running_transactions();
    end if;
    for v_table in
        select r.table_name from monitoring.rollup_progress r
        order by r.table_name
        for update skip locked
    loop
        perform monitoring._follow_transaction_numbers(v_table);
        select e.below, e.still_open into v_below, v_still_open
        from monitoring.rollup_progress r, monitoring._ended_transactions(r.xid_offset) e
        where r.table_name = v_table;
        -- Their rows count as taken from now on, so those of their partitions must be read.
        perform monitoring._look_again_at_partitions(v_table);
        v_written := v_written || jsonb_build_object(
            v_table, monitoring._roll_up_table(v_table, v_below, v_still_open)
        );
        -- What had ended before the claim was made is in.
        perform monitoring._close_days(v_table, v_yesterday, v_running);
        if (v_written ->> v_table)::bigint > 0 then
            perform monitoring._index_open_days(v_table);
        end if;
    end loop;
    return v_written;
end
$$;

comment on function monitoring.roll_up() is
'Adds what was recorded since the last time to the roll-ups by minute, hour and day, each row '
'once. Returns the number of buckets written for each table; a table that another session is '
'rolling up is passed over.';

call monitoring._ship_job(
    'roll_up', 'Sums up what was recorded by minute, hour and day.',
    '1 minute', 'monitoring.roll_up',
    p_timeout => '1 hour'
);

-- Whether a table has rows of a span of time that are not in the roll-ups yet; false for a table
-- that is not rolled up.
create or replace function monitoring._has_new_rows(
    p_table text, p_from timestamptz, p_to timestamptz
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_source text;
    v_has_new_rows boolean;
begin
    select r.source into v_source
    from monitoring.rollup_progress r
    where r.table_name = p_table;
    if v_source is null then
        return false;
    end if;
    execute format(
        'select exists (select from monitoring.%I s'
        ' where s.is_new and s.happened_at >= $1 and s.happened_at < $2'
        ' and (s.is_late or s.happened_at >= $3))',
        '_samples_of_' || v_source
    )
    into v_has_new_rows
    using p_from, p_to,
        -- A day that is to be removed is looked at, whether or not it is closed.
        case when p_from > '-infinity' then p_from else monitoring._open_since(p_table) end;
    return v_has_new_rows;
end
$$;

call monitoring._ship_retention('rollups', '2 days', 'minute');
call monitoring._ship_retention('rollups', '90 days', 'hour');
call monitoring._ship_retention('rollups', '5 years', 'day');
