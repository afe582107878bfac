-- Rows of a bulk call, read one by one: fields that cannot be read are left out, and so is a row
-- that cannot be recorded all the same; both are told. Reads and writes nothing.

-- A time, also one that is told as seconds or milliseconds since 1970; null for anything else.
create or replace function monitoring._told_time(p_value jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_number double precision;
begin
    if jsonb_typeof(p_value) = 'number' then
        -- Seconds or milliseconds since 1970, as programs have them.
        v_number := p_value::double precision;
        return to_jsonb(to_timestamp(v_number / case when abs(v_number) < 1e11 then 1 else 1000 end));
    end if;
    return case when (p_value #>> '{}')::timestamptz is not null then p_value end;
exception
    when data_exception then
        return null;
end
$$;

-- A number, also one that is written as a text, as the nearest whole one where that is wanted;
-- null for anything else.
create or replace function monitoring._told_number(p_value jsonb, p_is_whole boolean) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_number numeric;
begin
    if jsonb_typeof(p_value) not in ('number', 'string') then
        return null;
    end if;
    v_number := (p_value #>> '{}')::numeric;
    if not p_is_whole then
        return case when abs(v_number) <= 1e300 then p_value end;
    end if;
    return case when abs(v_number) <= 9223372036854775807 then to_jsonb(round(v_number)) end;
exception
    when data_exception then
        return null;
end
$$;

-- The value of a field as its column wants it; null, and told of, when it is no such value.
create or replace function monitoring._readable_field(
    p_number bigint, p_key text, p_type regtype, p_value jsonb
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_time boolean := p_type = 'timestamptz'::regtype;
    v_value jsonb;
begin
    if v_is_time then
        v_value := monitoring._told_time(p_value);
    else
        v_value := monitoring._told_number(
            p_value, p_type in ('bigint'::regtype, 'integer'::regtype)
        );
    end if;
    if v_value is null then
        perform monitoring._tell_repair(
            p_key,
            monitoring._fault_of_json(
                format('row %s: %s', p_number, p_key), p_value::text,
                case when v_is_time then 'a time such as 2026-01-15T12:00:00Z' else 'a number' end
            ),
            'left out'
        );
    end if;
    return v_value;
end
$$;

-- A row with those of its fields that can be read; null when it is no row at all.
create or replace function monitoring._readable_row(p_view text, p_number bigint, p_row jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_row jsonb := monitoring._decoded(p_row);
begin
    if jsonb_typeof(v_row) <> 'object' then
        perform monitoring._tell_repair(
            'row',
            array[
                'PV005',
                format('row %s has the wrong shape: %s', p_number, left(p_row::text, 200)),
                'Give every row as a JSON object.'
            ],
            'left out'
        );
        return null;
    end if;
    return (
        select coalesce(jsonb_object_agg(
            e.key,
            case
                when a.atttypid in ('text'::regtype, 'jsonb'::regtype) or e.value = 'null' then e.value
                else monitoring._readable_field(p_number, e.key, a.atttypid, e.value)
            end
        ), '{}')
        from jsonb_each(v_row) e
        inner join pg_attribute a
            on a.attrelid = to_regclass('monitoring.' || p_view) and a.attname = e.key
    );
end
$$;
