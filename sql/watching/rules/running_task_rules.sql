-- Rules about single tasks that are running. Reads active_tasks, for the past finished_tasks too.

-- Name of an attempt of a task, of at most 255 characters.
create or replace function monitoring._attempt_fingerprint(p_task_id text, p_attempt integer)
returns text
language sql
immutable
return case
    when length(p_task_id) <= 240 and octet_length(p_task_id) <= 480 then p_task_id
    else left(p_task_id, 100) || '... ' || md5(p_task_id)
end || '#' || p_attempt::text;

-- Hours after a time in which attempts ended that may have been running then for so many
-- milliseconds.
create or replace function monitoring._hours_of_long_attempts(
    p_after timestamptz, p_least_ms double precision
)
returns setof timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the time: before it no day can have any.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select r.bucket_at
    from monitoring.rollups r
    where r.source = 'tasks'
        and r.resolution = 'hour'
        and r.bucket_at > p_after - interval '1 hour'
        -- What ended so much later must have taken as much longer to have been running then.
        and r.value_max >= p_least_ms
            + greatest(date_part('epoch', r.bucket_at - p_after), 0) * 1000
    union
    select date_trunc('hour', t.finished_at, 'UTC')
    from monitoring._new_tasks(p_after) t
    where t.finished_at > p_after and t.duration_ms >= p_least_ms;
end
$$;

-- Attempts that had been running for so many seconds by a time, also when they have ended since.
create or replace function monitoring._ran_at(p_now timestamptz, p_least_seconds double precision)
returns table (
    task_id text, attempt integer, task_type text, worker_id text, started_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_started_before timestamptz := p_now - make_interval(secs => p_least_seconds);
    v_hour timestamptz;
begin
    return query
    select t.task_id, t.attempt, t.task_type, t.worker_id, t.started_at
    from monitoring.active_tasks t
    where t.started_at <= v_started_before;
    for v_hour in
        select h.* from monitoring._hours_of_long_attempts(p_now, p_least_seconds * 1000) h
    loop
        return query
        select t.task_id, t.attempt, t.task_type, t.worker_id, t.started_at
        from monitoring._all_finished_tasks t
        where t.finished_at >= v_hour
            and t.finished_at < v_hour + interval '1 hour'
            and t.finished_at > p_now
            and t.started_at <= v_started_before;
    end loop;
end
$$;

-- Seconds for which each task that runs at p_now has been running, from the least threshold on.
create or replace function monitoring._find_long_running_tasks(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_least_seconds double precision := greatest(monitoring._least_threshold(p_rule), 0);
begin
    if not monitoring._has_thresholds(p_rule.rule_name) then
        return;
    end if;
    return query
    -- A name that was used twice at a time, as clocks of two machines may have it, is one alert.
    select distinct on (f.fingerprint)
        f.fingerprint,
        f.seconds,
        monitoring._task_labels(f.task_type, f.task_id, f.worker_id),
        format(
            'task %s of type %s has been running for %s',
            left(f.task_id, 200), left(f.task_type, 200),
            monitoring._spell_seconds(f.seconds)
        ),
        null::text,
        null::double precision
    from (
        select
            t.*,
            monitoring._attempt_fingerprint(t.task_id, t.attempt) as fingerprint,
            date_part('epoch', p_now - t.started_at) as seconds
        from monitoring._ran_at(p_now, v_least_seconds) t
    ) f
    order by f.fingerprint, f.seconds desc;
end
$$;

call monitoring._ship_rule(
    'long_running_task', 'processing',
    'A task has been running for long.',
    p_finder => '_find_long_running_tasks',
    p_explainer => '_explain_task',
    p_alert_for_each => 'attempt',
    p_comparison => '>',
    p_unit => 'seconds',
    p_thresholds => '{"medium": 3600}'
);

-- Seconds for which each running task has got no further, from the least threshold on. Looking
-- back, tasks that have ended or got further since are not found: their progress then is not
-- known.
create or replace function monitoring._find_stuck_tasks(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_least_seconds double precision := greatest(monitoring._least_threshold(p_rule), 0);
    v_is_by_heartbeat boolean := coalesce(p_rule.parameters ->> 'by' = 'heartbeat', false);
begin
    if not monitoring._has_thresholds(p_rule.rule_name) then
        return;
    end if;
    return query
    select
        monitoring._attempt_fingerprint(t.task_id, t.attempt),
        t.seconds,
        monitoring._task_labels(t.task_type, t.task_id, t.worker_id),
        format(
            'task %s of type %s has %s for %s%s',
            left(t.task_id, 180), left(t.task_type, 180),
            case when v_is_by_heartbeat then 'sent no sign of life' else 'made no progress' end,
            monitoring._spell_seconds(t.seconds),
            case
                when t.items_total is not null
                    then format(', at item %s of %s', coalesce(t.items_done, 0), t.items_total)
                else ''
            end
        ),
        null::text,
        null::double precision
    from (
        select
            a.*,
            date_part(
                'epoch',
                p_now - case when v_is_by_heartbeat then a.heartbeat_at else a.progress_at end
            ) as seconds
        from monitoring.active_tasks a
        where a.started_at <= p_now
    ) t
    where t.seconds >= v_least_seconds;
end
$$;

call monitoring._ship_rule(
    'task_stuck', 'processing',
    'A running task has made no progress for long: no items done, no counter changed. With {"by": '
    '"heartbeat"} any sign of life counts.',
    p_finder => '_find_stuck_tasks',
    p_explainer => '_explain_task',
    p_alert_for_each => 'attempt',
    p_comparison => '>=',
    p_unit => 'seconds',
    p_thresholds => '{"critical": 3600}',
    p_parameters => '{"by": "progress"}',
    p_unknown_past => 'how far tasks had got that have ended or got further since'
);
call monitoring._ship_inhibition('task_stuck', 'long_running_task', '{task_id}');

-- Seconds since each running task last spoke whose database session has ended. Which sessions
-- there are is known at present only, so looking back shows those of today.
create or replace function monitoring._find_gone_backends(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not monitoring._has_thresholds(p_rule.rule_name) then
        return;
    end if;
    return query
    select
        monitoring._attempt_fingerprint(t.task_id, t.attempt),
        date_part('epoch', p_now - t.heartbeat_at),
        monitoring._task_labels(t.task_type, t.task_id, t.worker_id),
        format(
            'task %s of type %s: its database session (process %s) has ended, %s after '
            'the task last spoke it still runs',
            left(t.task_id, 170), left(t.task_type, 170), t.backend_pid,
            monitoring._spell_seconds(date_part('epoch', p_now - t.heartbeat_at))
        ),
        null::text,
        null::double precision
    from monitoring.active_tasks t
    where t.heartbeat_at <= p_now
        and t.backend_pid is not null
        -- A process id is used again after a while: a session younger than the heartbeat is another.
        and not exists (
            select from pg_stat_activity s
            where s.pid = t.backend_pid
                and (s.backend_start is null or t.heartbeat_at >= s.backend_start)
        );
end
$$;

call monitoring._ship_rule(
    'backend_gone', 'processing',
    'The database session that last spoke for a running task has ended. Only for programs that '
    'keep one session a task; with a pool of sessions it says nothing.',
    p_finder => '_find_gone_backends',
    p_explainer => '_explain_task',
    p_alert_for_each => 'attempt',
    p_comparison => '>=',
    p_unit => 'seconds',
    p_thresholds => '{"high": 0}',
    p_is_enabled => false,
    p_unknown_past => 'which sessions there were'
);
