-- What goes into roll-ups: one shape for the rows of every source, and how they are added up.

-- A name that two others fit beside in one key, for an index takes 2,704 bytes: of one beyond
-- 512 bytes its beginning and a checksum.
create or replace function monitoring._short_name(p_name text) returns text
language sql
immutable
return case
    when octet_length(p_name) <= 512 then p_name
    else left(p_name, 100) || '... ' || md5(p_name)
end;

-- The value, or 0 for one so small that its square, or the mean of some, would be refused as an
-- underflow.
create or replace function monitoring._summable(p_value double precision) returns double precision
language sql
immutable
return case when abs(p_value) >= '1e-130'::double precision then p_value else 0 end;

create or replace view monitoring._samples_of_tasks as
select
    t.task_type as name,
    t.status as label,
    '' as component,
    t.finished_at as happened_at,
    t.duration_ms as value,
    t.recorded_xid,
    t.is_new,
    t.is_late
from monitoring._marked_tasks as t;

create or replace view monitoring._samples_of_errors as
select
    e.error_type as name,
    e.severity as label,
    coalesce(monitoring._short_name(e.component), '') as component,
    e.occurred_at as happened_at,
    null::double precision as value,
    e.recorded_xid,
    e.is_new,
    e.is_late
from monitoring._marked_errors as e;

create or replace view monitoring._samples_of_metrics as
select
    m.metric_name as name,
    coalesce(monitoring._short_name(m.unit), '') as label,
    coalesce(monitoring._short_name(m.component), '') as component,
    m.recorded_at as happened_at,
    m.value,
    m.recorded_xid,
    m.is_new,
    m.is_late
from monitoring._marked_metrics as m;

create or replace view monitoring._samples_of_queues as
select
    q.queue_name as name,
    f.label,
    '' as component,
    q.recorded_at as happened_at,
    f.value,
    q.recorded_xid,
    q.is_new,
    q.is_late
from monitoring._marked_queues as q
cross join
    lateral (
        values
        ('pending', q.pending::double precision),
        ('processing', q.processing::double precision),
        ('completed', q.completed::double precision),
        ('failed', q.failed::double precision),
        ('oldest_ready_seconds', q.oldest_ready_seconds)
    ) as f (label, value);

create or replace view monitoring._samples_of_health as
select
    p.component_name as name,
    p.status as label,
    p.component_type as component,
    p.checked_at as happened_at,
    p.response_time_ms as value,
    p.recorded_xid,
    p.is_new,
    p.is_late
from monitoring._marked_probes as p;

comment on view monitoring._samples_of_tasks is
'Every attempt, in the shape that goes into roll-ups.';
comment on view monitoring._samples_of_errors is
'Every error, in the shape that goes into roll-ups.';
comment on view monitoring._samples_of_metrics is
'Every metric, in the shape that goes into roll-ups.';
comment on view monitoring._samples_of_queues is
'Every figure of each sample of a queue, in the shape that goes into roll-ups.';
comment on view monitoring._samples_of_health is
'Every health check, in the shape that goes into roll-ups.';

-- Rows of a source that are new, or not, of transactions below p_below that p_still_open does
-- not name, from p_from until before p_to; names beyond the limit as "(other)".
create or replace function monitoring._read_samples(
    p_source text,
    p_is_new boolean,
    p_below bigint,
    p_still_open bigint[],
    p_from timestamptz,
    p_to timestamptz
)
returns setof monitoring._samples_of_tasks -- which all the others are like
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
-- New rows are few, and to start workers takes longer than to find them.
set max_parallel_workers_per_gather = 0
set enable_seqscan = off
as $$
-- The query is one of ours, made with format():
-- @plpgsql_check_options: security_warnings = off
declare
    v_since timestamptz := timestamptz '-infinity';
    v_first bigint := 0::bigint;
begin
    if p_is_new then
        select
            monitoring._open_since(c.table_name), monitoring._first_new_transaction(c.table_name)
        into v_since, v_first
        from monitoring._claims c
        where c.source = p_source;
    end if;
    -- Planned for its arguments, so that only one table's partitions, and only those of the time
    -- asked for, are looked at. One statement for all sources took ten times as long to plan.
    return query execute format(
        'select s.* from %s s'
        ' where s.is_new = $1 and s.recorded_xid >= $7 and s.recorded_xid < $2'
        ' and s.recorded_xid <> all ($3) and s.happened_at >= $4 and s.happened_at < $5'
        ' and (s.is_late or s.happened_at >= $6)',
        monitoring._folded_samples(p_source)
    )
    using p_is_new, p_below, p_still_open, p_from, p_to, v_since, v_first;
end
$$;

-- Roll-up rows, at every resolution, of the rows of a source that are new, or not, as far as
-- transactions below p_below recorded them and p_still_open does not name these; minutes only
-- from p_minutes_since on.
create or replace function monitoring._add_up(
    p_source text,
    p_is_new boolean,
    p_below bigint default 9223372036854775807,
    p_still_open bigint[] default '{}',
    p_from timestamptz default '-infinity',
    p_to timestamptz default 'infinity',
    p_minutes_since timestamptz default '-infinity'
)
returns table (
    source text,
    name text,
    label text,
    component text,
    resolution text,
    bucket_at timestamptz,
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
    with minute_cells as (
        select
            s.name,
            s.label,
            s.component,
            date_bin('1 minute', s.happened_at, '1970-01-01 00:00:00+00') as bucket_at,
            monitoring._histogram_cell(s.value) as cell,
            count(*) as n,
            sum(monitoring._summable(s.value)) as value_sum,
            sum(monitoring._summable(s.value) * monitoring._summable(s.value))
                as value_sum_squares,
            min(s.value) as value_min,
            max(s.value) as value_max
        from monitoring._read_samples(
                p_source, p_is_new, p_below, p_still_open, p_from, p_to
            ) as s
        group by
            s.name,
            s.label,
            s.component,
            date_bin('1 minute', s.happened_at, '1970-01-01 00:00:00+00'),
            monitoring._histogram_cell(s.value)
    ),

    hour_cells as (
        select
            m.name,
            m.label,
            m.component,
            date_bin('1 hour', m.bucket_at, '1970-01-01 00:00:00+00') as bucket_at,
            m.cell,
            sum(m.n)::bigint as n,
            sum(m.value_sum) as value_sum,
            sum(m.value_sum_squares) as value_sum_squares,
            min(m.value_min) as value_min,
            max(m.value_max) as value_max
        from minute_cells as m
        group by
            m.name,
            m.label,
            m.component,
            date_bin('1 hour', m.bucket_at, '1970-01-01 00:00:00+00'),
            m.cell
    ),

    day_cells as (
        select
            h.name,
            h.label,
            h.component,
            date_bin('1 day', h.bucket_at, '1970-01-01 00:00:00+00') as bucket_at,
            h.cell,
            sum(h.n)::bigint as n,
            sum(h.value_sum) as value_sum,
            sum(h.value_sum_squares) as value_sum_squares,
            min(h.value_min) as value_min,
            max(h.value_max) as value_max
        from hour_cells as h
        group by
            h.name,
            h.label,
            h.component,
            date_bin('1 day', h.bucket_at, '1970-01-01 00:00:00+00'),
            h.cell
    ),

    cells as (
        select
            'minute' as resolution,
            m.name,
            m.label,
            m.component,
            m.bucket_at,
            m.cell,
            m.n,
            m.value_sum,
            m.value_sum_squares,
            m.value_min,
            m.value_max
        from minute_cells as m
        where m.bucket_at >= p_minutes_since
        union all
        select
            'hour' as resolution,
            h.name,
            h.label,
            h.component,
            h.bucket_at,
            h.cell,
            h.n,
            h.value_sum,
            h.value_sum_squares,
            h.value_min,
            h.value_max
        from hour_cells as h
        union all
        select
            'day' as resolution,
            d.name,
            d.label,
            d.component,
            d.bucket_at,
            d.cell,
            d.n,
            d.value_sum,
            d.value_sum_squares,
            d.value_min,
            d.value_max
        from day_cells as d
    )

    select
        p_source as source,
        c.name,
        c.label,
        c.component,
        c.resolution,
        c.bucket_at,
        sum(c.n)::bigint as row_count,
        coalesce(sum(c.n) filter (where c.cell is not null), 0)::bigint as value_count,
        coalesce(sum(c.value_sum), 0) as value_sum,
        coalesce(sum(c.value_sum_squares), 0) as value_sum_squares,
        min(c.value_min) as value_min,
        max(c.value_max) as value_max,
        case
            when count(c.cell) > 0
                then row(
                        array_agg(c.cell order by c.cell) filter (where c.cell is not null),
                        array_agg(c.n order by c.cell) filter (where c.cell is not null)
                    )::monitoring.histogram
        end as histogram
    from cells as c
    group by c.name, c.label, c.component, c.resolution, c.bucket_at;
end;

call monitoring._ship_rollup('tasks', 'finished_tasks');
call monitoring._ship_rollup('errors', 'errors');
call monitoring._ship_rollup('metrics', 'metric_samples');
call monitoring._ship_rollup('health', 'health_probes');
call monitoring._ship_rollup('queues', 'queue_samples');
