-- Built-in rules about pgvigil itself. What they find is what self_check() says, and rules that
-- cannot be evaluated. Jobs and roll-ups know only how they are at present: of times gone by these
-- rules cannot tell.

-- A row of self_check() as a finding.
create or replace function monitoring._finding_of_check(
    p_check_name text, p_seconds double precision, p_detail text, p_severity text
)
returns monitoring.finding
language sql
immutable
return row(
    p_check_name, p_seconds, jsonb_build_object('check', p_check_name),
    left(
        format(
            '%s %s: %s', p_check_name,
            case
                when p_seconds > 0 then 'late by ' || monitoring._spell_seconds(p_seconds)
                else 'in time'
            end,
            p_detail
        ),
        500
    ),
    p_severity, null
)::monitoring.finding;

-- Seconds for which jobs have been due while nothing was begun.
create or replace function monitoring._find_late_scheduler(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select f.*
    from monitoring._check_scheduler() c
    cross join lateral monitoring._finding_of_check(
        c.check_name, date_part('epoch', c.lateness), c.detail, null
    ) f;
end
$$;

call monitoring._ship_rule(
    'scheduler_late', 'self',
    'Jobs are due and nothing runs them: see whether the runner or pg_cron works.',
    p_finder => '_find_late_scheduler',
    p_explainer => '_explain_self_check',
    p_comparison => '>',
    p_unit => 'seconds',
    p_thresholds => '{"high": 180, "critical": 1800}',
    p_has_past => false
);
-- While nothing runs the jobs, whatever they do is late.
call monitoring._ship_inhibition('scheduler_late', 'cleanup_late');
call monitoring._ship_inhibition('scheduler_late', 'job_late');
call monitoring._ship_inhibition('scheduler_late', 'partitions_missing');
call monitoring._ship_inhibition('scheduler_late', 'rollups_late');

-- Seconds since the table that was rolled up longest ago was.
create or replace function monitoring._find_late_rollups(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select f.*
    from monitoring._check_rollups() c
    cross join lateral monitoring._finding_of_check(
        c.check_name, date_part('epoch', c.lateness), c.detail, null
    ) f;
end
$$;

call monitoring._ship_rule(
    'rollups_late', 'self',
    'Roll-ups are behind: views stay right but take longer to read. See job roll_up.',
    p_finder => '_find_late_rollups',
    p_explainer => '_explain_self_check',
    p_comparison => '>',
    p_unit => 'seconds',
    p_thresholds => '{"medium": 180, "high": 3600}',
    p_has_past => false
);

-- Tables that lack the partition of today (high) or of tomorrow (medium).
create or replace function monitoring._find_missing_partitions(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select f.*
    from monitoring._check_partitions() c
    cross join lateral monitoring._finding_of_check(
        c.check_name,
        date_part('epoch', c.lateness),
        c.detail,
        -- That of today is needed now, that of tomorrow by midnight.
        case c.status when 'failed' then 'high' when 'late' then 'medium' end
    ) f;
end
$$;

call monitoring._ship_rule(
    'partitions_missing', 'self',
    'The partition of today or tomorrow is missing: see job make_partitions.',
    p_finder => '_find_missing_partitions',
    p_explainer => '_explain_self_check',
    p_comparison => '>',
    p_unit => 'seconds',
    p_has_past => false
);

-- Seconds for which rows have been due to go that are still there.
create or replace function monitoring._find_late_cleanup(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select f.*
    from monitoring._check_retention() c
    cross join lateral monitoring._finding_of_check(
        c.check_name, date_part('epoch', c.lateness), c.detail, null
    ) f;
end
$$;

call monitoring._ship_rule(
    'cleanup_late', 'self',
    'Rows are still there a day after they were due to go: see job clean_up and v_retention.',
    p_finder => '_find_late_cleanup',
    p_explainer => '_explain_self_check',
    p_comparison => '>',
    p_unit => 'seconds',
    p_thresholds => '{"medium": 86400, "high": 259200}',
    p_has_past => false
);

-- How many runs in a row did not complete, of each enabled job.
create or replace function monitoring._find_failed_jobs(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        j.job_name,
        j.consecutive_failures::double precision,
        jsonb_build_object('job', j.job_name),
        left(
            format('job %s: %s in a row did not complete, the last: %s: %s',
                j.job_name, j.consecutive_failures, j.last_status,
                split_part(j.last_error, E'\n', 1)),
            500
        ),
        null::text,
        null::double precision
    from monitoring.jobs j
    where j.is_enabled;
end
$$;

call monitoring._ship_rule(
    'job_failed', 'self',
    'The last run of a job did not complete: v_jobs says why.',
    p_finder => '_find_failed_jobs',
    p_explainer => '_explain_job',
    p_alert_for_each => 'job',
    p_comparison => '>=',
    p_unit => 'runs',
    p_thresholds => '{"high": 1}',
    p_has_past => false
);

-- Seconds for which each enabled job has been due to begin, or has outlasted its timeout.
create or replace function monitoring._find_late_jobs(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        j.job_name,
        l.seconds,
        jsonb_build_object('job', j.job_name),
        case
            when j.is_running
                then format('job %s: still running %s after its start, with a timeout of %s',
                    j.job_name, monitoring._spell_seconds(j.running_seconds),
                    monitoring._spell_seconds(j.timeout_seconds))
            else format('job %s: due for %s', j.job_name, monitoring._spell_seconds(l.seconds))
        end,
        null::text,
        null::double precision
    from monitoring.v_jobs j
    cross join lateral (
        select greatest(j.seconds_late, j.running_seconds - j.timeout_seconds, 0) as seconds
    ) l
    where j.is_enabled;
end
$$;

call monitoring._ship_rule(
    'job_late', 'self',
    'A job is due and does not begin, or does not end: v_jobs says since when.',
    p_finder => '_find_late_jobs',
    p_explainer => '_explain_job',
    p_alert_for_each => 'job',
    p_comparison => '>',
    p_unit => 'seconds',
    p_thresholds => '{"medium": 180, "high": 3600}',
    p_has_past => false
);

-- Rules whose last evaluation failed, or that are paused because they took too long.
create or replace function monitoring._find_failed_rules(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        s.rule_name,
        greatest(s.consecutive_failures, 1)::double precision,
        jsonb_build_object('rule', s.rule_name),
        left(
            format('rule %s: %s in a row failed', s.rule_name, s.consecutive_failures)
            || coalesce(', the last: ' || split_part(s.last_error, E'\n', 1), '')
            || coalesce(
                '; paused until ' || to_char(s.paused_until_at, 'YYYY-MM-DD HH24:MI:SSOF'), ''
            ),
            500
        ),
        null::text,
        null::double precision
    from monitoring.alert_rule_states s
    inner join monitoring.alert_rules r on r.rule_name = s.rule_name
    where r.is_enabled
        -- This one looks at the others.
        and s.rule_name <> p_rule.rule_name
        and (s.consecutive_failures > 0 or s.paused_until_at > p_now)
        and s.last_failed_at <= p_now;
end
$$;

call monitoring._ship_rule(
    'rule_failed', 'self',
    'An alert rule cannot be evaluated: what it watches over is not watched. Fix or disable it.',
    p_finder => '_find_failed_rules',
    p_explainer => '_explain_failed_rule',
    p_alert_for_each => 'rule',
    p_comparison => '>=',
    p_unit => 'evaluations',
    p_thresholds => '{"high": 1}',
    p_has_past => false
);

-- What self_check() says at present, beginning with what an alert is about.
create or replace function monitoring._explain_self_check(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select 'self_check', monitoring.clock(), to_jsonb(c)
    from monitoring.self_check() c
    order by c.check_name <> p_alert.labels ->> 'check', c.status = 'ok', c.check_name
    limit p_limit;
end
$$;

-- The job that an alert is about, as it is at present.
create or replace function monitoring._explain_job(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select 'job', coalesce(j.last_started_at, j.next_run_at), jsonb_strip_nulls(to_jsonb(j))
    from monitoring.v_jobs j
    where j.job_name = p_alert.labels ->> 'job'
    limit p_limit;
end
$$;

-- How the last evaluation of the rule went that an alert is about.
create or replace function monitoring._explain_failed_rule(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select 'evaluation', s.evaluated_at, jsonb_strip_nulls(to_jsonb(s) || jsonb_build_object(
        'query', r.query, 'finder_name', r.finder_name, 'time_limit_seconds', r.time_limit_seconds
    ))
    from monitoring.alert_rule_states s
    left join monitoring.alert_rules r on r.rule_name = s.rule_name
    where s.rule_name = p_alert.labels ->> 'rule'
    limit p_limit;
end
$$;
