-- When a rule would have fired. Writes nothing that stays: a copy of the rule under a name of its
-- own goes through the very engine, step by step, in blocks that are undone with all its alerts.
-- It takes no lock that evaluations wait for, and no row that they could meet.

do $$
begin
    perform monitoring._drop_former(
        '_copy_rule(monitoring.alert_rules)',
        'backtest_alert_rule(text,timestamptz,timestamptz,interval)',
        '_backtest_slice(monitoring.alert_rules,timestamptz,timestamptz,interval,'
        'monitoring.raised_alerts[],jsonb)'
    );
end
$$;

-- Raises PV003 for a rule that goes by what is known at present only.
create or replace function monitoring._check_has_past(p_rule monitoring.alert_rules) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_rule.shipped -> 'has_past' = 'false' then
        raise exception using
            errcode = 'PV003',
            message = format('rule "%s" cannot be tried over the past', p_rule.rule_name),
            hint = 'It goes by what is known at present only; alert_history has when it fired.';
    end if;
end
$$;

-- Raises PV004 or PV006 unless a rule can be tested at these times.
create or replace function monitoring._check_backtest(
    p_from timestamptz, p_to timestamptz, p_step interval
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_most constant integer := 20000;
    v_seconds constant double precision := date_part('epoch', p_step);
begin
    if (p_from >= '1970-01-01 00:00:00+00'::timestamptz and p_from <= p_to and p_to <= v_now)
        is not true then
        raise exception using
            errcode = 'PV006',
            message = format('span is impossible: from %s to %s',
                coalesce(p_from::text, 'null'), coalesce(p_to::text, 'null')),
            hint = 'Give two times from 1970-01-01 up to now, the earlier one first.';
    end if;
    if (v_seconds between 1 and 315576000) is not true then
        perform monitoring._refuse_number('step', p_step::text,
            'an interval from 1 second to 10 years');
    end if;
    if date_part('epoch', p_to - p_from) / v_seconds >= v_most then
        raise exception using
            errcode = 'PV004',
            message = format('span has too many steps: %s',
                floor(date_part('epoch', p_to - p_from) / v_seconds)::bigint + 1),
            hint = format('At most %s are taken: give a step of at least %s, or a shorter span.',
                v_most, monitoring._spell_seconds(
                    floor(date_part('epoch', p_to - p_from) / v_most) + 1
                ));
    end if;
end
$$;

-- Makes a copy of a rule with its thresholds, under a name that is this session's, and changes
-- that as people would; null changes nothing.
create or replace function monitoring._copy_rule(
    p_rule monitoring.alert_rules,
    p_settings jsonb default null,
    p_thresholds jsonb default null,
    p_labels jsonb default '{}'
)
returns monitoring.alert_rules
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Nobody else's transaction inserts what this session does.
    v_copy constant text := format(
        'backtest %s of %s', pg_backend_pid(), left(p_rule.rule_name, 200)
    );
begin
    insert into monitoring.alert_rules (
        rule_name, family, finder_name, explainer_name, query, shipped, decided
    )
    values (
        v_copy, p_rule.family, p_rule.finder_name, p_rule.explainer_name, p_rule.query,
        p_rule.shipped, p_rule.decided || '{"is_enabled": true}'
    );
    insert into monitoring.alert_thresholds (
        rule_name, labels, shipped, decided, changed_by, changed_at
    )
    select v_copy, t.labels, t.shipped, t.decided, t.changed_by, t.changed_at
    from monitoring.alert_thresholds t
    where t.rule_name = p_rule.rule_name;
    if p_settings is not null then
        perform monitoring.change_alert_rule(v_copy, p_settings);
    end if;
    if p_thresholds is not null then
        perform monitoring.set_alert_thresholds(v_copy, p_thresholds, p_labels);
    end if;
    return monitoring._found_rule(v_copy);
end
$$;

-- Evaluates one rule as of a given time, as the engine does; PV008 when it fails.
create or replace function monitoring._backtest_step(
    p_rule monitoring.alert_rules, p_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_outcome monitoring.rule_outcome;
begin
    perform set_config('monitoring.now', monitoring._sealed_time(p_at), true);
    v_outcome := monitoring._find(p_rule, p_at);
    if v_outcome.error is not null then
        raise exception using
            errcode = 'PV008',
            message = format('the rule fails as of %s: %s', p_at, v_outcome.error),
            hint = 'Test a span in which it can look; what retention has removed cannot be found.';
    end if;
    perform monitoring._apply_outcome(v_outcome, p_at);
    perform monitoring._resolve_cleared(p_at, p_rule.rule_name);
end
$$;

-- Worst value of each alert of a rule, given those before a step.
create or replace function monitoring._worst_values(
    p_rule monitoring.alert_rules, p_at timestamptz, p_worst jsonb
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_worst || coalesce((
        select jsonb_object_agg(
            a.alert_id,
            case
                when p_rule.comparison ~ '>'
                    then greatest((p_worst ->> a.alert_id::text)::double precision, a.value)
                else least((p_worst ->> a.alert_id::text)::double precision, a.value)
            end
        )
        from monitoring.raised_alerts a
        where a.rule_name = p_rule.rule_name
            and a.resolved_at = 'infinity'
            and a.last_seen_at = p_at
    ), '{}'::jsonb);
end
$$;

-- Goes on from open alerts of a rule's copy, step by step, and returns all that it then has,
-- with their worst values; whatever it writes is undone.
--
-- What is changed within a transaction stays behind until that ends, and slows the next change
-- down; what is undone does not. So it is undone every so many steps, and alerts are carried over.
create or replace function monitoring._backtest_slice(
    p_rule monitoring.alert_rules,
    p_from timestamptz,
    p_to timestamptz,
    p_step interval,
    inout p_alerts monitoring.raised_alerts[],
    inout p_worst jsonb,
    p_settings jsonb default null,
    p_thresholds jsonb default null,
    p_labels jsonb default '{}'
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules;
    v_at timestamptz := p_from;
    v_is_complete boolean := false;
begin
    v_rule := monitoring._copy_rule(p_rule, p_settings, p_thresholds, p_labels);
    insert into monitoring.raised_alerts select a.* from unnest(p_alerts) a;
    while v_at <= p_to loop
        perform monitoring._backtest_step(v_rule, v_at);
        p_worst := monitoring._worst_values(v_rule, v_at, p_worst);
        v_at := v_at + p_step;
    end loop;
    p_alerts := array(
        select a from monitoring.raised_alerts a where a.rule_name = v_rule.rule_name
    );
    v_is_complete := true;
    raise transaction_rollback;
exception
    when transaction_rollback then
        if not v_is_complete then
            raise;
        end if;
end
$$;

create or replace function monitoring.backtest_alert_rule(
    p_rule_name text,
    p_from timestamptz,
    p_to timestamptz,
    p_step interval default '1 minute',
    p_settings jsonb default null,
    p_thresholds jsonb default null,
    p_labels jsonb default '{}'
)
returns table (
    fingerprint text,
    severity text,
    summary text,
    labels jsonb,
    worst_value double precision,
    fired_at timestamptz,
    resolved_at timestamptz,
    occurrences bigint
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_rule monitoring.alert_rules := monitoring._found_rule(p_rule_name);
    v_step interval;
    v_at timestamptz := p_from;
    v_until timestamptz;
    v_open monitoring.raised_alerts [] := array[]::monitoring.raised_alerts [];
    v_closed monitoring.raised_alerts [] := array[]::monitoring.raised_alerts [];
    v_worst jsonb := '{}'::jsonb;
begin
    perform monitoring._check_has_past(v_rule);
    perform monitoring._check_backtest(p_from, p_to, p_step);
    v_step := make_interval(secs => date_part('epoch', p_step));
    while v_at <= p_to loop
        v_until := least(v_at + 199 * v_step, p_to);
        select s.p_alerts, s.p_worst into v_open, v_worst
        from monitoring._backtest_slice(
            v_rule, v_at, v_until, v_step, v_open, v_worst, p_settings, p_thresholds, p_labels
        ) s;
        v_closed := v_closed || array(select a from unnest(v_open) a where a.status = 'resolved');
        v_open := array(select a from unnest(v_open) a where a.status <> 'resolved');
        v_at := v_at + 200 * v_step;
    end loop;
    return query
    select a.fingerprint, a.worst_severity, replace(a.summary, a.rule_name, p_rule_name), a.labels,
        (v_worst ->> a.alert_id::text)::double precision, a.fired_at,
        nullif(a.resolved_at, 'infinity'), a.occurrences
    from unnest(v_closed || v_open) a
    where a.fired_at is not null
    order by a.fired_at, a.fingerprint;
end
$$;

comment on function monitoring.backtest_alert_rule(
    text, timestamptz, timestamptz, interval, jsonb, jsonb, jsonb
) is
'When a rule, disabled or not, would have fired if it had been evaluated at every step, as it is '
'or as change_alert_rule() and set_alert_thresholds() would make it: one row an alert, with its '
'worst severity and value. Nothing is sent and nothing stays.';
