-- Figures over one span, from as few roll-ups as cover it.

-- A source by hour or day in a span of whole ones, planned for its times.
create or replace function monitoring._trends_between(
    p_source text, p_resolution text, p_from timestamptz, p_to timestamptz
)
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
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
-- Planned for the times: only the partitions of that time are looked at for what is new.
set plan_cache_mode = force_custom_plan
as $$
begin
    if p_from >= p_to then
        return;
    end if;
    return query
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
    from monitoring._trends_within(p_source, p_resolution, p_from, p_to) t;
end
$$;

-- The hours that cover a span, and the days within it. An end in this hour or later counts as
-- none.
create or replace function monitoring._hours_and_days(p_from timestamptz, p_to timestamptz)
returns table (
    from_at timestamptz, to_at timestamptz, first_day timestamptz, end_day timestamptz
)
language sql
stable
begin atomic
    select
        s.from_at,
        s.to_at,
        date_trunc('day', s.from_at + '24 hours'::interval - '1 microsecond'::interval, 'UTC')
            as first_day,
        date_trunc('day', s.to_at, 'UTC') as end_day
    from (
        select
            date_trunc('hour', p_from, 'UTC') as from_at,
            case
                when p_to <= (select date_trunc('hour', monitoring.clock(), 'UTC'))
                    then date_trunc(
                            'hour', p_to + '1 hour'::interval - '1 microsecond'::interval, 'UTC'
                        )
                -- Today is not over: what there is of it is in its day.
                else 'infinity'
            end as to_at
    ) as s;
end;

-- Roll-ups that cover a span once: days where they lie within it, hours at its ends. An end in
-- this hour or later counts as none.
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
    select
        t.name,
        t.label,
        t.row_count,
        t.value_count,
        t.value_sum,
        t.value_min,
        t.value_max,
        t.histogram
    from monitoring._hours_and_days(p_from, p_to) as s
    cross join
        lateral (
            values
            ('hour', s.from_at, least(s.first_day, s.to_at)),
            ('day', s.first_day, s.end_day),
            ('hour', greatest(s.first_day, s.end_day), s.to_at)
        ) as p (resolution, from_at, to_at)
    cross join
        lateral monitoring._trends_between(p_source, p.resolution, p.from_at, p.to_at) as t;
end;

-- The counts of _rollups_between() without its figures, for less than half of the work: what is
-- not rolled up is read once, and counted only.
create or replace function monitoring._counts_between(
    p_source text, p_from timestamptz, p_to timestamptz
)
returns table (name text, label text, row_count bigint)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_from timestamptz;
    v_to timestamptz;
    v_first_day timestamptz;
    v_end_day timestamptz;
begin
    select s.from_at, s.to_at, s.first_day, s.end_day into v_from, v_to, v_first_day, v_end_day
    from monitoring._hours_and_days(p_from, p_to) s;
    return query
    select r.name, r.label, r.row_count
    from monitoring.rollups r
    where r.source = p_source
        and r.resolution = 'hour'
        and r.bucket_at >= v_from
        and r.bucket_at < least(v_first_day, v_to)
    union all
    select r.name, r.label, r.row_count
    from monitoring.rollups r
    where r.source = p_source
        and r.resolution = 'day'
        and r.bucket_at >= v_first_day
        and r.bucket_at < v_end_day
    union all
    select r.name, r.label, r.row_count
    from monitoring.rollups r
    where r.source = p_source
        and r.resolution = 'hour'
        and r.bucket_at >= greatest(v_first_day, v_end_day)
        and r.bucket_at < v_to
    union all
    select s.name, s.label, count(*)
    from monitoring._read_samples(
        p_source, true, 9223372036854775807, '{}', v_from, v_to
    ) s
    group by s.name, s.label;
end
$$;

-- Beginning of what counts as the last day: this hour and the 23 before it.
create or replace function monitoring._last_day_since() returns timestamptz
language sql
volatile
return date_trunc('hour', monitoring.clock(), 'UTC') - '23 hours'::interval;

-- A source in this hour and the 23 before it.
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
    from monitoring._trends_between(
            p_source,
            'hour',
            monitoring._last_day_since(),
            date_trunc('hour', monitoring.clock(), 'UTC') + '1 hour'::interval
        ) as t;
end;

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
                coalesce(
                    monitoring._checked_moment('from', p_from),
                    monitoring.clock() - '30 days'::interval
                ),
                coalesce(monitoring._checked_moment('to', p_to), 'infinity')
            ) as r
        group by r.name, r.label
    ) as s;
end;

comment on function monitoring.get_task_statistics(timestamptz, timestamptz) is
'Attempts that ended in a span (the last 30 days when left out), widened to whole hours, by type '
'and status: how many, and their milliseconds from start to end. An end in this hour or later '
'counts as none.';
