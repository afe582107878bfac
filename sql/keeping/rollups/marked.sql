-- Rows with a mark: is a row new, or has a roll-up taken it? Its transaction tells, by what
-- rollup_progress says of the table. Asked twice: first what an index can find at once, then what
-- is true. Written so that the planner takes the BRIN index: a range with two ends is expected to
-- hold little, where one end alone is expected to hold a third of all.

create or replace view monitoring._claims as
select
    r.table_name,
    r.claimed_below,
    r.still_open,
    r.complete_since,
    -- An index is searched once for each transaction that is named: ten times the work when sixteen
    -- record at once. Those that were open for a short while only are best found by one range.
    least(r.claimed_below, (
        select min(x.xid) from unnest(r.still_open) as x (xid)
        where x.xid >= r.claimed_below - 10000
    )) as index_from,
    array(
        select x.xid from unnest(r.still_open) as x (xid)
        where x.xid < r.claimed_below - 10000
    ) as long_open,
    r.open_since_at,
    r.source
from monitoring.rollup_progress as r;

comment on view monitoring._claims is
'How far each table has been rolled up: new rows are of transactions from index_from on, or named '
'in long_open.';

create or replace view monitoring._marked_tasks as
select
    t.task_type,
    t.status,
    t.finished_at,
    t.duration_ms,
    t.recorded_xid,
    (
        t.recorded_xid between (
            select c.index_from from monitoring._claims as c
            where c.table_name = 'finished_tasks'
        ) and 9223372036854775807
        or t.recorded_xid = any((
            select c.long_open from monitoring._claims as c
            where c.table_name = 'finished_tasks'
        )::bigint[])
    )
    and (
        t.recorded_xid >= (
            select c.claimed_below from monitoring._claims as c
            where c.table_name = 'finished_tasks'
        )
        or t.recorded_xid = any((
            select c.still_open from monitoring._claims as c
            where c.table_name = 'finished_tasks'
        )::bigint[])
    ) as is_new,
    t.is_late,
    t.items_done,
    t.task_id,
    t.started_at
from (
    select
        d.*,
        false as is_late
    from monitoring.finished_tasks as d
    union all
    select
        l.*,
        true as is_late
    from monitoring.late_finished_tasks as l
) as t;

comment on view monitoring._marked_tasks is
'Rows of finished_tasks, late ones included, each with whether it is not in the roll-ups yet.';

create or replace view monitoring._marked_errors as
select
    e.error_id,
    e.error_type,
    e.severity,
    e.component,
    e.fingerprint,
    e.message,
    e.occurred_at,
    e.recorded_xid,
    (
        e.recorded_xid between (
            select c.index_from from monitoring._claims as c where c.table_name = 'errors'
        ) and 9223372036854775807
        or e.recorded_xid = any((
            select c.long_open from monitoring._claims as c where c.table_name = 'errors'
        )::bigint[])
    )
    and (
        e.recorded_xid >= (
            select c.claimed_below from monitoring._claims as c where c.table_name = 'errors'
        )
        or e.recorded_xid = any((
            select c.still_open from monitoring._claims as c where c.table_name = 'errors'
        )::bigint[])
    ) as is_new,
    e.is_late
from (
    select
        d.*,
        false as is_late
    from monitoring.errors as d
    union all
    select
        l.*,
        true as is_late
    from monitoring.late_errors as l
) as e;

comment on view monitoring._marked_errors is
'Rows of errors, late ones included, each with whether it is not in the roll-ups yet.';

create or replace view monitoring._marked_metrics as
select
    m.metric_name,
    m.unit,
    m.component,
    m.recorded_at,
    m.value,
    m.recorded_xid,
    (
        m.recorded_xid between (
            select c.index_from from monitoring._claims as c
            where c.table_name = 'metric_samples'
        ) and 9223372036854775807
        or m.recorded_xid = any((
            select c.long_open from monitoring._claims as c
            where c.table_name = 'metric_samples'
        )::bigint[])
    )
    and (
        m.recorded_xid >= (
            select c.claimed_below from monitoring._claims as c
            where c.table_name = 'metric_samples'
        )
        or m.recorded_xid = any((
            select c.still_open from monitoring._claims as c
            where c.table_name = 'metric_samples'
        )::bigint[])
    ) as is_new,
    m.is_late
from (
    select
        d.*,
        false as is_late
    from monitoring.metric_samples as d
    union all
    select
        l.*,
        true as is_late
    from monitoring.late_metric_samples as l
) as m;

comment on view monitoring._marked_metrics is
'Rows of metric_samples, late ones included, each with whether it is not in the roll-ups yet.';

create or replace view monitoring._marked_queues as
select
    q.queue_name,
    q.recorded_at,
    q.pending,
    q.processing,
    q.completed,
    q.failed,
    q.oldest_ready_seconds,
    q.recorded_xid,
    (
        q.recorded_xid between (
            select c.index_from from monitoring._claims as c where c.table_name = 'queue_samples'
        ) and 9223372036854775807
        or q.recorded_xid = any((
            select c.long_open from monitoring._claims as c where c.table_name = 'queue_samples'
        )::bigint[])
    )
    and (
        q.recorded_xid >= (
            select c.claimed_below from monitoring._claims as c where c.table_name = 'queue_samples'
        )
        or q.recorded_xid = any((
            select c.still_open from monitoring._claims as c where c.table_name = 'queue_samples'
        )::bigint[])
    ) as is_new,
    q.is_late
from (
    select
        d.*,
        false as is_late
    from monitoring.queue_samples as d
    union all
    select
        l.*,
        true as is_late
    from monitoring.late_queue_samples as l
) as q;

comment on view monitoring._marked_queues is
'Rows of queue_samples, late ones included, each with whether it is not in the roll-ups yet.';

create or replace view monitoring._marked_probes as
select
    p.probe_id,
    p.component_name,
    p.component_type,
    p.checked_at,
    p.status,
    p.response_time_ms,
    p.failure_reason,
    p.details,
    p.recorded_xid,
    (
        p.recorded_xid between (
            select c.index_from from monitoring._claims as c where c.table_name = 'health_probes'
        ) and 9223372036854775807
        or p.recorded_xid = any((
            select c.long_open from monitoring._claims as c where c.table_name = 'health_probes'
        )::bigint[])
    )
    and (
        p.recorded_xid >= (
            select c.claimed_below from monitoring._claims as c where c.table_name = 'health_probes'
        )
        or p.recorded_xid = any((
            select c.still_open from monitoring._claims as c where c.table_name = 'health_probes'
        )::bigint[])
    ) as is_new,
    p.is_late
from (
    select
        d.*,
        false as is_late
    from monitoring.health_probes as d
    union all
    select
        l.*,
        true as is_late
    from monitoring.late_health_probes as l
) as p;

comment on view monitoring._marked_probes is
'Rows of health_probes, late ones included, each with whether it is not in the roll-ups yet.';

-- New rows are in the days that are open, or late. Planned for the time asked for, so that nothing
-- else is looked at, however much is kept.

-- Beginning of the oldest day that may have new rows besides the late ones.
create or replace function monitoring._open_since(p_table text) returns timestamptz
language sql
stable
-- Where the clock went back, rows are recorded before the days that were open.
return (
    select least(c.open_since_at, monitoring._yesterday()) from monitoring._claims as c
    where c.table_name = p_table
);

-- The first transaction that may have recorded new rows. Said as a number it leads the planner to
-- the index of a day that has not been analyzed yet.
create or replace function monitoring._first_new_transaction(p_table text) returns bigint
language sql
stable
return (
    select least(c.claimed_below, (select min(x.xid) from unnest(c.still_open) as x (xid)))
    from monitoring._claims as c
    where c.table_name = p_table
);

-- Rows of finished_tasks, from p_from until before p_to, that are not in the roll-ups yet.
create or replace function monitoring._new_tasks(
    p_from timestamptz default '-infinity', p_to timestamptz default 'infinity'
)
returns setof monitoring._marked_tasks
language plpgsql
stable
rows 100
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set max_parallel_workers_per_gather = 0
set enable_seqscan = off
set jit = off
as $$
declare
    v_since timestamptz := monitoring._open_since('finished_tasks');
    v_first constant bigint := monitoring._first_new_transaction('finished_tasks');
begin
    return query
    select m.* from monitoring._marked_tasks m
    where m.is_new and m.recorded_xid >= v_first and (m.is_late or m.finished_at >= v_since)
        and m.finished_at >= p_from and m.finished_at < p_to;
end
$$;

-- Rows of errors, from p_from until before p_to, that are not in the roll-ups yet.
create or replace function monitoring._new_errors(
    p_from timestamptz default '-infinity', p_to timestamptz default 'infinity'
)
returns setof monitoring._marked_errors
language plpgsql
stable
rows 100
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set max_parallel_workers_per_gather = 0
set enable_seqscan = off
set jit = off
as $$
declare
    v_since timestamptz := monitoring._open_since('errors');
    v_first constant bigint := monitoring._first_new_transaction('errors');
begin
    return query
    select m.* from monitoring._marked_errors m
    where m.is_new and m.recorded_xid >= v_first and (m.is_late or m.occurred_at >= v_since)
        and m.occurred_at >= p_from and m.occurred_at < p_to;
end
$$;

-- Rows of queue_samples, from p_from until before p_to, that are not in the roll-ups yet.
create or replace function monitoring._new_queues(
    p_from timestamptz default '-infinity', p_to timestamptz default 'infinity'
)
returns setof monitoring._marked_queues
language plpgsql
stable
rows 100
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set max_parallel_workers_per_gather = 0
set enable_seqscan = off
set jit = off
as $$
declare
    v_since timestamptz := monitoring._open_since('queue_samples');
    v_first constant bigint := monitoring._first_new_transaction('queue_samples');
begin
    return query
    select m.* from monitoring._marked_queues m
    where m.is_new and m.recorded_xid >= v_first and (m.is_late or m.recorded_at >= v_since)
        and m.recorded_at >= p_from and m.recorded_at < p_to;
end
$$;

-- Rows of health_probes, from p_from until before p_to, that are not in the roll-ups yet;
-- without components beyond the limit of names, of which there is neither state nor uptime.
create or replace function monitoring._new_probes(
    p_from timestamptz default '-infinity', p_to timestamptz default 'infinity'
)
returns setof monitoring._marked_probes
language plpgsql
stable
rows 100
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set max_parallel_workers_per_gather = 0
set enable_seqscan = off
set jit = off
as $$
declare
    v_since timestamptz := monitoring._open_since('health_probes');
    v_first constant bigint := monitoring._first_new_transaction('health_probes');
    v_is_reached boolean;
begin
    v_is_reached := exists (select from monitoring._reached_limits r where r.kind = 'health');
    return query
    select m.* from monitoring._marked_probes m
    where m.is_new and m.recorded_xid >= v_first and (m.is_late or m.checked_at >= v_since)
        and m.checked_at >= p_from and m.checked_at < p_to
        and (not v_is_reached or (m.component_name, m.component_type) in (
            select k.name, k.component from monitoring._known_names k where k.kind = 'health'
        ));
end
$$;
