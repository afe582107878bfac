-- Rules about how long tasks take and how much they get done, by task type. Reads finished_tasks
-- and their roll-ups, and active_tasks.

-- A parameter of a rule that is a number, or what goes when it is not set.
create or replace function monitoring._number_in(
    p_rule monitoring.alert_rules, p_key text, p_default double precision
)
returns double precision
language sql
stable
return coalesce((p_rule.parameters ->> p_key)::double precision, p_default);

-- Whether a rule can find anything; one without a threshold is asleep, and need not look.
create or replace function monitoring._has_thresholds(p_rule_name text) returns boolean
language sql
stable
return exists (
    select from monitoring.alert_thresholds as t
    where t.rule_name = p_rule_name and coalesce(t.low, t.medium, t.high, t.critical) is not null
);

-- Value below which a rule finds nothing, whatever the labels; null when it is asleep.
create or replace function monitoring._least_threshold(p_rule monitoring.alert_rules)
returns double precision
language sql
stable
return case
    when p_rule.comparison in (
            '>', '>='
        )
        then (
            select min(least(t.low, t.medium, t.high, t.critical))
            from monitoring.alert_thresholds as t
            where t.rule_name = p_rule.rule_name
        )
    else '-infinity'
end;

-- The threshold that is passed first, whatever the labels; null when the rule is asleep.
create or replace function monitoring._first_threshold(p_rule monitoring.alert_rules)
returns double precision
language sql
stable
return (
    select
        case
            when p_rule.comparison in (
                    '>', '>='
                )
                then min(least(t.low, t.medium, t.high, t.critical))
            else max(greatest(t.low, t.medium, t.high, t.critical))
        end
    from monitoring.alert_thresholds as t
    where t.rule_name = p_rule.rule_name
);

-- Whether a value may be one to tell of. Of the thousands of names that a rule looks at, those
-- that pass no threshold, whatever the labels, need no words.
create or replace function monitoring._may_be_alert(
    p_rule monitoring.alert_rules, p_value double precision, p_first_threshold double precision
)
returns boolean
language sql
immutable
return case
    when p_rule.comparison in ('>', '>=') then p_value >= p_first_threshold
    else p_value <= p_first_threshold
end;

-- Mean seconds of the attempts that ended in the window before p_now, by task type; attempts
-- without a start do not count.
create or replace function monitoring._find_slow_processing(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_first constant double precision := monitoring._first_threshold(p_rule);
begin
    return query
    select
        monitoring._short_name(c.name),
        c.mean,
        jsonb_build_object('task_type', c.name),
        case when monitoring._may_be_alert(p_rule, c.mean, v_first)
            then format(
                'task type %s: %s on average, %s at most, over %s in %s',
                c.name, monitoring._spell_seconds(c.mean), monitoring._spell_seconds(c.greatest),
                monitoring._count_of(c.attempts::double precision, 'attempt'),
                monitoring._spell_seconds(date_part('epoch', monitoring._minutes_of(p_rule)))
            ) end,
        null::text,
        null::double precision
    from (
        select
            w.name,
            sum(w.value_sum) / sum(w.value_count)::double precision / 1000 as mean,
            max(w.value_max) / 1000 as greatest,
            sum(w.value_count) as attempts
        from monitoring._counted_between(
            'tasks', p_now - monitoring._minutes_of(p_rule), p_now
        ) w
        where w.value_count > 0
        group by w.name
        having sum(w.value_count) >= monitoring._number_in(p_rule, 'min_tasks', 1)
    ) c;
end
$$;

call monitoring._ship_rule(
    'slow_processing', 'processing',
    'Attempts of a type that ended in the window took long on average.',
    p_finder => '_find_slow_processing',
    p_explainer => '_explain_attempts',
    p_alert_for_each => 'task type',
    p_comparison => '>',
    p_unit => 'seconds',
    p_thresholds => '{"low": 180, "medium": 300, "high": 600, "critical": 900}',
    p_parameters => '{"window_minutes": 60, "min_tasks": 1}'
);

-- Seconds of the quickest attempt that completed in the window before p_now, by task type.
create or replace function monitoring._find_fast_tasks(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_first constant double precision := monitoring._first_threshold(p_rule);
begin
    if not monitoring._has_thresholds(p_rule.rule_name) then
        return;
    end if;
    return query
    select
        monitoring._short_name(w.name),
        w.value_min / 1000,
        jsonb_build_object('task_type', w.name),
        case when monitoring._may_be_alert(p_rule, w.value_min / 1000, v_first)
            then format(
                'task type %s: an attempt completed within %s',
                w.name, monitoring._spell_seconds(w.value_min / 1000)
            ) end,
        null::text,
        null::double precision
    from monitoring._counted_between('tasks', p_now - monitoring._minutes_of(p_rule), p_now) w
    where w.label = 'completed' and w.value_count > 0;
end
$$;

call monitoring._ship_rule(
    'task_too_fast', 'processing',
    'The quickest attempt of a type that completed in the window did so suspiciously soon. '
    'Inactive until a threshold is set for a type.',
    p_finder => '_find_fast_tasks',
    p_explainer => '_explain_attempts',
    p_alert_for_each => 'task type',
    p_comparison => '<',
    p_unit => 'seconds',
    p_parameters => '{"window_minutes": 60}'
);

-- Items done, and the seconds that this took, by task type: of attempts that completed in a
-- window and of those that run, as far as they told. Of attempts that ended since, their
-- progress at p_now is not known.
create or replace function monitoring._work_done(
    p_now timestamptz, p_window interval, p_min_running_seconds double precision
)
returns table (task_type text, items double precision, seconds double precision, attempts bigint)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for its arguments, so that only the days of the window are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select
        w.task_type,
        sum(w.items_done)::double precision,
        sum(w.seconds),
        count(*)
    from (
        select t.task_type, t.items_done, t.duration_ms / 1000 as seconds
        from monitoring._all_finished_tasks t
        where t.finished_at > p_now - p_window
            and t.finished_at <= p_now
            and t.status = 'completed'
            and t.items_done is not null
            and t.duration_ms is not null
        union all
        select a.task_type, a.items_done, date_part('epoch', p_now - a.started_at) as seconds
        from monitoring.active_tasks a
        where a.items_done is not null
            and a.heartbeat_at <= p_now
            and a.started_at <= p_now - make_interval(secs => p_min_running_seconds)
    ) w
    group by w.task_type
    having sum(w.seconds) > 0;
end
$$;

-- Items per second that attempts of a task type get done, of those that completed in the window
-- before p_now and those that run. Looking back, attempts that have ended since do not count as
-- running.
create or replace function monitoring._find_low_throughput(
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
        monitoring._short_name(w.task_type),
        w.items / w.seconds,
        jsonb_build_object('task_type', w.task_type),
        format(
            'task type %s: %s items/s, %s in %s of %s',
            w.task_type, monitoring._figure(w.items / w.seconds),
            monitoring._count_of(w.items, 'item'), monitoring._spell_seconds(w.seconds),
            monitoring._count_of(w.attempts, 'attempt')
        ),
        null::text,
        null::double precision
    from monitoring._work_done(
        p_now,
        monitoring._minutes_of(p_rule),
        monitoring._number_in(p_rule, 'min_running_seconds', 60)
    ) w;
end
$$;

call monitoring._ship_rule(
    'low_throughput', 'processing',
    'Attempts of a type, those that completed in the window and those that run, get few items '
    'done. Inactive until a threshold is set for a type.',
    p_finder => '_find_low_throughput',
    p_explainer => '_explain_attempts',
    p_alert_for_each => 'task type',
    p_comparison => '<',
    p_unit => 'items/s',
    p_parameters => '{"window_minutes": 60, "min_running_seconds": 60}',
    p_unknown_past => 'how far tasks had got that were running'
);

-- The hours of past weeks in which, by the clocks of a time zone, it was as late as in the
-- middle of the window.
create or replace function monitoring._same_hours(
    p_now timestamptz, p_window interval, p_weeks integer, p_time_zone text
)
returns timestamptz[]
language sql
stable
return array(
    select
        date_trunc(
            'hour',
            ((p_now - p_window / 2) at time zone p_time_zone - make_interval(weeks => w.week))
            at time zone p_time_zone,
            'UTC'
        )
    from generate_series(1, p_weeks) as w (week)
);

-- How far the mean duration of a window is from that of the same hour of past weeks, in standard
-- deviations, by task type. History as far as it is rolled up; too small a difference, or too
-- short a history, is left out.
create or replace function monitoring._find_unusual_durations(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hours timestamptz [] := monitoring._same_hours(
        p_now, monitoring._minutes_of(p_rule),
        least(monitoring._number_in(p_rule, 'weeks', 8), 520)::integer,
        coalesce(p_rule.parameters ->> 'time_zone', 'UTC')
    );
begin
    return query
    with weeks as (
        select
            r.name,
            sum(r.value_sum) / sum(r.value_count)::double precision as mean,
            sum(r.value_count)::double precision as tasks,
            sum(r.value_sum) as value_sum,
            sum(r.value_sum_squares) as value_sum_squares
        from monitoring.rollups r
        where r.source = 'tasks'
            and r.resolution = 'hour'
            and r.label = 'completed'
            and r.bucket_at = any(v_hours)
            and r.value_count > 0
        group by r.name, r.bucket_at
    ),

    history as (
        select
            k.name,
            count(*) as weeks,
            avg(k.mean) as mean,
            var_samp(k.mean) as variance_of_means,
            greatest(
                sum(k.value_sum_squares) / sum(k.tasks) - power(sum(k.value_sum) / sum(k.tasks), 2), 0
            ) as variance
        from weeks k
        group by k.name
        having count(*) >= monitoring._number_in(p_rule, 'min_weeks', 3)
    ),

    compared as (
        select
            w.name,
            h.weeks,
            h.mean as usual,
            w.value_sum / w.value_count::double precision as mean,
            -- What may be expected of a mean of so many; never so little that rounding counts.
            greatest(
                sqrt(greatest(h.variance_of_means, h.variance / w.value_count::double precision)),
                h.mean / 100,
                0.001::double precision
            ) as deviation
        from monitoring._counted_between(
            'tasks', p_now - monitoring._minutes_of(p_rule), p_now
        ) w
        inner join history h on h.name = w.name
        where w.label = 'completed'
            and w.value_count >= monitoring._number_in(p_rule, 'min_tasks', 5)
    )

    select
        monitoring._short_name(c.name),
        abs(c.mean - c.usual) / c.deviation,
        jsonb_build_object('task_type', c.name),
        format(
            'task type %s: %s on average, where %s was usual at this hour in %s',
            c.name, monitoring._spell_seconds(c.mean / 1000),
            monitoring._spell_seconds(c.usual / 1000), monitoring._count_of(c.weeks, 'week')
        ),
        null::text,
        null::double precision
    from compared c
    where abs(c.mean - c.usual)
        >= c.usual * monitoring._number_in(p_rule, 'min_difference_percent', 25) / 100;
end
$$;

call monitoring._ship_rule(
    'duration_deviation', 'processing',
    'Completed attempts of a type took much longer, or shorter, on average than at the same hour '
    'and weekday of past weeks; the value is the distance in standard deviations.',
    p_finder => '_find_unusual_durations',
    p_explainer => '_explain_attempts',
    p_alert_for_each => 'task type',
    p_comparison => '>=',
    p_unit => 'standard deviations',
    p_thresholds => '{"medium": 4, "high": 8}',
    p_parameters => '{"window_minutes": 60, "weeks": 8, "min_weeks": 3, "min_tasks": 5,'
    ' "time_zone": "UTC", "min_difference_percent": 25}'
);
