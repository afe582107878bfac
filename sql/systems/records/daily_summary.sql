-- What each day of a dataset came to. Writes daily_summaries.
-- Counted anew from the rows each time. Where retention has removed some, what was counted before
-- is the better figure, unless there is more by now.

-- Up to when rows of some tables may have been removed.
create or replace function monitoring._removed_before(p_tables text[]) returns timestamptz
language sql
stable
return (
    select max(p.removed_before)
    from monitoring.retention_policies as p
    where p.table_name = any(p_tables)
);

-- The sum of an object of numbers.
create or replace function monitoring._sum_of(p_counts jsonb) returns bigint
language sql
immutable
return (select coalesce(sum(c.value::bigint), 0)::bigint from jsonb_each_text(p_counts) as c);

-- The summary with what the program runs for a day told.
create or replace function monitoring._summarize_runs(
    p_dataset text, p_target_date date, inout p_summary monitoring.daily_summaries
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select
        count(*),
        least(coalesce(sum(l.records_stored), 0), 9223372036854775807)::bigint,
        least(coalesce(sum(l.alerts_sent), 0), 9223372036854775807)::bigint
    into p_summary.runs, p_summary.records_stored, p_summary.alerts_sent
    from monitoring.processing_log l
    where l.dataset = p_dataset and l.target_date = p_target_date and l.run_mode <> 'dry_run';

    select
        coalesce(sum(l.total_records_queried), 0)::bigint,
        coalesce(sum(l.valid_records), 0)::bigint,
        coalesce(sum(l.invalid_records), 0)::bigint
    into p_summary.records_queried, p_summary.valid_records, p_summary.invalid_records
    from (
        select n.*
        from monitoring.processing_log n
        where n.dataset = p_dataset
            and n.target_date = p_target_date
            and n.run_mode = 'full'
            and n.status = 'completed'
        order by n.finished_at desc
        limit 1
    ) l;
end
$$;

-- The summary with how many invalid records were opened and resolved in a span of time, and how
-- many were open at its end.
create or replace function monitoring._summarize_invalid_records(
    p_dataset text,
    p_from timestamptz,
    p_to timestamptz,
    inout p_summary monitoring.daily_summaries
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    with spells as (
        select s.validation_type, s.opened_at, s.resolved_at
        from monitoring.invalid_record_spells s
        where s.dataset = p_dataset and s.resolved_at >= p_from and s.opened_at < p_to
        union all
        select s.validation_type, s.opened_at, s.resolved_at
        from monitoring.invalid_record_states s
        where s.dataset = p_dataset and s.resolved_at = 'infinity' and s.opened_at < p_to
    ),

    types as (
        select
            s.validation_type,
            count(*) filter (where s.opened_at >= p_from) as opened,
            count(*) filter (where s.resolved_at < p_to) as resolved,
            count(*) filter (where s.resolved_at >= p_to) as still_open
        from spells s
        group by s.validation_type
    )

    select
        coalesce(sum(t.opened), 0)::bigint,
        coalesce(sum(t.resolved), 0)::bigint,
        coalesce(sum(t.still_open), 0)::bigint,
        coalesce(
            jsonb_object_agg(t.validation_type, t.opened) filter (where t.opened > 0), '{}'
        )
    into
        p_summary.invalid_opened, p_summary.invalid_resolved, p_summary.invalid_open,
        p_summary.invalid_by_type
    from types t;
end
$$;

-- The summary with the status changes that took effect in a span of time, and the products first
-- seen in it.
create or replace function monitoring._summarize_changes(
    p_dataset text,
    p_from timestamptz,
    p_to timestamptz,
    inout p_summary monitoring.daily_summaries
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for its times: only the days that can have such changes are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    select
        coalesce(sum(c.changes), 0)::bigint,
        coalesce(jsonb_object_agg(c.change_source, c.changes), '{}')
    into p_summary.status_changes, p_summary.status_changes_by_source
    from (
        select s.change_source, count(*) as changes
        from monitoring._all_status_changes s
        where s.dataset = p_dataset
            -- Times may be a day ahead of ours when they are recorded.
            and s.recorded_at >= p_from - interval '24 hours'
            and s.effective_at >= p_from
            and s.effective_at < p_to
        group by s.change_source
    ) c;

    select count(*) into p_summary.products
    from monitoring.products_of_records p
    where p.dataset = p_dataset and p.first_seen_at >= p_from and p.first_seen_at < p_to;
end
$$;

-- A summary counted anew, with the figures of the one before where rows of its day have been
-- removed since.
create or replace function monitoring._kept_figures(
    p_old monitoring.daily_summaries, p_new monitoring.daily_summaries, p_from timestamptz
)
returns monitoring.daily_summaries
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if monitoring._removed_before(array['finished_tasks', 'program_runs']) > p_from then
        p_new.runs := greatest(p_new.runs, p_old.runs);
        p_new.records_queried := greatest(p_new.records_queried, p_old.records_queried);
        p_new.valid_records := greatest(p_new.valid_records, p_old.valid_records);
        p_new.invalid_records := greatest(p_new.invalid_records, p_old.invalid_records);
        p_new.records_stored := greatest(p_new.records_stored, p_old.records_stored);
        p_new.alerts_sent := greatest(p_new.alerts_sent, p_old.alerts_sent);
    end if;
    if monitoring._removed_before(
        array['invalid_record_states', 'invalid_record_spells']
    ) > p_from then
        p_new.invalid_opened := greatest(p_new.invalid_opened, p_old.invalid_opened);
        p_new.invalid_resolved := greatest(p_new.invalid_resolved, p_old.invalid_resolved);
        p_new.invalid_open := greatest(p_new.invalid_open, p_old.invalid_open);
        p_new.invalid_by_type := case
            when monitoring._sum_of(p_old.invalid_by_type) > monitoring._sum_of(p_new.invalid_by_type)
                then p_old.invalid_by_type
            else p_new.invalid_by_type
        end;
    end if;
    if monitoring._removed_before(array['status_changes']) > p_from then
        p_new.status_changes := greatest(p_new.status_changes, p_old.status_changes);
        p_new.status_changes_by_source := case
            when p_old.status_changes = p_new.status_changes then p_old.status_changes_by_source
            else p_new.status_changes_by_source
        end;
    end if;
    if monitoring._removed_before(array['products_of_records']) > p_from then
        p_new.products := greatest(p_new.products, p_old.products);
    end if;
    return p_new;
end
$$;

create or replace function monitoring.update_daily_summary(
    p_dataset text, p_target_date date, p_is_dry_run boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_hint text;
    v_dataset text := monitoring._mended_key('dataset', p_dataset);
    v_time_zone text := monitoring._time_zone_of(p_dataset);
    v_from timestamptz;
    v_to timestamptz;
    v_old monitoring.daily_summaries;
    v_new monitoring.daily_summaries;
begin
    if p_target_date is null then
        perform monitoring._refuse_json('target_date', 'null', 'a day such as 2026-01-15');
    end if;
    perform monitoring._checked_date('target_date', p_target_date);
    v_from := p_target_date::timestamp at time zone v_time_zone;
    v_to := (p_target_date + 1)::timestamp at time zone v_time_zone;
    -- Of two at once, the later one counts what the earlier one saw as well.
    perform monitoring._guard_one_of_many('summary', format('%s %s', v_dataset, p_target_date));
    v_new.dataset := v_dataset;
    v_new.target_date := p_target_date;
    v_new.updated_at := monitoring.clock();
    v_new := monitoring._summarize_runs(v_dataset, p_target_date, v_new);
    v_new := monitoring._summarize_invalid_records(v_dataset, v_from, v_to, v_new);
    v_new := monitoring._summarize_changes(v_dataset, v_from, v_to, v_new);
    select d.* into v_old
    from monitoring.daily_summaries d
    where d.dataset = v_dataset and d.target_date = p_target_date;
    if found then
        v_new := monitoring._kept_figures(v_old, v_new, v_from);
    end if;
    if p_is_dry_run is not true then
        delete from monitoring.daily_summaries d
        where d.dataset = v_dataset and d.target_date = p_target_date;
        insert into monitoring.daily_summaries select (v_new).*;
    end if;
    return to_jsonb(v_new);
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
        or sqlstate 'PV004' or sqlstate 'PV005' or sqlstate 'PV006' or sqlstate 'PV007' then
            get stacked diagnostics v_hint = pg_exception_hint;
            perform monitoring._tell_refusal('update_daily_summary', sqlstate, sqlerrm, v_hint);
            return null;
end
$$;

comment on function monitoring.update_daily_summary(text, date, boolean) is
'Counts anew what a day of a dataset came to, late data included, and returns the row; nothing is '
'lowered because retention has removed what it was counted from.';

call monitoring._ship_retention('daily_summaries', '1 year');
