-- Reading queues.

create or replace view monitoring.queue_monitoring as
select
    q.queue_name,
    q.pending,
    q.processing,
    q.completed,
    q.failed,
    q.oldest_ready_seconds,
    q.recorded_at,
    q.sample_id
from monitoring._all_queue_samples as q;

create or replace view monitoring.v_queue_performance as
with names as materialized (
    select
        t.queue_name,
        t.recorded_at,
        t.queue_name <> '(other)'
        and (
            k.name is not null
            or row_number() over (partition by k.name is null order by t.queue_name)
            <= (select r.room from monitoring._name_room as r where r.kind = 'queues')
        ) as is_told_apart
    from (
        select
            q.queue_name,
            max(q.recorded_at) as recorded_at
        from monitoring._all_queue_samples as q
        where
            q.recorded_at > (select monitoring.clock()) - interval '24 hours'
            and q.recorded_at <= (select monitoring.clock())
        group by q.queue_name
    ) as t
    left join monitoring._known_names as k on k.kind = 'queues' and t.queue_name = k.name
),

newest_times as (
    select
        n.queue_name,
        n.recorded_at
    from names as n
    where n.is_told_apart
),

steps as (
    select
        q.queue_name,
        q.pending,
        q.completed,
        q.recorded_at,
        q.sample_id,
        q.completed < lag(q.completed) over (
            partition by q.queue_name order by q.recorded_at, q.sample_id
        ) as went_back
    from monitoring._all_queue_samples as q
    where
        q.recorded_at > (select monitoring.clock()) - interval '1 hour'
        and q.recorded_at <= (select monitoring.clock())
        and q.queue_name in (select t.queue_name from newest_times as t)
),

last_hour as (
    select
        s.queue_name,
        count(*) as samples,
        avg(s.pending) as avg_pending,
        max(s.pending) as max_pending,
        (array_agg(s.pending order by s.recorded_at, s.sample_id))[1] as first_pending,
        (array_agg(s.completed order by s.recorded_at, s.sample_id))[1] as first_completed,
        coalesce(bool_or(s.went_back), false) as went_back,
        min(s.recorded_at) as first_at
    from steps as s
    group by s.queue_name
),

-- From the times, for to sort a day of samples takes longer than all the rest.
newest as (
    select distinct on (q.queue_name)
        q.queue_name,
        q.pending,
        q.processing,
        q.completed,
        q.failed,
        q.oldest_ready_seconds,
        q.recorded_at
    from newest_times as t
    inner join monitoring._all_queue_samples as q
        on t.queue_name = q.queue_name and t.recorded_at = q.recorded_at
    where
        q.recorded_at >= (select min(f.recorded_at) from newest_times as f)
        and q.recorded_at <= (select monitoring.clock())
    order by q.queue_name asc, q.sample_id desc
),

-- Those beyond the limit of names, if there are any: the sums of their newest figures.
others as (
    select
        sum(o.newest[3]) as pending,
        sum(o.newest[4]) as processing,
        sum(o.newest[5]) as completed,
        sum(o.newest[6]) as failed,
        nullif(max(o.newest[7]), -1) as oldest_ready_seconds,
        max(o.recorded_at) as recorded_at
    from (
        select
            max(array[
                extract(epoch from q.recorded_at)::double precision, q.sample_id, q.pending,
                q.processing, q.completed, q.failed, coalesce(q.oldest_ready_seconds, -1)
            ]) as newest,
            max(q.recorded_at) as recorded_at
        from monitoring._all_queue_samples as q
        where
            (select bool_or(not n.is_told_apart) from names as n)
            and q.recorded_at > (select monitoring.clock()) - interval '24 hours'
            and q.recorded_at <= (select monitoring.clock())
            and q.queue_name not in (select t.queue_name from newest_times as t)
        group by q.queue_name
    ) as o
    having count(*) > 0
)

select
    n.queue_name,
    n.pending,
    n.processing,
    n.completed,
    n.failed,
    n.oldest_ready_seconds,
    n.recorded_at,
    coalesce(h.samples, 0) as samples,
    round(h.avg_pending, 1) as avg_pending,
    h.max_pending,
    n.pending - h.first_pending as pending_change,
    -- A total that went back was started anew, and a few seconds tell nothing about a minute.
    case
        when
            not h.went_back
            and n.recorded_at >= h.first_at + interval '10 seconds'
            then (n.completed - h.first_completed)::double precision * 60
                / extract(epoch from n.recorded_at - h.first_at)::double precision
    end as completed_per_minute,
    round(100.0 * n.failed / nullif(n.completed::numeric + n.failed, 0), 2) as failed_percent
from newest as n
left join last_hour as h on n.queue_name = h.queue_name
union all
select
    '(other)' as queue_name,
    least(o.pending, 9e18)::bigint as pending,
    least(o.processing, 9e18)::bigint as processing,
    least(o.completed, 9e18)::bigint as completed,
    least(o.failed, 9e18)::bigint as failed,
    o.oldest_ready_seconds,
    o.recorded_at,
    0 as samples,
    null as avg_pending,
    null as max_pending,
    null as pending_change,
    null as completed_per_minute,
    round((100.0 * o.failed / nullif(o.completed + o.failed, 0))::numeric, 2) as failed_percent
from others as o;

comment on view monitoring.queue_monitoring is
'Every sample of every queue. A view, so it has no index of its own '
'and needs none: by hour v_queue_trends answers from roll-ups.';
comment on column monitoring.queue_monitoring.queue_name is
'Which queue was looked at.';
comment on column monitoring.queue_monitoring.pending is
'Items waiting.';
comment on column monitoring.queue_monitoring.processing is
'Items being worked on.';
comment on column monitoring.queue_monitoring.completed is
'Items done so far, a running total.';
comment on column monitoring.queue_monitoring.failed is
'Items failed so far, a running total.';
comment on column monitoring.queue_monitoring.oldest_ready_seconds is
'Seconds that the oldest waiting item has been ready.';
comment on column monitoring.queue_monitoring.recorded_at is
'When it was looked at.';
comment on column monitoring.queue_monitoring.sample_id is
'Number of the sample.';

comment on view monitoring.v_queue_performance is
'Each queue seen in the last 24 hours as it is now, with its last hour; those beyond the limit of '
'names together, as "(other)", without their last hour.';
comment on column monitoring.v_queue_performance.queue_name is
'Which queue it is.';
comment on column monitoring.v_queue_performance.pending is
'Items waiting, in the newest sample.';
comment on column monitoring.v_queue_performance.processing is
'Items being worked on, in the newest sample.';
comment on column monitoring.v_queue_performance.completed is
'Items done so far, in the newest sample.';
comment on column monitoring.v_queue_performance.failed is
'Items failed so far, in the newest sample.';
comment on column monitoring.v_queue_performance.oldest_ready_seconds is
'Seconds that the oldest waiting item had been ready, in the newest sample.';
comment on column monitoring.v_queue_performance.recorded_at is
'When the newest sample was taken.';
comment on column monitoring.v_queue_performance.samples is
'Samples in the last hour.';
comment on column monitoring.v_queue_performance.avg_pending is
'Mean of the items waiting, over the last hour.';
comment on column monitoring.v_queue_performance.max_pending is
'Most items waiting at once in the last hour.';
comment on column monitoring.v_queue_performance.pending_change is
'Items waiting now less those waiting an hour ago; positive when the queue grows.';
comment on column monitoring.v_queue_performance.completed_per_minute is
'Items done a minute over the last hour; null when the total went back or the '
'samples span less than 10 seconds.';
comment on column monitoring.v_queue_performance.failed_percent is
'Failed of all that ended, 0 to 100.';
