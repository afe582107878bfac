-- What the bulk forms share: one set-based insert, all or nothing. Only when that fails are the
-- rows looked at one by one, to name the one that is at fault.

create or replace function monitoring._check_keys(p_view text, p_rows jsonb) returns void
language plpgsql
stable
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
    if v_unknown is not null then
        raise exception using
            errcode = 'PV005',
            message = format('row %s: there is no column "%s"', v_number, left(v_unknown, 100)),
            hint = format('Use the columns of %s: %s.', p_view, array_to_string(v_known, ', '));
    end if;
end
$$;

comment on function monitoring._check_keys(text, jsonb) is
'Raises PV005 when a row has a key that is no column of the view; a misspelt one would be lost.';

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

comment on function monitoring._name_bad_row(text, jsonb, text) is
'Finds the first row that a statement refuses when its $1 is an array of that row alone, and '
'raises its fault with the row''s number, from 1, and a hint about types, or returns.';

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

comment on function monitoring._name_bad_insert(text, jsonb) is
'Finds the first row that a table''s insert function refuses, and raises its fault.';

create or replace function monitoring._make_partitions_for_rows(
    p_table text, p_time_column text, p_rows jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_missing timestamptz [];
begin
    -- A day that is here when it is looked for must not be dropped before its rows are.
    perform monitoring._lock_partitions();
    select array_agg(d.day order by d.day) into v_missing
    from (
        select distinct date_trunc('day', t.at, 'UTC') as day
        from jsonb_array_elements(p_rows) r,
            monitoring._event_time((r.value ->> p_time_column)::timestamptz) t (at)
    ) d
    where not monitoring._has_partition(p_table, d.day);

    -- Every partition takes locks until the end of the transaction, and locks are limited.
    if cardinality(v_missing) > 100 then
        raise exception using
            errcode = 'PV004',
            message = format('the rows fall on too many days without a partition: %s',
                cardinality(v_missing)),
            hint = 'Send rows of at most 100 such days in a transaction.';
    end if;
    perform monitoring._make_partitions(p_table, m.day) from unnest(v_missing) m (day);
exception
    when data_exception or sqlstate 'PV006' then
        perform monitoring._name_bad_insert(p_table, p_rows);
        raise;
end
$$;

comment on function monitoring._make_partitions_for_rows(text, text, jsonb) is
'Makes the partitions that an array of rows needs, or raises PV004 when they are more than 100.';

create or replace function monitoring._insert_rows(p_table text, p_rows jsonb) returns bigint
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
        raise;
    when others then
        perform monitoring._name_bad_insert(p_table, p_rows);
        raise;
end
$$;

comment on function monitoring._insert_rows(text, jsonb) is
'Calls a table''s insert function and names the bad row when it fails; a missing partition is left '
'to the caller.';

create or replace function monitoring._record_rows(
    p_table text, p_view text, p_time_column text, p_rows jsonb
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_rows is null or jsonb_typeof(p_rows) <> 'array' then
        perform monitoring._refuse_json('rows', coalesce(p_rows::text, 'null'),
            'a JSON array of objects, one a row');
    end if;
    perform monitoring._check_keys(p_view, p_rows);
    begin
        return monitoring._insert_rows(p_table, p_rows);
    exception
        when check_violation then
            -- A day without a partition. Seldom, so it is cheaper to run into than to look for.
            perform monitoring._make_partitions_for_rows(p_table, p_time_column, p_rows);
    end;
    return monitoring._insert_rows(p_table, p_rows);
end
$$;

comment on function monitoring._record_rows(text, text, text, jsonb) is
'Hands an array of rows to the table''s insert function; makes missing partitions and names a bad '
'row.';
