-- Rules in the configuration: sections alert_thresholds, rules and inhibitions. Writes alert_rules
-- where a query changes, and everything else through the functions that people call.

-- Rules whose thresholds have a section of their own, by their names there.
create or replace function monitoring._best_known_rules() returns jsonb
language sql
immutable
return '{
    "error_rates": "errors_per_hour",
    "processing_times": "slow_processing",
    "queue_backlog": "queue_backlog"
}'::jsonb;

-- Thresholds of a rule as they are in a configuration: all of them, for what is not named stays;
-- null when the rule has none.
create or replace function monitoring._thresholds_config(p_rule_name text) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_build_object(
            'low', t.low, 'medium', t.medium, 'high', t.high, 'critical', t.critical
        )
        from monitoring.alert_thresholds t
        where t.rule_name = p_rule_name and t.labels = '{}' and not t.is_empty
    );
end
$$;

-- Section alert_thresholds of a configuration.
create or replace function monitoring._alert_thresholds_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(k.key, monitoring._thresholds_config(k.value))
        from jsonb_each_text(monitoring._best_known_rules()) k
    );
end
$$;

-- Sets the thresholds of one of the best known rules, or none.
create or replace function monitoring._configure_alert_thresholds(
    p_name text, p_old jsonb, p_new jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.set_alert_thresholds(
        monitoring._best_known_rules() ->> p_name,
        coalesce(jsonb_strip_nulls(monitoring._merged_settings(p_old, p_new)), '{}')
    );
end
$$;

-- Settings of a rule as they are in a configuration.
create or replace function monitoring._rule_config(p_rule monitoring.alert_rules) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return jsonb_build_object(
        'description', p_rule.description,
        'unit', p_rule.unit,
        'comparison', p_rule.comparison,
        'for_seconds', p_rule.for_seconds,
        'for_evaluations', p_rule.for_evaluations,
        'keep_firing_seconds', p_rule.keep_firing_seconds,
        'no_data', p_rule.no_data,
        'on_error', p_rule.on_error,
        'time_limit_seconds', p_rule.time_limit_seconds,
        'is_enabled', p_rule.is_enabled,
        'thresholds', monitoring._thresholds_config(p_rule.rule_name),
        'overrides', (
            select coalesce(jsonb_agg(
                jsonb_build_object(
                    'labels', t.labels,
                    'thresholds', coalesce(t.decided, t.shipped)
                )
                order by t.labels
            ), '[]')
            from monitoring.alert_thresholds t
            where t.rule_name = p_rule.rule_name and t.labels <> '{}' and not t.is_empty
        )
    ) || case
        when p_rule.query is null then jsonb_build_object('parameters', p_rule.parameters)
        else jsonb_build_object('query', p_rule.query)
    end;
end
$$;

-- Section rules of a configuration; thresholds that have a section of their own are left out.
create or replace function monitoring._rules_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                r.rule_name,
                monitoring._rule_config(r) - array(
                    select 'thresholds'
                    from jsonb_each_text(monitoring._best_known_rules()) k
                    where k.value = r.rule_name
                )
            ),
            '{}'
        )
        from monitoring.alert_rules r
    );
end
$$;

-- Gives an own rule another query, which is checked like that of a new one.
create or replace function monitoring._replace_rule_query(p_rule_name text, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.alert_rules
    set query = monitoring._checked_rule_query(
        p_new ->> 'query', p_new -> 'thresholds' <> 'null',
        (p_new ->> 'time_limit_seconds')::double precision
    )
    where rule_name = p_rule_name and family = 'own';
    if not found then
        raise exception using
            errcode = 'PV003',
            message = format('rule "%s" is built in and has no query', p_rule_name),
            hint = 'Take another name for a rule of your own.';
    end if;
end
$$;

-- Sets the thresholds of a rule for certain labels, and no others.
create or replace function monitoring._set_overrides(p_rule_name text, p_overrides jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.set_alert_thresholds(
        p_rule_name, case when t.shipped is not null then '{}'::jsonb end, t.labels
    )
    from monitoring.alert_thresholds t
    where t.rule_name = p_rule_name and t.labels <> '{}';
    perform monitoring.set_alert_thresholds(p_rule_name, o.wanted -> 'thresholds', o.wanted -> 'labels')
    from jsonb_array_elements(p_overrides) o (wanted);
end
$$;

-- Makes an own rule, with what it needs at once; PV007 for one without a query that is not there.
create or replace function monitoring._make_rule(p_name text, p_new jsonb) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if not p_new ? 'query' then
        perform monitoring._found_rule(p_name);
    end if;
    perform monitoring.create_alert_rule(
        p_name, p_new ->> 'query', p_new -> 'thresholds',
        p_comparison => coalesce(p_new ->> 'comparison', '>'),
        p_time_limit => make_interval(
            secs => coalesce((p_new ->> 'time_limit_seconds')::double precision, 10)
        )
    );
end
$$;

-- Changes settings of a rule, given all that it is to have and those of them that are other.
create or replace function monitoring._change_rule(p_name text, p_new jsonb, p_changed jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Thresholds go first, the comparison that they must fit goes with them.
    if p_changed ? 'comparison' then
        perform monitoring.set_alert_thresholds(p_name, '{}');
        perform monitoring._set_overrides(p_name, '[]');
        p_changed := p_changed || jsonb_build_object(
            'thresholds', p_new -> 'thresholds', 'overrides', p_new -> 'overrides'
        );
    end if;
    perform monitoring.change_alert_rule(p_name, p_changed - array['query', 'thresholds', 'overrides']);
    if p_changed ? 'thresholds' then
        perform monitoring.set_alert_thresholds(
            p_name, coalesce(nullif(p_changed -> 'thresholds', 'null'), '{}')
        );
    end if;
    if p_changed ? 'overrides' then
        perform monitoring._set_overrides(p_name, coalesce(nullif(p_changed -> 'overrides', 'null'), '[]'));
    end if;
    if p_changed ? 'query' then
        perform monitoring._replace_rule_query(p_name, p_new);
    end if;
end
$$;

-- Makes, changes or drops a rule; built-in rules can be neither made nor dropped.
create or replace function monitoring._configure_rules(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_old jsonb;
    v_new jsonb;
    v_changed jsonb;
begin
    if p_new is null then
        perform monitoring.remove_alert_rule(p_name);
        return;
    end if;
    if p_old is null then
        perform monitoring._make_rule(p_name, p_new);
        p_new := p_new - 'query';
    end if;
    select monitoring._rule_config(r) into v_old
    from monitoring.alert_rules r where r.rule_name = p_name;
    v_new := monitoring._merged_settings(v_old, p_new);
    select jsonb_object_agg(n.key, n.value) into v_changed
    from jsonb_each(v_new) n
    where n.value is distinct from v_old -> n.key;
    if v_changed is not null then
        perform monitoring._change_rule(p_name, v_new, v_changed);
    end if;
end
$$;

-- Section inhibitions of a configuration.
create or replace function monitoring._inhibitions_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'source_rule', i.source_rule,
                    'target_rule', i.target_rule,
                    'equal_labels', i.equal_labels
                )
                order by i.source_rule, i.target_rule
            ),
            '[]'
        )
        from monitoring.alert_inhibitions i
        where i.is_enabled
    );
end
$$;

-- Makes, changes or removes an inhibition.
create or replace function monitoring._configure_inhibitions(
    p_name text, p_old jsonb, p_new jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_new is null then
        perform monitoring.remove_inhibition(p_old ->> 'source_rule', p_old ->> 'target_rule');
        return;
    end if;
    perform monitoring.define_inhibition(
        p_new ->> 'source_rule', p_new ->> 'target_rule', array(
            select jsonb_array_elements_text(coalesce(p_new -> 'equal_labels', '[]'))
        )
    );
end
$$;
