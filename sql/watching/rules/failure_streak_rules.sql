-- The rule about failures in a row. From coarse to fine: days, hours and minutes tell in which of
-- them a task type last completed; only that one is read row by row. Reads finished_tasks and their
-- roll-ups.

-- How many attempts completed and how many failed, timed out or got lost, by task type and hour
-- or day, in a span of whole ones.
create or replace function monitoring._ends_by_bucket(
    p_resolution text, p_from timestamptz, p_to timestamptz
)
returns table (task_type text, bucket_at timestamptz, completed bigint, failed bigint)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times: only the partitions of that time are looked at for what is new.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select
        e.name,
        e.bucket_at,
        coalesce(sum(e.attempts) filter (where e.label = 'completed'), 0)::bigint,
        coalesce(sum(e.attempts) filter (where monitoring._is_failure(e.label)), 0)::bigint
    from (
        select r.name, r.label, r.bucket_at, r.row_count as attempts
        from monitoring.rollups r
        where r.source = 'tasks'
            and r.resolution = p_resolution
            and r.bucket_at >= p_from
            and r.bucket_at < p_to
        union all
        select t.task_type, t.status, date_trunc(p_resolution, t.finished_at, 'UTC'), 1::bigint
        from monitoring._new_tasks(p_from, p_to) t
    ) e
    group by e.name, e.bucket_at;
end
$$;

-- How many attempts of a type failed, timed out or got lost in a span after the last one in it
-- that completed; 0 when its rows are no longer kept.
create or replace function monitoring._failures_after_last_completion(
    p_task_type text, p_from timestamptz, p_to timestamptz
)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_hour timestamptz;
    v_failures bigint := 0::bigint;
begin
    if p_to - p_from > interval '1 hour' then
        select max(e.bucket_at) into v_hour
        from monitoring._ends_by_bucket('hour', p_from, p_to) e
        where e.task_type = p_task_type and e.completed > 0;
        if v_hour is not null then
            select coalesce(sum(e.failed), 0)::bigint into v_failures
            from monitoring._ends_by_bucket('hour', p_from, p_to) e
            where e.task_type = p_task_type and e.bucket_at > v_hour;
            v_failures := v_failures + monitoring._failures_after_last_completion(
                p_task_type, v_hour, v_hour + interval '1 hour'
            );
        end if;
        return v_failures;
    end if;
    with ended as (
        select t.finished_at, t.status
        from monitoring._all_finished_tasks t
        where t.task_type = p_task_type and t.finished_at >= p_from and t.finished_at < p_to
    )

    select count(*) into v_failures
    from ended e
    where monitoring._is_failure(e.status)
        and e.finished_at > (select max(c.finished_at) from ended c where c.status = 'completed');
    return v_failures;
end
$$;

-- Task types that may have failed so often in a row by p_now: the minute, hour or day in which
-- they last completed, how often they failed later, and how often within it.
create or replace function monitoring._failure_streaks(
    p_now timestamptz, p_days double precision, p_least double precision
)
returns table (
    task_type text, since_at timestamptz, until_at timestamptz, later bigint, within bigint
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_microsecond constant interval := interval '1 microsecond';
    v_minutes_from timestamptz := date_trunc('hour', p_now - interval '1 hour', 'UTC');
    v_hours_from timestamptz := date_trunc('day', v_minutes_from, 'UTC');
    v_days_from timestamptz := v_hours_from - make_interval(hours => 24 * least(p_days, 3650)::integer);
begin
    return query
    with spans as (
        select d.*, interval '24 hours' as width
        from monitoring._ends_by_bucket('day', v_days_from, v_hours_from) d
        union all
        select h.*, interval '1 hour' as width
        from monitoring._ends_by_bucket('hour', v_hours_from, v_minutes_from) h
        union all
        select
            m.name,
            m.bucket_at,
            coalesce(sum(m.row_count) filter (where m.label = 'completed'), 0)::bigint,
            coalesce(
                sum(m.row_count) filter (where monitoring._is_failure(m.label)), 0
            )::bigint,
            interval '1 minute' as width
        from monitoring._counted_by_minute('tasks', v_minutes_from - v_microsecond, p_now) m
        group by m.name, m.bucket_at
    ),

    last_completed as (
        select s.task_type, max(s.bucket_at) as bucket_at
        from spans s
        where s.completed > 0
        group by s.task_type
    )

    select
        s.task_type,
        l.bucket_at,
        least(l.bucket_at + max(s.width) filter (where s.bucket_at = l.bucket_at),
            p_now + v_microsecond),
        coalesce(sum(s.failed) filter (where s.bucket_at > l.bucket_at or l.bucket_at is null), 0)
            ::bigint,
        coalesce(sum(s.failed) filter (where s.bucket_at = l.bucket_at), 0)::bigint
    from spans s
    left join last_completed l on l.task_type = s.task_type
    group by s.task_type, l.bucket_at
    having coalesce(
        sum(s.failed) filter (where s.bucket_at >= l.bucket_at or l.bucket_at is null), 0
    ) >= p_least;
end
$$;

-- How many of the newest attempts of each task type failed, timed out or got lost in a row, as
-- far back as the window goes; those that were cancelled count neither way.
create or replace function monitoring._find_consecutive_failures(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_least double precision := greatest(monitoring._least_threshold(p_rule), 0);
begin
    if not monitoring._has_thresholds(p_rule.rule_name) then
        return;
    end if;
    return query
    select
        monitoring._short_name(f.task_type),
        f.failures::double precision,
        jsonb_build_object('task_type', f.task_type),
        case f.failures
            when 0 then format('task type %s: the last attempt completed', f.task_type)
            when 1 then format('task type %s: the last attempt failed', f.task_type)
            else format('task type %s: the last %s attempts failed', f.task_type, f.failures)
        end,
        null::text,
        null::double precision
    from (
        select
            s.task_type,
            s.later + case
                when s.within > 0 then monitoring._failures_after_last_completion(
                    s.task_type, s.since_at, s.until_at
                )
                else 0
            end as failures
        from monitoring._failure_streaks(
            p_now, monitoring._number_in(p_rule, 'window_days', 30), v_least
        ) s
    ) f;
end
$$;

call monitoring._ship_rule(
    'consecutive_failures', 'processing',
    'The newest attempts of a type all failed, timed out or got lost; those that were cancelled '
    'count neither way.',
    p_finder => '_find_consecutive_failures',
    p_explainer => '_explain_unsuccessful_attempts',
    p_alert_for_each => 'task type',
    p_comparison => '>=',
    p_unit => 'attempts',
    p_thresholds => '{"high": 3}',
    p_parameters => '{"window_days": 30}'
);
