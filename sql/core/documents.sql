-- Whether a configuration fits its schema. Knows the part of JSON Schema that the schema uses.
-- Reads and writes nothing.

create or replace function monitoring._resolved_schema(p_schema jsonb) returns jsonb
language sql
immutable
return case
    when p_schema ? '$ref'
        then monitoring.get_config_schema() -> '$defs' -> substring(p_schema ->> '$ref' from 9)
    else p_schema
end;

comment on function monitoring._resolved_schema(jsonb) is
'The part of the schema that a reference means, or the part itself.';

create or replace function monitoring._is_of_json_type(p_value jsonb, p_types jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_type text := jsonb_typeof(p_value);
begin
    return p_types is null
        or p_types @> to_jsonb(v_type)
        or (
            v_type = 'number'
            and p_types @> '"integer"'
            and (p_value #>> '{}')::numeric % 1 = 0
        );
end
$$;

comment on function monitoring._is_of_json_type(jsonb, jsonb) is
'Whether a value has the type, or one of the types, that a schema names.';

create or replace function monitoring._fits_limits(p_value jsonb, p_schema jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_text text := p_value #>> '{}';
begin
    case jsonb_typeof(p_value)
        when 'number' then
            return (
                v_text::numeric >= (p_schema ->> 'minimum')::numeric
                and v_text::numeric > coalesce((p_schema ->> 'exclusiveMinimum')::numeric, '-infinity')
                and v_text::numeric <= (p_schema ->> 'maximum')::numeric
            ) is not false;
        when 'string' then
            return (
                length(v_text) >= (p_schema ->> 'minLength')::integer
                and length(v_text) <= coalesce((p_schema ->> 'maxLength')::integer, 2147483647)
                and v_text ~ coalesce(p_schema ->> 'pattern', '')
            ) is not false;
        when 'array' then
            return (jsonb_array_length(p_value) >= (p_schema ->> 'minItems')::integer) is not false;
        when 'object' then
            return p_value ?& array(
                select jsonb_array_elements_text(coalesce(p_schema -> 'required', '[]'))
            )
            and (
                (select count(*) from jsonb_object_keys(p_value))
                >= (p_schema ->> 'minProperties')::integer
            ) is not false;
        else
            return true;
    end case;
end
$$;

comment on function monitoring._fits_limits(jsonb, jsonb) is
'Whether a value is as large, long or full as a schema says.';

create or replace function monitoring._fits_schema(p_value jsonb, p_schema jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return monitoring._is_of_json_type(p_value, p_schema -> 'type')
        and (p_schema -> 'enum' @> jsonb_build_array(p_value)) is not false
        and monitoring._fits_limits(p_value, p_schema)
        and (
            not p_schema ? 'anyOf'
            or exists (
                select from jsonb_array_elements(p_schema -> 'anyOf') s (alternative)
                where not exists (
                    select from monitoring._config_problems('', p_value, s.alternative)
                )
            )
        );
end
$$;

comment on function monitoring._fits_schema(jsonb, jsonb) is
'Whether a value fits a part of the schema, what is in it left aside.';

create or replace function monitoring._key_problems(
    p_path text, p_key text, p_value jsonb, p_schema jsonb
)
returns table (problem text, hint text)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_known jsonb := coalesce(p_schema -> 'properties', '{}');
    v_others jsonb := p_schema -> 'additionalProperties';
    v_names jsonb := coalesce(p_schema -> 'propertyNames', '{}');
    v_path text := concat_ws('.', nullif(p_path, 'configuration'), p_key);
begin
    if v_known ? p_key then
        return query select * from monitoring._config_problems(v_path, p_value, v_known -> p_key);
    elsif v_others = 'false' then
        problem := format('%s is not known', v_path);
        hint := format('Known there: %s.', (
            select string_agg(k.name, ', ' order by k.name)
            from jsonb_object_keys(v_known) k (name)
        ));
        return next;
    elsif exists (select from monitoring._config_problems('', to_jsonb(p_key), v_names)) then
        problem := format('%s has an impossible name: %s', p_path, to_jsonb(p_key));
        hint := format('Give it %s.', monitoring._resolved_schema(v_names) ->> 'description');
        return next;
    elsif v_others is not null then
        return query select * from monitoring._config_problems(v_path, p_value, v_others);
    end if;
end
$$;

comment on function monitoring._key_problems(text, text, jsonb, jsonb) is
'What is wrong with one key of an object and with its value.';

create or replace function monitoring._config_problems(
    p_path text, p_value jsonb, p_schema jsonb
)
returns table (problem text, hint text)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_schema jsonb := monitoring._resolved_schema(p_schema);
begin
    if not monitoring._fits_schema(p_value, v_schema) then
        problem := format('%s is not right', p_path);
        -- What should be a name may be a secret.
        if not v_schema ? 'writeOnly' then
            problem := format('%s: %s', problem, left(p_value::text, 100));
        end if;
        hint := format('Give %s as %s.', p_path, v_schema ->> 'description');
        return next;
    elsif jsonb_typeof(p_value) = 'object' then
        return query
        select k.*
        from jsonb_each(p_value) e
        cross join lateral monitoring._key_problems(p_path, e.key, e.value, v_schema) k;
    elsif jsonb_typeof(p_value) = 'array' and v_schema ? 'items' then
        return query
        select i.*
        from jsonb_array_elements(p_value) with ordinality e (value, position)
        cross join lateral monitoring._config_problems(
            format('%s[%s]', p_path, e.position - 1), e.value, v_schema -> 'items'
        ) i;
    end if;
end
$$;

comment on function monitoring._config_problems(text, jsonb, jsonb) is
'What is wrong with a value, by full path, and what would be right, as far as a schema can say.';

create or replace function monitoring._refuse_config(p_problems text[], p_hints text[])
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV009',
        message = concat_ws(
            E'\n',
            array_to_string(p_problems[1:10], E'\n'),
            case
                when cardinality(p_problems) > 10
                    then format('and %s more', cardinality(p_problems) - 10)
            end
        ),
        hint = (
            select string_agg(h.hint, E'\n' order by h.position)
            from (
                select i.hint, min(i.position) as position
                from unnest(p_hints[1:10]) with ordinality i (hint, position)
                group by i.hint
            ) h
        );
end
$$;

comment on function monitoring._refuse_config(text[], text[]) is
'Raises PV009 with up to ten problems of a configuration.';
