-- One component over time: what checks found, and how long it took to answer. Reads roll-ups.

create or replace function monitoring.get_component_trends(
    p_component_type text,
    p_component_name text,
    p_from timestamptz,
    p_to timestamptz,
    p_resolution text default 'auto'
)
returns table (
    resolution text,
    bucket_at timestamptz,
    healthy_checks bigint,
    degraded_checks bigint,
    unhealthy_checks bigint,
    unknown_checks bigint,
    avg_response_time_ms double precision,
    p50_response_time_ms double precision,
    p95_response_time_ms double precision,
    p99_response_time_ms double precision,
    max_response_time_ms double precision
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_resolution text := monitoring.get_trend_resolution(p_from, p_to, p_resolution);
begin
    perform monitoring._checked_moment('from', p_from), monitoring._checked_moment('to', p_to);
    return query
    select
        v_resolution, s.bucket_at, s.healthy, s.degraded, s.unhealthy, s.unknown, s.avg_ms,
        monitoring._clamped_percentile(s.histogram, 0.5, s.min_ms, s.max_ms),
        monitoring._clamped_percentile(s.histogram, 0.95, s.min_ms, s.max_ms),
        monitoring._clamped_percentile(s.histogram, 0.99, s.min_ms, s.max_ms),
        s.max_ms
    from (
        select
            t.bucket_at,
            coalesce(sum(t.row_count) filter (where t.label = 'healthy'), 0)::bigint as healthy,
            coalesce(sum(t.row_count) filter (where t.label = 'degraded'), 0)::bigint as degraded,
            coalesce(sum(t.row_count) filter (where t.label = 'unhealthy'), 0)::bigint as unhealthy,
            coalesce(sum(t.row_count) filter (where t.label = 'unknown'), 0)::bigint as unknown,
            sum(t.value_sum) / nullif(sum(t.value_count), 0)::double precision as avg_ms,
            min(t.value_min) as min_ms,
            max(t.value_max) as max_ms,
            monitoring.merge_histograms(t.histogram) as histogram
        from monitoring._trends_of_name('health', p_component_name, v_resolution, p_from, p_to) t
        where t.component = p_component_type and t.bucket_at >= p_from
        group by t.bucket_at
    ) s
    order by s.bucket_at;
end
$$;

comment on function monitoring.get_component_trends(
    text, text, timestamptz, timestamptz, text
) is
'Checks of one component by status, and percentiles of the milliseconds until it answered, of '
'buckets that begin from p_from until before p_to.';
