-- What happened by hour, day, week and month, with columns that a dashboard can rely on.

create or replace view monitoring.v_error_trends as
select
    t.resolution,
    t.bucket_at,
    t.name as error_type,
    t.label as severity,
    nullif(t.component, '') as component,
    sum(t.row_count)::bigint as occurrences
from monitoring._trends_of('errors') as t
group by t.resolution, t.bucket_at, t.name, t.label, t.component;

create or replace view monitoring.v_performance_trends as
select
    s.resolution,
    s.bucket_at,
    s.metric_name,
    s.component,
    s.unit,
    s.samples,
    s.avg_value,
    s.min_value,
    s.max_value,
    -- Rounding can make a spread of nothing a little less than nothing.
    sqrt(greatest(s.sum_squares / s.samples - s.avg_value * s.avg_value, 0)) as stddev_value,
    s.percentiles[1] as p50_value,
    s.percentiles[2] as p95_value,
    s.percentiles[3] as p99_value
from (
    select
        t.resolution,
        t.bucket_at,
        t.name as metric_name,
        nullif(t.component, '') as component,
        nullif(t.label, '') as unit,
        sum(t.row_count)::bigint as samples,
        sum(t.value_sum) / sum(t.value_count)::double precision as avg_value,
        sum(t.value_sum_squares) as sum_squares,
        min(t.value_min) as min_value,
        max(t.value_max) as max_value,
        monitoring._clamped_percentiles(
            monitoring.merge_histograms(t.histogram), min(t.value_min), max(t.value_max)
        ) as percentiles
    from monitoring._trends_of('metrics') as t
    group by t.resolution, t.bucket_at, t.name, t.component, t.label
) as s;

create or replace view monitoring.v_health_trends as
select
    s.resolution,
    s.bucket_at,
    s.component_type,
    s.component_name,
    s.checks,
    s.unhealthy_checks,
    round((100.0 * s.up_seconds / nullif(s.known_seconds, 0))::numeric, 3) as uptime_percent,
    s.up_seconds,
    s.known_seconds,
    s.avg_response_time_ms,
    monitoring._clamped_percentile(
        s.histogram, 0.95, s.min_response_time_ms, s.max_response_time_ms
    ) as p95_response_time_ms,
    s.max_response_time_ms
from (
    select
        b.resolution,
        b.bucket_at,
        b.component_type,
        b.component_name,
        coalesce(sum(b.row_count), 0)::bigint as checks,
        coalesce(sum(b.row_count) filter (where b.status = 'unhealthy'), 0)::bigint
            as unhealthy_checks,
        coalesce(sum(b.seconds) filter (where b.status in ('healthy', 'degraded')), 0)
            as up_seconds,
        coalesce(sum(b.seconds) filter (where b.status <> 'unknown'), 0) as known_seconds,
        sum(b.value_sum) / nullif(sum(b.value_count), 0)::double precision
            as avg_response_time_ms,
        min(b.value_min) as min_response_time_ms,
        max(b.value_max) as max_response_time_ms,
        monitoring.merge_histograms(b.histogram) as histogram
    from (
        select
            c.resolution,
            c.bucket_at,
            c.component as component_type,
            c.name as component_name,
            c.label as status,
            c.row_count,
            c.value_count,
            c.value_sum,
            c.value_min,
            c.value_max,
            c.histogram,
            null::double precision as seconds
        from monitoring._trends_of('health') as c
        union all
        select
            u.resolution,
            u.bucket_at,
            u.component_type,
            u.component_name,
            u.status,
            null::bigint as row_count,
            null::bigint as value_count,
            null::double precision as value_sum,
            null::double precision as value_min,
            null::double precision as value_max,
            null::monitoring.histogram as histogram,
            u.seconds
        from monitoring._uptime_trends() as u
    ) as b
    group by b.resolution, b.bucket_at, b.component_type, b.component_name
) as s;

comment on view monitoring.v_error_trends is
'Errors by hour, day, week and month, and by type, severity and component.';
comment on column monitoring.v_error_trends.resolution is
'minute, hour, day, week or month: choose one, or every error is counted in each.';
comment on column monitoring.v_error_trends.bucket_at is
'Beginning of the span in UTC; weeks begin on Monday.';
comment on column monitoring.v_error_trends.error_type is
'Kind of error.';
comment on column monitoring.v_error_trends.severity is
'low, medium, high or critical.';
comment on column monitoring.v_error_trends.component is
'Program, service or stage that spoke.';
comment on column monitoring.v_error_trends.occurrences is
'How often it was recorded.';

comment on view monitoring.v_performance_trends is
'Measured values by hour, day, week and month, and by metric, component and unit, from roll- '
'ups.';
comment on column monitoring.v_performance_trends.resolution is
'minute, hour, day, week or month: choose one, or every value is counted in each.';
comment on column monitoring.v_performance_trends.bucket_at is
'Beginning of the span in UTC; weeks begin on Monday.';
comment on column monitoring.v_performance_trends.metric_name is
'What was measured.';
comment on column monitoring.v_performance_trends.component is
'Program, service or stage that was measured.';
comment on column monitoring.v_performance_trends.unit is
'Unit of the values.';
comment on column monitoring.v_performance_trends.samples is
'How many values were measured.';
comment on column monitoring.v_performance_trends.avg_value is
'Their mean.';
comment on column monitoring.v_performance_trends.min_value is
'The least of them.';
comment on column monitoring.v_performance_trends.max_value is
'The greatest of them.';
comment on column monitoring.v_performance_trends.stddev_value is
'Their standard deviation.';
comment on column monitoring.v_performance_trends.p50_value is
'Their median, within 2.5 %.';
comment on column monitoring.v_performance_trends.p95_value is
'95 % of them were no greater than this, within 2.5 %.';
comment on column monitoring.v_performance_trends.p99_value is
'99 % of them were no greater than this, within 2.5 %.';

comment on view monitoring.v_health_trends is
'Health checks and uptime by hour, day, week and month, and by component.';
comment on column monitoring.v_health_trends.resolution is
'minute, hour, day, week or month: choose one, or every check is counted in each; minutes '
'have no uptime.';
comment on column monitoring.v_health_trends.bucket_at is
'Beginning of the span in UTC; weeks begin on Monday.';
comment on column monitoring.v_health_trends.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.v_health_trends.component_name is
'Which component it is.';
comment on column monitoring.v_health_trends.checks is
'How many checks there were.';
comment on column monitoring.v_health_trends.unhealthy_checks is
'How many found it unhealthy.';
comment on column monitoring.v_health_trends.uptime_percent is
'Share of the known time in which it was healthy or degraded, 0 to 100, up to the newest '
'check.';
comment on column monitoring.v_health_trends.up_seconds is
'Seconds in which it was healthy or degraded.';
comment on column monitoring.v_health_trends.known_seconds is
'Seconds in which it was not unknown.';
comment on column monitoring.v_health_trends.avg_response_time_ms is
'Mean milliseconds until it answered.';
comment on column monitoring.v_health_trends.p95_response_time_ms is
'95 % of the answers took no longer than this, in milliseconds, within 2.5 %.';
comment on column monitoring.v_health_trends.max_response_time_ms is
'Milliseconds of the slowest answer.';
