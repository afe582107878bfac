-- Figures over a fleet: sums, and percentiles from merged histograms, which are the same as if one
-- database had recorded all of it. They are as new as the roll-ups that were read.

-- Roll-ups of members in a span, days where they lie within it, hours at its ends.
create or replace function monitoring._fleet_rollups_between(
    p_source text, p_from timestamptz, p_to timestamptz, p_member_name text default null
)
returns setof monitoring.fleet_rollups
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return query
    select r.*
    from monitoring._hours_and_days(p_from, p_to) s
    cross join lateral (
        values
        ('hour', s.from_at, least(s.first_day, s.to_at)),
        ('day', s.first_day, s.end_day),
        ('hour', greatest(s.first_day, s.end_day), s.to_at)
    ) b (resolution, from_at, to_at)
    -- Member by member, as the primary key has them.
    cross join monitoring.fleet_members m
    cross join lateral (
        select f.* from monitoring.fleet_rollups f
        where f.member_name = m.member_name and f.source = p_source
            and f.resolution = b.resolution
            and f.bucket_at >= b.from_at and f.bucket_at < b.to_at
        offset 0
    ) r
    where p_member_name is null or m.member_name = p_member_name;
end
$$;

create or replace function monitoring.get_fleet_statistics(
    p_source text default 'tasks',
    p_from timestamptz default null,
    p_to timestamptz default null,
    p_member_name text default null
)
returns table (
    name text,
    label text,
    component text,
    members bigint,
    row_count bigint,
    value_count bigint,
    value_sum double precision,
    avg_value double precision,
    p50_value double precision,
    p95_value double precision,
    p99_value double precision,
    min_value double precision,
    max_value double precision
)
language sql
stable
begin atomic
    select
        s.name,
        s.label,
        s.component,
        s.members,
        s.row_count,
        s.value_count,
        s.value_sum,
        s.value_sum / nullif(s.value_count, 0)::double precision as avg_value,
        monitoring._clamped_percentile(s.histogram, 0.5, s.min_value, s.max_value) as p50_value,
        monitoring._clamped_percentile(s.histogram, 0.95, s.min_value, s.max_value) as p95_value,
        monitoring._clamped_percentile(s.histogram, 0.99, s.min_value, s.max_value) as p99_value,
        s.min_value,
        s.max_value
    from (
        select
            r.name,
            r.label,
            r.component,
            count(distinct r.member_name) as members,
            sum(r.row_count)::bigint as row_count,
            sum(r.value_count)::bigint as value_count,
            sum(r.value_sum) as value_sum,
            min(r.value_min) as min_value,
            max(r.value_max) as max_value,
            monitoring.merge_histograms(r.histogram) as histogram
        from monitoring._fleet_rollups_between(
                p_source,
                coalesce(
                    monitoring._checked_moment('from', p_from),
                    monitoring.clock() - '1 day'::interval
                ),
                coalesce(monitoring._checked_moment('to', p_to), 'infinity'),
                p_member_name
            ) as r
        group by r.name, r.label, r.component
    ) as s;
end;

comment on function monitoring.get_fleet_statistics(text, timestamptz, timestamptz, text) is
'Roll-ups (tasks, errors, metrics, queues, health or uptime) of all members or of one, added up '
'over a span of whole hours, the last day when left out. Percentiles are those of all together.';

create or replace view monitoring.v_fleet_trends as
select
    r.member_name,
    r.source,
    r.resolution,
    r.bucket_at,
    r.name,
    r.label,
    r.component,
    r.row_count,
    r.value_count,
    r.value_sum,
    r.value_sum / nullif(r.value_count, 0)::double precision as avg_value,
    monitoring._clamped_percentile(r.histogram, 0.5, r.value_min, r.value_max) as p50_value,
    monitoring._clamped_percentile(r.histogram, 0.95, r.value_min, r.value_max) as p95_value,
    monitoring._clamped_percentile(r.histogram, 0.99, r.value_min, r.value_max) as p99_value,
    r.value_min as min_value,
    r.value_max as max_value,
    r.histogram
from monitoring.fleet_rollups as r;

comment on view monitoring.v_fleet_trends is
'Roll-ups of members by hour and day, as far as they were read.';
comment on column monitoring.v_fleet_trends.member_name is
'Member whose they are.';
comment on column monitoring.v_fleet_trends.source is
'tasks, errors, metrics, queues, health or uptime.';
comment on column monitoring.v_fleet_trends.resolution is
'hour or day.';
comment on column monitoring.v_fleet_trends.bucket_at is
'Beginning of the hour or day, in UTC.';
comment on column monitoring.v_fleet_trends.name is
'Task type, error type, metric, queue or component, as the source has it.';
comment on column monitoring.v_fleet_trends.label is
'Status of tasks and health, severity of errors, unit of metrics, or which figure of a queue.';
comment on column monitoring.v_fleet_trends.component is
'Component of errors and metrics, type of a component for health; empty when there is none.';
comment on column monitoring.v_fleet_trends.row_count is
'Rows recorded.';
comment on column monitoring.v_fleet_trends.value_count is
'How many of them had a value.';
comment on column monitoring.v_fleet_trends.value_sum is
'Sum of the values; for uptime the seconds.';
comment on column monitoring.v_fleet_trends.avg_value is
'Mean of the values.';
comment on column monitoring.v_fleet_trends.p50_value is
'Median of the values, within 2.5 %.';
comment on column monitoring.v_fleet_trends.p95_value is
'95th percentile of the values, within 2.5 %.';
comment on column monitoring.v_fleet_trends.p99_value is
'99th percentile of the values, within 2.5 %.';
comment on column monitoring.v_fleet_trends.min_value is
'Least value.';
comment on column monitoring.v_fleet_trends.max_value is
'Greatest value.';
comment on column monitoring.v_fleet_trends.histogram is
'Distribution of the values, for merge_histograms().';
