-- Labels, and what silences, channels and inhibitions say of them. Writes nothing.

-- 1 for low, 2 for medium, 3 for high, 4 for critical; null for anything else.
create or replace function monitoring._severity_rank(p_severity text) returns integer
language sql
immutable
return array_position(monitoring.severities(), p_severity);

-- Whether a label is the text, is among the texts of an array, matches the whole of {"regex":
-- ...} or does {"not": ...} match.
create or replace function monitoring._label_matches(p_label text, p_matcher jsonb) returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    case jsonb_typeof(p_matcher)
        when 'array' then
            return p_matcher ? p_label;
        when 'object' then
            if p_matcher ? 'not' then
                return not monitoring._label_matches(p_label, p_matcher -> 'not');
            end if;
            return p_label ~ ('^(?:' || (p_matcher ->> 'regex') || ')$');
        else
            return p_label = (p_matcher #>> '{}');
    end case;
end
$$;

-- Whether labels fit all matchers; a label that is missing counts as empty.
create or replace function monitoring._matches(p_labels jsonb, p_matchers jsonb) returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_matchers = '{}' or not exists (
        select from jsonb_each(p_matchers) m
        where not monitoring._label_matches(coalesce(p_labels ->> m.key, ''), m.value)
    );
end
$$;

-- Whether that is something that a label can be matched with.
create or replace function monitoring._is_matcher(p_matcher jsonb) returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    case jsonb_typeof(p_matcher)
        when 'string' then
            return true;
        when 'array' then
            return p_matcher <> '[]'
                and not jsonb_path_exists(p_matcher, 'strict $[*] ? (@.type() != "string")');
        when 'object' then
            if p_matcher ? 'not' then
                return p_matcher - 'not' = '{}' and monitoring._is_matcher(p_matcher -> 'not');
            end if;
            return jsonb_typeof(p_matcher -> 'regex') = 'string'
                and p_matcher - 'regex' = '{}'
                and '' ~ (p_matcher ->> 'regex') is not null;
        else
            return false;
    end case;
exception
    when invalid_regular_expression then
        return false;
end
$$;

-- The matchers, or PV005 when one of them is none.
create or replace function monitoring._checked_matchers(p_what text, p_matchers jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_bad text;
begin
    if jsonb_typeof(p_matchers) is distinct from 'object' then
        perform monitoring._refuse_json(p_what, coalesce(p_matchers::text, 'null'),
            'an object of labels, such as {"queue": "billing"}');
    end if;
    select format('"%s": %s', m.key, m.value) into v_bad
    from jsonb_each(p_matchers) m
    where not coalesce(monitoring._is_matcher(m.value), false)
    limit 1;
    if found then
        perform monitoring._refuse_json(p_what, v_bad,
            'labels with a text, an array of texts, {"regex": "..."} or {"not": ...}');
    end if;
    if pg_column_size(p_matchers) > 65536 then
        perform monitoring._refuse_json(p_what, 'more than 64 KiB', 'an object of a few labels');
    end if;
    return p_matchers;
end
$$;

-- All labels of an alert that matchers go by.
create or replace function monitoring._all_labels(
    p_alert monitoring.raised_alerts, p_family text
)
returns jsonb
language sql
stable
return p_alert.labels || jsonb_strip_nulls(jsonb_build_object(
    'rule', p_alert.rule_name,
    'family', p_family,
    'severity', p_alert.severity,
    'fingerprint', p_alert.fingerprint
));
