-- Queues as people look at them: how each is by its newest sample, how fast items come and go, when
-- it will be empty at that rate, and how deep it was on the last day. Looks up each queue by its
-- name, so that the cost goes by queues and not by samples.

-- Queues sampled after p_since, in the order in which they are listed: those first about which
-- alerts fire, the worst before the others, then those in which most waits.
create or replace function monitoring._chosen_queues(
    p_now timestamptz,
    p_since timestamptz,
    p_search text,
    p_is_troubled boolean,
    p_queue_name text,
    p_limit integer,
    p_after_trouble integer,
    p_after_pending bigint,
    p_after_name text
)
returns table (
    queue_name text,
    recorded_at timestamptz,
    pending bigint,
    processing bigint,
    completed bigint,
    failed bigint,
    oldest_ready_seconds double precision,
    alerts bigint,
    worst_severity text,
    trouble integer
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times: only the partitions of that time are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select
        k.name, s.recorded_at, s.pending, s.processing, s.completed, s.failed,
        s.oldest_ready_seconds, coalesce(a.alerts, 0), a.worst_severity, coalesce(a.trouble, 0)
    from (
        select n.name from monitoring.known_names n
        where n.kind = 'queues' and (p_queue_name is null or n.name = p_queue_name)
        union
        select m.queue_name
        from monitoring._new_queues(p_since, p_now + interval '1 microsecond') m
        where p_queue_name is null or m.queue_name = p_queue_name
    ) k
    cross join lateral (
        select q.*
        from monitoring._all_queue_samples q
        where q.queue_name = k.name and q.recorded_at > p_since and q.recorded_at <= p_now
        order by q.recorded_at desc, q.sample_id desc
        limit 1
    ) s
    left join monitoring._alerts_about(array['queue']) a on a.about = array[k.name]
    where (p_is_troubled is null or (a.alerts is not null) = p_is_troubled)
        and (p_search is null or position(
            lower(p_search collate "C") in lower(k.name collate "C")
        ) > 0)
        and (p_after_name is null or (-coalesce(a.trouble, 0), -s.pending, k.name) > (
            -coalesce(p_after_trouble::bigint, 0), -coalesce(p_after_pending::numeric, 0), p_after_name
        ))
    order by coalesce(a.trouble, 0) desc, s.pending desc, k.name
    limit p_limit;
end
$$;

-- How many items came, were done and failed in a queue up to its newest sample, and by how many
-- more wait: within a quarter of an hour, or as near to that as an hour of samples allows.
create or replace function monitoring._flow_of_queue(
    p_queue_name text,
    p_recorded_at timestamptz,
    out seconds double precision,
    out waiting_change double precision,
    out completed double precision,
    out failed double precision,
    out arrived double precision
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    with samples as (
        select
            q.recorded_at, q.sample_id, q.pending::double precision as pending,
            q.processing::double precision as processing,
            q.completed::double precision as completed, q.failed::double precision as failed,
            lag(q.completed) over w as completed_before, lag(q.failed) over w as failed_before
        from monitoring._all_queue_samples q
        where q.queue_name = p_queue_name
            and q.recorded_at > p_recorded_at - interval '1 hour'
            and q.recorded_at <= p_recorded_at
        window w as (order by q.recorded_at, q.sample_id)
    ),
    first as (
        select s.*
        from samples s
        order by
            s.recorded_at > p_recorded_at - interval '15 minutes',
            case when s.recorded_at <= p_recorded_at - interval '15 minutes'
                then p_recorded_at - s.recorded_at else s.recorded_at - p_recorded_at
            end,
            s.sample_id
        limit 1
    ),
    last as (
        select s.* from samples s order by s.recorded_at desc, s.sample_id desc limit 1
    ),
    -- A total that goes back was started anew, and what it counts since then is all there is.
    growth as (
        select
            sum(s.completed - case
                when s.completed >= s.completed_before then s.completed_before else 0
            end) as completed,
            sum(s.failed - case when s.failed >= s.failed_before then s.failed_before else 0 end)
                as failed
        from samples s, first f
        where s.recorded_at > f.recorded_at
    )
    select
        date_part('epoch', l.recorded_at - f.recorded_at),
        l.pending - f.pending,
        -- Of a queue that never told of any, nobody knows what comes and goes.
        case when l.completed + l.failed + g.completed + g.failed > 0 then g.completed end,
        case when l.completed + l.failed + g.completed + g.failed > 0 then g.failed end,
        case when l.completed + l.failed + g.completed + g.failed > 0 then greatest(0,
            g.completed + g.failed + l.pending + l.processing - f.pending - f.processing
        ) end
    into seconds, waiting_change, completed, failed, arrived
    from first f, last l, growth g
    -- A few seconds tell nothing about a minute.
    where l.recorded_at >= f.recorded_at + interval '10 seconds';
end
$$;

-- Mean of what waited in each queue in each of the last 24 hours, the oldest first; null where it
-- was not sampled.
create or replace function monitoring._depths_by_hour(p_names text[], p_now timestamptz)
returns table (queue_name text, depths double precision[])
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_from constant timestamptz := date_trunc('hour', p_now, 'UTC') - interval '23 hours';
begin
    return query
    with hours as (
        select h.at from generate_series(v_from, p_now, interval '1 hour') h (at)
    ),
    parts as materialized (
        select r.name, r.bucket_at, r.value_sum, r.value_count
        from hours h
        cross join unnest(p_names) n (name)
        inner join monitoring.rollups r
            on r.source = 'queues'
            and r.resolution = 'hour'
            and r.bucket_at = h.at
            and r.name = n.name
            and r.label = 'pending'
        where r.bucket_at >= v_from
        union all
        select m.queue_name, date_trunc('hour', m.recorded_at, 'UTC'),
            sum(m.pending)::double precision, count(*)
        from monitoring._new_queues(v_from, p_now + interval '1 microsecond') m
        where m.queue_name = any(p_names)
        group by 1, 2
    )
    select n.name, array(
        select sum(p.value_sum) / sum(p.value_count)::double precision
        from hours h
        left join parts p on p.name = n.name and p.bucket_at = h.at
        group by h.at
        order by h.at
    )
    from unnest(p_names) n (name);
end
$$;

create or replace function monitoring.get_queues(
    p_search text default null,
    p_is_troubled boolean default null,
    p_queue_name text default null,
    p_limit integer default 100,
    p_after_trouble integer default null,
    p_after_pending bigint default null,
    p_after_name text default null
)
returns table (
    queue_name text,
    pending bigint,
    processing bigint,
    completed bigint,
    failed bigint,
    oldest_ready_seconds double precision,
    recorded_at timestamptz,
    rate_seconds double precision,
    pending_per_minute double precision,
    arrived_per_minute double precision,
    completed_per_minute double precision,
    failed_per_minute double precision,
    seconds_to_empty double precision,
    failed_percent numeric,
    depths double precision[],
    alerts bigint,
    worst_severity text,
    trouble integer
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    if p_limit is null or p_limit not between 0 and 10000 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 0 to 10000');
    end if;
    return query
    with chosen as materialized (
        select c.*
        from monitoring._chosen_queues(
            v_now,
            -- Who asks for one by name finds it for as long as samples are kept.
            case when p_queue_name is null then v_now - interval '24 hours' else '-infinity' end,
            p_search, p_is_troubled, p_queue_name, p_limit, p_after_trouble, p_after_pending,
            p_after_name
        ) c
    )
    select
        c.queue_name, c.pending, c.processing, c.completed, c.failed, c.oldest_ready_seconds,
        c.recorded_at, f.seconds, f.waiting_change * 60 / f.seconds, f.arrived * 60 / f.seconds,
        f.completed * 60 / f.seconds, f.failed * 60 / f.seconds,
        case
            when c.pending = 0 then 0
            when f.waiting_change < 0 then c.pending * f.seconds / -f.waiting_change
        end,
        round(100.0 * c.failed / nullif(c.completed::numeric + c.failed, 0), 2),
        d.depths, c.alerts, c.worst_severity, c.trouble
    from chosen c
    cross join lateral monitoring._flow_of_queue(c.queue_name, c.recorded_at) f
    inner join monitoring._depths_by_hour(
        array(select n.queue_name from chosen n), v_now
    ) d on d.queue_name = c.queue_name
    order by c.trouble desc, c.pending desc, c.queue_name;
end
$$;

comment on function monitoring.get_queues(
    text, boolean, text, integer, integer, bigint, text
) is
'Queues sampled in the last 24 hours, or one: newest sample, items a minute over rate_seconds, '
'seconds until empty at that rate, mean depth by hour of the last day, alerts. p_after_... say '
'where the page before ended: its last trouble, pending and queue_name.';
