-- The trigger functions of watched tables: each table has one, in which the queries for its columns
-- are written out. PL/pgSQL keeps their plans, and planning took most of the time of a statement.

-- The part of the trigger function of a watched table that serves one kind of statement.
create or replace function monitoring._tracking_query(
    p_operation text, p_table text, p_key_columns text[], p_status_column text
)
returns text
language sql
stable
return format(
    '%s into v_keys, v_statuses, v_previous_statuses;',
    monitoring._first_rows(
        monitoring._rows_of_trigger(p_operation, p_table, p_key_columns, p_status_column)
    )
);

-- Body of the trigger function of one watched table: that of _track_trigger with its first
-- queries written out.
create or replace function monitoring._tracking_code(
    p_table text, p_key_columns text[], p_status_column text
)
returns text
language sql
stable
return format(
    $code$
-- The queries are ours, with their names quoted.
-- @plpgsql_check_options: security_warnings = off
declare
    v_table constant text := format('%%I.%%I', tg_table_schema, tg_table_name);
    v_now timestamptz;
    v_keys text [];
    v_statuses text [];
    v_previous_statuses text [];
begin
    v_now := monitoring.clock();
    if tg_op = 'UPDATE' then
        %s
    elsif tg_op = 'INSERT' then
        %s
    else
        %s
    end if;
    if cardinality(v_keys) <= 1000 then
        perform monitoring._track_rows(
            tg_argv[0], tg_argv[2], v_now, v_keys, v_statuses, v_previous_statuses
        );
    elsif v_keys is not null then
        for v_keys, v_statuses, v_previous_statuses in
            execute monitoring._batches_of_rows(
                monitoring._rows_of_trigger(tg_op, v_table, tg_argv[3:], tg_argv[1])
            )
        loop
            perform monitoring._track_rows(
                tg_argv[0], tg_argv[2], v_now, v_keys, v_statuses, v_previous_statuses
            );
        end loop;
    end if;
    return null;
exception
    when others then
        perform monitoring._record_trigger_error(v_table, tg_argv[0], sqlstate, sqlerrm);
        return null;
end
$code$,
    monitoring._tracking_query('UPDATE', p_table, p_key_columns, p_status_column),
    monitoring._tracking_query('INSERT', p_table, p_key_columns, p_status_column),
    monitoring._tracking_query('DELETE', p_table, p_key_columns, p_status_column)
);

-- Makes the trigger function of a watched table, or makes it anew.
create or replace function monitoring._write_trigger_function(
    p_name text, p_table text, p_key_columns text[], p_status_column text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    execute format(
        'create or replace function monitoring.%I() returns trigger language plpgsql volatile '
        'security definer set search_path = pg_catalog, pg_temp set datestyle = ''ISO'' '
        'set timezone = ''UTC'' set extra_float_digits = 1 set row_security = off as %L',
        p_name, monitoring._tracking_code(p_table, p_key_columns, p_status_column)
    );
    execute format(
        'comment on function monitoring.%I() is %L',
        p_name, 'Trigger function of one watched table: _track_trigger with its queries planned once.'
    );
end
$$;

-- Makes a trigger function, which belongs to the owner of this one, and returns its name.
create or replace function monitoring._make_trigger_function(
    p_table text, p_key_columns text[], p_status_column text
)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Random, for tables are renamed, and numbered anew when a dump is restored.
    v_name constant text := '_track_trigger_' || replace(gen_random_uuid()::text, '-', '');
begin
    perform monitoring._write_trigger_function(
        v_name, p_table, p_key_columns, p_status_column
    );
    execute format('revoke all on function monitoring.%I() from public', v_name);
    if to_regrole('monitoring_admin') is not null then
        execute format('grant all on function monitoring.%I() to monitoring_admin', v_name);
    end if;
    return v_name;
end
$$;

-- Whether a trigger that has this function is a status trigger: no other has one of ours.
create or replace function monitoring._is_status_trigger(p_function oid) returns boolean
language sql
stable
return exists (
    select from pg_proc as p
    where
        p.oid = p_function
        and p.pronamespace = to_regnamespace('monitoring')
        and p.prorettype = 'trigger'::regtype
);

-- Drops the trigger functions of tables that are no longer watched, or gone.
create or replace function monitoring._drop_unused_trigger_functions() returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_function regprocedure;
begin
    for v_function in
        select p.oid::regprocedure from pg_proc p
        where monitoring._is_status_trigger(p.oid)
            and p.proname <> '_track_trigger'
            and not exists (select from pg_trigger t where t.tgfoid = p.oid)
    loop
        execute format('drop function %s', v_function);
    end loop;
end
$$;

-- Makes a trigger function anew, of a table whose columns are not read: it tells that nothing is
-- recorded, and why.
create or replace function monitoring._write_refusing_trigger(p_name text, p_problem text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    raise warning 'changes of status are not recorded where function % is used: %',
        p_name, p_problem;
    execute format(
        'create or replace function monitoring.%I() returns trigger language plpgsql volatile '
        'security definer set search_path = pg_catalog, pg_temp set datestyle = ''ISO'' '
        'set timezone = ''UTC'' set extra_float_digits = 1 set row_security = off as %L',
        p_name, format(
            $code$
begin
    perform monitoring._record_trigger_error(
        format('%%I.%%I', tg_table_schema, tg_table_name), tg_argv[0], 'PV007', %L
    );
    return null;
end
$code$,
            p_problem
        )
    );
end
$$;

-- Gives the trigger functions that an earlier pgvigil made the body that this one makes.
create or replace function monitoring._remake_trigger_functions() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_function record;
begin
    for v_function in
        select distinct on (p.oid) p.proname, format('%I.%I', n.nspname, c.relname) as table_name, (
                -- The catalogue has them one after the other, each ended by a zero byte.
                select array_agg(
                    convert_from(decode(a.value[1], 'hex'), getdatabaseencoding())
                    order by a.number
                )
                from regexp_matches(encode(t.tgargs, 'hex'), '((?:..)*?)00', 'g')
                    with ordinality a (value, number)
            ) as arguments
        from pg_trigger t
        inner join pg_proc p on p.oid = t.tgfoid
        inner join pg_class c on c.oid = t.tgrelid
        inner join pg_namespace n on n.oid = c.relnamespace
        where monitoring._is_status_trigger(p.oid) and p.proname <> '_track_trigger'
        order by p.oid
    loop
        begin
            perform monitoring._write_trigger_function(
                v_function.proname, v_function.table_name, v_function.arguments[4:],
                v_function.arguments[2]
            );
        exception
            when sqlstate 'PV007' then
                perform monitoring._write_refusing_trigger(v_function.proname, sqlerrm);
        end;
    end loop;
end
$$;

do $$
begin
    perform monitoring._remake_trigger_functions();
end
$$;
