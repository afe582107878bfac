-- Reading over any span: roll-ups, and the rows that are not rolled up yet, so that what is read is
-- whole at any moment. Weeks begin on Monday; all spans are whole in UTC.

create or replace view monitoring._stored_trends as
select
    r.resolution,
    r.bucket_at,
    r.source,
    r.name,
    r.label,
    r.component,
    r.row_count,
    r.value_count,
    r.value_sum,
    r.value_sum_squares,
    r.value_min,
    r.value_max,
    r.histogram,
    r.bucket_at as stored_at
from monitoring.rollups as r
union all
select
    'week' as resolution,
    date_trunc('week', r.bucket_at, 'UTC') as bucket_at,
    r.source,
    r.name,
    r.label,
    r.component,
    r.row_count,
    r.value_count,
    r.value_sum,
    r.value_sum_squares,
    r.value_min,
    r.value_max,
    r.histogram,
    r.bucket_at as stored_at
from monitoring.rollups as r
where r.resolution = 'day'
union all
select
    'month' as resolution,
    date_trunc('month', r.bucket_at, 'UTC') as bucket_at,
    r.source,
    r.name,
    r.label,
    r.component,
    r.row_count,
    r.value_count,
    r.value_sum,
    r.value_sum_squares,
    r.value_min,
    r.value_max,
    r.histogram,
    r.bucket_at as stored_at
from monitoring.rollups as r
where r.resolution = 'day';

-- What is not rolled up yet of a source, by minute, hour, day, week and month.
create or replace function monitoring._new_trends(p_source text)
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
language sql
stable
begin atomic
    select
        r.resolution,
        date_trunc(r.resolution, n.bucket_at, 'UTC') as bucket_at,
        n.name,
        n.label,
        n.component,
        n.row_count,
        n.value_count,
        n.value_sum,
        n.value_sum_squares,
        n.value_min,
        n.value_max,
        n.histogram
    from monitoring._add_up(p_source, true) as n
    inner join
        (
            values
            ('minute', 'minute'),
            ('hour', 'hour'),
            ('day', 'day'),
            ('week', 'day'),
            ('month', 'day')
        ) as r (resolution, stored)
        on n.resolution = r.stored
    -- What is older than that will not come into the stored minutes either.
    where n.resolution <> 'minute' or n.bucket_at >= (select monitoring._minutes_kept_since());
end;

-- A source by minute, hour, day, week and month: what is rolled up, and what is not yet.
create or replace function monitoring._trends_of(p_source text)
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
language sql
stable
begin atomic
    select
        t.resolution,
        t.bucket_at,
        t.name,
        t.label,
        t.component,
        t.row_count,
        t.value_count,
        t.value_sum,
        t.value_sum_squares,
        t.value_min,
        t.value_max,
        t.histogram
    from monitoring._stored_trends as t
    where t.source = p_source
    union all
    select
        n.resolution,
        n.bucket_at,
        n.name,
        n.label,
        n.component,
        n.row_count,
        n.value_count,
        n.value_sum,
        n.value_sum_squares,
        n.value_min,
        n.value_max,
        n.histogram
    from monitoring._new_trends(p_source) as n;
end;

-- A source by minute, hour or day, in buckets that begin from p_from until before p_to: what is
-- rolled up, and what is not yet.
create or replace function monitoring._trends_within(
    p_source text, p_resolution text, p_from timestamptz, p_to timestamptz
)
returns table (
    bucket_at timestamptz,
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
        r.bucket_at,
        r.name,
        r.label,
        r.component,
        r.row_count,
        r.value_count,
        r.value_sum,
        r.value_min,
        r.value_max,
        r.histogram
    from monitoring._stored_trends as r
    where
        r.source = p_source
        and r.resolution = p_resolution
        and r.bucket_at >= p_from
        and r.bucket_at < p_to
    union all
    select
        n.bucket_at,
        n.name,
        n.label,
        n.component,
        n.row_count,
        n.value_count,
        n.value_sum,
        n.value_min,
        n.value_max,
        n.histogram
    from monitoring._add_up(
            p_source,
            true,
            p_from => p_from,
            -- The last bucket is read whole.
            p_to => case
                when p_to = date_trunc(p_resolution, p_to, 'UTC') then p_to
                else p_to + '24 hours'::interval
            end
        ) as n
    where
        n.resolution = p_resolution
        -- The rows before p_from of the bucket that it lies in were not read.
        and n.bucket_at >= p_from
        and n.bucket_at < p_to
        -- What is older than that will not come into the stored minutes either.
        and (n.resolution <> 'minute' or n.bucket_at >= (select monitoring._minutes_kept_since()));
end;

-- Seconds in each state of health by hour, day, week and month, up to the newest check.
create or replace function monitoring._uptime_trends()
returns table (
    resolution text,
    bucket_at timestamptz,
    component_type text,
    component_name text,
    status text,
    seconds double precision
)
language sql
stable
begin atomic
    select
        u.resolution,
        u.bucket_at,
        u.component as component_type,
        u.name as component_name,
        u.label as status,
        -- Whole microseconds, so that what new checks take back leaves no crumb of a state.
        round(sum(u.seconds)::numeric, 6)::double precision as seconds
    from (
        select
            t.resolution,
            t.bucket_at,
            t.component,
            t.name,
            t.label,
            t.value_sum as seconds
        from monitoring._stored_trends as t
        where t.source = 'uptime'
        union all
        select
            r.resolution,
            date_trunc(r.resolution, n.bucket_at, 'UTC') as bucket_at,
            n.component,
            n.name,
            n.label,
            n.seconds
        from monitoring._add_up_uptime() as n
        inner join
            (values ('hour', 'hour'), ('day', 'day'), ('week', 'day'), ('month', 'day'))
                as r (resolution, stored)
            on n.resolution = r.stored
    ) as u
    group by u.resolution, u.bucket_at, u.component, u.name, u.label;
end;

-- End of the minute, hour, day, week or month that begins at the given time.
create or replace function monitoring._span_end(p_resolution text, p_bucket_at timestamptz)
returns timestamptz
language sql
stable
return (p_bucket_at at time zone 'UTC' + ('1 ' || p_resolution)::interval) at time zone 'UTC';

-- Length of a minute, hour, day, week or month in hours.
create or replace function monitoring._bucket_hours(p_resolution text, p_bucket_at timestamptz)
returns double precision
language sql
stable
return extract(
    epoch from monitoring._span_end(p_resolution, p_bucket_at) - p_bucket_at
)::double precision / 3600;

-- The percentile of a histogram, never beyond the least and greatest value that were seen.
create or replace function monitoring._clamped_percentile(
    p_histogram monitoring.histogram,
    p_fraction double precision,
    p_min double precision,
    p_max double precision
)
returns double precision
language sql
immutable
return least(greatest(monitoring.approx_percentile(p_histogram, p_fraction), p_min), p_max);

-- What 50, 95 and 99 % of the values in a histogram do not exceed, in one pass; never beyond the
-- least and greatest value that were seen.
create or replace function monitoring._clamped_percentiles(
    p_histogram monitoring.histogram, p_min double precision, p_max double precision
)
returns double precision[]
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fractions constant double precision[] := array[0.5, 0.95, 0.99]::double precision[];
    v_total double precision := double precision '0';
    v_seen double precision := double precision '0';
    v_count bigint;
    v_index integer := 0;
    v_percentiles double precision[];
    v_next integer := 1;
begin
    foreach v_count in array coalesce(p_histogram.counts, '{}') loop
        v_total := v_total + v_count;
    end loop;
    foreach v_count in array coalesce(p_histogram.counts, '{}') loop
        v_index := v_index + 1;
        v_seen := v_seen + v_count;
        while v_seen >= ceil(v_total * v_fractions[v_next]) loop
            v_percentiles[v_next] := least(
                greatest(monitoring._histogram_value(p_histogram.cells[v_index]), p_min), p_max
            );
            v_next := v_next + 1;
        end loop;
    end loop;
    return v_percentiles;
end
$$;

create or replace function monitoring.get_trend_resolution(
    p_from timestamptz, p_to timestamptz, p_resolution text default 'auto'
)
returns text
language sql
stable
return case
    when p_resolution <> 'auto' then p_resolution
    when
        monitoring._checked_moment('to', p_to) - monitoring._checked_moment('from', p_from)
        > '14 days'::interval
        then 'day'
    when
        -- Checked here as well: of mere arguments the planner makes the difference beforehand.
        monitoring._checked_moment('to', p_to) - monitoring._checked_moment('from', p_from)
        <= '6 hours'::interval
        and p_from >= (select k.since_at from monitoring._minutes_kept as k)
        then 'minute'
    else 'hour'
end;

comment on function monitoring.get_trend_resolution(timestamptz, timestamptz, text) is
'The resolution that suits a span of a trend view: minute up to 6 hours while minutes are kept, '
'hour up to 14 days, day beyond; or p_resolution where that is not auto.';

comment on view monitoring._stored_trends is
'Roll-ups by minute, hour and day as they are stored, and by week and month.';
