-- Attaching triggers that record every change of status in a table of the same database, whoever
-- makes it, and detaching them. Writes status_triggers, record_states and status_changes.

-- A table, and its partitions at every level.
create or replace function monitoring._tables_under(p_table text) returns setof text
language sql
stable
begin atomic
    select format('%I.%I', n.nspname, c.relname)
    from pg_partition_tree(to_regclass(p_table)) as t
    inner join pg_class as c on t.relid = c.oid
    inner join pg_namespace as n on c.relnamespace = n.oid
    where c.relkind in ('r', 'p')
    union
    -- A table that is neither partitioned nor a partition is no tree.
    select p_table where to_regclass(p_table) is not null;
end;

-- Drops our triggers from a table and its partitions, and functions that no table needs any
-- more.
create or replace function monitoring._drop_status_triggers(p_table text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The names come quoted, from the catalogue.
-- @plpgsql_check_options: security_warnings = off
declare
    v_trigger record;
begin
    for v_trigger in
        select t.tgname, u.table_name
        from monitoring._tables_under(p_table) u (table_name)
        inner join pg_trigger t on t.tgrelid = u.table_name::regclass
        where monitoring._is_status_trigger(t.tgfoid)
    loop
        execute format('drop trigger %I on %s', v_trigger.tgname, v_trigger.table_name);
    end loop;
    perform monitoring._drop_unused_trigger_functions();
end
$$;

-- Makes our triggers on a table and its partitions, to fire in every session.
create or replace function monitoring._make_status_triggers(p_trigger monitoring.status_triggers)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The names come quoted, from the catalogue.
-- @plpgsql_check_options: security_warnings = off
declare
    v_table text;
    v_name text;
    v_kind text;
    v_arguments text;
    v_function constant text := monitoring._make_trigger_function(
        p_trigger.table_name, p_trigger.key_columns, p_trigger.status_column
    );
begin
    select string_agg(quote_literal(a.value), ', ' order by a.number) into v_arguments
    from unnest(
        array[p_trigger.dataset, p_trigger.status_column, p_trigger.change_source]
            || p_trigger.key_columns
    ) with ordinality a (value, number);
    for v_table in select u.table_name from monitoring._tables_under(p_trigger.table_name) u (table_name)
    loop
        for v_name, v_kind in
            values
            ('insert', 'after insert on %s referencing new table as new_rows'),
            ('update', 'after update on %s referencing old table as old_rows new table as new_rows'),
            ('delete', 'after delete on %s referencing old table as old_rows'),
            ('truncate', 'before truncate on %s')
        loop
            execute format(
                'create trigger pgvigil_status_%s %s for each statement '
                'execute function monitoring.%I(%s)',
                v_name, format(v_kind, v_table),
                -- Which table is truncated, of several partitions, is not known before.
                case when v_name = 'truncate' then '_track_trigger' else v_function end,
                v_arguments
            );
            -- Whoever restores or replicates with session_replication_role changes statuses as well.
            execute format(
                'alter table %s enable always trigger pgvigil_status_%s', v_table, v_name
            );
        end loop;
    end loop;
end
$$;

-- Raises PV007 unless a table is there, has the columns, and may be read when it is truncated.
create or replace function monitoring._check_trigger_table(p_table text, p_columns text[])
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_missing text;
begin
    if not exists (
        select from pg_class c
        where c.oid = to_regclass(case when not starts_with(p_table, 'query:') then p_table end)
            and c.relkind in ('r', 'p')
            and c.relnamespace <> 'monitoring'::regnamespace
    ) then
        raise exception using
            errcode = 'PV007',
            message = format('%s can have no status trigger', p_table),
            hint = 'Name a table of your own; register views and foreign tables as record sources.';
    end if;
    select c.name into v_missing
    from unnest(p_columns) c (name)
    where not exists (
        select from pg_attribute a
        where a.attrelid = to_regclass(p_table) and a.attname = c.name and a.attnum > 0
            and not a.attisdropped
    )
    limit 1;
    if found then
        raise exception using
            errcode = 'PV007',
            message = format('%s has no column %s', p_table, coalesce(v_missing, 'null')),
            hint = 'Name the columns as the table has them, in the same case.';
    end if;
    perform monitoring._check_trigger_rights(u.table_name, p_columns)
    from monitoring._tables_under(p_table) u (table_name);
end
$$;

-- Takes the statuses in a table for the current ones, without history for records that were not
-- known; returns how many those are.
create or replace function monitoring._take_over_statuses(p_trigger monitoring.status_triggers)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- A key must not depend on how the session of the program writes values.
set datestyle = 'ISO'
set timezone = 'UTC'
set extra_float_digits = 1
-- Rows that a policy hides are not rows that are not there.
set row_security = off
as $$
-- The query has its names quoted.
-- @plpgsql_check_options: security_warnings = off
declare
    v_now timestamptz := monitoring.clock();
    v_rows text := monitoring._status_rows_query(monitoring._rows_of_table(
        p_trigger.table_name, p_trigger.table_name, p_trigger.key_columns, p_trigger.status_column
    ));
    v_new bigint;
begin
    execute format(
        'insert into monitoring.record_states ('
        'dataset, record_key, status, effective_at, recorded_at, change_source, actor'
        ') select distinct $1, r.record_key, r.status, $2, $2, $3, r.actor from (%s) r'
        ' where r.status is not null on conflict (dataset, record_key) do nothing',
        v_rows
    )
    using p_trigger.dataset, v_now, p_trigger.change_source, null::text, null::text, null::text,
        p_trigger.attached_by, null::jsonb;
    get diagnostics v_new = row_count;
    -- What was known and has changed while nobody looked is a change.
    execute monitoring._status_change_statement(v_rows, false, v_now)
    using p_trigger.dataset, p_trigger.change_source, v_now, null::text, null::text, false,
        p_trigger.attached_by, null::jsonb;
    return v_new;
end
$$;

create or replace function monitoring.attach_status_trigger(
    p_table text,
    p_key_columns text[],
    p_status_column text,
    p_dataset text default null,
    p_change_source text default 'SYSTEM',
    p_by text default null
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_trigger monitoring.status_triggers;
begin
    v_trigger.table_name := monitoring._checked_source_relation(p_table);
    v_trigger.change_source := monitoring._checked_change_source(p_change_source);
    if array_ndims(p_key_columns) is distinct from 1 then
        perform monitoring._refuse_json('key_columns', coalesce(p_key_columns::text, 'null'),
            'an array of the columns that name a record, such as {branch,number}');
    end if;
    v_trigger.key_columns := p_key_columns;
    v_trigger.status_column := monitoring._checked_name('status_column', p_status_column);
    perform monitoring._check_trigger_table(
        v_trigger.table_name, p_key_columns || p_status_column
    );
    v_trigger.dataset := monitoring._checked_name('dataset', coalesce(
        p_dataset, (parse_ident(p_table))[2]
    ));
    v_trigger.attached_by := coalesce(p_by, session_user);
    v_trigger.attached_at := monitoring.clock();
    insert into monitoring.status_triggers as t values (v_trigger.*)
    on conflict (table_name) do update
        set
            dataset = excluded.dataset,
            key_columns = excluded.key_columns,
            status_column = excluded.status_column,
            change_source = excluded.change_source,
            attached_by = excluded.attached_by,
            attached_at = excluded.attached_at;
    perform monitoring._drop_status_triggers(v_trigger.table_name);
    -- They lock out who writes, so that nothing changes between this and the reading.
    perform monitoring._make_status_triggers(v_trigger);
    return monitoring._take_over_statuses(v_trigger);
end
$$;

comment on function monitoring.attach_status_trigger(text, text[], text, text, text, text) is
'Records every change of a status column from now on, whoever makes it, and takes over the present '
'statuses; returns how many records were not known. Again after partitions were added: for all.';

create or replace function monitoring.remove_status_trigger(p_table text) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text;
begin
    v_name := array_to_string(
        array(select format('%I', p.part) from unnest(parse_ident(p_table)) p (part)), '.'
    );
    perform monitoring._drop_status_triggers(v_name);
    delete from monitoring.status_triggers where table_name = v_name;
    return found;
exception
    when invalid_parameter_value then
        return false;
end
$$;

comment on function monitoring.remove_status_trigger(text) is
'No longer records changes in a table, which may be gone; what was recorded stays. False when '
'there was nothing to detach.';
