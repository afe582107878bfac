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
    ) as long_open
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
    ) as is_new
from monitoring.finished_tasks as t;

comment on view monitoring._marked_tasks is
'Rows of finished_tasks, each with whether it is not in the roll-ups yet.';

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
    ) as is_new
from monitoring.errors as e;

comment on view monitoring._marked_errors is
'Rows of errors, each with whether it is not in the roll-ups yet.';

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
    ) as is_new
from monitoring.metric_samples as m;

comment on view monitoring._marked_metrics is
'Rows of metric_samples, each with whether it is not in the roll-ups yet.';

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
    ) as is_new
from monitoring.queue_samples as q;

comment on view monitoring._marked_queues is
'Rows of queue_samples, each with whether it is not in the roll-ups yet.';

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
    ) as is_new
from monitoring.health_probes as p;

comment on view monitoring._marked_probes is
'Rows of health_probes, each with whether it is not in the roll-ups yet.';
