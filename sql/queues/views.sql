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
with steps as (
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

newest_times as (
    select
        q.queue_name,
        max(q.recorded_at) as recorded_at
    from monitoring._all_queue_samples as q
    where
        q.recorded_at > (select monitoring.clock()) - interval '24 hours'
        and q.recorded_at <= (select monitoring.clock())
    group by q.queue_name
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

queues as (
    select
        case
            when
                k.name is not null
                or row_number() over (partition by k.name is null order by n.queue_name)
                <= (select r.room from monitoring._name_room as r where r.kind = 'queues')
                then n.queue_name
            else '(other)'
        end as queue_name,
        n.pending,
        n.processing,
        n.completed,
        n.failed,
        n.oldest_ready_seconds,
        n.recorded_at,
        coalesce(h.samples, 0) as samples,
        h.avg_pending,
        h.max_pending,
        n.pending - h.first_pending as pending_change,
        -- A total that went back was started anew, and a few seconds tell nothing about a minute.
        case
            when
                not h.went_back
                and n.recorded_at >= h.first_at + interval '10 seconds'
                then (n.completed - h.first_completed)::double precision * 60
                    / extract(epoch from n.recorded_at - h.first_at)::double precision
        end as completed_per_minute
    from newest as n
    left join last_hour as h on n.queue_name = h.queue_name
    left join monitoring._known_names as k on k.kind = 'queues' and n.queue_name = k.name
)

-- One queue a row, but for those beyond the limit of names.
select
    q.queue_name,
    least(sum(q.pending), 9223372036854775807)::bigint as pending,
    least(sum(q.processing), 9223372036854775807)::bigint as processing,
    least(sum(q.completed), 9223372036854775807)::bigint as completed,
    least(sum(q.failed), 9223372036854775807)::bigint as failed,
    max(q.oldest_ready_seconds) as oldest_ready_seconds,
    max(q.recorded_at) as recorded_at,
    sum(q.samples)::bigint as samples,
    round(sum(q.avg_pending), 1) as avg_pending,
    max(q.max_pending) as max_pending,
    case
        when sum(q.pending_change) is not null
            then greatest(
                    least(sum(q.pending_change), 9223372036854775807), -9223372036854775807
                )
    end::bigint as pending_change,
    sum(q.completed_per_minute) as completed_per_minute,
    round(100.0 * sum(q.failed) / nullif(sum(q.completed) + sum(q.failed), 0), 2) as failed_percent
from queues as q
group by q.queue_name;

comment on view monitoring.queue_monitoring is
'Every sample of every queue.';
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
'names together, as "(other)".';
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
