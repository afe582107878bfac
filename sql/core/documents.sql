-- Whether a document, such as a configuration or a workflow, fits its schema, and how two of them
-- differ; and reading one from text. Knows the part of JSON Schema that our schemas use. Reads and
-- writes nothing.

-- The part of a schema that a reference means, by the parts that have names, or the part itself.
create or replace function monitoring._meant_part(p_schema jsonb, p_parts jsonb) returns jsonb
language sql
immutable
return case
    when p_schema ? '$ref' then p_parts -> substring(p_schema ->> '$ref' from 9)
    else p_schema
end;

-- Whether a value has the type, or one of the types, that a schema names.
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

-- Whether a value is as large, long or full as a schema says.
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

-- Whether a value fits a part of the schema, what is in it left aside.
create or replace function monitoring._fits_schema(
    p_value jsonb, p_schema jsonb, p_parts jsonb
)
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
                    select from monitoring._config_problems('', p_value, s.alternative, p_parts)
                )
            )
        );
end
$$;

-- What is wrong with one key of an object and with its value.
create or replace function monitoring._key_problems(
    p_path text, p_key text, p_value jsonb, p_schema jsonb, p_parts jsonb
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
        return query
        select * from monitoring._config_problems(v_path, p_value, v_known -> p_key, p_parts);
    elsif v_others = 'false' then
        problem := format('%s is not known', v_path);
        hint := format('Known there: %s.', (
            select string_agg(k.name, ', ' order by k.name)
            from jsonb_object_keys(v_known) k (name)
        ));
        return next;
    elsif exists (
            select from monitoring._config_problems('', to_jsonb(p_key), v_names, p_parts)
        )
    then
        problem := format('%s has an impossible name: %s', p_path, to_jsonb(p_key));
        hint := format('Give it %s.', monitoring._meant_part(v_names, p_parts) ->> 'description');
        return next;
    elsif v_others is not null then
        return query
        select * from monitoring._config_problems(v_path, p_value, v_others, p_parts);
    end if;
end
$$;

-- What is wrong with a value, by full path, and what would be right, as far as a schema can say.
create or replace function monitoring._config_problems(
    p_path text, p_value jsonb, p_schema jsonb, p_parts jsonb default null
)
returns table (problem text, hint text)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_schema constant jsonb := monitoring._meant_part(p_schema, p_parts);
begin
    if not monitoring._fits_schema(p_value, v_schema, p_parts) then
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
        cross join lateral monitoring._key_problems(p_path, e.key, e.value, v_schema, p_parts) k;
    elsif jsonb_typeof(p_value) = 'array' and v_schema ? 'items' then
        return query
        select i.*
        from jsonb_array_elements(p_value) with ordinality e (value, position)
        cross join lateral monitoring._config_problems(
            format('%s[%s]', p_path, e.position - 1), e.value, v_schema -> 'items', p_parts
        ) i;
    end if;
end
$$;

-- Raises PV009 with up to ten problems of a configuration.
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

-- How two configurations differ: an object of from and to by full path.
create or replace function monitoring._config_changes(p_path text, p_old jsonb, p_new jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_key text;
    v_changes jsonb := '{}'::jsonb;
begin
    if p_old is not distinct from p_new then
        return v_changes;
    end if;
    if jsonb_typeof(p_old) is distinct from 'object'
        or jsonb_typeof(p_new) is distinct from 'object' then
        return jsonb_build_object(p_path, jsonb_build_object('from', p_old, 'to', p_new));
    end if;
    for v_key in select k.name from jsonb_object_keys(p_old || p_new) k (name) loop
        v_changes := v_changes || monitoring._config_changes(
            concat_ws('.', p_path, v_key), p_old -> v_key, p_new -> v_key
        );
    end loop;
    return v_changes;
end
$$;

-- JSON as people write it, without its comments: // to the end of a line, and /* */.
create or replace function monitoring._without_comments(p_text text) returns text
language sql
immutable
return regexp_replace(
    p_text,
    -- A text, which may hold what looks like a comment, stays; of the rest it keeps nothing.
    E'("(?:[^"\\\\]|\\\\.)*")|//[^\\n\\r]*|/\\*(?:[^*]|\\*+[^*/])*\\*+/', E'\\1', 'g'
);

-- A document that people write; PV009 when it is no JSON, comments apart.
create or replace function monitoring._read_document(p_what text, p_text text) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
-- An immutable one would be tried while planning:
-- @plpgsql_check_options: performance_warnings = off
declare
    v_detail text;
begin
    return monitoring._without_comments(p_text)::jsonb;
exception
    when data_exception or program_limit_exceeded then
        get stacked diagnostics v_detail = pg_exception_detail;
        perform monitoring._raise(array[
            'PV009',
            format('the %s is not JSON: %s', p_what, coalesce(nullif(v_detail, ''), sqlerrm)),
            'It is plain JSON, apart from // and /* */ comments: no comma before } or ].'
        ]);
        return null;
end
$$;
