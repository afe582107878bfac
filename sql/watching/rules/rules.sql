-- What people set about rules. Writes alert_rules and alert_thresholds.

-- The rule of that name, or PV007.
create or replace function monitoring._found_rule(p_rule_name text) returns monitoring.alert_rules
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules;
begin
    select r.* into v_rule from monitoring.alert_rules r where r.rule_name = p_rule_name;
    if not found then
        perform monitoring._refuse_unknown(
            'alert rule', p_rule_name,
            'Take the name from v_alert_rules, or create the rule first.'
        );
    end if;
    return v_rule;
end
$$;

-- Raises PV003 for the first key of an object that is not known.
create or replace function monitoring._refuse_unknown_keys(
    p_what text, p_document jsonb, p_known text[]
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_key text;
begin
    select k.key into v_key
    from jsonb_object_keys(p_document) k (key)
    where k.key <> all (p_known)
    limit 1;
    if found then
        perform monitoring._refuse_choice(p_what, v_key, p_known);
    end if;
end
$$;

-- The thresholds, or PV003 to PV005 unless they are numbers by severity in an order that fits
-- the comparison.
create or replace function monitoring._checked_thresholds(p_thresholds jsonb, p_comparison text)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_previous double precision;
    v_next double precision;
    v_value jsonb;
    v_severity text;
begin
    if jsonb_typeof(p_thresholds) is distinct from 'object' or p_thresholds = '{}' then
        perform monitoring._refuse_json('thresholds', coalesce(p_thresholds::text, 'null'),
            'an object of numbers by severity, such as {"medium": 50, "critical": 200}');
    end if;
    perform monitoring._refuse_unknown_keys(
        'severity of a threshold', p_thresholds, array['low', 'medium', 'high', 'critical']
    );
    foreach v_severity in array array['low', 'medium', 'high', 'critical'] loop
        v_value := p_thresholds -> v_severity;
        continue when v_value is null or v_value = 'null';
        if jsonb_typeof(v_value) <> 'number' or abs((v_value #>> '{}')::numeric) > 1e100 then
            perform monitoring._refuse_number('threshold ' || v_severity, v_value::text,
                'a number between -1e100 and 1e100');
        end if;
        v_next := (v_value #>> '{}')::double precision;
        if (p_comparison ~ '>' and v_next < v_previous)
            or (p_comparison ~ '<' and v_next > v_previous) then
            perform monitoring._refuse_number('threshold ' || v_severity, v_value::text,
                format('%s that is not %s than those of lower severities (%s)', 'a number',
                    case when p_comparison ~ '>' then 'lower' else 'higher' end, v_previous));
        end if;
        v_previous := v_next;
    end loop;
    if v_previous is null then
        perform monitoring._refuse_json('thresholds', p_thresholds::text,
            'at least one number by severity, such as {"critical": 200}');
    end if;
    return p_thresholds;
end
$$;

-- The labels, or PV005 unless they are an object of texts.
create or replace function monitoring._checked_labels(p_labels jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if jsonb_typeof(p_labels) is distinct from 'object'
        or jsonb_path_exists(p_labels, 'strict $.* ? (@.type() != "string")')
        or pg_column_size(p_labels) > 2000 then
        perform monitoring._refuse_json('labels', coalesce(p_labels::text, 'null'),
            'an object of a few texts, such as {"task_type": "import"}');
    end if;
    return p_labels;
end
$$;

create or replace function monitoring.set_alert_thresholds(
    p_rule_name text, p_thresholds jsonb, p_labels jsonb default '{}'
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules := monitoring._found_rule(p_rule_name);
begin
    perform monitoring._checked_labels(p_labels);
    delete from monitoring.alert_thresholds
    where rule_name = p_rule_name and labels = p_labels;
    if p_thresholds is not null and p_thresholds <> 'null' then
        perform monitoring._checked_thresholds(p_thresholds, v_rule.comparison);
        insert into monitoring.alert_thresholds (rule_name, labels, low, medium, high, critical)
        values (
            p_rule_name, p_labels,
            (p_thresholds ->> 'low')::double precision,
            (p_thresholds ->> 'medium')::double precision,
            (p_thresholds ->> 'high')::double precision,
            (p_thresholds ->> 'critical')::double precision
        );
    end if;
end
$$;

comment on function monitoring.set_alert_thresholds(text, jsonb, jsonb) is
'Sets from which value on what a rule finds has which severity, instead of what was set for these '
'labels before; null removes them. Of several that fit a finding, those with most labels count.';

create or replace function monitoring.enable_alert_rule(
    p_rule_name text, p_is_enabled boolean default true
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._found_rule(p_rule_name);
    update monitoring.alert_rules
    set
        is_enabled = coalesce(p_is_enabled, true),
        changed_by = session_user,
        changed_at = monitoring.clock()
    where rule_name = p_rule_name;
end
$$;

comment on function monitoring.enable_alert_rule(text, boolean) is
'Lets a rule be evaluated, or not; alerts of a disabled one resolve at the next evaluation.';

-- The parameters of a rule with some of them changed; PV003 for one that it does not have, PV005
-- for another kind of value.
create or replace function monitoring._checked_parameters(p_old jsonb, p_new jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_bad text;
begin
    if jsonb_typeof(p_new) is distinct from 'object' then
        perform monitoring._refuse_json('parameters', coalesce(p_new::text, 'null'), 'an object');
    end if;
    perform monitoring._refuse_unknown_keys(
        'parameter of the rule', p_new, array(select jsonb_object_keys(p_old))
    );
    select format('"%s": %s', n.key, n.value) into v_bad
    from jsonb_each(p_new) n
    where jsonb_typeof(n.value) <> jsonb_typeof(p_old -> n.key)
        or (jsonb_typeof(n.value) = 'number' and (n.value #>> '{}')::numeric not between 0 and 1e9)
    limit 1;
    if found then
        perform monitoring._refuse_json('parameters', v_bad,
            format('values like those of %s', p_old));
    end if;
    return p_old || p_new;
end
$$;

-- The value of a setting of a rule, or PV003 to PV005.
create or replace function monitoring._checked_setting(p_key text, p_value jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_text constant text := coalesce(p_value #>> '{}', '');
    v_least constant integer := (p_key in ('for_evaluations', 'time_limit_seconds'))::integer;
    v_choices constant jsonb := '{
        "is_enabled": ["true", "false"],
        "no_data": ["ok", "keep", "alert"],
        "on_error": ["keep", "ok"],
        "comparison": [">", ">=", "<", "<="]
    }'::jsonb;
begin
    if v_choices ? p_key then
        if not v_choices -> p_key ? v_text
            or (p_key = 'is_enabled') <> (jsonb_typeof(p_value) = 'boolean') then
            perform monitoring._refuse_choice(
                p_key, v_text, array(select jsonb_array_elements_text(v_choices -> p_key))
            );
        end if;
    elsif p_key in ('description', 'unit') then
        if jsonb_typeof(p_value) not in ('string', 'null') then
            perform monitoring._refuse_json(p_key, p_value::text, 'a text');
        end if;
    elsif p_key <> 'parameters' then
        if jsonb_typeof(p_value) <> 'number'
            or v_text::numeric not between v_least and 315576000
            or (p_key = 'for_evaluations' and v_text::numeric % 1 <> 0) then
            perform monitoring._refuse_number(
                p_key, p_value::text, format('a number of at least %s', v_least)
            );
        end if;
    end if;
    return p_value;
end
$$;

create or replace function monitoring.change_alert_rule(p_rule_name text, p_settings jsonb)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules := monitoring._found_rule(p_rule_name);
    v_new monitoring.alert_rules;
    v_thresholds monitoring.alert_thresholds;
begin
    if jsonb_typeof(p_settings) is distinct from 'object' then
        perform monitoring._refuse_json('settings', coalesce(p_settings::text, 'null'), 'an object');
    end if;
    perform monitoring._refuse_unknown_keys('setting of the rule', p_settings, array[
        'comparison', 'description', 'for_evaluations', 'for_seconds', 'is_enabled',
        'keep_firing_seconds', 'no_data', 'on_error', 'parameters', 'time_limit_seconds', 'unit'
    ]);
    perform monitoring._checked_setting(s.key, s.value) from jsonb_each(p_settings) s;
    v_new := jsonb_populate_record(v_rule, p_settings - 'parameters');
    if p_settings ? 'parameters' then
        v_new.parameters := monitoring._checked_parameters(
            v_rule.parameters, p_settings -> 'parameters'
        );
    end if;
    update monitoring.alert_rules
    set
        description = monitoring._capped_text(v_new.description, 8000),
        unit = monitoring._capped_text(v_new.unit, 255),
        comparison = v_new.comparison,
        parameters = v_new.parameters,
        for_seconds = v_new.for_seconds,
        for_evaluations = v_new.for_evaluations,
        keep_firing_seconds = v_new.keep_firing_seconds,
        no_data = v_new.no_data,
        on_error = v_new.on_error,
        time_limit_seconds = v_new.time_limit_seconds,
        is_enabled = v_new.is_enabled,
        changed_by = session_user,
        changed_at = monitoring.clock()
    where rule_name = p_rule_name;
    for v_thresholds in
        select t.* from monitoring.alert_thresholds t where t.rule_name = p_rule_name
    loop
        perform monitoring._checked_thresholds(
            to_jsonb(v_thresholds) - 'rule_name' - 'labels', v_new.comparison
        );
    end loop;
end
$$;

comment on function monitoring.change_alert_rule(text, jsonb) is
'Changes settings of a rule: for_seconds, for_evaluations, keep_firing_seconds, no_data, on_error, '
'time_limit_seconds, is_enabled, comparison, parameters, description, unit. What is left '
'out stays.';
