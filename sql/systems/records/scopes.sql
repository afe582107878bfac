-- The scope of a check: which records it examined, and so of which it may say that they are valid
-- again. Reads and writes nothing.

-- The scope of a check, or PV003 or PV005 unless it says clearly which records were examined.
create or replace function monitoring._checked_scope(p_scope jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_scope is null or jsonb_typeof(p_scope) <> 'object' or p_scope = '{}' then
        perform monitoring._refuse_json('scope', coalesce(p_scope::text, 'null'),
            'an object of what was examined, such as {"target_date": "2026-01-15"}, '
            '{"keys": ["a", "b"]} or {"all": true}');
    end if;
    perform monitoring._refuse_unknown_keys(
        'key of the scope', p_scope, array['keys', 'target_date', 'from', 'to', 'group', 'all']
    );
    if p_scope ? 'keys' and (
        jsonb_typeof(p_scope -> 'keys') <> 'array'
        or jsonb_path_exists(
            p_scope, 'strict $.keys[*] ? (@.type() != "string" && @.type() != "number")'
        )
    ) then
        perform monitoring._refuse_json('scope', p_scope::text, 'an object whose keys are an array of texts or numbers');
    end if;
    if p_scope ? 'all' and p_scope -> 'all' <> 'true' then
        perform monitoring._refuse_json('scope', p_scope::text, 'one with "all": true, or without');
    end if;
    -- A null that came from a variable would widen the scope rather than narrow it.
    if jsonb_path_exists(
        p_scope - 'keys' - 'all', 'strict $.* ? (@.type() != "string")'
    ) then
        perform monitoring._refuse_json('scope', p_scope::text,
            'an object whose dates and group are texts');
    end if;
    perform (p_scope ->> d.name)::date from unnest(array['target_date', 'from', 'to']) d (name);
    if (p_scope ->> 'from')::date > (p_scope ->> 'to')::date then
        perform monitoring._refuse_json('scope', p_scope::text, 'a span whose to is not before its from');
    end if;
    perform monitoring._checked_date(d.name, (p_scope ->> d.name)::date)
    from unnest(array['target_date', 'from', 'to']) d (name);
    return p_scope;
exception
    when invalid_datetime_format or datetime_field_overflow then
        perform monitoring._refuse_json('scope', p_scope::text,
            'an object with dates such as 2026-01-15');
        raise;
end
$$;

-- Raises PV005 when a record fails that is not among those that are said to have been examined.
create or replace function monitoring._check_failing_in_scope(p_scope jsonb, p_failing_keys text[])
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_outside text;
begin
    if p_scope ? 'keys' then
        select f.key into v_outside
        from unnest(p_failing_keys) f (key)
        where f.key not in (select jsonb_array_elements_text(p_scope -> 'keys'))
        limit 1;
        if found then
            raise exception using
                errcode = 'PV005',
                message = format('a record fails that is not in the scope: "%s"', v_outside),
                hint = 'Give all records that were examined as the keys of the scope.';
        end if;
    end if;
end
$$;

-- The scope of a check; null, and told of, when it cannot be known.
create or replace function monitoring._mended_scope(p_scope jsonb) returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hint text;
begin
    return monitoring._checked_scope(case
        when monitoring._is_strict() then p_scope else monitoring._decoded(p_scope)
    end);
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
        or sqlstate 'PV004' or sqlstate 'PV005' then
            get stacked diagnostics v_hint = pg_exception_hint;
            perform monitoring._tell_repair(
                'scope', array[sqlstate, sqlerrm, v_hint],
                'what fails is recorded, and nothing is resolved'
            );
            return null;
end
$$;

-- Whether some of the records cannot be read, so that nobody can say which they are.
create or replace function monitoring._has_records_left_out(p_records jsonb) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The query is ours:
-- @plpgsql_check_options: security_warnings = off
declare
    v_query text := 'select * from monitoring._read_invalid_records($1)';
    v_records jsonb;
begin
    if monitoring._is_strict() then
        return false;
    elsif jsonb_typeof(p_records) is distinct from 'array' then
        return true;
    end if;
    execute format('select count(r) from (%s) r', v_query) using p_records;
    return false;
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV005' then
        v_records := monitoring._readable_records(v_query, p_records, array['record_key']);
        return jsonb_array_length(v_records) < jsonb_array_length(p_records);
end
$$;
