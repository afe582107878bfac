-- From which value on what a rule finds has which severity. Writes alert_thresholds, and through
-- _note_rule_change() what became of them.

do $$
begin
    perform monitoring._drop_former(
        'set_alert_thresholds(text,jsonb,jsonb)',
        '_decide_thresholds(monitoring.alert_rules,jsonb,jsonb)'
    );
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
        'severity of a threshold', p_thresholds, monitoring.severities()
    );
    foreach v_severity in array monitoring.severities() loop
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

-- Thresholds that count, by severity; {} for none.
create or replace function monitoring._thresholds_of(p_thresholds monitoring.alert_thresholds)
returns jsonb
language sql
immutable
return jsonb_strip_nulls(
    coalesce((p_thresholds).shipped, '{}') || coalesce((p_thresholds).decided, '{}')
);

-- Notes what people decided about thresholds, with null for a severity that is to have none; what
-- is left out is as shipped, and all is for null. PV004 when they do not fit the comparison then.
create or replace function monitoring._decide_thresholds(
    p_rule monitoring.alert_rules,
    p_decided jsonb,
    p_labels jsonb,
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
    v_thresholds monitoring.alert_thresholds;
begin
    insert into monitoring.alert_thresholds as t (
        rule_name, labels, decided, changed_by, changed_at
    )
    values (
        p_rule.rule_name, p_labels, p_decided,
        case when p_decided is not null then v_by end,
        case when p_decided is not null then monitoring.clock() end
    )
    on conflict (rule_name, labels) do update
        set
            decided = excluded.decided,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at
    returning t.* into v_thresholds;
    if coalesce(v_thresholds.decided, v_thresholds.shipped) is null then
        delete from monitoring.alert_thresholds
        where rule_name = p_rule.rule_name and labels = p_labels;
    elsif not v_thresholds.is_empty then
        perform monitoring._checked_thresholds(
            monitoring._thresholds_of(v_thresholds), p_rule.comparison
        );
    end if;
    perform monitoring._note_rule_change(p_rule.rule_name, v_old, v_by, p_note);
end
$$;

create or replace function monitoring.set_alert_thresholds(
    p_rule_name text,
    p_thresholds jsonb,
    p_labels jsonb default '{}',
    p_by text default null,
    p_note text default null
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
    if p_thresholds not in ('null', '{}') then
        perform monitoring._checked_thresholds(p_thresholds, v_rule.comparison);
    end if;
    perform monitoring._decide_thresholds(
        v_rule,
        '{"low": null, "medium": null, "high": null, "critical": null}'
        || nullif(p_thresholds, 'null'),
        p_labels, p_by, p_note
    );
end
$$;

comment on function monitoring.set_alert_thresholds(text, jsonb, jsonb, text, text) is
'Sets from which value on what a rule finds has which severity, for all findings or those with '
'certain labels; the entry with most labels counts. {} means no thresholds of their own; null '
'takes back what was set, so that it is as shipped.';
