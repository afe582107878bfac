-- Comparing what rules found with what is open. Callers hold _lock_alerts().
-- Writes raised_alerts and alert_transitions through transitions.sql.

-- Findings with severity and threshold as the thresholds of the rule say; without severity where
-- none is passed.
create or replace function monitoring._classify(
    p_rule monitoring.alert_rules, p_findings monitoring.finding[]
)
returns setof monitoring.finding
language sql
stable
begin atomic
    select
        f.fingerprint,
        f.value,
        coalesce(f.labels, '{}') as labels,
        monitoring._capped_text(
            coalesce(nullif(f.summary, ''), format('%s: %s', (p_rule).rule_name, f.fingerprint)),
            500
        ) as summary,
        coalesce(
            f.severity,
            passed.severity,
            case when f.value is null and (p_rule).no_data = 'alert' then 'high' end
        ) as severity,
        coalesce(f.threshold, passed.threshold) as threshold
    from unnest(p_findings) as f
    left join lateral (
        select
            t.low,
            t.medium,
            t.high,
            t.critical
        from monitoring.alert_thresholds as t
        where t.rule_name = (p_rule).rule_name
            and coalesce(f.labels, '{}') @> t.labels
            and not t.is_empty
        order by
            (select count(*) from jsonb_object_keys(t.labels)) desc,
            t.labels asc
        limit 1
    ) as set_for on true
    left join lateral (
        select
            s.severity,
            s.threshold
        from (
            values
            (4, 'critical', set_for.critical),
            (3, 'high', set_for.high),
            (2, 'medium', set_for.medium),
            (1, 'low', set_for.low)
        ) as s (severity_rank, severity, threshold)
        where
            case (p_rule).comparison
                when '>' then f.value > s.threshold
                when '>=' then f.value >= s.threshold
                when '<' then f.value < s.threshold
                else f.value <= s.threshold
            end
        order by s.severity_rank desc
        limit 1
    ) as passed on true;
end;

-- What a rule found beside what of it is open; those that are an alert in their places, the
-- worst first.
create or replace function monitoring._pair_findings(
    p_rule monitoring.alert_rules, p_findings monitoring.finding[]
)
returns table (
    fingerprint text, finding monitoring.finding, alert monitoring.raised_alerts, place bigint
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_first constant double precision := monitoring._first_threshold(p_rule);
begin
    return query
    select
        coalesce(f.fingerprint, a.fingerprint),
        f.finding,
        a.alert,
        -- What is open stays what it is; of the others the worst come first.
        case
            when (f.finding).severity is not null then row_number() over (
                partition by (f.finding).severity is null
                order by
                    (a.alert).alert_id is null,
                    monitoring._severity_rank((f.finding).severity) desc,
                    f.fingerprint
            )
        end
    from (
        -- One that was found twice counts as the worse.
        select distinct on (monitoring._short_name(c.fingerprint))
            monitoring._short_name(c.fingerprint) as fingerprint,
            c as finding
        from monitoring._classify(p_rule, array(
            select p from unnest(p_findings) p
            -- A finding without a value says something where no data is not all right.
            where p_rule.no_data <> 'ok'
                or p.severity is not null
                or monitoring._may_be_alert(p_rule, p.value, v_first)
        )) c
        order by
            monitoring._short_name(c.fingerprint),
            monitoring._severity_rank(c.severity) desc nulls last
    ) f
    full join (
        select r.fingerprint, r as alert
        from monitoring.raised_alerts r
        where r.rule_name = p_rule.rule_name and r.resolved_at = 'infinity'
    ) a on a.fingerprint = f.fingerprint
    where (f.finding).severity is not null or a.fingerprint is not null;
end
$$;

-- One finding for those that are too many to be told one by one.
create or replace function monitoring._more_findings(p_findings monitoring.finding[])
returns monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_more constant integer := cardinality(p_findings);
begin
    if v_more is null then
        return null;
    end if;
    return row(
        '(more)', v_more, '{}',
        format('%s more %s than the %s that are reported one by one, such as: %s',
            v_more, case v_more when 1 then 'alert' else 'alerts' end,
            monitoring._name_limit('alerts'),
            left((p_findings[1]).summary, 300)),
        (
            select f.severity from unnest(p_findings) f
            order by monitoring._severity_rank(f.severity) desc
            limit 1
        ),
        null
    )::monitoring.finding;
end
$$;

-- Makes of what a rule found, and no longer found, what becomes of its alerts.
create or replace function monitoring._apply_findings(
    p_rule monitoring.alert_rules, p_findings monitoring.finding[], p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_pair record;
    -- Who has nothing to measure at all may mean that all stays as it is.
    v_is_keeping boolean := p_rule.no_data <> 'ok' and cardinality(p_findings) = 0;
    v_most constant integer := monitoring._name_limit('alerts');
begin
    if p_rule.no_data = 'alert' and v_is_keeping then
        p_findings := array[
            row(
                'no data', null, '{}',
                format('rule %s has nothing to measure', p_rule.rule_name), 'high', null
            )::monitoring.finding
        ];
    end if;
    for v_pair in
        with pairs as materialized (
            select p.* from monitoring._pair_findings(p_rule, p_findings) p
        ),

        more as (
            select array_agg(p.finding order by p.place) as findings
            from pairs p
            where p.place > v_most and (p.alert).alert_id is null and p.fingerprint <> '(more)'
        ),

        told as (
            select p.fingerprint, p.finding, p.alert from pairs p
            where (coalesce(p.place, 0) <= v_most or (p.alert).alert_id is not null)
                -- One that the rule itself calls so is one like all others.
                and (
                    p.fingerprint <> '(more)'
                    or (p.finding).fingerprint is not null
                    and not exists (select from more m where m.findings is not null)
                )
            union all
            select '(more)', monitoring._more_findings(m.findings), p.alert
            from more m
            left join pairs p on p.fingerprint = '(more)'
            where m.findings is not null
                or (p.alert).alert_id is not null and (p.finding).fingerprint is null
        )

        select t.finding, t.alert from told t
        order by t.fingerprint
    loop
        perform monitoring._apply_finding(
            p_rule, v_pair.finding, v_pair.alert, v_is_keeping, p_now
        );
    end loop;
end
$$;

-- One thing that was found, was open, or both.
create or replace function monitoring._apply_finding(
    p_rule monitoring.alert_rules,
    p_finding monitoring.finding,
    p_alert monitoring.raised_alerts,
    p_is_keeping boolean,
    p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_has_value constant boolean := p_finding.fingerprint is null or p_finding.value is not null;
begin
    p_finding.fingerprint := monitoring._short_name(p_finding.fingerprint);
    if p_finding.severity is not null then
        if p_alert.alert_id is null then
            perform monitoring._begin_alert(p_rule, p_finding, p_now);
        else
            perform monitoring._find_alert_again(p_rule, p_alert, p_finding, p_now);
        end if;
    elsif p_alert.alert_id is not null
        and not p_is_keeping
        and (v_has_value or p_rule.no_data <> 'keep')
    then
        perform monitoring._lose_alert(p_alert, p_now);
    end if;
end
$$;

-- Notes how a rule fared and applies what it found; what a rule that failed once found stays or
-- clears, as it says itself.
create or replace function monitoring._apply_outcome(
    p_outcome monitoring.rule_outcome, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules;
begin
    select r.* into v_rule from monitoring.alert_rules r where r.rule_name = p_outcome.rule_name;
    -- Disabled or dropped while the others were looking.
    if v_rule.is_enabled is not true then
        return;
    end if;
    perform monitoring._note_evaluation(v_rule, p_outcome, p_now);
    if p_outcome.error is null then
        perform monitoring._apply_findings(v_rule, p_outcome.findings, p_now);
    elsif v_rule.on_error = 'ok' then
        v_rule.no_data := 'ok';
        perform monitoring._apply_findings(v_rule, '{}', p_now);
    end if;
end
$$;

-- Applies what rules found, and what the rule about rules makes of it.
create or replace function monitoring._apply_all(
    p_outcomes monitoring.rule_outcome[], p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules;
    v_outcome monitoring.rule_outcome;
begin
    foreach v_outcome in array p_outcomes loop
        perform monitoring._apply_outcome(v_outcome, p_now);
    end loop;
    -- Looks at how the others fared.
    select r.* into v_rule
    from monitoring.alert_rules r
    where r.rule_name = 'rule_failed' and r.is_enabled;
    if found then
        perform monitoring._apply_outcome(monitoring._find(v_rule, p_now), p_now);
    end if;
end
$$;

-- Resolves alerts (of one rule, or all) that have been gone for as long as their rule says, and
-- those whose rule is disabled or dropped.
create or replace function monitoring._resolve_cleared(
    p_now timestamptz, p_rule_name text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_pair record;
begin
    for v_pair in
        select a as alert, coalesce(r.is_enabled, false) as is_enabled
        from monitoring.raised_alerts a
        left join monitoring.alert_rules r on r.rule_name = a.rule_name
        left join monitoring.alert_rule_states s on s.rule_name = a.rule_name
        where a.resolved_at = 'infinity'
            and a.rule_name = coalesce(p_rule_name, a.rule_name)
            and (
                r.is_enabled is not true
                or (
                    p_now - a.cleared_at >= make_interval(secs => r.keep_firing_seconds)
                    -- While a rule fails nobody knows whether what was gone still is.
                    and (r.on_error = 'ok' or coalesce(s.consecutive_failures, 0) = 0)
                )
            )
        order by a.alert_id
    loop
        if v_pair.is_enabled then
            perform monitoring._close_alert(
                v_pair.alert, p_now, 'pgvigil', 'the condition is gone'
            );
        elsif (v_pair.alert).status = 'pending' then
            perform monitoring._lose_alert(v_pair.alert, p_now, 'the rule is off');
        else
            perform monitoring._close_alert(v_pair.alert, p_now, 'pgvigil', 'the rule is off');
        end if;
    end loop;
end
$$;
