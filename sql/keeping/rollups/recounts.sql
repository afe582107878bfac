-- Counting anew the hours from which a row was taken back. The end of an attempt that was taken for
-- lost, or of a start that came after it, takes the place of a row that a roll-up may have counted.
-- Reads recounts; writes rollups. Whoever takes a row back notes its hour in the same transaction;
-- the next roll-up counts that hour from the rows that it knows, so that each attempt is in once.

-- Makes the minutes and the hour of a source anew from the rows that roll-ups have taken.
create or replace function monitoring._recount_hour(p_source text, p_hour_at timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_to timestamptz := p_hour_at + interval '1 hour';
begin
    perform monitoring._note_rewritten_hours(p_source, p_hour_at, v_to);
    delete from monitoring.rollups t
    where t.source = p_source
        and t.resolution in ('minute', 'hour')
        and t.bucket_at >= p_hour_at
        and t.bucket_at < v_to;
    insert into monitoring.rollups (
        source, name, label, component, resolution, bucket_at, row_count, value_count, value_sum,
        value_sum_squares, value_min, value_max, histogram
    )
    select a.*
    from monitoring._add_up(
        p_source, false, p_from => p_hour_at, p_to => v_to,
        p_minutes_since => monitoring._minutes_kept_since()
    ) a
    where a.resolution <> 'day';
end
$$;

-- Makes the day of a source anew from its hours.
create or replace function monitoring._recount_day(p_source text, p_day_at timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.rollups t
    where t.source = p_source and t.resolution = 'day' and t.bucket_at = p_day_at;
    insert into monitoring.rollups (
        source, name, label, component, resolution, bucket_at, row_count, value_count, value_sum,
        value_sum_squares, value_min, value_max, histogram
    )
    select
        h.source, h.name, h.label, h.component, 'day', p_day_at, sum(h.row_count),
        sum(h.value_count), sum(h.value_sum), sum(h.value_sum_squares), min(h.value_min),
        max(h.value_max), monitoring.merge_histograms(h.histogram)
    from monitoring.rollups h
    where h.source = p_source
        and h.resolution = 'hour'
        and h.bucket_at >= p_day_at
        and h.bucket_at < p_day_at + interval '24 hours'
    group by h.source, h.name, h.label, h.component;
end
$$;

-- The first day of a source whose rows and hours are all kept.
--
-- Since when hours can be counted from rows, and days from hours: both must be there still.
create or replace function monitoring._countable_since(p_source text) returns timestamptz
language sql
stable
return (
    select date_trunc('day', greatest(r.complete_since, h.since_at) + interval '24 hours', 'UTC')
    from monitoring.rollup_progress as r
    cross join (
        select
            coalesce(
                max(monitoring._kept_from(p.keep, monitoring.clock())), '-infinity'
            ) as since_at
        from monitoring.retention_policies as p
        where p.table_name = 'rollups' and p.category = 'hour'
    ) as h
    where r.source = p_source
);

-- Counts anew the hours and days of a source from which rows were taken back.
create or replace function monitoring._recount_taken_back(p_source text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hours timestamptz [];
begin
    with taken_back as (
        delete from monitoring.recounts c
        where c.source = p_source
        returning c.hour_at
    )

    select array_agg(distinct b.hour_at) into v_hours
    from taken_back b
    where b.hour_at >= monitoring._countable_since(p_source);
    if v_hours is null then
        return;
    end if;
    perform monitoring._unsettle(v_hours)
    where p_source = 'tasks';
    perform monitoring._recount_hour(p_source, h.hour_at) from unnest(v_hours) h (hour_at);
    perform monitoring._recount_day(p_source, d.day_at)
    from (select distinct date_trunc('day', h.hour_at, 'UTC') from unnest(v_hours) h (hour_at))
        d (day_at);
end
$$;
