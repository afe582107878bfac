-- Lines of small charts, point by point. Reads roll-ups of one resolution and one span, and of what
-- is not rolled up yet only what lies in that span; a condition on a trend view does not get past
-- its sums, so that all days there are would be asked.

-- Attempts that ended, by bucket and by how they did; place orders the points of a bucket.
create or replace function monitoring._points_of_tasks(
    p_resolution text, p_from timestamptz, p_to timestamptz
)
returns table (bucket_at timestamptz, series text, place bigint, value double precision)
language sql
stable
begin atomic
    select
        b.bucket_at,
        p.series,
        p.place,
        p.value
    from (
        select
            t.bucket_at,
            sum(t.row_count)::double precision as ended,
            coalesce(sum(t.row_count) filter (where t.label = 'completed'), 0)::double precision
                as completed,
            coalesce(
                sum(t.row_count) filter (where monitoring._is_failure(t.label)), 0
            )::double precision as failed
        from monitoring._trends_within('tasks', p_resolution, p_from, p_to) as t
        group by t.bucket_at
    ) as b
    cross join
        lateral (
            values
            ('completed', 1, b.completed),
            ('failed', 2, b.failed),
            ('ended_otherwise', 3, b.ended - b.completed - b.failed)
        ) as p (series, place, value);
end;

-- Errors by severity, mean of what waits by queue, or the p95 of the durations by task type.
create or replace function monitoring._points_of_sources(
    p_what text, p_resolution text, p_from timestamptz, p_to timestamptz
)
returns table (bucket_at timestamptz, series text, place bigint, value double precision)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_what = 'errors' then
        return query
        select t.bucket_at, t.label, 4 - monitoring._severity_rank(t.label)::bigint,
            sum(t.row_count)::double precision
        from monitoring._trends_within('errors', p_resolution, p_from, p_to) t
        group by t.bucket_at, t.label;
    elsif p_what = 'queues' then
        return query
        select t.bucket_at, t.name, 0::bigint, sum(t.value_sum) / sum(t.value_count)::double precision
        from monitoring._trends_within('queues', p_resolution, p_from, p_to) t
        where t.label = 'pending'
        group by t.bucket_at, t.name;
    else
        return query
        select t.bucket_at, t.name, 0::bigint, monitoring._clamped_percentile(
            monitoring.merge_histograms(t.histogram), 0.95, min(t.value_min), max(t.value_max)
        )
        from monitoring._trends_within('tasks', p_resolution, p_from, p_to) t
        group by t.bucket_at, t.name;
    end if;
end
$$;

create or replace function monitoring.get_trend_points(
    p_what text, p_from timestamptz, p_to timestamptz, p_resolution text default 'auto'
)
returns table (bucket_at timestamptz, series text, value double precision)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- To compile what reads many partitions takes far longer than to read the few rows in them.
set jit = off
as $$
declare
    v_resolution text := monitoring.get_trend_resolution(p_from, p_to, p_resolution);
begin
    perform monitoring._checked_moment('from', p_from), monitoring._checked_moment('to', p_to);
    if (p_what in ('tasks', 'errors', 'queues', 'durations')) is not true then
        perform monitoring._refuse_choice(
            'what', p_what, array['tasks', 'errors', 'queues', 'durations']
        );
    end if;
    if (v_resolution in ('minute', 'hour', 'day')) is not true then
        perform monitoring._refuse_choice(
            'resolution', v_resolution, array['auto', 'minute', 'hour', 'day']
        );
    end if;
    if p_what = 'tasks' then
        return query
        select p.bucket_at, p.series, p.value
        from monitoring._points_of_tasks(v_resolution, p_from, p_to) p
        order by p.bucket_at, p.place;
    else
        return query
        select p.bucket_at, p.series, p.value
        from monitoring._points_of_sources(p_what, v_resolution, p_from, p_to) p
        order by p.bucket_at, p.place, p.series;
    end if;
end
$$;

comment on function monitoring.get_trend_points(text, timestamptz, timestamptz, text) is
'Points of a small chart, in order of time: tasks by how they ended, errors by severity, mean of '
'what waits by queue, or durations (p95 in milliseconds by task type), of buckets that begin from '
'p_from until before p_to.';
