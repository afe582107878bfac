-- Rules about steps that have not begun, and the rows behind their alerts. Reads workflows and the
-- runs of their steps.

-- What is found of a step on a business day.
create or replace function monitoring._step_finding(
    p_step monitoring.batch_step, p_seconds double precision, p_summary text
)
returns monitoring.finding
language sql
stable
return row(
    monitoring._short_name(
        p_step.step_name || ' ' || to_char(p_step.business_date::timestamp, 'YYYY-MM-DD')
    ),
    p_seconds,
    jsonb_build_object(
        'workflow', p_step.workflow_name,
        'task_type', p_step.step_name,
        'business_date', to_char(p_step.business_date::timestamp, 'YYYY-MM-DD')
    ),
    p_summary,
    null,
    null
)::monitoring.finding;

-- Seconds since steps of today's business day were due that have not begun. Looking back, goes
-- by the workflows of today.
create or replace function monitoring._find_late_steps(
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
    select f.*
    from monitoring.workflows w
    cross join lateral monitoring._steps_of_day(
        w, monitoring._business_date(w, p_now), p_now
    ) s
    inner join monitoring.workflow_steps t on t.step_name = s.step_name
    cross join lateral monitoring._step_finding(
        s,
        date_part('epoch', p_now - s.due_at),
        format(
            'step %s of workflow %s: due at %s (%s), has not begun %s later%s',
            left(s.step_name, 150),
            left(s.workflow_name, 150),
            to_char(s.due_at at time zone w.time_zone, 'YYYY-MM-DD HH24:MI'),
            w.time_zone,
            monitoring._spell_seconds(date_part('epoch', p_now - s.due_at)),
            coalesce('; waits for ' || nullif(array_to_string(s.waits_for, ', '), ''), '')
        )
    ) f
    where w.is_enabled
        and s.runs = 0
        and not s.is_optional
        and s.status in ('pending', 'late')
        and s.due_at <= p_now
        and s.due_at >= t.expected_since_at;
end
$$;

call monitoring._ship_rule(
    'step_late', 'processing',
    'A step of a workflow was due, by its schedule or since all before it are through, and has '
    'not begun.',
    p_finder => '_find_late_steps',
    p_explainer => '_explain_step',
    p_alert_for_each => 'step and business day',
    p_comparison => '>=',
    p_unit => 'seconds',
    p_thresholds => '{"high": 900}',
    p_unknown_past => 'how workflows were before they were changed'
);

-- Seconds since the end of the last business day, for each of its steps that was not run or did
-- not get done. Looking back, goes by the workflows of today.
create or replace function monitoring._find_missed_steps(
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
    select f.*
    from monitoring.workflows w
    cross join lateral (
        select monitoring._business_date(w, p_now) as today
    ) d
    cross join lateral monitoring._steps_of_day(w, d.today - 1, p_now) s
    inner join monitoring.workflow_steps t on t.step_name = s.step_name
    cross join lateral monitoring._step_finding(
        s,
        date_part('epoch', p_now - monitoring._day_start(w, d.today)),
        format(
            'step %s of workflow %s: %s on business day %s',
            left(s.step_name, 150),
            left(s.workflow_name, 150),
            case when s.runs = 0 then 'was not run'
                else format('was not finished, %s remain', s.records_remaining) end,
            to_char(s.business_date::timestamp, 'YYYY-MM-DD')
        )
    ) f
    where w.is_enabled
        and s.status = 'late'
        and coalesce(s.due_at, monitoring._day_start(w, d.today - 1)) >= t.expected_since_at;
end
$$;

call monitoring._ship_rule(
    'step_missed', 'processing',
    'A business day is over and a step of its workflow has not been run, or has not been finished.',
    p_finder => '_find_missed_steps',
    p_explainer => '_explain_step',
    p_alert_for_each => 'step and business day',
    p_comparison => '>=',
    p_unit => 'seconds',
    p_thresholds => '{"high": 0}',
    p_unknown_past => 'how workflows were before they were changed'
);

-- How the step and those that it waits for were on the business day, and its last runs.
create or replace function monitoring._explain_step(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select r.source, r.happened_at, r.details
    from (
        select
            'v_batch_timeline' as source,
            coalesce(s.due_at, monitoring._day_start(w, s.business_date)) as happened_at,
            jsonb_strip_nulls(jsonb_build_object(
                'step_name', s.step_name, 'business_date', s.business_date, 'status', s.status,
                'runs', s.runs, 'due_at', s.due_at, 'started_at', s.started_at,
                'finished_at', s.finished_at, 'records_remaining', s.records_remaining,
                'waits_for', s.waits_for
            )) as details
        from monitoring.workflows w
        cross join lateral monitoring._steps_of_day(
            w, (p_alert.labels ->> 'business_date')::date, p_now
        ) s
        inner join monitoring.workflow_steps t on t.step_name = p_alert.labels ->> 'task_type'
        where w.workflow_name = p_alert.labels ->> 'workflow'
            and (s.step_name = t.step_name or s.step_name = any(t.after_steps))
        union all
        select 'batch_execution_logs', coalesce(n.started_at, n.finished_at),
            monitoring._attempt_details(n)
        from monitoring._newest_attempts(
            p_alert.labels ->> 'task_type', null, p_now - interval '60 days', p_now, p_limit
        ) n
    ) r
    order by r.happened_at desc
    limit p_limit;
end
$$;
