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
return case
    -- Plain arguments, for the planner inlines only a check that has these; else it costs half of
    -- what reading a row does.
    when jsonb_typeof(p_row) = 'object'
        and jsonb_typeof(p_row -> 'record_key') in ('object', 'array', 'boolean')
        then monitoring._refuse_json(
                'record_key', (p_row -> 'record_key')::text, 'a text or a number'
            )::text
    when jsonb_typeof(p_row) = 'object'
        then monitoring._checked_name('record_key', p_row ->> 'record_key')
    when jsonb_typeof(p_row) in ('string', 'number')
        then monitoring._checked_name('record_key', p_row #>> '{}')
    else monitoring._refuse_json(
            'record', coalesce(p_row::text, 'null'), 'its key, or an object with a record_key'
        )::text
end;

comment on function monitoring._key_of_row(jsonb) is
'The key of a record that is given by its key alone or as an object, or PV001, PV002 or PV005.';

create or replace function monitoring._name_bad_record(p_query text, p_rows jsonb) returns void
language sql
volatile
return monitoring._name_bad_row(
    format('select count(r) from (%s) r', p_query),
    p_rows,
    'Give dates as 2026-01-15, times as 2026-01-15T12:00:00+00:00, and numbers as numbers.'
);

comment on function monitoring._name_bad_record(text, jsonb) is
'Finds the first record that a query of $1 refuses to read, and raises its fault.';
