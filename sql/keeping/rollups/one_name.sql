-- Reading one name over any span: roll-ups, and the rows that are not rolled up yet.

-- One name of a source at one resolution, in buckets from that of p_from until before p_to, as
-- _trends_of() has them: looked up bucket by bucket, so that other names cost nothing.
create or replace function monitoring._trends_of_name(
    p_source text, p_name text, p_resolution text, p_from timestamptz, p_to timestamptz
)
returns table (
    resolution text,
    bucket_at timestamptz,
    name text,
    label text,
    component text,
    row_count bigint,
    value_count bigint,
    value_sum double precision,
    value_sum_squares double precision,
    value_min double precision,
    value_max double precision,
    histogram monitoring.histogram
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
-- Planned for the resolution and the times.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_stored constant text
    := case when p_resolution in ('minute', 'hour') then p_resolution else 'day' end;
    v_from timestamptz;
begin
    -- There is nothing of it, as in the views.
    if p_resolution <> all (array['minute', 'hour', 'day', 'week', 'month']) then
        return;
    end if;
    v_from := date_trunc(p_resolution, p_from, 'UTC');
    return query
    select p_resolution, date_trunc(p_resolution, t.bucket_at, 'UTC'), p_name, t.label, t.component,
        t.row_count, t.value_count, t.value_sum, t.value_sum_squares, t.value_min, t.value_max,
        t.histogram
    from (
        select r.bucket_at, r.label, r.component, r.row_count, r.value_count, r.value_sum,
            r.value_sum_squares, r.value_min, r.value_max, r.histogram
        -- What clocks that are ahead have told is there as well; beyond that there is nothing.
        from generate_series(
            v_from, least(p_to, monitoring.clock() + interval '25 hours'),
            case v_stored
                when 'minute' then interval '1 minute'
                when 'hour' then interval '1 hour'
                else interval '24 hours'
            end
        ) b (at)
        inner join monitoring._stored_trends r
            on r.source = p_source
            and r.resolution = v_stored
            and r.bucket_at = b.at
            and r.name = p_name
        where r.bucket_at < p_to
        union all
        select n.bucket_at, n.label, n.component, n.row_count, n.value_count, n.value_sum,
            n.value_sum_squares, n.value_min, n.value_max, n.histogram
        from monitoring._add_up(
            p_source, true, p_from => v_from, p_to => p_to + interval '24 hours'
        ) n
        where n.resolution = v_stored
            and n.name = p_name
            and n.bucket_at < p_to
            -- What is older than that will not come into the stored minutes either.
            and (v_stored <> 'minute' or n.bucket_at >= monitoring._minutes_kept_since())
    ) t;
end
$$;
