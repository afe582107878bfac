-- Which expected runs did not come. Reads expected_runs and their states, active_tasks,
-- finished_tasks and their roll-ups.

-- Whether roll-ups tell for certain that an attempt of a type began and ended between two times,
-- with one of the statuses.
create or replace function monitoring._has_ended_since(
    p_task_type text, p_since timestamptz, p_now timestamptz, p_statuses text[]
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_millisecond constant interval := interval '1 millisecond';
    v_kept_since timestamptz;
begin
    select r.complete_since into v_kept_since
    from monitoring.rollup_progress r
    where r.table_name = 'finished_tasks';
    return exists (
        select from (
            select r.bucket_at, r.bucket_at + interval '1 hour' as ends_at, r.row_count,
                r.value_count, r.value_min
            from monitoring.rollups r
            where r.source = 'tasks'
                and r.resolution = 'hour'
                and r.bucket_at >= date_trunc('hour', p_since, 'UTC')
                and r.bucket_at < p_now
                and r.name = p_task_type
                and (p_statuses is null or r.label = any(p_statuses))
            union all
            select r.bucket_at, r.bucket_at + interval '24 hours', r.row_count,
                r.value_count, r.value_min
            from monitoring.rollups r
            where r.source = 'tasks'
                and r.resolution = 'day'
                and r.bucket_at >= date_trunc('day', p_since, 'UTC')
                and r.bucket_at < p_now
                and r.name = p_task_type
                and (p_statuses is null or r.label = any(p_statuses))
        ) b
        where b.ends_at <= p_now
            and case
                -- Where the rows are gone, the benefit of the doubt.
                when b.bucket_at < v_kept_since then b.ends_at else b.bucket_at
            end
            - case
                when b.row_count > b.value_count then interval '0' else b.value_min * v_millisecond
            end >= p_since
    );
end
$$;

-- Hours in which attempts of a type ended with one of the statuses that may have begun between
-- two times.
create or replace function monitoring._hours_to_read(
    p_task_type text, p_since timestamptz, p_now timestamptz, p_statuses text[]
)
returns setof timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times: no earlier day can have any.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select r.bucket_at
    from monitoring.rollups r
    where r.source = 'tasks'
        and r.resolution = 'hour'
        and r.bucket_at >= date_trunc('hour', p_since, 'UTC')
        and r.name = p_task_type
        and (p_statuses is null or r.label = any(p_statuses))
        and (
            r.row_count > r.value_count
            or r.bucket_at + interval '1 hour' - r.value_min * interval '1 millisecond' >= p_since
        )
        and (
            r.bucket_at <= p_now
            or r.bucket_at - r.value_max * interval '1 millisecond' <= p_now
        )
    union
    select date_trunc('hour', t.finished_at, 'UTC')
    from monitoring._new_tasks(p_since) t
    where t.task_type = p_task_type
        and (p_statuses is null or t.status = any(p_statuses))
    order by 1;
end
$$;

-- Whether an attempt of a type, or of that name, began between two times and has ended since, with
-- one of the statuses; of one whose beginning is not known the end counts.
create or replace function monitoring._has_started_since(
    p_task_type text, p_since timestamptz, p_now timestamptz, p_statuses text[]
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_hour timestamptz;
begin
    -- A program that only ever tells its ends has but a name.
    if exists (
        select from monitoring._all_finished_tasks t
        where t.task_id = p_task_type
            and t.finished_at >= p_since
            and coalesce(t.started_at, t.finished_at) between p_since and p_now
            and (p_statuses is null or t.status = any(p_statuses))
    ) or monitoring._has_ended_since(p_task_type, p_since, p_now, p_statuses) then
        return true;
    end if;
    for v_hour in
        select h.* from monitoring._hours_to_read(p_task_type, p_since, p_now, p_statuses) h
    loop
        if exists (
            select from monitoring._all_finished_tasks t
            where t.finished_at >= v_hour
                and t.finished_at < v_hour + interval '1 hour'
                and t.task_type = p_task_type
                and (p_statuses is null or t.status = any(p_statuses))
                -- Who tells only the end of a run has run all the same.
                and coalesce(t.started_at, t.finished_at) between p_since and p_now
        ) then
            return true;
        end if;
    end loop;
    return false;
end
$$;

-- Expected runs of which a run may be missing as of a time: those whose states do not tell for
-- certain that none is. Where is_known, nothing that is rolled up has come since it was due; where
-- is_counted, that goes by the last run and not by the clock.
create or replace function monitoring._suspected_runs(p_now timestamptz)
returns table (
    task_type text,
    expected monitoring.expected_runs,
    due_at timestamptz,
    is_known boolean,
    is_counted boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        e.task_type,
        e,
        case
            when s.is_known then s.judged_due_at
            else monitoring._last_due_at(
                    e, p_now - make_interval(secs => e.grace_seconds), p_now
                )
        end,
        coalesce(s.is_known, false),
        coalesce(s.is_known and s.every_seconds is not null, false)
    from monitoring.expected_runs e
    left join lateral (
        select
            t.judged_due_at,
            t.every_seconds,
            monitoring._holds(t, e, p_now) as is_known,
            monitoring._counted_start(e, t.last_start_at, t.last_success_at) as counted_at
        from monitoring.expected_run_states t
        where t.task_type = e.task_type
    ) s on true
    where e.is_enabled
        and not coalesce(
            s.is_known
            and (
                s.judged_due_at is null
                or s.every_seconds is null
                and s.judged_due_at - make_interval(secs => e.early_seconds) <= s.counted_at
            ),
            false
        )
    -- Worked out once, not wherever it is asked for.
    offset 0;
end
$$;

-- Expected runs that were due by p_now, less their grace, and have not begun since.
create or replace function monitoring._missed_runs(p_now timestamptz)
returns table (task_type text, due_at timestamptz, time_zone text, counts text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with suspected as materialized (
        select u.* from monitoring._suspected_runs(p_now) u
    ),

    -- What roll-ups have not counted yet.
    new_starts as materialized (
        select n.* from monitoring._newest_expected_starts(9223372036854775807, '{}') n
        where exists (select from suspected s where s.is_known)
    )

    select s.task_type, d.due_at, (s.expected).time_zone, (s.expected).counts
    from suspected s
    left join new_starts n on n.task_type = s.task_type
    left join lateral (
        select max(a.started_at) as started_at
        from monitoring.active_tasks a
        where (a.task_type = s.task_type or a.task_id = s.task_type) and a.started_at <= p_now
    ) r on true
    cross join lateral (
        -- What is counted from the last run is due again since there is another.
        select case
            when s.is_counted and coalesce(r.started_at, n.last_start_at) is not null
                then monitoring._last_due_at(
                        s.expected,
                        p_now - make_interval(secs => (s.expected).grace_seconds),
                        p_now
                    )
            else s.due_at
        end as due_at
    ) d
    cross join lateral (
        -- One that is due every so often has not come since it was due.
        select d.due_at - make_interval(secs => case
            when monitoring._is_cron((s.expected).schedule) then (s.expected).early_seconds else 0
        end) as since_at
    ) w
    where d.due_at is not null
        and case
            when s.is_counted and coalesce(r.started_at, n.last_start_at) is null then true
            when r.started_at >= w.since_at then false
            when s.is_known and not s.is_counted and coalesce(n.last_start_at <= p_now, true)
                then coalesce(
                    monitoring._counted_start(s.expected, n.last_start_at, n.last_success_at)
                    < w.since_at,
                    true
                )
            else not monitoring._has_started_since(
                s.task_type, w.since_at, p_now,
                monitoring._counted_statuses((s.expected).counts)
            )
        end;
end
$$;

-- Seconds since each expected run was due that has not begun. Looking back, goes by what is
-- expected today.
create or replace function monitoring._find_missed_runs(
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
        monitoring._short_name(m.task_type),
        date_part('epoch', p_now - m.due_at),
        jsonb_build_object('task_type', m.task_type),
        format(
            'task type %s: no run has %s since one was due at %s (%s), %s ago',
            m.task_type,
            case m.counts when 'successes' then 'succeeded' else 'started' end,
            to_char(m.due_at at time zone m.time_zone, 'YYYY-MM-DD HH24:MI'),
            m.time_zone,
            monitoring._spell_seconds(date_part('epoch', p_now - m.due_at))
        ),
        null::text,
        null::double precision
    from monitoring._missed_runs(p_now) m;
end
$$;

call monitoring._ship_rule(
    'missed_run', 'processing',
    'A run that define_expected_runs() announced has not started, or succeeded, in time.',
    p_finder => '_find_missed_runs',
    p_explainer => '_explain_missed_run',
    p_alert_for_each => 'task type',
    p_comparison => '>=',
    p_unit => 'seconds',
    p_thresholds => '{"high": 0}',
    p_unknown_past => 'what was expected before that was changed'
);
