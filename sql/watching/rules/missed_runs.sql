-- Runs that are expected by the clock, and whether they began. Writes expected_runs; reads
-- active_tasks, finished_tasks and their roll-ups.

-- The cron expression that a schedule is, or that a time of day or an interval stands for.
create or replace function monitoring._expected_cron(p_schedule text) returns text
language sql
stable
return coalesce(
    monitoring._cron_of(p_schedule), monitoring._clock_of_interval(p_schedule), p_schedule
);

-- When a cron expression was last due after one time and until another, the latter included;
-- null when it was not.
create or replace function monitoring._last_cron_time(
    p_expression text, p_after timestamptz, p_until timestamptz, p_time_zone text
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fields text [] := monitoring._split_cron(p_expression);
    v_sets bit varying [] := monitoring._read_cron(v_fields);
    v_back interval;
    v_from timestamptz;
    v_to timestamptz := p_until;
    v_last timestamptz;
    v_next timestamptz;
begin
    -- The expression tells what comes next, so go back until something comes, ever further.
    foreach v_back in array array[
        '3 minutes', '70 minutes', '25 hours', '8 days', '32 days', '367 days', '3000 days', '50 years'
    ]::interval [] loop
        v_from := greatest(p_until - v_back, p_after);
        v_last := monitoring._next_cron_time(v_fields, v_sets, v_from, p_time_zone);
        exit when v_last <= p_until or v_from = p_after;
    end loop;
    if (v_last <= p_until) is not true then
        return null;
    end if;
    -- What comes last lies between v_last and v_to.
    loop
        v_next := monitoring._next_cron_time(v_fields, v_sets, v_last, p_time_zone);
        exit when (v_next <= p_until) is not true;
        v_last := v_next;
        v_from := v_last + (v_to - v_last) / 2;
        v_next := monitoring._next_cron_time(v_fields, v_sets, v_from, p_time_zone);
        if v_next <= p_until then
            v_last := v_next;
        else
            v_to := v_from;
        end if;
    end loop;
    return v_last;
end
$$;

-- Statuses of ended attempts that count as runs; null for all.
create or replace function monitoring._counted_statuses(p_counts text) returns text[]
language sql
immutable
return case p_counts when 'successes' then array['completed'] end;

-- When a run that is expected every so often is due, counted from the last that had begun by a
-- time.
create or replace function monitoring._next_by_interval(
    p_expected monitoring.expected_runs, p_until timestamptz
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return greatest(
        monitoring._last_start_at(
            p_expected.task_type, p_until, monitoring._counted_statuses(p_expected.counts)
        ),
        p_expected.expected_since_at
    ) + make_interval(secs => monitoring._seconds_between_runs(p_expected.schedule));
end
$$;

-- When a run was last due until a time, since it has been expected; null when none was, and of
-- one that is expected every so often when it came.
create or replace function monitoring._last_due_at(
    p_expected monitoring.expected_runs, p_until timestamptz
)
returns timestamptz
language sql
stable
return case
    when p_expected.expected_since_at >= p_until then null
    when monitoring._is_cron(p_expected.schedule)
        then monitoring._last_cron_time(
                monitoring._expected_cron(p_expected.schedule),
                p_expected.expected_since_at,
                p_until,
                p_expected.time_zone
            )
    when monitoring._next_by_interval(p_expected, p_until) <= p_until
        then monitoring._next_by_interval(p_expected, p_until)
end;

-- When the next run is due; of one that is expected every so often also when that is past.
create or replace function monitoring._next_due_at(
    p_expected monitoring.expected_runs, p_now timestamptz
)
returns timestamptz
language sql
stable
return case
    when monitoring._is_cron(p_expected.schedule)
        then monitoring.next_cron_time(
                monitoring._expected_cron(p_expected.schedule), p_now, p_expected.time_zone
            )
    else monitoring._next_by_interval(p_expected, p_now)
end;

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

-- Expected runs that were due by p_now, less their grace, and have not begun since.
create or replace function monitoring._missed_runs(p_now timestamptz)
returns table (task_type text, due_at timestamptz, time_zone text, counts text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select d.task_type, d.due_at, d.time_zone, d.counts
    from (
        select
            e.*,
            monitoring._last_due_at(e, p_now - make_interval(secs => e.grace_seconds)) as due_at
        from monitoring.expected_runs e
        where e.is_enabled
        -- Worked out once, not wherever it is asked for.
        offset 0
    ) d
    left join lateral (
        select max(a.started_at) as started_at
        from monitoring.active_tasks a
        where (a.task_type = d.task_type or a.task_id = d.task_type) and a.started_at <= p_now
    ) r on true
    cross join lateral (
        -- One that is due every so often, counted from the last, has not come since that one.
        select d.due_at - make_interval(secs => case
            when monitoring._is_cron(d.schedule) then d.early_seconds else 0
        end) as since_at
    ) w
    where d.due_at is not null
        and case
            when r.started_at >= w.since_at then false
            else not monitoring._has_started_since(
                d.task_type, w.since_at, p_now, monitoring._counted_statuses(d.counts)
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
    p_thresholds => '{"high": 0}'
);
