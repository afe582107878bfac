-- Removing what is old of records when a program asks for it, whatever the policies say: one call,
-- one transaction, bounded work, and no waiting for locks. Deletes from what invalid records,
-- changes of status, products, program runs and daily summaries are kept in, and notes in
-- retention_policies how far. What is open and what statuses records have now stays.

-- The tables that hold what is old of records: the view that people know it by, its relation (of
-- what is partitioned the days that have begun by then) and the condition on rows of alias t.
create or replace function monitoring._old_records(p_before timestamptz)
returns table (view_name text, table_name text, relation_name text, condition text)
language sql
stable
begin atomic
    select
        o.view_name,
        o.table_name,
        o.relation_name,
        format('t.%I < %L', o.time_column, p_before)
        || case
            -- What people have accepted stays as long as it is found.
            when o.table_name = 'invalid_record_states'
                then format(' and t.last_detected_at < %L', p_before)
            else ''
        end as condition
    from (
        values
        ('invalid_records', 'invalid_record_states', 'invalid_record_states', 'resolved_at'),
        ('invalid_record_spells', 'invalid_record_spells', 'invalid_record_spells', 'resolved_at'),
        ('record_products', 'products_of_records', 'products_of_records', 'changed_at'),
        ('processing_log', 'program_runs', 'program_runs', 'finished_at'),
        ('daily_summary', 'daily_summaries', 'daily_summaries', 'updated_at'),
        ('status_history', 'status_changes', 'late_status_changes', 'recorded_at')
    ) as o (view_name, table_name, relation_name, time_column)
    union all
    select
        'status_history' as view_name,
        'status_changes' as table_name,
        d.partition_name as relation_name,
        format('t.recorded_at < %L', p_before) as condition
    from monitoring._days('status_changes') as d
    where d.begins_at < p_before;
end;

-- Deletes, or in a dry run counts, so many rows at most of a relation that meet a condition and
-- are of a dataset, or of any (null).
create or replace function monitoring._remove_old_rows(
    p_relation text, p_condition text, p_dataset text, p_most bigint, p_is_dry_run boolean
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The condition comes from _old_records(), which quotes what is in it:
-- @plpgsql_check_options: security_warnings = off
declare
    v_condition constant text := p_condition
        || coalesce(' and t.dataset = ' || quote_literal(p_dataset), '');
    v_rows bigint;
begin
    execute format(
        case
            when p_is_dry_run
                then 'select count(*) from (select from monitoring.%I t where %s limit $1) d'
            else 'with gone as ('
                '   delete from monitoring.%1$I t where t.ctid = any(array('
                '     select t.ctid from monitoring.%1$I t where %2$s limit $1'
                '     for update skip locked'
                -- Again, since a row may have been opened anew meanwhile.
                '   )) and %2$s returning 1'
                ' ) select count(*) from gone'
        end,
        p_relation, v_condition
    )
    into v_rows
    using p_most;
    return v_rows;
end
$$;

-- Keeps clean-ups from running until the transaction ends, and returns why nothing may be removed
-- now; null when something may.
create or replace function monitoring._reason_not_to_remove() returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_until timestamptz;
begin
    if not monitoring._try_guard('cleanup') then
        return 'another clean-up is running';
    end if;
    v_until := (select w.p_until from monitoring._clean_up_waits_until(monitoring.clock()) w);
    return 'the clock jumped ahead: wait until '
        || to_char(v_until, 'YYYY-MM-DD HH24:MI:SSOF') || ', or call confirm_clock()';
end
$$;

create or replace function monitoring.cleanup_old_monitoring_data(
    p_retention_days bigint, p_dataset text default null, p_is_dry_run boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_dataset text := monitoring._checked_optional_name('dataset', p_dataset);
    v_is_dry_run boolean := coalesce(p_is_dry_run, true);
    v_before timestamptz;
    -- About a second of work, as that of a clean-up.
    v_left bigint := 100000::bigint;
    v_reason text;
    v_old record;
    v_rows bigint;
    v_counts jsonb := '{}'::jsonb;
begin
    if (p_retention_days between 1 and 36500) is not true then
        perform monitoring._refuse_number(
            'retention_days', p_retention_days::text, 'a number of days from 1 to 36500'
        );
    end if;
    v_before := monitoring._kept_from(make_interval(days => p_retention_days::integer), monitoring.clock());
    if not v_is_dry_run then
        v_reason := monitoring._reason_not_to_remove();
        if v_reason is not null then
            raise warning 'nothing is removed: %', v_reason;
            v_left := 0::bigint;
        end if;
    end if;
    for v_old in
        select o.* from monitoring._old_records(v_before) o order by o.view_name, o.relation_name
    loop
        v_rows := monitoring._remove_old_rows(
            v_old.relation_name, v_old.condition, v_dataset, v_left, v_is_dry_run
        );
        v_left := v_left - v_rows;
        v_counts := v_counts || jsonb_build_object(
            v_old.view_name, coalesce((v_counts ->> v_old.view_name)::bigint, 0) + v_rows
        );
        if v_rows > 0 and not v_is_dry_run then
            -- A day that is counted anew is not to come to less.
            perform monitoring._note_removed(v_old.table_name, null, v_before, v_rows);
        end if;
    end loop;
    return v_counts;
end
$$;

comment on function monitoring.cleanup_old_monitoring_data(bigint, text, boolean) is
'Removes what is older than so many days of the records of a dataset or of all, whatever the '
'policies say, but for what is open and what statuses records have now: about 100,000 rows a call. '
'Returns how many by view, in a dry run how many there would be.';
