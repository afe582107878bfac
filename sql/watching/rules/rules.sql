-- What people set about rules. Writes alert_rules, and through functions alert_thresholds and
-- alert_rule_changes.

do $$
begin
    perform monitoring._drop_former(
        'change_alert_rule(text,jsonb)', '_decide_rule(monitoring.alert_rules,jsonb)',
        '_switch_alert_rule(text,boolean)', 'enable_alert_rule(text)', 'disable_alert_rule(text)',
        'reset_alert_rule(text)'
    );
end
$$;

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

-- The parameters that people set, with some of them changed and those that are null taken back;
-- PV003 for one that the rule does not have, PV005 for another kind of value.
create or replace function monitoring._changed_parameters(
    p_rule monitoring.alert_rules, p_new jsonb
)
returns jsonb
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
        'parameter of the rule', p_new, array(select jsonb_object_keys(p_rule.parameters))
    );
    select format('"%s": %s', n.key, n.value) into v_bad
    from jsonb_each(p_new) n
    where n.value <> 'null' and (
        jsonb_typeof(n.value) <> jsonb_typeof(p_rule.parameters -> n.key)
        or (jsonb_typeof(n.value) = 'number' and (n.value #>> '{}')::numeric not between 0 and 1e9)
    )
    limit 1;
    if found then
        perform monitoring._refuse_json('parameters', v_bad,
            format('values like those of %s', p_rule.parameters));
    end if;
    return nullif(
        jsonb_strip_nulls(coalesce(p_rule.decided -> 'parameters', '{}') || p_new), '{}'
    );
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

create or replace function monitoring.change_alert_rule(
    p_rule_name text, p_settings jsonb, p_by text default null, p_note text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules := monitoring._found_rule(p_rule_name);
    v_decided jsonb;
begin
    if jsonb_typeof(p_settings) is distinct from 'object' then
        perform monitoring._refuse_json('settings', coalesce(p_settings::text, 'null'), 'an object');
    end if;
    perform monitoring._refuse_unknown_keys('setting of the rule', p_settings, array[
        'comparison', 'description', 'for_evaluations', 'for_seconds', 'is_enabled',
        'keep_firing_seconds', 'no_data', 'on_error', 'parameters', 'time_limit_seconds', 'unit'
    ]);
    perform monitoring._checked_setting(s.key, s.value) from jsonb_each(p_settings) s
    where s.value <> 'null';
    v_decided := v_rule.decided || p_settings || jsonb_build_object(
        'description', monitoring._capped_text(
            (v_rule.decided || p_settings) ->> 'description', 8000
        ),
        'unit', monitoring._capped_text((v_rule.decided || p_settings) ->> 'unit', 255)
    );
    if p_settings -> 'parameters' <> 'null' then
        v_decided := v_decided || jsonb_build_object(
            'parameters', monitoring._changed_parameters(v_rule, p_settings -> 'parameters')
        );
    end if;
    perform monitoring._decide_rule(v_rule, jsonb_strip_nulls(v_decided), p_by, p_note);
end
$$;

comment on function monitoring.change_alert_rule(text, jsonb, text, text) is
'Changes settings of a rule: for_seconds, for_evaluations, keep_firing_seconds, no_data, on_error, '
'time_limit_seconds, is_enabled, comparison, parameters, description, unit. What is left '
'out stays; null is as shipped.';

-- Notes what people decided about a rule; PV004 when its thresholds do not fit its comparison then.
create or replace function monitoring._decide_rule(
    p_rule monitoring.alert_rules,
    p_decided jsonb,
    p_by text default null,
    p_note text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_old constant jsonb := monitoring._whole_rule_config(p_rule);
    v_by constant text := coalesce(monitoring._checked_optional_name('by', p_by), session_user);
    v_is_decided constant boolean := p_decided <> '{}' or p_rule.family = 'own';
    v_comparison text;
begin
    update monitoring.alert_rules
    set
        decided = p_decided,
        changed_by = case when v_is_decided then v_by end,
        changed_at = case when v_is_decided then monitoring.clock() end
    where rule_name = p_rule.rule_name
    returning comparison into v_comparison;
    perform monitoring._checked_thresholds(monitoring._thresholds_of(t), v_comparison)
    from monitoring.alert_thresholds t
    where t.rule_name = p_rule.rule_name and not t.is_empty;
    perform monitoring._note_rule_change(p_rule.rule_name, v_old, v_by, p_note);
end
$$;

-- Whether a rule is evaluated; null is as shipped.
create or replace function monitoring._switch_alert_rule(
    p_rule_name text, p_is_enabled boolean, p_by text default null, p_note text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.change_alert_rule(
        p_rule_name, jsonb_build_object('is_enabled', p_is_enabled), p_by, p_note
    );
end
$$;

create or replace function monitoring.enable_alert_rule(
    p_rule_name text, p_by text default null, p_note text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_alert_rule(p_rule_name, true, p_by, p_note);
end
$$;

comment on function monitoring.enable_alert_rule(text, text, text) is
'Has a rule evaluated.';

create or replace function monitoring.disable_alert_rule(
    p_rule_name text, p_by text default null, p_note text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_alert_rule(p_rule_name, false, p_by, p_note);
end
$$;

comment on function monitoring.disable_alert_rule(text, text, text) is
'Has a rule no longer evaluated; its alerts resolve at the next evaluation.';

create or replace function monitoring.reset_alert_rule(
    p_rule_name text, p_by text default null, p_note text default null
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
    if v_rule.family = 'own' then
        raise exception using
            errcode = 'PV003',
            message = format('rule "%s" is your own, so there is nothing shipped to go back to', p_rule_name),
            hint = 'Change it, or remove it with remove_alert_rule().';
    end if;
    perform monitoring.set_alert_thresholds(p_rule_name, null, t.labels, p_by, p_note)
    from monitoring.alert_thresholds t
    where t.rule_name = p_rule_name and t.decided is not null;
    perform monitoring._decide_rule(v_rule, '{}', p_by, p_note);
end
$$;

comment on function monitoring.reset_alert_rule(text, text, text) is
'Takes back all that people set about a built-in rule, thresholds among it, so that it is as '
'shipped. What it inhibits, or is inhibited by, stays.';
