-- How recording functions take JSON of the wrong shape. What loses nothing is done without a word:
-- a document that was encoded twice is decoded, the empty array of languages that know no other
-- empty map is one, a list of objects that a driver sent as an array of PostgreSQL is one of JSON.
-- What cannot be right is told (repairs.sql).

-- JSON without \u0000, halves of surrogate pairs, NaN and Infinity, none of which can be kept.
create or replace function monitoring._without_bad_escapes(p_text text) returns text
language sql
stable
return regexp_replace(
    -- Halves of a pair that have lost the other, and the one character that a text cannot hold.
    regexp_replace(
        regexp_replace(
            p_text, '(?<!\\)((?:\\\\)*)\\u0000', '\1', 'g'
        ),
        '(?<!\\)((?:\\\\)*)(?:'
        '\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})'
        '|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})',
        '\1', 'g'
    ),
    -- Numbers that programs write and JSON does not have.
    '(?<=[:\[,]\s*)-?(?:NaN|Infinity)(?=\s*[,\]}])', 'null', 'g'
);

-- A text as JSON, or null when it is none.
create or replace function monitoring._parsed_json(p_text text) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
-- An immutable one would be tried while planning:
-- @plpgsql_check_options: performance_warnings = off
begin
    return p_text::jsonb;
exception
    when data_exception or program_limit_exceeded then
        return null;
end
$$;

-- The objects of an array in PostgreSQL's own notation, as drivers send a list of objects that
-- nobody has encoded; null for any other text, and in strict sessions.
create or replace function monitoring._parsed_array(p_text text) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_text not like '{"{%' or monitoring._is_strict() then
        return null;
    end if;
    return (
        select
            jsonb_agg(
                coalesce(monitoring._parsed_json(e.element), to_jsonb(e.element)) order by e.place
            )
        from unnest(p_text::text[]) with ordinality e (element, place)
    );
exception
    when data_exception or program_limit_exceeded then
        return null;
end
$$;

-- What should be given for a text that is no JSON: what begins like JSON has characters too many.
create or replace function monitoring._wanted_json(p_text text) returns text
language sql
immutable
return case
    when p_text ~ '^[[{[:space:]]*"(?!\{)'
        then E'JSON without \\u0000, halves of surrogate pairs, NaN and Infinity'
    else 'JSON in a text, as JSON.stringify() or json.dumps() make it'
end;

-- A text as JSON, without what JSON cannot hold; null, and told of, when it is no JSON at all.
create or replace function monitoring._told_json(p_what text, p_text text) returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_value jsonb := coalesce(monitoring._parsed_json(p_text), monitoring._parsed_array(p_text));
    v_fault text[];
begin
    if v_value is null and p_text is not null then
        v_fault := monitoring._fault_of_json(p_what, p_text, monitoring._wanted_json(p_text));
        v_value := monitoring._parsed_json(monitoring._without_bad_escapes(p_text));
        perform monitoring._tell_repair(
            p_what, v_fault,
            case when v_value is null then 'left out' else 'recorded without what JSON cannot hold' end
        );
    end if;
    return v_value;
end
$$;

-- The document that a JSON string holds, when it was encoded twice; else the value as it is.
create or replace function monitoring._decoded(p_value jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_value jsonb := p_value;
    v_inner jsonb;
begin
    for v_depth in 1 .. 3 loop
        exit when jsonb_typeof(v_value) <> 'string';
        v_inner := monitoring._parsed_json(v_value #>> '{}');
        exit when v_inner is null;
        v_value := v_inner;
    end loop;
    return v_value;
end
$$;

-- An object made of a document of another shape: decoded when it was encoded twice, else told of
-- and put under the key "value".
create or replace function monitoring._mend_object(p_what text, p_value jsonb) returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_value jsonb := monitoring._decoded(p_value);
    v_fault text[] := monitoring._fault_of_json(
        p_what, p_value::text, 'a JSON object such as {"key": "value"}'
    );
begin
    perform monitoring._refuse_if_strict(v_fault);
    if jsonb_typeof(v_value) = 'object' then
        return monitoring._capped_json(v_value);
    elsif v_value = '[]' then
        return '{}'::jsonb;
    elsif v_value in ('""', 'null') then
        return null;
    end if;
    perform monitoring._tell_repair(p_what, v_fault, 'recorded under the key "value"');
    return monitoring._capped_json(jsonb_build_object('value', v_value));
end
$$;

-- The object, null when missing, capped when large, made one when it has another shape.
create or replace function monitoring._mended_object(p_what text, p_value jsonb) returns jsonb
language sql
volatile
return case
    when p_value is null then null
    when jsonb_typeof(p_value) = 'object' then monitoring._capped_json(p_value)
    when jsonb_typeof(p_value) = 'null' then null
    else monitoring._mend_object(p_what, p_value)
end;

-- A number that is not negative, also one that is written as a text; null for anything else.
create or replace function monitoring._counted(p_value jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_number numeric;
begin
    if jsonb_typeof(p_value) in ('number', 'string') then
        v_number := (p_value #>> '{}')::numeric;
        return case when v_number >= 0 and v_number < 'Infinity' then to_jsonb(v_number) end;
    end if;
    return null;
exception
    when data_exception then
        return null;
end
$$;

-- The numbers that are in a document of another shape; what is left out is told.
create or replace function monitoring._mend_numbers(p_what text, p_value jsonb) returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_value jsonb := monitoring._decoded(p_value);
    v_is_large boolean := pg_column_size(v_value) > 65536;
    v_fault text[] := monitoring._fault_of_json(
        p_what, p_value::text,
        'a JSON object of numbers that are not negative, such as {"done": 12}'
    );
    v_good jsonb;
    v_bad text;
begin
    if v_is_large then
        v_fault := monitoring._fault_of_json(
            p_what, format('%s bytes', pg_column_size(v_value)), 'a JSON object of at most 64 KiB'
        );
    end if;
    perform monitoring._refuse_if_strict(v_fault);
    if v_value in ('[]', '""', 'null') then
        return null;
    elsif v_is_large then
        v_bad := 'left out';
    elsif jsonb_typeof(v_value) = 'object' then
        select
            jsonb_object_agg(e.key, monitoring._counted(e.value))
                filter (where monitoring._counted(e.value) is not null),
            'left out: ' || string_agg(e.key, ', ' order by e.key)
                filter (where monitoring._counted(e.value) is null)
        into v_good, v_bad
        from jsonb_each(v_value) e;
    elsif monitoring._counted(v_value) is not null then
        v_good := jsonb_build_object('value', monitoring._counted(v_value));
        v_bad := 'recorded under the key "value"';
    else
        v_bad := 'left out';
    end if;
    if v_bad is not null then
        perform monitoring._tell_repair(p_what, v_fault, left(v_bad, 300));
    end if;
    return v_good;
end
$$;

-- The object of numbers, null when missing, without what is none.
create or replace function monitoring._mended_numbers(p_what text, p_value jsonb) returns jsonb
language sql
volatile
return case
    when jsonb_typeof(p_value) = 'null' then null
    when monitoring._is_small_numbers(p_value) then p_value
    else monitoring._mend_numbers(p_what, p_value)
end;
