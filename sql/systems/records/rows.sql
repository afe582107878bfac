-- Arrays of records that callers hand over: what is wrong with a row is told with its number.

-- The records of a call: an array, also one that was encoded twice, or a single record. Tells of
-- the first field that there is not, which may be a misspelt one.
create or replace function monitoring._given_records(p_rows jsonb, p_fields text[])
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows jsonb := p_rows;
    v_fault text[] := monitoring._fault_of_json(
        'records', coalesce(p_rows::text, 'null'), 'a JSON array, one element a record'
    );
    v_unknown text;
    v_number bigint;
begin
    if p_rows is null or jsonb_typeof(p_rows) <> 'array' then
        perform monitoring._refuse_if_strict(v_fault);
        v_rows := monitoring._decoded(p_rows);
        if jsonb_typeof(v_rows) in ('object', 'string', 'number') then
            v_rows := jsonb_build_array(v_rows);
        elsif v_rows is null or jsonb_typeof(v_rows) <> 'array' then
            perform monitoring._tell_repair('records', v_fault, 'left out');
            return '[]'::jsonb;
        end if;
    end if;
    select k.key, k.number into v_unknown, v_number
    from (
        select jsonb_object_keys(r.value) as key, min(r.ordinality) as number
        from jsonb_array_elements(v_rows) with ordinality r
        where jsonb_typeof(r.value) = 'object'
        group by key
    ) k
    where k.key <> all (p_fields)
    order by k.number, k.key
    limit 1;
    if v_unknown is not null then
        perform monitoring._tell_repair(
            'field of a record',
            array[
                'PV005',
                format('row %s: there is no field "%s"', v_number, left(v_unknown, 100)),
                format('Use the fields %s.', array_to_string(p_fields, ', '))
            ],
            'left out'
        );
    end if;
    return v_rows;
end
$$;

-- The key of a record that is given by its key alone or as an object, or PV001, PV002 or PV005.
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

-- Finds the first record that a query of $1 refuses to read, and raises its fault.
create or replace function monitoring._name_bad_record(p_query text, p_rows jsonb) returns void
language sql
volatile
return monitoring._name_bad_row(
    format('select count(r) from (%s) r', p_query),
    p_rows,
    'Give dates as 2026-01-15, times as 2026-01-15T12:00:00+00:00, and numbers as numbers.'
);

-- Whether a query of $1 reads a record, and what is wrong with it if not.
create or replace function monitoring._is_readable_record(
    p_query text, p_row jsonb, out is_readable boolean, out fault text[]
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The query is one of ours, made with format():
-- @plpgsql_check_options: security_warnings = off
declare
    v_hint text;
begin
    is_readable := true;
    execute format('select count(r) from (%s) r', p_query) using jsonb_build_array(p_row);
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
        or sqlstate 'PV004' or sqlstate 'PV005' or sqlstate 'PV006' then
            get stacked diagnostics v_hint = pg_exception_hint;
            is_readable := false;
            fault := array[
                case when left(sqlstate, 2) = 'PV' then sqlstate else 'PV005' end, sqlerrm,
                coalesce(
                    nullif(v_hint, ''), 'Give dates as 2026-01-15, and times as 2026-01-15T12:00:00Z.'
                )
            ];
end
$$;

-- A record with those of its fields that a query of $1 can read; null, and told of, when it
-- cannot read even those that are needed.
create or replace function monitoring._readable_record(
    p_query text, p_number bigint, p_row jsonb, p_needed text[]
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_row jsonb := p_row;
    v_field record;
    v_fault text[];
    v_is_readable boolean;
begin
    select r.is_readable, r.fault into v_is_readable, v_fault
    from monitoring._is_readable_record(p_query, p_row) r;
    if v_is_readable then
        return p_row;
    elsif jsonb_typeof(p_row) = 'object' then
        -- What it cannot do without, then whatever else can be read.
        select coalesce(jsonb_object_agg(e.key, e.value), '{}') into v_row
        from jsonb_each(p_row) e
        where e.key = any(p_needed);
        for v_field in
            select e.key, e.value from jsonb_each(p_row) e where e.key <> all(p_needed)
        loop
            if (monitoring._is_readable_record(
                p_query, v_row || jsonb_build_object(v_field.key, v_field.value)
            )).is_readable then
                v_row := v_row || jsonb_build_object(v_field.key, v_field.value);
            end if;
        end loop;
        if not (monitoring._is_readable_record(p_query, v_row)).is_readable then
            v_row := null;
        end if;
    else
        v_row := null;
    end if;
    perform monitoring._tell_repair(
        'record',
        array[v_fault[1], format('row %s: %s', p_number, v_fault[2]), v_fault[3]],
        case when v_row is null then 'the record is left out' else 'the field is left out' end
    );
    return v_row;
end
$$;

-- Those records, and those fields of them, that a query of $1 can read.
create or replace function monitoring._readable_records(
    p_query text, p_rows jsonb, p_needed text[]
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows jsonb;
begin
    perform monitoring._begin_repairs();
    select coalesce(jsonb_agg(n.value order by n.ordinality) filter (where n.value is not null), '[]')
    into v_rows
    from (
        select
            monitoring._readable_record(p_query, r.ordinality, r.value, p_needed) as value,
            r.ordinality
        from jsonb_array_elements(p_rows) with ordinality r
        offset 0
    ) n;
    perform monitoring._end_repairs();
    return v_rows;
end
$$;

-- Tells that a call about records could do nothing with what it was told; refuses it in a strict
-- session.
create or replace function monitoring._tell_refusal(
    p_function text, p_code text, p_message text, p_hint text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._tell_repair(
        p_function,
        array[case when left(p_code, 2) = 'PV' then p_code else 'PV005' end, p_message, p_hint],
        p_function || ' did nothing'
    );
end
$$;
