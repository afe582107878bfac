-- Queues by minute, hour, day, week and month. What a queue did in a bucket is the growth of its
-- running totals since the bucket before, so a window looks at all buckets of a queue; a condition
-- on the time does not get past that. Whoever wants a span asks get_queue_trends(), which reads
-- only that span and as much before it as the first growth needs.

-- One queue or all, at one resolution, or at each when p_resolution is null, from p_from until
-- before p_to.
create or replace function monitoring._queue_trends(
    p_resolution text, p_from timestamptz, p_to timestamptz, p_queue_name text
)
returns table (
    resolution text,
    bucket_at timestamptz,
    queue_name text,
    samples bigint,
    avg_pending double precision,
    max_pending double precision,
    p95_pending double precision,
    avg_processing double precision,
    max_oldest_ready_seconds double precision,
    completed double precision,
    failed double precision
)
language sql
stable
begin atomic
    select
        s.resolution,
        s.bucket_at,
        s.queue_name,
        s.samples,
        s.avg_pending,
        s.max_pending,
        monitoring._clamped_percentile(s.histogram, 0.95, 0, s.max_pending) as p95_pending,
        s.avg_processing,
        s.max_oldest_ready_seconds,
        -- A total that goes back was started anew, and what it counts since then is all there is.
        s.max_completed - case
            when s.max_completed >= s.last_completed then s.last_completed
            else s.min_completed
        end as completed,
        s.max_failed - case
            when s.max_failed >= s.last_failed then s.last_failed
            else s.min_failed
        end as failed
    from (
        select
            q.*,
            coalesce(lag(q.max_completed) over w, q.min_completed) as last_completed,
            coalesce(lag(q.max_failed) over w, q.min_failed) as last_failed
        from (
            select
                t.resolution,
                t.bucket_at,
                t.name as queue_name,
                sum(t.row_count) filter (where t.label = 'pending')::bigint as samples,
                sum(t.value_sum) filter (where t.label = 'pending')
                / sum(t.value_count) filter (where t.label = 'pending')::double precision
                    as avg_pending,
                max(t.value_max) filter (where t.label = 'pending') as max_pending,
                sum(t.value_sum) filter (where t.label = 'processing')
                / sum(t.value_count) filter (where t.label = 'processing')::double precision
                    as avg_processing,
                max(t.value_max) filter (where t.label = 'oldest_ready_seconds')
                    as max_oldest_ready_seconds,
                min(t.value_min) filter (where t.label = 'completed') as min_completed,
                max(t.value_max) filter (where t.label = 'completed') as max_completed,
                min(t.value_min) filter (where t.label = 'failed') as min_failed,
                max(t.value_max) filter (where t.label = 'failed') as max_failed,
                monitoring.merge_histograms(t.histogram) filter (where t.label = 'pending')
                    as histogram
            from (
                select a.* from monitoring._trends_of('queues') as a
                where p_queue_name is null
                union all
                select o.*
                from monitoring._trends_of_name(
                        'queues', p_queue_name, p_resolution, p_from, p_to
                    ) as o
                where p_queue_name is not null
            ) as t
            where
                t.bucket_at >= p_from
                and t.bucket_at < p_to
                and (p_resolution is null or t.resolution = p_resolution)
            group by t.resolution, t.bucket_at, t.name
        ) as q
        window w as (partition by q.resolution, q.queue_name order by q.bucket_at)
    ) as s;
end;

create or replace view monitoring.v_queue_trends as
select
    q.resolution,
    q.bucket_at,
    q.queue_name,
    q.samples,
    q.avg_pending,
    q.max_pending,
    q.p95_pending,
    q.avg_processing,
    q.max_oldest_ready_seconds,
    q.completed,
    q.failed
from monitoring._queue_trends(null, '-infinity', 'infinity', null) as q;

select
    monitoring._drop_former(
        '_queue_trends(text, timestamptz, timestamptz)',
        'get_queue_trends(timestamptz, timestamptz, text)'
    );

create or replace function monitoring.get_queue_trends(
    p_from timestamptz,
    p_to timestamptz,
    p_resolution text default 'auto',
    p_queue_name text default null
)
returns table (
    resolution text,
    bucket_at timestamptz,
    queue_name text,
    samples bigint,
    avg_pending double precision,
    max_pending double precision,
    p95_pending double precision,
    avg_processing double precision,
    max_oldest_ready_seconds double precision,
    completed double precision,
    failed double precision
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
-- Planned for the times, so that an index finds them.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_resolution text := monitoring.get_trend_resolution(p_from, p_to, p_resolution);
    v_since timestamptz;
begin
    perform monitoring._checked_moment('from', p_from), monitoring._checked_moment('to', p_to);
    v_since := p_from - case v_resolution
        when 'minute' then interval '1 hour'
        when 'hour' then interval '1 day'
        when 'day' then interval '7 days'
        else interval '62 days'
    end;
    return query
    select q.*
    from monitoring._queue_trends(v_resolution, v_since, p_to, p_queue_name) q
    where q.bucket_at >= p_from;
end
$$;

comment on function monitoring.get_queue_trends(timestamptz, timestamptz, text, text) is
'v_queue_trends of one span at one resolution, or at that which suits it, of all queues or one, '
'without reading all the rest. A queue that had not been sampled for long counts from its first '
'sample.';

comment on view monitoring.v_queue_trends is
'Queues by hour, day, week and month.';
comment on column monitoring.v_queue_trends.resolution is
'minute, hour, day, week or month: choose one, or every sample is counted in each.';
comment on column monitoring.v_queue_trends.bucket_at is
'Beginning of the span in UTC; weeks begin on Monday.';
comment on column monitoring.v_queue_trends.queue_name is
'Which queue it is.';
comment on column monitoring.v_queue_trends.samples is
'How many samples were taken.';
comment on column monitoring.v_queue_trends.avg_pending is
'Mean of the items waiting.';
comment on column monitoring.v_queue_trends.max_pending is
'Most items waiting at once.';
comment on column monitoring.v_queue_trends.p95_pending is
'In 95 % of the samples no more items waited than this, within 2.5 %.';
comment on column monitoring.v_queue_trends.avg_processing is
'Mean of the items being worked on.';
comment on column monitoring.v_queue_trends.max_oldest_ready_seconds is
'Longest that an oldest waiting item had been ready, in seconds.';
comment on column monitoring.v_queue_trends.completed is
'Items done, as far as the running total shows.';
comment on column monitoring.v_queue_trends.failed is
'Items failed, as far as the running total tells.';
