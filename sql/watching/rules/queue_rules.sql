-- Built-in rules about queues: how many items wait, and for how long. Reads queue_samples, and
-- roll-ups for which queues there are.

-- The newest sample of each queue up to p_now, of those beyond the limit of names together as
-- "(other)". Without figures when there is one after p_known_since but none after p_since.
create or replace function monitoring._newest_queue_samples(
    p_now timestamptz, p_since timestamptz, p_known_since timestamptz
)
returns table (
    queue_name text,
    recorded_at timestamptz,
    pending bigint,
    oldest_ready_seconds double precision
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times: only the partitions of that time are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    with names as materialized (
        select
            t.queue_name,
            t.recorded_at,
            t.queue_name <> '(other)'
            and (
                k.name is not null
                or row_number() over (partition by k.name is null order by t.queue_name)
                    <= (select r.room from monitoring._name_room r where r.kind = 'queues')
            ) as is_told_apart
        from (
            select q.queue_name, max(q.recorded_at) as recorded_at
            from monitoring._all_queue_samples q
            where q.recorded_at > p_since and q.recorded_at <= p_now
            group by q.queue_name
        ) t
        left join monitoring._known_names k on k.kind = 'queues' and k.name = t.queue_name
    ),

    newest_times as (
        select n.queue_name, n.recorded_at from names n where n.is_told_apart
    ),

    -- From the times, for to sort an hour of samples takes longer than all the rest.
    newest as (
        select distinct on (q.queue_name)
            q.queue_name, q.recorded_at, q.pending, q.oldest_ready_seconds
        from newest_times t
        inner join monitoring._all_queue_samples q
            on q.queue_name = t.queue_name and q.recorded_at = t.recorded_at
        where q.recorded_at > p_since and q.recorded_at <= p_now
        order by q.queue_name, q.sample_id desc
    ),

    -- Those beyond the limit of names, if there are any.
    others as (
        select
            max(array[
                extract(epoch from q.recorded_at)::double precision, q.sample_id, q.pending,
                coalesce(q.oldest_ready_seconds, -1)
            ]) as newest,
            max(q.recorded_at) as recorded_at
        from monitoring._all_queue_samples q
        where (select bool_or(not n.is_told_apart) from names n)
            and q.recorded_at > p_since
            and q.recorded_at <= p_now
            and q.queue_name not in (select t.queue_name from newest_times t)
        group by q.queue_name
    )

    select n.queue_name, n.recorded_at, n.pending, n.oldest_ready_seconds
    from newest n
    union all
    select
        '(other)', max(o.recorded_at), least(sum(o.newest[3]), 9e18)::bigint,
        nullif(max(o.newest[4]), -1)
    from others o
    having count(*) > 0
    union all
    -- Queues that are known, but of which there is nothing recent.
    select k.name, s.recorded_at, null, null
    from (
        select r.name
        from monitoring.rollups r
        where r.source = 'queues'
            and r.label = 'pending'
            and r.resolution = 'day'
            and r.bucket_at >= date_trunc('day', p_known_since, 'UTC')
            and r.bucket_at <= p_now
        union
        select m.queue_name
        from monitoring._new_queues(p_known_since, p_now + interval '1 microsecond') m
        where m.recorded_at > p_known_since
    ) k
    cross join lateral (
        select q.recorded_at
        from monitoring._all_queue_samples q
        where q.queue_name = k.name and q.recorded_at > p_known_since and q.recorded_at <= p_now
        order by q.recorded_at desc
        limit 1
    ) s
    where k.name not in (select n.queue_name from names n);
end
$$;

-- Items that wait in each queue by its newest sample; one older than window_minutes is no data,
-- and one older than forget_after_minutes counts as empty.
create or replace function monitoring._find_queue_backlogs(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_forgotten_at timestamptz := p_now - monitoring._span_of(p_rule, 'forget_after_minutes');
begin
    return query
    select
        q.queue_name,
        -- Told for a day, for an engine that hears nothing of any queue leaves all alerts open.
        case when q.recorded_at <= v_forgotten_at then 0 else q.pending end::double precision,
        jsonb_build_object('queue', q.queue_name),
        format('queue %s: %s waiting', q.queue_name, coalesce(q.pending::text, 'unknown how many')),
        null::text,
        null::double precision
    from monitoring._newest_queue_samples(
        p_now,
        p_now - monitoring._span_of(p_rule, 'window_minutes'),
        v_forgotten_at - interval '24 hours'
    ) q;
end
$$;

call monitoring._ship_rule(
    'queue_backlog', 'queues',
    'Many items wait in a queue: look whether its workers run and keep up.',
    p_finder => '_find_queue_backlogs',
    p_explainer => '_explain_queue',
    p_alert_for_each => 'queue',
    p_comparison => '>=',
    p_unit => 'items',
    p_thresholds => '{"low": 50, "medium": 100, "high": 200, "critical": 500}',
    p_parameters => '{"window_minutes": 60, "forget_after_minutes": 1440}',
    p_no_data => 'keep'
);

-- Seconds for which the oldest item of each queue has been ready by its newest sample; no data
-- where that was not told, or longer ago than window_minutes.
create or replace function monitoring._find_old_queue_items(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_forgotten_at timestamptz := p_now - monitoring._span_of(p_rule, 'forget_after_minutes');
begin
    return query
    select
        q.queue_name,
        -- Nothing waits: then nothing has waited for long, whether its age was told or not.
        case
            when q.pending = 0 or q.recorded_at <= v_forgotten_at then 0
            else q.oldest_ready_seconds
        end,
        jsonb_build_object('queue', q.queue_name),
        format(
            'queue %s: the oldest of %s waiting has been ready for %s',
            q.queue_name,
            coalesce(q.pending::text, 'those'),
            coalesce(monitoring._spell_seconds(q.oldest_ready_seconds), 'an unknown time')
        ),
        null::text,
        null::double precision
    from monitoring._newest_queue_samples(
        p_now,
        p_now - monitoring._span_of(p_rule, 'window_minutes'),
        v_forgotten_at - interval '24 hours'
    ) q;
end
$$;

call monitoring._ship_rule(
    'queue_oldest_ready_age', 'queues',
    'An item has been ready for long and nobody takes it: its workers are stuck or too few.',
    p_finder => '_find_old_queue_items',
    p_explainer => '_explain_queue',
    p_alert_for_each => 'queue',
    p_comparison => '>',
    p_unit => 'seconds',
    p_thresholds => '{"medium": 300, "high": 900, "critical": 3600}',
    p_parameters => '{"window_minutes": 60, "forget_after_minutes": 1440}',
    p_no_data => 'keep'
);

-- The newest samples of the queue that an alert is about.
create or replace function monitoring._explain_queue(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select
        'queue sample',
        q.recorded_at,
        jsonb_build_object(
            'queue_name', q.queue_name,
            'pending', q.pending,
            'processing', q.processing,
            'completed', q.completed,
            'failed', q.failed,
            'oldest_ready_seconds', q.oldest_ready_seconds
        )
    from monitoring._all_queue_samples q
    where q.queue_name = p_alert.labels ->> 'queue' and q.recorded_at <= p_now
    order by q.recorded_at desc, q.sample_id desc
    limit p_limit;
end
$$;
