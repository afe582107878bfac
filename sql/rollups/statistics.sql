-- Figures over one span, from as few roll-ups as cover it.

create or replace function monitoring._rollups_between(
    p_source text, p_from timestamptz, p_to timestamptz
)
returns table (
    name text,
    label text,
    row_count bigint,
    value_count bigint,
    value_sum double precision,
    value_min double precision,
    value_max double precision,
    histogram monitoring.histogram
)
language sql
stable
begin atomic
    with whole_hours as (
        select
            date_trunc(
                'hour', coalesce(p_from, (select monitoring.clock()) - '30 days'::interval), 'UTC'
            ) as from_at,
            case
                -- What is not over has no end: its last day holds what there is of it.
                when p_to <= (select date_trunc('hour', monitoring.clock(), 'UTC'))
                    then date_trunc(
                            'hour', p_to + '1 hour'::interval - '1 microsecond'::interval, 'UTC'
                        )
                else 'infinity'
            end as to_at
    ),

    parts as (
        select
            h.from_at,
            h.to_at,
            -- 24 hours, for '1 day' may be 23 or 25 of them in the session's time zone.
            date_trunc('day', h.from_at + '24 hours'::interval - '1 microsecond'::interval, 'UTC')
                as first_day,
            date_trunc('day', h.to_at, 'UTC') as end_day
        from whole_hours as h
    ),

    -- Each on its own, or all hours of the span would be looked at to find those at its ends.
    stored as (
        select d.*
        from monitoring._stored_trends as d
        where
            d.source = p_source
            and d.resolution = 'day'
            and d.bucket_at >= (select p.first_day from parts as p)
            and d.bucket_at < (select p.end_day from parts as p)
        union all
        select b.*
        from monitoring._stored_trends as b
        where
            b.source = p_source
            and b.resolution = 'hour'
            and b.bucket_at >= (select p.from_at from parts as p)
            and b.bucket_at < (select least(p.first_day, p.to_at) from parts as p)
        union all
        select a.*
        from monitoring._stored_trends as a
        where
            a.source = p_source
            and a.resolution = 'hour'
            and a.bucket_at >= (select greatest(p.first_day, p.end_day) from parts as p)
            and a.bucket_at < (select p.to_at from parts as p)
    )

    select
        s.name,
        s.label,
        s.row_count,
        s.value_count,
        s.value_sum,
        s.value_min,
        s.value_max,
        s.histogram
    from stored as s
    union all
    select
        n.name,
        n.label,
        n.row_count,
        n.value_count,
        n.value_sum,
        n.value_min,
        n.value_max,
        n.histogram
    from monitoring._add_up(p_source, true) as n
    cross join whole_hours as h
    where n.resolution = 'hour' and n.bucket_at >= h.from_at and n.bucket_at < h.to_at;
end;

comment on function monitoring._rollups_between(text, timestamptz, timestamptz) is
'Roll-ups that cover a span once: days where they lie within it, hours at its ends. No beginning '
'means 30 days ago; no end, or one in this hour or later, means none.';

create or replace function monitoring._last_day_since() returns timestamptz
language sql
volatile
return date_trunc('hour', monitoring.clock(), 'UTC') - '23 hours'::interval;

comment on function monitoring._last_day_since() is
'Beginning of what counts as the last day: this hour and the 23 before it.';

create or replace function monitoring._last_day(p_source text)
returns table (
    name text,
    label text,
    component text,
    row_count bigint,
    value_count bigint,
    value_sum double precision,
    value_min double precision,
    value_max double precision,
    histogram monitoring.histogram
)
language sql
stable
begin atomic
    select
        t.name,
        t.label,
        t.component,
        t.row_count,
        t.value_count,
        t.value_sum,
        t.value_min,
        t.value_max,
        t.histogram
    from monitoring._trends_of(p_source) as t
    where
        t.resolution = 'hour'
        and t.bucket_at >= (select monitoring._last_day_since())
        and t.bucket_at <= (select monitoring.clock());
end;

comment on function monitoring._last_day(text) is
'A source in this hour and the 23 before it.';

create or replace function monitoring.get_task_statistics(
    p_from timestamptz default null, p_to timestamptz default null
)
returns table (
    task_type text,
    status text,
    tasks bigint,
    avg_duration_ms double precision,
    p50_duration_ms double precision,
    p95_duration_ms double precision,
    p99_duration_ms double precision,
    min_duration_ms double precision,
    max_duration_ms double precision
)
language sql
stable
begin atomic
    select
        s.name as task_type,
        s.label as status,
        s.tasks,
        s.avg_ms as avg_duration_ms,
        monitoring._clamped_percentile(s.histogram, 0.5, s.min_ms, s.max_ms) as p50_duration_ms,
        monitoring._clamped_percentile(s.histogram, 0.95, s.min_ms, s.max_ms) as p95_duration_ms,
        monitoring._clamped_percentile(s.histogram, 0.99, s.min_ms, s.max_ms) as p99_duration_ms,
        s.min_ms as min_duration_ms,
        s.max_ms as max_duration_ms
    from (
        select
            r.name,
            r.label,
            sum(r.row_count)::bigint as tasks,
            sum(r.value_sum) / nullif(sum(r.value_count), 0)::double precision as avg_ms,
            min(r.value_min) as min_ms,
            max(r.value_max) as max_ms,
            monitoring.merge_histograms(r.histogram) as histogram
        from monitoring._rollups_between('tasks', p_from, p_to) as r
        group by r.name, r.label
    ) as s;
end;

comment on function monitoring.get_task_statistics(timestamptz, timestamptz) is
'Attempts that ended in a span (the last 30 days when left out), widened to whole hours, by type '
'and status: how many, and their milliseconds from start to end. An end in this hour or later '
'counts as none.';
