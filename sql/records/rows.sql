-- Arrays of records that callers hand over: what is wrong with a row is told with its number.

create or replace function monitoring._check_records(p_rows jsonb, p_fields text[]) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_unknown text;
    v_number bigint;
begin
    if p_rows is null or jsonb_typeof(p_rows) <> 'array' then
        perform monitoring._refuse_json('records', coalesce(p_rows::text, 'null'),
            'a JSON array, one element a record');
    end if;
    select k.key, k.number into v_unknown, v_number
    from (
        select jsonb_object_keys(r.value) as key, min(r.ordinality) as number
        from jsonb_array_elements(p_rows) with ordinality r
        where jsonb_typeof(r.value) = 'object'
        group by key
    ) k
    where k.key <> all (p_fields)
    order by k.number, k.key
    limit 1;
    if v_unknown is not null then
        raise exception using
            errcode = 'PV005',
            message = format('row %s: there is no field "%s"', v_number, left(v_unknown, 100)),
            hint = format('Use the fields %s.', array_to_string(p_fields, ', '));
    end if;
end
$$;

comment on function monitoring._check_records(jsonb, text[]) is
'Raises PV005 unless records are an array whose objects have known fields only; a misspelt one '
'would be lost.';

create or replace function monitoring._key_of_row(p_row jsonb) returns text
language sql
stable
return monitoring._checked_name(
    'record_key',
    case jsonb_typeof(p_row)
        when 'object' then p_row ->> 'record_key'
        when 'string' then p_row #>> '{}'
        when 'number' then p_row #>> '{}'
        else monitoring._refuse_json(
                'record', coalesce(p_row::text, 'null'), 'its key, or an object with a record_key'
            )::text
    end
);

comment on function monitoring._key_of_row(jsonb) is
'The key of a record that is given by its key alone or as an object, or PV001, PV002 or PV005.';

create or replace function monitoring._name_bad_record(p_reader text, p_rows jsonb) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_row jsonb;
    v_number bigint;
    v_sqlstate text;
    v_message text;
    v_hint text;
begin
    for v_row, v_number in
        select r.value, r.ordinality from jsonb_array_elements(p_rows) with ordinality r
    loop
        begin
            execute format('select count(*) from monitoring.%I($1)', p_reader)
                using jsonb_build_array(v_row);
        exception
            when others then
                get stacked diagnostics
                    v_sqlstate = returned_sqlstate,
                    v_message = message_text,
                    v_hint = pg_exception_hint;
                exit;
        end;
    end loop;
    if v_sqlstate like '22%' then
        v_sqlstate := 'PV005';
        v_hint := 'Give dates as 2026-01-15, times as 2026-01-15T12:00:00+00:00, and numbers as '
            'numbers.';
    end if;
    if v_sqlstate like 'PV%' then
        raise exception using
            errcode = v_sqlstate,
            message = format('row %s: %s', v_number, v_message),
            hint = v_hint;
    end if;
end
$$;

comment on function monitoring._name_bad_record(text, jsonb) is
'Finds the first row that a reading function refuses and raises its fault with the row''s number, '
'from 1; returns when no row is at fault.';
