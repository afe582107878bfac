-- Reading alert rules: how each is set, how it goes, and how often it fires.

create or replace view monitoring.v_alert_rules as
select
    r.rule_name,
    r.family,
    r.description,
    r.query,
    r.unit,
    r.comparison,
    t.thresholds,
    o.overrides,
    r.parameters,
    r.for_seconds,
    r.for_evaluations,
    r.keep_firing_seconds,
    r.no_data,
    r.on_error,
    r.time_limit_seconds,
    r.is_enabled,
    d.changed_by,
    d.changed_at,
    s.evaluated_at,
    s.duration_ms,
    s.findings,
    s.evaluations,
    s.failures,
    s.consecutive_failures,
    s.last_error,
    s.last_failed_at,
    s.paused_until_at,
    c.pending,
    c.firing,
    coalesce((r.shipped ->> 'has_past')::boolean, true) as has_past,
    case
        when r.family = 'own' then 'what its query does not find any more, or reads without clock()'
        else r.shipped ->> 'unknown_past'
    end as unknown_past,
    case
        when not r.is_enabled then 'off'
        when s.last_error is not null then 'failing'
        when c.firing > 0 then 'firing'
        else 'on'
    end as state,
    coalesce(f.fired_7_days, 0) as fired_7_days,
    coalesce(f.fired_30_days, 0) as fired_30_days,
    f.last_fired_at
from monitoring.alert_rules as r
left join monitoring.alert_rule_states as s on r.rule_name = s.rule_name
cross join
    lateral (
        select
            count(*) filter (where a.status = 'pending') as pending,
            count(*) filter (where a.status = 'firing') as firing
        from monitoring.raised_alerts as a
        where a.rule_name = r.rule_name and a.resolved_at = 'infinity'
    ) as c
left join
    lateral (
        select
            jsonb_strip_nulls(
                coalesce(h.shipped, '{}') || coalesce(h.decided, '{}')
            ) as thresholds
        from monitoring.alert_thresholds as h
        where h.rule_name = r.rule_name and h.labels = '{}' and not h.is_empty
    ) as t
    on true
cross join
    lateral (
        select
            coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'labels', h.labels,
                        'thresholds', jsonb_strip_nulls(
                            coalesce(h.shipped, '{}') || coalesce(h.decided, '{}')
                        )
                    )
                    order by h.labels
                ),
                '[]'
            ) as overrides
        from monitoring.alert_thresholds as h
        where h.rule_name = r.rule_name and h.labels <> '{}' and not h.is_empty
    ) as o
cross join
    lateral (
        select
            (array_agg(w.changed_by order by w.changed_at desc nulls last))[1] as changed_by,
            max(w.changed_at) as changed_at
        from (
            select
                r.changed_by,
                r.changed_at
            union all
            select
                h.changed_by,
                h.changed_at
            from monitoring.alert_thresholds as h
            where h.rule_name = r.rule_name
        ) as w
    ) as d
-- Whoever asks for none of its columns does not pay for it.
left join
    (
        select
            h.rule_name,
            count(*) filter (where h.changed_at > w.week_ago) as fired_7_days,
            count(*) as fired_30_days,
            max(h.changed_at) as last_fired_at
        from (
            select
                n.now - interval '7 days' as week_ago,
                n.now - interval '30 days' as month_ago
            from (select monitoring.clock() as now) as n
        ) as w
        inner join monitoring.alert_transitions as h on w.month_ago < h.changed_at
        where h.transition = 'firing'
        group by h.rule_name
    ) as f
    on r.rule_name = f.rule_name;

comment on view monitoring.v_alert_rules is
'The alert rules, with their thresholds, how their last evaluation went and what is open.';
comment on column monitoring.v_alert_rules.rule_name is
'Name of the rule.';
comment on column monitoring.v_alert_rules.family is
'errors, processing, health, queues or self for built-in rules, own for those that users made.';
comment on column monitoring.v_alert_rules.description is
'What it is about, and what to do.';
comment on column monitoring.v_alert_rules.query is
'Query that finds, for the users'' own rules.';
comment on column monitoring.v_alert_rules.unit is
'Unit of values and thresholds; null for a mere number.';
comment on column monitoring.v_alert_rules.comparison is
'How a value passes a threshold: >, >=, < or <=.';
comment on column monitoring.v_alert_rules.thresholds is
'Object of thresholds by severity; null when there are none for all findings.';
comment on column monitoring.v_alert_rules.overrides is
'Array of objects of labels and the thresholds that count for findings with those.';
comment on column monitoring.v_alert_rules.parameters is
'Object of what the rule goes by.';
comment on column monitoring.v_alert_rules.for_seconds is
'Seconds for which it must have been found before it fires.';
comment on column monitoring.v_alert_rules.for_evaluations is
'Number of evaluations in a row that must have found it before it fires.';
comment on column monitoring.v_alert_rules.keep_firing_seconds is
'Seconds for which it must have been gone before it resolves.';
comment on column monitoring.v_alert_rules.no_data is
'What it means to have nothing to measure: ok, keep or alert.';
comment on column monitoring.v_alert_rules.on_error is
'What becomes of its alerts while the rule fails: keep or ok.';
comment on column monitoring.v_alert_rules.time_limit_seconds is
'Seconds after which an evaluation is cancelled, or counts as failed.';
comment on column monitoring.v_alert_rules.is_enabled is
'Whether it is evaluated.';
comment on column monitoring.v_alert_rules.changed_by is
'Who made it, or changed it or its thresholds last; null as shipped.';
comment on column monitoring.v_alert_rules.changed_at is
'When that was; null as shipped.';
comment on column monitoring.v_alert_rules.evaluated_at is
'When it was last evaluated; null when it never was.';
comment on column monitoring.v_alert_rules.duration_ms is
'Milliseconds that this took.';
comment on column monitoring.v_alert_rules.findings is
'How many findings there were, before thresholds.';
comment on column monitoring.v_alert_rules.evaluations is
'How often it has been evaluated.';
comment on column monitoring.v_alert_rules.failures is
'How often that failed.';
comment on column monitoring.v_alert_rules.consecutive_failures is
'How often it has failed since it last succeeded.';
comment on column monitoring.v_alert_rules.last_error is
'Why the last evaluation failed; null when it did not.';
comment on column monitoring.v_alert_rules.last_failed_at is
'When one last failed.';
comment on column monitoring.v_alert_rules.paused_until_at is
'Not evaluated before, since it exceeded its time limit.';
comment on column monitoring.v_alert_rules.pending is
'How many of its alerts are pending.';
comment on column monitoring.v_alert_rules.firing is
'How many of its alerts fire.';
comment on column monitoring.v_alert_rules.has_past is
'Whether a backtest can tell anything; false when it goes by what is known at present only.';
comment on column monitoring.v_alert_rules.unknown_past is
'What a backtest does not know of the past; null when it knows what the rule knew.';
comment on column monitoring.v_alert_rules.state is
'failing (its last evaluation failed), firing, on (nothing fires) or off (it is not evaluated).';
comment on column monitoring.v_alert_rules.fired_7_days is
'How many alerts it has raised within the last 7 days.';
comment on column monitoring.v_alert_rules.fired_30_days is
'How many alerts it has raised within the last 30 days.';
comment on column monitoring.v_alert_rules.last_fired_at is
'When it last raised one; null when it has not within 30 days.';
