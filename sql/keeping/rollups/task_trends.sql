-- How tasks went by hour, day, week and month. Spans that are over are settled: what is shown of
-- them is kept as it is shown, so that nothing is merged when it is read. Spans that go on, and
-- those that something came to late, are merged from roll-ups and from what is not rolled up yet.

-- Stored roll-ups of tasks in one span.
create or replace function monitoring._rollups_of_span(p_resolution text, p_bucket_at timestamptz)
returns setof monitoring._stored_trends
language plpgsql
stable
rows 20
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select t.*
    from monitoring._stored_trends t
    where t.source = 'tasks'
        and t.resolution = p_resolution
        and t.bucket_at = p_bucket_at
        -- What the index knows.
        and t.stored_at >= p_bucket_at
        and t.stored_at < monitoring._span_end(p_resolution, p_bucket_at);
end
$$;

create or replace view monitoring._task_trends as
with added as materialized (
    select a.* from monitoring._new_trends('tasks') as a
),

-- Settled spans whose figures lack something that came late.
late_spans as materialized (
    select
        u.resolution,
        u.bucket_at
    from monitoring.unsettled_spans as u
    union
    select
        a.resolution,
        a.bucket_at
    from added as a
    inner join monitoring.trend_progress as p on a.resolution = p.resolution
    where a.bucket_at < p.settled_to_at
),

-- Of spans that go on or have only just ended. Written so that the planner takes an index: a range
-- with two ends is expected to hold little.
open_spans as (
    select t.*
    from monitoring._stored_trends as t
    where t.source = 'tasks' and t.resolution = 'minute'
    union all
    select t.*
    from monitoring._stored_trends as t
    where
        t.source = 'tasks'
        and t.resolution = 'hour'
        and t.stored_at between (
            select p.settled_to_at from monitoring.trend_progress as p where p.resolution = 'hour'
        ) and 'infinity'
    union all
    select t.*
    from monitoring._stored_trends as t
    where
        t.source = 'tasks'
        and t.resolution = 'day'
        and t.stored_at between (
            select p.settled_to_at from monitoring.trend_progress as p where p.resolution = 'day'
        ) and 'infinity'
    union all
    select t.*
    from monitoring._stored_trends as t
    where
        t.source = 'tasks'
        and t.resolution = 'week'
        and t.stored_at between (
            select p.settled_to_at from monitoring.trend_progress as p where p.resolution = 'week'
        ) and 'infinity'
    union all
    select t.*
    from monitoring._stored_trends as t
    where
        t.source = 'tasks'
        and t.resolution = 'month'
        and t.stored_at between (
            select p.settled_to_at from monitoring.trend_progress as p where p.resolution = 'month'
        ) and 'infinity'
),

parts as (
    select
        o.resolution,
        o.bucket_at,
        o.name,
        o.label,
        o.row_count,
        o.value_count,
        o.value_sum,
        o.value_min,
        o.value_max,
        o.histogram
    from open_spans as o
    union all
    select
        a.resolution,
        a.bucket_at,
        a.name,
        a.label,
        a.row_count,
        a.value_count,
        a.value_sum,
        a.value_min,
        a.value_max,
        a.histogram
    from added as a
    union all
    select
        r.resolution,
        r.bucket_at,
        r.name,
        r.label,
        r.row_count,
        r.value_count,
        r.value_sum,
        r.value_min,
        r.value_max,
        r.histogram
    from late_spans as s
    cross join lateral monitoring._rollups_of_span(s.resolution, s.bucket_at) as r
)

select
    t.resolution,
    t.bucket_at,
    t.task_type,
    t.tasks,
    t.completed,
    t.failed,
    t.durations,
    t.duration_sum,
    t.min_duration_ms,
    t.max_duration_ms,
    t.percentiles
from monitoring.task_trends as t
where
    not exists (
        select from late_spans as s
        where s.resolution = t.resolution and s.bucket_at = t.bucket_at
    )
union all
select
    p.resolution,
    p.bucket_at,
    p.name as task_type,
    sum(p.row_count)::bigint as tasks,
    coalesce(sum(p.row_count) filter (where p.label = 'completed'), 0)::bigint as completed,
    coalesce(
        sum(p.row_count) filter (where monitoring._is_failure(p.label)), 0
    )::bigint as failed,
    sum(p.value_count)::bigint as durations,
    sum(p.value_sum) as duration_sum,
    min(p.value_min) as min_duration_ms,
    max(p.value_max) as max_duration_ms,
    monitoring._clamped_percentiles(
        monitoring.merge_histograms(p.histogram), min(p.value_min), max(p.value_max)
    ) as percentiles
from parts as p
group by p.resolution, p.bucket_at, p.name;

comment on view monitoring._task_trends is
'Figures of v_task_trends as they are kept for settled spans.';

create or replace view monitoring.v_task_trends as
select
    t.resolution,
    t.bucket_at,
    t.task_type,
    t.tasks,
    t.completed,
    t.failed,
    t.tasks - t.completed - t.failed as ended_otherwise,
    round(100.0 * t.completed / t.tasks, 2) as success_percent,
    t.tasks / monitoring._bucket_hours(t.resolution, t.bucket_at) as tasks_per_hour,
    t.duration_sum / nullif(t.durations, 0)::double precision as avg_duration_ms,
    t.percentiles[1] as p50_duration_ms,
    t.percentiles[2] as p95_duration_ms,
    t.percentiles[3] as p99_duration_ms,
    t.min_duration_ms,
    t.max_duration_ms
from monitoring._task_trends as t;

comment on view monitoring.v_task_trends is
'Attempts that ended, by hour, day, week and month, and by task type.';
comment on column monitoring.v_task_trends.resolution is
'minute, hour, day, week or month: choose one, or every attempt is counted in each.';
comment on column monitoring.v_task_trends.bucket_at is
'Beginning of the span in UTC; weeks begin on Monday.';
comment on column monitoring.v_task_trends.task_type is
'What kind of work it was.';
comment on column monitoring.v_task_trends.tasks is
'Attempts that ended.';
comment on column monitoring.v_task_trends.completed is
'Attempts that completed.';
comment on column monitoring.v_task_trends.failed is
'Attempts that failed, timed out or got lost.';
comment on column monitoring.v_task_trends.ended_otherwise is
'Attempts that neither completed nor failed: they were cancelled.';
comment on column monitoring.v_task_trends.success_percent is
'Completed of ended, 0 to 100.';
comment on column monitoring.v_task_trends.tasks_per_hour is
'Throughput: attempts that ended by hour of the span, also while it is not over.';
comment on column monitoring.v_task_trends.avg_duration_ms is
'Mean milliseconds from start to end.';
comment on column monitoring.v_task_trends.p50_duration_ms is
'Median of the milliseconds, within 2.5 %.';
comment on column monitoring.v_task_trends.p95_duration_ms is
'95 % took no longer than this, in milliseconds, within 2.5 %.';
comment on column monitoring.v_task_trends.p99_duration_ms is
'99 % took no longer than this, in milliseconds, within 2.5 %.';
comment on column monitoring.v_task_trends.min_duration_ms is
'Milliseconds that the shortest took.';
comment on column monitoring.v_task_trends.max_duration_ms is
'Milliseconds that the longest took.';
