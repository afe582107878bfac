-- How long rows are kept, as data. Writes retention_policies.

-- What can be removed by age: a new table goes here, or into partitioned_tables, and into
-- retention_policies. A category column is never null; categories are null where any name will do.
create or replace view monitoring._retained_tables as
select
    t.table_name,
    t.time_column,
    c.category_column,
    c.categories,
    true as is_partitioned
from monitoring.partitioned_tables as t
left join (
    values
    ('finished_tasks', 'task_type', null::text[]),
    ('errors', 'severity', array['low', 'medium', 'high', 'critical']),
    ('log_lines', 'level', array['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'])
) as c (table_name, category_column, categories) on t.table_name = c.table_name
union all
select
    p.table_name,
    p.time_column,
    p.category_column,
    p.categories,
    false as is_partitioned
from (
    values
    ('unsuccessful_attempts', 'finished_at', null::text, null::text[]),
    ('rollups', 'bucket_at', 'resolution', array['minute', 'hour', 'day']),
    ('rollup_changes', 'changed_at', null, null),
    ('fleet_rollups', 'bucket_at', 'resolution', array['hour', 'day']),
    ('fleet_workflow_days', 'seen_at', null, null),
    ('fleet_decisions', 'settled_at', null, null),
    ('error_group_totals', 'last_seen_at', null, null),
    ('component_states', 'checked_at', null, null),
    ('running_totals', 'counted_at', null, null),
    ('releases', 'released_at', null, null),
    -- What is open has no end yet, and is never due.
    ('raised_alerts', 'resolved_at', null, null),
    ('alert_transitions', 'changed_at', null, null),
    ('alert_silences', 'ends_at', null, null),
    ('alert_rule_changes', 'changed_at', null, null),
    ('queued_notifications', 'finished_at', null, null),
    ('source_runs', 'ended_at', null, null),
    ('source_troubles', 'ended_at', null, null),
    ('source_loads', 'ended_at', null, null),
    ('records_to_read', 'resolved_at', null, null),
    ('invalid_record_states', 'resolved_at', null, null),
    ('invalid_record_spells', 'resolved_at', null, null),
    ('products_of_records', 'changed_at', null, null),
    ('program_runs', 'finished_at', null, null),
    ('daily_summaries', 'updated_at', null, null),
    ('record_states', 'recorded_at', null, null),
    ('known_names', 'seen_at', null, null),
    ('senders', 'sent_at', null, null)
) as p (table_name, time_column, category_column, categories);

comment on view monitoring._retained_tables is
'Tables whose rows are removed by age.';
comment on column monitoring._retained_tables.table_name is
'Name in schema monitoring.';
comment on column monitoring._retained_tables.time_column is
'Column that says how old a row is.';
comment on column monitoring._retained_tables.category_column is
'Column that policies may tell apart; null when all rows are kept equally long.';
comment on column monitoring._retained_tables.categories is
'Values that it has; null when it may have any.';
comment on column monitoring._retained_tables.is_partitioned is
'Whether the table is partitioned by UTC day.';

-- Rows kept for so long are due when they are older than this; null when that is for ever.
create or replace function monitoring._kept_from(p_keep interval, p_now timestamptz)
returns timestamptz
language sql
stable
-- A day is one of UTC, whatever the time zone of the session.
return (p_now at time zone 'UTC' - p_keep) at time zone 'UTC';

create or replace view monitoring._all_days as
select
    i.inhparent as table_id,
    c.relname::text as partition_name,
    case
        when right(c.relname, 9) ~ '^_\d{8}$'
            then to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp at time zone 'UTC'
        when right(c.relname, 7) ~ '^_\d{6}$'
            then to_date(right(c.relname, 6), 'YYYYMM')::timestamp at time zone 'UTC'
    end as begins_at,
    case
        when right(c.relname, 9) ~ '^_\d{8}$'
            then to_date(right(c.relname, 8), 'YYYYMMDD') + interval '24 hours'
        when right(c.relname, 7) ~ '^_\d{6}$'
            then to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month'
    end at time zone 'UTC' as ends_at
from pg_catalog.pg_inherits as i
inner join pg_catalog.pg_class as c on i.inhrelid = c.oid
where c.relkind in ('r', 'p');

comment on view monitoring._all_days is
'Partitions of all tables with the beginning and end of their day, or of the month that old days '
'became; null for one that is named otherwise.';

create or replace view monitoring._counted_days as
select
    d.table_id,
    count(*) as partitions,
    min(d.begins_at) as oldest_day_at,
    max(d.begins_at) as newest_day_at,
    min(d.ends_at) as oldest_ends_at
from monitoring._all_days as d
group by d.table_id;

comment on view monitoring._counted_days is
'Number of partitions of all tables, in one look: table by table the catalogue looks dear to the '
'planner.';

-- Partitions of a table with the beginning of their day; null for one that is named otherwise.
create or replace function monitoring._days(p_table text)
returns table (partition_name text, begins_at timestamptz)
language sql
stable
begin atomic
    select
        d.partition_name,
        d.begins_at
    from monitoring._all_days as d
    where d.table_id = to_regclass('monitoring.' || p_table);
end;

-- The same, with their ends.
create or replace function monitoring._spans_of(p_table text) returns setof monitoring._all_days
language sql
stable
begin atomic
    select
        d.table_id,
        d.partition_name,
        d.begins_at,
        d.ends_at
    from monitoring._all_days as d
    where d.table_id = to_regclass('monitoring.' || p_table);
end;

-- Days that end before this may go as a whole; null when some rows are kept for ever.
create or replace function monitoring._days_due_before(p_table text, p_now timestamptz)
returns timestamptz
language sql
stable
return (
    select
        case
            when
                bool_and(p.keep is not null)
                and (bool_or(p.category = '') or array_agg(p.category) @> min(r.categories))
                then min(monitoring._kept_from(p.keep, p_now))
        end
    from monitoring.retention_policies as p
    inner join monitoring._retained_tables as r on p.table_name = r.table_name
    where p.table_name = p_table
);

-- Raises PV004 unless rows can be kept for so long: from the least that the table allows to 100
-- years, or for ever (null).
create or replace function monitoring._check_keep(p_keep interval, p_least interval)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (
        p_keep is null
        or p_keep between p_least and interval '100 years'
        -- "1 month -30 days" is something in some months only.
        and least(
            extract(year from p_keep), extract(month from p_keep), extract(day from p_keep),
            extract(hour from p_keep)
        ) >= 0
    ) is not true then
        perform monitoring._refuse_number('p_keep', p_keep::text,
            format('an interval from %s to 100 years, or null to keep rows for ever', p_least));
    end if;
end
$$;

-- Raises PV003, or what is raised for a bad name, unless rows of a table may have that category.
create or replace function monitoring._check_category(
    p_category text, p_category_column text, p_categories text[]
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_category = '' then
        return;
    elsif p_category_column is null then
        perform monitoring._refuse_choice('category', p_category, array['''''']);
    elsif p_categories is null then
        perform monitoring._checked_name('category', p_category);
    elsif (p_category = any(p_categories)) is not true then
        perform monitoring._refuse_choice('category', p_category, p_categories);
    end if;
end
$$;

-- The table of that name whose rows are removed by age, or PV007.
create or replace function monitoring._found_retained(p_table_name text)
returns monitoring._retained_tables
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_table monitoring._retained_tables;
begin
    select t.* into v_table from monitoring._retained_tables t where t.table_name = p_table_name;
    if not found then
        perform monitoring._refuse_unknown(
            'retention for table', p_table_name,
            'Take the name from v_retention.'
        );
    end if;
    return v_table;
end
$$;

create or replace function monitoring.set_retention(
    p_table_name text, p_keep interval, p_category text default ''
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_table constant monitoring._retained_tables := monitoring._found_retained(p_table_name);
    v_category constant text := coalesce(p_category, '');
begin
    perform monitoring._check_category(v_category, v_table.category_column, v_table.categories);
    perform monitoring._check_keep(
        p_keep, case when v_table.is_partitioned then interval '1 day' else interval '1 minute' end
    );
    insert into monitoring.retention_policies (
        table_name, category, decided_keep, changed_by, changed_at
    )
    values (p_table_name, v_category, p_keep, session_user, monitoring.clock())
    on conflict (table_name, category) do update
        set
            decided_keep = excluded.decided_keep,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at;
end
$$;

comment on function monitoring.set_retention(text, interval, text) is
'Sets how long rows of a table are kept: 1 day to 100 years, or null for ever. With a category '
'(severity, task type, level, resolution) it does so for those rows alone.';

create or replace function monitoring.reset_retention(
    p_table_name text, p_category text default ''
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_decided boolean;
begin
    perform monitoring._found_retained(p_table_name);
    delete from monitoring.retention_policies
    where table_name = p_table_name and category = coalesce(p_category, '') and not is_shipped;
    v_is_decided := found;
    update monitoring.retention_policies
    set decided_keep = null, changed_by = null, changed_at = null
    where table_name = p_table_name
        and category = coalesce(p_category, '')
        and changed_at is not null;
    return v_is_decided or found;
end
$$;

comment on function monitoring.reset_retention(text, text) is
'Takes back what set_retention() set for a table, or one of its categories: rows are kept as '
'shipped then; false when nothing had been set.';

-- Keeps a table from being rolled up, and its roll-ups from being rebuilt, in this transaction.
create or replace function monitoring._hold_roll_up(p_table text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform from monitoring.rollup_progress r where r.table_name = p_table for update;
end
$$;

-- Notes up to where rows of a category, or of all (null), have been removed; if there were any,
-- roll-ups cannot be rebuilt from before that.
create or replace function monitoring._note_removed(
    p_table text, p_category text, p_before timestamptz, p_rows bigint
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.retention_policies p
    set removed_before = greatest(p.removed_before, p_before)
    where p.table_name = p_table and p.category = coalesce(p_category, p.category);
    update monitoring.rollup_progress r
    set complete_since = greatest(r.complete_since, p_before)
    where r.table_name = p_table and p_rows > 0;
end
$$;

-- What a clean-up says of something that it could not remove.
create or replace function monitoring._not_removed(
    p_table text, p_category text, p_action text, p_before timestamptz, p_note text
)
returns monitoring.removal
language sql
stable
return row(p_table, p_category, p_action, 0, 0::bigint, 0::bigint, p_before, p_note)
::monitoring.removal;
