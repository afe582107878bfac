-- What is behind an alert: the alert itself, its rule, and the rows that the rule saw. Reads
-- raised_alerts, alert_rules, alert_thresholds, and whatever the rule's explainer reads.

-- A rule as an object, with those of its thresholds that count for an alert.
create or replace function monitoring._explain_rule(
    p_alert monitoring.raised_alerts, p_rule monitoring.alert_rules
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return jsonb_strip_nulls(
        to_jsonb(p_rule) - array['finder_name', 'explainer_name', 'shipped', 'decided']
        || jsonb_build_object('thresholds', (
            -- As the engine chooses them: of those that fit, the one with most labels.
            select monitoring._thresholds_of(t)
            from monitoring.alert_thresholds t
            where t.rule_name = p_alert.rule_name
                and p_alert.labels @> t.labels
                and not t.is_empty
            order by (select count(*) from jsonb_object_keys(t.labels)) desc, t.labels
            limit 1
        ))
    );
end
$$;

create or replace function monitoring.explain_alert(
    p_alert_id bigint, p_limit integer default 20
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_alert monitoring.raised_alerts;
    v_rule monitoring.alert_rules;
begin
    if p_limit is null or p_limit not between 0 and 10000 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 0 to 10000');
    end if;
    select a.* into v_alert from monitoring.raised_alerts a where a.alert_id = p_alert_id;
    if not found then
        perform monitoring._refuse_unknown(
            'alert', p_alert_id::text,
            'Take the alert_id from v_active_alerts or alerts; old ones are removed.'
        );
    end if;
    return query
    select
        'alert',
        v_alert.started_at,
        jsonb_strip_nulls(to_jsonb(v_alert) - 'told' - 'resolved_at' || jsonb_build_object(
            'resolved_at', nullif(v_alert.resolved_at, 'infinity')
        ));
    select r.* into v_rule from monitoring.alert_rules r where r.rule_name = v_alert.rule_name;
    if not found then
        return;
    end if;
    return query
    select 'rule', v_rule.changed_at, monitoring._explain_rule(v_alert, v_rule);
    if v_rule.query is null and v_rule.explainer_name is null then
        return;
    end if;
    return query execute format(
        'select e.source, e.happened_at, e.details from monitoring.%I($1, $2, $3) e',
        case when v_rule.query is null then v_rule.explainer_name else '_explain_by_query' end
    )
    using v_alert, v_alert.last_seen_at, p_limit;
end
$$;

comment on function monitoring.explain_alert(bigint, integer) is
'What is behind an alert, as it was last found: the alert, its rule with the thresholds that '
'count, and up to p_limit of the rows that the rule saw, newest first.';
