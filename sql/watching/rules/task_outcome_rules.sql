-- Rules about how attempts end, by task type. Reads finished_tasks and their roll-ups, and
-- what has not been done since.

-- How often what failed will be tried again, as its metadata say; 0 when they do not.
create or replace function monitoring._retries_left(p_metadata jsonb) returns integer
language sql
stable
return case
    when p_metadata ->> 'retries_left' ~ '^[0-9]{1,9}$'
        then (p_metadata ->> 'retries_left')::integer
    else 0
end;

-- What is said of a type whose tasks failed.
create or replace function monitoring._failed_tasks_summary(
    p_task_type text, p_count bigint, p_names text, p_hours double precision
)
returns text
language sql
stable
return format(
    'task type %s: %s failed in %s and %s not completed since: %s%s',
    left(p_task_type, 150),
    monitoring._count_of(p_count, 'task'),
    monitoring._count_of(p_hours, 'hour'),
    case when p_count = 1 then 'has' else 'have' end,
    p_names,
    case when p_count > 3 then ' ...' else '' end
);

-- What failed in the window before p_now and has not been done since, by type or task, and
-- whether all of it will be tried again.
create or replace function monitoring._failed_findings(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns table (finding monitoring.finding, has_retries boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_by_task boolean := coalesce(p_rule.parameters ->> 'by' = 'task', false);
    v_hours double precision := date_part('epoch', monitoring._minutes_of(p_rule)) / 3600;
begin
    return query
    select
        row(
            -- The name of a task may be that of a type as well.
            monitoring._short_name(f.what),
            count(*)::double precision,
            jsonb_strip_nulls(jsonb_build_object(
                'task_type', f.task_type,
                'task_id', case when v_is_by_task then f.what end,
                -- One that says on which business day a step failed, as long as that is one.
                'business_date', case when min(f.work) = max(f.work)
                    then substring(min(f.work) from '^step ([0-9]{4}-[0-9]{2}-[0-9]{2})$') end,
                'source', case when count(f.source) = count(*) and min(f.source) = max(f.source)
                    then min(f.source) end
            )),
            case
                when v_is_by_task then format(
                    'task %s of type %s: %s', left(f.what, 200), left(f.task_type, 200),
                    case min(f.status)
                        when 'failed' then 'failed'
                        when 'timeout' then 'timed out'
                        else 'got lost'
                    end
                )
                else monitoring._failed_tasks_summary(
                    f.task_type, count(*),
                    string_agg(left(f.task_id, 60), ', ' order by f.place)
                        filter (where f.place <= 3),
                    v_hours
                )
            end,
            null,
            null
        )::monitoring.finding,
        bool_and(monitoring._retries_left(f.metadata) > 0)
    from (
        select
            u.*,
            case when starts_with(u.task_id, (u.metadata ->> 'source') || ':')
                then u.metadata ->> 'source' end as source,
            case when v_is_by_task then u.task_id else u.task_type end as what,
            row_number() over (
                partition by u.task_type, case when v_is_by_task then u.task_id end
                order by u.finished_at desc, u.task_id
            ) as place
        from monitoring._undone_work(p_now - monitoring._minutes_of(p_rule), p_now) u
    ) f
    group by f.task_type, f.what;
end
$$;

-- How much work failed, timed out or got lost in the window before p_now and has not been done
-- since, by type or each task by itself; of a source with its severity, with retries left medium
-- at most. Tasks told of by record_finished_tasks() alone, or without a start, are not among
-- them.
create or replace function monitoring._find_failed_tasks(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select c.fingerprint, c.value, c.labels, c.summary,
        case
            when c.severity is null then null
            -- What will be tried again is nobody's night.
            when f.has_retries and coalesce(s.severity, c.severity) in ('high', 'critical')
                then 'medium'
            else coalesce(s.severity, c.severity)
        end,
        c.threshold
    from monitoring._failed_findings(p_rule, p_now) f
    left join (
        select r.source_name, r.settings ->> 'failed_severity' as severity
        from monitoring.sources r
    ) s on s.source_name = (f.finding).labels ->> 'source'
    cross join lateral monitoring._classify(p_rule, array[f.finding]) c;
end
$$;

call monitoring._ship_rule(
    'task_failed', 'processing',
    'Tasks whose last attempt failed, timed out or got lost, and that have not completed since. '
    'With {"by": "task"} an alert for each task instead of each type.',
    p_finder => '_find_failed_tasks',
    p_explainer => '_explain_failed_tasks',
    p_alert_for_each => 'task type',
    p_comparison => '>=',
    p_unit => 'tasks',
    p_thresholds => '{"critical": 1}',
    p_parameters => '{"window_minutes": 1440, "by": "task_type"}',
    p_unknown_past => 'failures that have been made up for since'
);

-- How many attempts ended in a rule's window before p_now and how, by task type, where there are
-- enough to speak of a rate.
create or replace function monitoring._ended_by_type(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns table (
    task_type text, ended double precision, completed double precision,
    failed double precision
)
language sql
stable
begin atomic
    select
        w.name as task_type,
        sum(w.row_count)::double precision as ended,
        coalesce(sum(w.row_count) filter (where w.label = 'completed'), 0)::double precision
            as completed,
        coalesce(
            sum(w.row_count) filter (where monitoring._is_failure(w.label)), 0
        )::double precision as failed
    from monitoring._counted_between('tasks', p_now - monitoring._minutes_of(p_rule), p_now) as w
    group by w.name
    having sum(w.row_count)::double precision >= monitoring._number_in(p_rule, 'min_tasks', 10);
end;

-- Percent of the attempts that ended in the window before p_now that completed, by task type.
create or replace function monitoring._find_low_success_rates(
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
        monitoring._short_name(e.task_type),
        100 * e.completed / e.ended,
        jsonb_build_object('task_type', e.task_type),
        case when monitoring._may_be_alert(p_rule, 100 * e.completed / e.ended, v_first)
            then format(
                'task type %s: %s %% of attempts completed, %s of %s',
                e.task_type, monitoring._figure(100 * e.completed / e.ended), e.completed, e.ended
            ) end,
        null::text,
        null::double precision
    from monitoring._ended_by_type(p_rule, p_now) e;
end
$$;

call monitoring._ship_rule(
    'success_rate_low', 'processing',
    'Few of the attempts of a type that ended in the window completed.',
    p_finder => '_find_low_success_rates',
    p_explainer => '_explain_unsuccessful_attempts',
    p_alert_for_each => 'task type',
    p_comparison => '<',
    p_unit => '%',
    p_thresholds => '{"high": 90}',
    p_parameters => '{"window_minutes": 60, "min_tasks": 10}'
);
call monitoring._ship_inhibition('success_rate_low', 'error_rate_high', '{task_type}');

-- Percent of the attempts that ended in the window before p_now that failed, timed out or got
-- lost, by task type.
create or replace function monitoring._find_high_error_rates(
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
        monitoring._short_name(e.task_type),
        100 * e.failed / e.ended,
        jsonb_build_object('task_type', e.task_type),
        case when monitoring._may_be_alert(p_rule, 100 * e.failed / e.ended, v_first)
            then format(
                'task type %s: %s %% of attempts failed, %s of %s',
                e.task_type, monitoring._figure(100 * e.failed / e.ended), e.failed, e.ended
            ) end,
        null::text,
        null::double precision
    from monitoring._ended_by_type(p_rule, p_now) e;
end
$$;

call monitoring._ship_rule(
    'error_rate_high', 'processing',
    'Many of the attempts of a type that ended in the window failed, timed out or got lost.',
    p_finder => '_find_high_error_rates',
    p_explainer => '_explain_unsuccessful_attempts',
    p_alert_for_each => 'task type',
    p_comparison => '>',
    p_unit => '%',
    p_thresholds => '{"medium": 5}',
    p_parameters => '{"window_minutes": 60, "min_tasks": 10}'
);
