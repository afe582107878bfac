-- Evaluating rules: first all of them look, each in a sub-transaction of its own, so that one that
-- fails or takes too long stops no other; then, under the lock of alerts, what they found is
-- compared with what is open. Writes raised_alerts, alert_transitions, alert_rule_states and, by
-- _plan_notifications, the outbox.
-- Lock order: evaluations wait for each other, then for _lock_alerts().

create or replace function monitoring._find(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns monitoring.rule_outcome
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_began_ms double precision := monitoring._stopwatch_ms();
    v_outcome monitoring.rule_outcome;
begin
    v_outcome.rule_name := p_rule.rule_name;
    execute format(
        'select array(select f from monitoring.%I($1, $2) f)',
        coalesce(p_rule.finder_name, '_find_by_query')
    )
    into v_outcome.findings
    using p_rule, p_now;
    v_outcome.duration_ms := monitoring._stopwatch_ms() - v_began_ms;
    v_outcome.is_over_time := v_outcome.duration_ms > p_rule.time_limit_seconds * 1000;
    return v_outcome;
exception
    when query_canceled or assert_failure or others then
        v_outcome.duration_ms := monitoring._stopwatch_ms() - v_began_ms;
        v_outcome.is_over_time := v_outcome.duration_ms > p_rule.time_limit_seconds * 1000;
        -- Whoever cancels before the time is up means the evaluation, not the rule.
        if sqlstate = '57014' and not v_outcome.is_over_time then
            raise;
        end if;
        v_outcome.findings := null;
        v_outcome.error := sqlerrm;
        return v_outcome;
end
$$;

comment on function monitoring._find(monitoring.alert_rules, timestamptz) is
'What a rule finds, or why it could not; never raises because of the rule.';

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
        where t.rule_name = (p_rule).rule_name and coalesce(f.labels, '{}') @> t.labels
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

comment on function monitoring._classify(monitoring.alert_rules, monitoring.finding[]) is
'Findings with severity and threshold as the thresholds of the rule say; without severity where '
'none is passed.';

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
        select f.finding, a.alert
        from (
            -- One that was found twice counts as the worse.
            select distinct on (monitoring._short_name(c.fingerprint))
                monitoring._short_name(c.fingerprint) as fingerprint,
                c as finding
            from monitoring._classify(p_rule, p_findings) c
            order by
                monitoring._short_name(c.fingerprint),
                monitoring._severity_rank(c.severity) desc nulls last
        ) f
        full join (
            select r.fingerprint, r as alert
            from monitoring.raised_alerts r
            where r.rule_name = p_rule.rule_name and r.resolved_at = 'infinity'
        ) a on a.fingerprint = f.fingerprint
        order by coalesce(f.fingerprint, a.fingerprint)
    loop
        perform monitoring._apply_finding(
            p_rule, v_pair.finding, v_pair.alert, v_is_keeping, p_now
        );
    end loop;
end
$$;

comment on function monitoring._apply_findings(
    monitoring.alert_rules, monitoring.finding[], timestamptz
) is 'Makes of what a rule found, and no longer found, what becomes of its alerts.';

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

comment on function monitoring._apply_finding(
    monitoring.alert_rules, monitoring.finding, monitoring.raised_alerts, boolean, timestamptz
) is 'One thing that was found, was open, or both.';

create or replace function monitoring._note_evaluation(
    p_rule monitoring.alert_rules, p_outcome monitoring.rule_outcome, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_error text := monitoring._capped_text(p_outcome.error, 2000);
    v_is_failed integer;
begin
    if v_error is null and p_outcome.is_over_time then
        v_error := format('took %s s, more than its limit of %s s',
            round((p_outcome.duration_ms / 1000)::numeric, 1), p_rule.time_limit_seconds);
    end if;
    v_is_failed := (v_error is not null)::integer;
    insert into monitoring.alert_rule_states as s (
        rule_name, evaluated_at, duration_ms, findings, failures, consecutive_failures, last_error,
        last_failed_at
    )
    values (
        p_rule.rule_name, p_now, p_outcome.duration_ms,
        coalesce(cardinality(p_outcome.findings), 0), v_is_failed, v_is_failed, v_error,
        case when v_error is not null then p_now end
    )
    on conflict (rule_name) do update
        set
            evaluated_at = excluded.evaluated_at,
            duration_ms = excluded.duration_ms,
            findings = excluded.findings,
            evaluations = s.evaluations + 1,
            failures = s.failures + excluded.failures,
            consecutive_failures = case
                when excluded.failures = 1 then s.consecutive_failures + 1
                else 0
            end,
            last_error = excluded.last_error,
            last_failed_at = coalesce(excluded.last_failed_at, s.last_failed_at);
    -- One that takes too long comes back later and later, up to an hour, and keeps no other waiting.
    update monitoring.alert_rule_states s
    set paused_until_at = case
        when p_outcome.is_over_time
            then p_now + least(
                interval '1 hour',
                make_interval(secs => p_outcome.duration_ms / 100 * s.consecutive_failures)
            )
        end
    where s.rule_name = p_rule.rule_name
        and (p_outcome.is_over_time or s.paused_until_at is not null);
end
$$;

comment on function monitoring._note_evaluation(
    monitoring.alert_rules, monitoring.rule_outcome, timestamptz
) is 'Notes how an evaluation went; a rule that exceeded its time limit is paused for a while.';

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

comment on function monitoring._apply_outcome(monitoring.rule_outcome, timestamptz) is
'Notes how a rule fared and applies what it found; what a rule that failed once found stays or '
'clears, as it says itself.';

create or replace function monitoring._find_all(p_families text[], p_now timestamptz)
returns monitoring.rule_outcome[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules;
    v_outcomes monitoring.rule_outcome [] := array[]::monitoring.rule_outcome [];
begin
    for v_rule in
        select r.*
        from monitoring.alert_rules r
        left join monitoring.alert_rule_states s on s.rule_name = r.rule_name
        where r.is_enabled
            and r.family = any (p_families)
            and r.rule_name <> 'rule_failed'
            and coalesce(s.paused_until_at, '-infinity') <= p_now
        order by r.query is not null, r.rule_name
    loop
        v_outcomes := v_outcomes || monitoring._find(v_rule, p_now);
    end loop;
    return v_outcomes;
end
$$;

comment on function monitoring._find_all(text[], timestamptz) is
'Lets the rules of some families look, own ones last, for they may be slow.';

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

comment on function monitoring._apply_all(monitoring.rule_outcome[], timestamptz) is
'Applies what rules found, and what the rule about rules makes of it.';

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
        where a.resolved_at = 'infinity'
            and a.rule_name = coalesce(p_rule_name, a.rule_name)
            and (
                r.is_enabled is not true
                or p_now - a.cleared_at >= make_interval(secs => r.keep_firing_seconds)
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

comment on function monitoring._resolve_cleared(timestamptz, text) is
'Resolves alerts (of one rule, or all) that have been gone for as long as their rule says, '
'and those '
'whose rule is disabled or dropped.';

create or replace function monitoring._count_transitions(p_after bigint) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_build_object(
            'opened', count(*) filter (where t.transition = 'firing'),
            'raised', count(*) filter (where t.transition = 'escalated'),
            'resolved', count(*) filter (where t.transition = 'resolved')
        )
        from monitoring.alert_transitions t
        where t.transition_id > p_after
    );
end
$$;

comment on function monitoring._count_transitions(bigint) is
'How many alerts were opened, raised and resolved after a transition, as an object.';

create or replace function monitoring._evaluate(
    p_families text[], p_is_resolving boolean, p_now timestamptz
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := coalesce(p_now, monitoring.clock());
    v_clock constant text := coalesce(current_setting('monitoring.now', true), '');
    v_outcomes monitoring.rule_outcome [];
    v_before bigint;
    v_result jsonb;
begin
    perform pg_advisory_xact_lock(hashtext('monitoring.evaluations'));
    -- Whatever rules read goes by the same moment.
    perform set_config('monitoring.now', v_now::text, true);
    v_outcomes := monitoring._find_all(p_families, v_now);
    perform monitoring._lock_alerts();
    select coalesce(max(t.transition_id), 0) into v_before from monitoring.alert_transitions t;
    if cardinality(p_families) > 0 then
        perform monitoring._apply_all(v_outcomes, v_now);
    end if;
    if p_is_resolving then
        perform monitoring._resolve_cleared(v_now);
    end if;
    perform monitoring._end_needless_silences(v_now);
    v_result := jsonb_build_object('queued', monitoring._plan_notifications(v_now));
    perform set_config('monitoring.now', v_clock, true);
    return monitoring._count_transitions(v_before) || v_result;
end
$$;

comment on function monitoring._evaluate(text[], boolean, timestamptz) is
'Evaluates the rules of some families as of a moment, resolves what has cleared where that is '
'wanted, and queues what is to be told; returns an object of opened, raised, resolved and queued.';

create or replace function monitoring.evaluate_alerts(p_now timestamptz default null) returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return monitoring._evaluate(
        array['errors', 'processing', 'health', 'queues', 'self', 'own'], true, p_now
    );
end
$$;

comment on function monitoring.evaluate_alerts(timestamptz) is
'Evaluates all rules as of a moment (now, when left out), resolves what has cleared and '
'queues what '
'is to be told. Returns an object of how many alerts opened, raised and resolved, and '
'messages queued.';

create or replace function monitoring.check_error_rate_alerts(p_now timestamptz default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_result jsonb := monitoring._evaluate(array['errors'], false, p_now);
begin
    return (v_result ->> 'opened')::integer + (v_result ->> 'raised')::integer;
end
$$;

comment on function monitoring.check_error_rate_alerts(timestamptz) is
'Evaluates the rules about errors and returns how many alerts opened or rose; what has '
'cleared waits for '
'resolve_resolved_alerts() or evaluate_alerts().';

create or replace function monitoring.check_processing_performance_alerts(
    p_now timestamptz default null
)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_result jsonb := monitoring._evaluate(array['processing'], false, p_now);
begin
    return (v_result ->> 'opened')::integer + (v_result ->> 'raised')::integer;
end
$$;

comment on function monitoring.check_processing_performance_alerts(timestamptz) is
'Evaluates the rules about tasks and returns how many alerts opened or rose; what has '
'cleared waits for '
'resolve_resolved_alerts() or evaluate_alerts().';

create or replace function monitoring.check_system_health_alerts(p_now timestamptz default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_result jsonb := monitoring._evaluate(array['health'], false, p_now);
begin
    return (v_result ->> 'opened')::integer + (v_result ->> 'raised')::integer;
end
$$;

comment on function monitoring.check_system_health_alerts(timestamptz) is
'Evaluates the rules about components and returns how many alerts opened or rose; what has '
'cleared waits for '
'resolve_resolved_alerts() or evaluate_alerts().';

create or replace function monitoring.check_queue_backlog_alerts(p_now timestamptz default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_result jsonb := monitoring._evaluate(array['queues'], false, p_now);
begin
    return (v_result ->> 'opened')::integer + (v_result ->> 'raised')::integer;
end
$$;

comment on function monitoring.check_queue_backlog_alerts(timestamptz) is
'Evaluates the rules about queues and returns how many alerts opened or rose; what has '
'cleared waits for '
'resolve_resolved_alerts() or evaluate_alerts().';

create or replace function monitoring.resolve_resolved_alerts(p_now timestamptz default null)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (monitoring._evaluate('{}', true, p_now) ->> 'resolved')::integer;
end
$$;

comment on function monitoring.resolve_resolved_alerts(timestamptz) is
'Resolves alerts that the last evaluation no longer found, once they have been gone for as long as '
'their rule says; returns how many.';
