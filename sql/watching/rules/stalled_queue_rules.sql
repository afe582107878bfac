-- The built-in rule about queues that have work, and in which nothing completes: their depth may
-- look healthy, and their workers run. What is long is measured by what each queue is used to.
-- Reads queue_samples.

-- Each queue by its newest sample, and since when it has had work and completed nothing; without
-- figures where nothing recent is known.
create or replace function monitoring._work_in_queues(
    p_now timestamptz, p_since timestamptz, p_known_since timestamptz, p_look_back interval
)
returns table (
    queue_name text,
    recorded_at timestamptz,
    waiting bigint,
    processing bigint,
    completed bigint,
    stalled_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times: only the partitions of that time are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select n.queue_name, n.recorded_at, q.pending, q.processing, q.completed, b.stalled_at
    from monitoring._newest_queue_samples(p_now, p_since, p_known_since) n
    left join lateral (
        select s.pending, s.processing, s.completed
        from monitoring._all_queue_samples s
        where s.queue_name = n.queue_name and s.recorded_at = n.recorded_at
            and n.pending is not null
        order by s.sample_id desc
        limit 1
    ) q on true
    -- When it last had nothing to do, or had completed another number.
    left join lateral (
        select s.recorded_at
        from monitoring._all_queue_samples s
        where s.queue_name = n.queue_name
            and s.recorded_at > p_now - p_look_back and s.recorded_at < n.recorded_at
            and (s.completed <> q.completed or s.pending + s.processing = 0)
        order by s.recorded_at desc
        limit 1
    ) p on q.pending + q.processing > 0
    left join lateral (
        select min(s.recorded_at) as stalled_at
        from monitoring._all_queue_samples s
        where s.queue_name = n.queue_name
            and s.recorded_at > coalesce(p.recorded_at, p_now - p_look_back)
            and s.recorded_at <= n.recorded_at
    ) b on q.pending + q.processing > 0;
end
$$;

-- How long a queue was used to have work and complete nothing, between two times: the longest span
-- but one, as the longest may have been trouble. Null when there were not two.
create or replace function monitoring._usual_pause(
    p_queue_name text, p_from timestamptz, p_to timestamptz
)
returns interval
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return (
        with samples as (
            select q.recorded_at, q.completed, q.pending + q.processing as work,
                lag(q.completed) over (order by q.recorded_at, q.sample_id) as completed_before
            from monitoring._all_queue_samples q
            where q.queue_name = p_queue_name
                and q.recorded_at >= p_from and q.recorded_at < p_to
        ),
        spans as (
            select s.recorded_at,
                count(*) filter (
                    where s.work = 0 or s.completed <> s.completed_before
                ) over (order by s.recorded_at) as span
            from samples s
        )
        select max(s.recorded_at) - min(s.recorded_at)
        from spans s
        group by s.span
        order by 1 desc
        offset 1
        limit 1
    );
end
$$;

-- Whether a queue has told, between two times, that it completed anything.
create or replace function monitoring._has_told_completions(
    p_queue_name text, p_from timestamptz, p_to timestamptz
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return exists (
        select from monitoring._all_queue_samples q
        where q.queue_name = p_queue_name and q.recorded_at >= p_from and q.recorded_at <= p_to
            and q.completed > 0
    );
end
$$;

-- How many times as long as usual each queue has had work and completed nothing, by its newest
-- sample; no data where nobody tells what is completed, or nothing for longer than window_minutes.
create or replace function monitoring._find_stalled_queues(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_forgotten_at timestamptz := p_now - monitoring._span_of(p_rule, 'forget_after_minutes');
    v_least interval := monitoring._span_of(p_rule, 'min_minutes');
    v_history interval := interval '1 day' * monitoring._number_in(p_rule, 'history_days', 3);
begin
    return query
    select
        q.queue_name,
        case
            when q.recorded_at <= v_forgotten_at or q.waiting + q.processing = 0 then 0
            when q.waiting is null then null
            -- One that has completed nothing in all that time is one that does not tell.
            when q.completed > 0
                or monitoring._has_told_completions(q.queue_name, p_now - v_history, q.recorded_at)
                then date_part('epoch', s.stalled_for) / date_part('epoch', u.usual)
        end,
        jsonb_build_object('queue', q.queue_name),
        format(
            'queue %s: nothing completed for %s, usually for no longer than %s; %s waiting, %s '
            'worked on',
            q.queue_name, monitoring._spell_seconds(date_part('epoch', s.stalled_for)),
            monitoring._spell_seconds(date_part('epoch', u.usual)), q.waiting, q.processing
        ),
        null::text,
        null::double precision
    from monitoring._work_in_queues(
        p_now, p_now - monitoring._span_of(p_rule, 'window_minutes'),
        v_forgotten_at - interval '24 hours', v_history
    ) q
    cross join lateral (
        select coalesce(q.recorded_at - q.stalled_at, interval '0') as stalled_for
    ) s
    cross join lateral (
        select greatest(v_least, case
            when s.stalled_for > v_least
                then monitoring._usual_pause(q.queue_name, p_now - v_history, q.stalled_at)
        end) as usual
    ) u;
end
$$;

call monitoring._ship_rule(
    'queue_stalled', 'queues',
    'A queue has work, waiting or being done, and has completed nothing for several times as long '
    'as it usually takes it: its workers hang, fail or are gone. Only for queues that tell what '
    'they have completed.',
    p_finder => '_find_stalled_queues',
    p_explainer => '_explain_queue',
    p_alert_for_each => 'queue',
    p_comparison => '>=',
    p_unit => 'times the usual',
    p_thresholds => '{"high": 3, "critical": 12}',
    p_parameters => '{"window_minutes": 60, "forget_after_minutes": 1440, "min_minutes": 5,
        "history_days": 3}',
    p_no_data => 'keep'
);
