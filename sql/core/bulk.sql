-- What the bulk forms share: one set-based insert, whose expressions repair values
-- (mended_values.sql). Only when that fails are the rows looked at one by one: fields that cannot
-- be read are left out (readable_rows.sql), and so is a row that still cannot be recorded; the
-- others are. With monitoring.strict = on it is all or nothing, and the row that is at fault is
-- named.

-- The rows that have a column of the view; tells of the first key that is none, which may be a
-- misspelt one.
create or replace function monitoring._rows_with_known_keys(p_view text, p_rows jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_known text [];
    v_unknown text;
    v_number bigint;
begin
    select array_agg(a.attname::text order by a.attnum) into v_known
    from pg_attribute a
    where a.attrelid = to_regclass('monitoring.' || p_view) and a.attnum > 0;

    if not exists (
        select from jsonb_array_elements(p_rows) r
        where case when jsonb_typeof(r.value) = 'object' then r.value - v_known <> '{}' end
    ) then
        return p_rows;
    end if;
    select k.key, k.number into v_unknown, v_number
    from (
        select jsonb_object_keys(r.value) as key, min(r.ordinality) as number
        from jsonb_array_elements(p_rows) with ordinality r
        where jsonb_typeof(r.value) = 'object'
        group by key
    ) k
    where k.key <> all (v_known)
    order by k.number, k.key
    limit 1;
    perform monitoring._tell_repair(
        'column of ' || p_view,
        array[
            'PV005',
            format('row %s: there is no column "%s"', v_number, left(v_unknown, 100)),
            format('Use the columns of %s: %s.', p_view, array_to_string(v_known, ', '))
        ],
        'left out'
    );
    return (
        select coalesce(jsonb_agg(r.value order by r.ordinality), '[]')
        from jsonb_array_elements(p_rows) with ordinality r
        where jsonb_typeof(r.value) <> 'object' or r.value ?| v_known
    );
end
$$;

-- The rows of a bulk call: an array, also one that was encoded twice, or a single row.
create or replace function monitoring._given_rows(p_view text, p_rows jsonb) returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows jsonb := monitoring._decoded(p_rows);
begin
    if p_rows is null or jsonb_typeof(p_rows) <> 'array' then
        if jsonb_typeof(v_rows) = 'object' and not monitoring._is_strict() then
            v_rows := jsonb_build_array(v_rows);
        elsif v_rows is null or jsonb_typeof(v_rows) <> 'array' or monitoring._is_strict() then
            perform monitoring._tell_repair(
                'rows',
                monitoring._fault_of_json(
                    'rows', coalesce(p_rows::text, 'null'), 'a JSON array of objects, one a row'
                ),
                'left out'
            );
            return '[]'::jsonb;
        end if;
    end if;
    return monitoring._rows_with_known_keys(p_view, v_rows);
end
$$;

-- Finds the first row that a statement refuses when its $1 is an array of that row alone, and
-- raises its fault with the row's number, from 1, and a hint about types, or returns.
create or replace function monitoring._name_bad_row(p_statement text, p_rows jsonb, p_hint text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The statement is one of ours, made with format():
-- @plpgsql_check_options: security_warnings = off
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
            execute p_statement using jsonb_build_array(v_row);
        exception
            when check_violation then null;
            when others then
                get stacked diagnostics
                    v_sqlstate = returned_sqlstate,
                    v_message = message_text,
                    v_hint = pg_exception_hint;
                exit;
        end;
    end loop;
    if v_sqlstate = '22008' then
        v_sqlstate := 'PV006';
        v_hint := 'Give a date and a time that exist, such as 2026-01-15T12:00:00+00:00.';
    elsif v_sqlstate like '22%' then
        v_sqlstate := 'PV005';
        v_hint := p_hint;
    end if;
    if v_sqlstate like 'PV%' then
        raise exception using
            errcode = v_sqlstate,
            message = format('row %s: %s', v_number, v_message),
            hint = v_hint;
    end if;
end
$$;

-- Finds the first row that a table's insert function refuses, and raises its fault.
create or replace function monitoring._name_bad_insert(p_table text, p_rows jsonb) returns void
language sql
volatile
return monitoring._name_bad_row(
    format(
        $statement$
            select case jsonb_typeof($1 -> 0)
                when 'object' then monitoring.%I($1)
                else length(
                    monitoring._refuse_json('row', ($1 -> 0)::text, 'a JSON object')::text
                )::bigint
            end
        $statement$,
        '_insert_' || p_table
    ),
    p_rows,
    'Give every field the type of the column of that name.'
);

-- Whether a row of a bulk call goes into the late table, by the time that it tells.
create or replace function monitoring._is_late_row(p_table text, p_at timestamptz)
returns boolean
language sql
volatile
-- What is no row's time is taken for now, and told, by the insert.
return p_at between '1970-01-01 00:00+00' and monitoring.clock() + '24 hours'::interval
and monitoring._is_late(p_table, p_at)
or (
    (p_at between '1970-01-01 00:00+00' and monitoring.clock() + '24 hours'::interval) is not true
    and monitoring._is_late(p_table, monitoring.clock())
);

-- Inserts an array of rows, late ones into the late table.
create or replace function monitoring._insert_rows_apart(
    p_table text, p_time_column text, p_rows jsonb
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows jsonb;
    v_is_late boolean;
    v_count bigint;
    v_written bigint := 0::bigint;
begin
    -- Late ones first: they are the older ones.
    for v_is_late, v_rows in
        select d.is_late, jsonb_agg(d.value order by d.ordinality)
        from (
            select
                r.value, r.ordinality,
                monitoring._is_late_row(p_table, (r.value ->> p_time_column)::timestamptz) as is_late
            from jsonb_array_elements(p_rows) with ordinality r
        ) d
        group by d.is_late
        order by d.is_late desc
    loop
        execute format(
            'select monitoring.%I($1)', concat('_insert_', case when v_is_late then 'late_' end, p_table)
        )
        into v_count
        using v_rows;
        v_written := v_written + v_count;
    end loop;
    return v_written;
exception
    when check_violation then
        -- Midnight has passed meanwhile. The late table takes rows of any time.
        execute format('select monitoring.%I($1)', '_insert_late_' || p_table)
        into v_written
        using p_rows;
        return v_written;
end
$$;

-- Calls a table's insert function, late rows apart.
create or replace function monitoring._insert_rows(
    p_table text, p_time_column text, p_rows jsonb
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_written bigint;
begin
    execute format('select monitoring.%I($1)', '_insert_' || p_table) into v_written using p_rows;
    return v_written;
exception
    when check_violation then
        if to_regproc('monitoring._insert_late_' || p_table) is null then
            raise;
        end if;
        -- A row that is late, or a day without a partition. Seldom, so it is cheaper to run into
        -- than to look for.
        return monitoring._insert_rows_apart(p_table, p_time_column, p_rows);
end
$$;

-- Inserts rows one by one; a row that cannot be recorded is left out, which is told.
create or replace function monitoring._insert_each_row(
    p_table text, p_time_column text, p_rows jsonb
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_row jsonb;
    v_number bigint;
    v_written bigint := 0::bigint;
    v_message text;
    v_hint text;
begin
    for v_row, v_number in
        select r.value, r.ordinality from jsonb_array_elements(p_rows) with ordinality r
        where r.value <> 'null'
    loop
        begin
            v_written := v_written + monitoring._insert_rows(
                p_table, p_time_column, jsonb_build_array(v_row)
            );
        exception
            when data_exception or integrity_constraint_violation or program_limit_exceeded then
                get stacked diagnostics v_message = message_text, v_hint = pg_exception_hint;
                perform monitoring._tell_repair(
                    'row', array['PV005', format('row %s: %s', v_number, v_message), v_hint],
                    'left out'
                );
        end;
    end loop;
    return v_written;
end
$$;

-- Inserts those rows, and those fields of them, that can be read.
create or replace function monitoring._insert_readable_rows(
    p_table text, p_view text, p_time_column text, p_rows jsonb
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows jsonb;
begin
    select jsonb_agg(
        monitoring._readable_row(p_view, r.ordinality, r.value) order by r.ordinality
    )
    into v_rows
    from jsonb_array_elements(p_rows) with ordinality r;
    begin
        return monitoring._insert_rows(
            p_table, p_time_column, jsonb_path_query_array(v_rows, '$[*] ? (@ != null)')
        );
    exception
        when data_exception or integrity_constraint_violation or program_limit_exceeded then
            return monitoring._insert_each_row(p_table, p_time_column, v_rows);
    end;
end
$$;

-- Hands an array of rows to the table's insert function; leaves out what cannot be recorded.
create or replace function monitoring._record_rows(
    p_table text, p_view text, p_time_column text, p_rows jsonb
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows jsonb;
    v_written bigint;
begin
    -- Wrappers are inlined, so their callers may call this as well.
    if ((p_table, p_view, p_time_column) in (
        ('finished_tasks', 'processing_metrics', 'end_time'),
        ('errors', 'error_tracking', 'occurred_at'),
        ('metric_samples', 'performance_monitoring', 'recorded_at'),
        ('log_lines', 'v_application_logs', 'logged_at'),
        ('invalid_record_states', 'invalid_records', 'first_detected_at'),
        ('status_changes', 'status_history', 'effective_at')
    )) is not true then
        perform monitoring._refuse_choice(
            'table of rows', p_table, array['errors', 'finished_tasks', 'invalid_record_states',
                'log_lines', 'metric_samples', 'status_changes']
        );
    end if;
    perform monitoring._begin_repairs();
    v_rows := monitoring._given_rows(p_view, p_rows);
    begin
        v_written := monitoring._insert_rows(p_table, p_time_column, v_rows);
    exception
        when others then
            if monitoring._is_strict() then
                -- The late table takes rows of any time.
                perform monitoring._name_bad_insert(
                    case
                        when to_regproc('monitoring._insert_late_' || p_table) is not null then 'late_'
                        else ''
                    end || p_table,
                    v_rows
                );
                raise;
            end if;
            v_written := monitoring._insert_readable_rows(p_table, p_view, p_time_column, v_rows);
    end;
    perform monitoring._end_repairs();
    return v_written;
end
$$;

-- The same for JSON that is a plain text, without what JSON cannot hold.
create or replace function monitoring._record_rows(
    p_table text, p_view text, p_time_column text, p_rows text
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return monitoring._record_rows(
        p_table, p_view, p_time_column,
        -- What is no JSON has been told.
        coalesce(
            monitoring._told_json('rows', p_rows), case when p_rows is not null then '[]'::jsonb end
        )
    );
end
$$;
