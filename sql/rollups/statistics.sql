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
    with span as (
        select
            s.from_at,
            s.to_at,
            date_trunc('day', s.from_at + '1 day'::interval - '1 microsecond'::interval, 'UTC')
                as first_day,
            case
            -- Today is not over: what there is of it is in its day.
                when s.to_at > (select monitoring.clock()) then 'infinity'
                else date_trunc('day', s.to_at, 'UTC')
            end as end_day
        from (
            select
                date_trunc('hour', p_from, 'UTC') as from_at,
                date_trunc('hour', p_to + '1 hour'::interval - '1 microsecond'::interval, 'UTC')
                    as to_at
        ) as s
    )

    select
        t.name,
        t.label,
        t.row_count,
        t.value_count,
        t.value_sum,
        t.value_min,
        t.value_max,
        t.histogram
    from monitoring._trends_of(p_source) as t
    where
        (
            (
                t.resolution = 'day'
                and t.bucket_at >= (select s.first_day from span as s)
                and t.bucket_at < (select s.end_day from span as s)
            )
            or (
                t.resolution = 'hour'
                and t.bucket_at >= (select s.from_at from span as s)
                and t.bucket_at < (select s.to_at from span as s)
                and not (
                    t.bucket_at >= (select s.first_day from span as s)
                    and t.bucket_at < (select s.end_day from span as s)
                )
            )
        );
end;

comment on function monitoring._rollups_between(text, timestamptz, timestamptz) is
'Roll-ups that cover a span once: days where they lie within it, hours at its ends.';

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
        from monitoring._rollups_between(
                'tasks',
                coalesce(p_from, monitoring.clock() - '30 days'::interval),
                coalesce(p_to, 'infinity')
            ) as r
        group by r.name, r.label
    ) as s;
end;

comment on function monitoring.get_task_statistics(timestamptz, timestamptz) is
'Attempts that ended in a span (the last 30 days when left out), widened to whole hours, by type '
'and status: how many, and their milliseconds from start to end.';
