-- What status triggers call. They write record_states, then status_changes.
-- Each watched table has a trigger function of its own, in which the queries for its columns are
-- written out: PL/pgSQL keeps their plans, and making those took most of the time of a statement.
-- Whatever goes wrong in a trigger is recorded as an error, and the program goes on.

create or replace function monitoring._record_trigger_error(
    p_table text, p_dataset text, p_sqlstate text, p_message text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    raise warning 'pgvigil could not record changes of status in %: %', p_table, p_message;
    perform monitoring._record_error(
        '', 'StatusTriggerFailed', 'high',
        format('changes of status in %s were not recorded: %s', p_table, p_message), 'pgvigil',
        jsonb_build_object('table', p_table, 'dataset', p_dataset, 'sqlstate', p_sqlstate),
        null, null, null
    );
exception
    when others then
        raise warning 'pgvigil could not record that either: %', sqlerrm;
end
$$;

comment on function monitoring._record_trigger_error(text, text, text, text) is
'Records that a trigger failed, and warns; never raises.';

create or replace function monitoring._teller_of_changes(
    p_change_source text, out change_source text, out actor text, out details jsonb
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_said constant text := nullif(current_setting('monitoring.change_source', true), '');
begin
    change_source := p_change_source;
    actor := left(
        coalesce(nullif(current_setting('monitoring.actor', true), ''), session_user), 255
    );
    if v_said <> p_change_source then
        if exists (select from monitoring.change_sources s where s.change_source = v_said) then
            change_source := v_said;
        else
            details := jsonb_build_object('unknown_change_source', left(v_said, 255));
        end if;
    end if;
end
$$;

comment on function monitoring._teller_of_changes(text) is
'Who changes statuses in this session: what its program says of itself, or else the given change '
'source and the user.';

create or replace function monitoring._track_few_statuses(
    p_dataset text, p_change_source text, p_keys text[], p_statuses text[]
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Left to itself PostgreSQL plans for each number of rows anew, which takes longer than the rest.
set plan_cache_mode = force_generic_plan
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_teller record;
    v_changes bigint;
begin
    if cardinality(p_keys) > 1000 then
        return false;
    end if;
    select t.change_source, t.actor, t.details into v_teller
    from monitoring._teller_of_changes(p_change_source) t;
    if not monitoring._has_partition('status_changes', v_now) then
        perform monitoring._make_partitions('status_changes', v_now);
    end if;
    with told as (
        select distinct on (f.record_key) f.record_key, f.status
        from (
            select
                monitoring._fitted_name(r.record_key) as record_key,
                monitoring._capped_text(r.status, 255) as status, r.number
            from unnest(p_keys, p_statuses) with ordinality r (record_key, status, number)
            where btrim(r.record_key) <> ''
        ) f
        order by f.record_key, f.number desc
    ),
    applied as (
        insert into monitoring.record_states as s (
            dataset, record_key, status, effective_at, recorded_at, change_source, actor
        )
        select p_dataset, t.record_key, t.status, v_now, v_now, v_teller.change_source,
            v_teller.actor
        from told t
        -- What nobody knew, or what is gone already, cannot be gone now.
        where coalesce(t.status, (
            select k.status from monitoring.record_states k
            where k.dataset = p_dataset and k.record_key = t.record_key
        )) is not null
        order by t.record_key
        on conflict (dataset, record_key) do update
            set
                previous_status = s.status,
                status = excluded.status,
                effective_at = excluded.effective_at,
                recorded_at = excluded.recorded_at,
                change_source = excluded.change_source,
                actor = excluded.actor
            where s.status is distinct from excluded.status
                and s.effective_at <= excluded.effective_at
        returning s.record_key, s.previous_status, s.status
    )
    insert into monitoring.status_changes (
        dataset, record_key, recorded_at, effective_at, from_status, to_status, change_source,
        actor, details
    )
    select p_dataset, a.record_key, v_now, v_now, a.previous_status, a.status,
        v_teller.change_source, v_teller.actor, v_teller.details
    from applied a
    order by a.record_key;
    get diagnostics v_changes = row_count;
    -- A status that takes effect later than now was told before: that is for the whole comparison.
    return v_changes = cardinality(p_keys) or not exists (
        select from unnest(p_keys) r (record_key)
        inner join monitoring.record_states k
            on k.dataset = p_dataset and k.record_key = monitoring._fitted_name(r.record_key)
        where k.effective_at > v_now
    );
end
$$;

comment on function monitoring._track_few_statuses(text, text, text[], text[]) is
'Records what differs from the known statuses, as _status_change_statement does, in a statement '
'that is planned once a session. False, with the rest to do, for more than a thousand records or '
'where a status is late.';

create or replace function monitoring._trigger_statement(
    p_operation text, p_table text, p_arguments text[], out statement text, out told_at timestamptz,
    out change_source text, out actor text, out details jsonb
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    statement := monitoring._status_change_statement(monitoring._status_rows_query(
        monitoring._rows_of_trigger(p_operation, p_table, p_arguments[3:], p_arguments[1])
    ));
    told_at := monitoring.clock();
    select t.change_source, t.actor, t.details into change_source, actor, details
    from monitoring._teller_of_changes(p_arguments[2]) t;
    perform monitoring._make_partitions('status_changes', told_at);
end
$$;

comment on function monitoring._trigger_statement(text, text, text[]) is
'The statement that records what another has changed in a watched table, made of the arguments of '
'its trigger, and some of its parameters.';

-- Arguments: dataset, status column, change source, key columns. Serves truncates, and tables
-- that were attached by a pgvigil that made no functions for them.
create or replace function monitoring._track_trigger() returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- A key must not depend on how the session of the program writes values.
set datestyle = 'ISO'
set timezone = 'UTC'
set extra_float_digits = 1
as $$
-- The statement is one of ours, with its names quoted.
-- @plpgsql_check_options: security_warnings = off
declare
    v_table constant text := format('%I.%I', tg_table_schema, tg_table_name);
    v_keys text [];
    v_statuses text [];
    v_many record;
begin
    execute monitoring._first_rows(
        monitoring._rows_of_trigger(tg_op, v_table, tg_argv[3:], tg_argv[1])
    )
    into v_keys, v_statuses;
    if v_keys is not null then
        if not monitoring._track_few_statuses(tg_argv[0], tg_argv[2], v_keys, v_statuses) then
            v_many := monitoring._trigger_statement(tg_op, v_table, tg_argv);
            execute v_many.statement
            using tg_argv[0], v_many.change_source, v_many.told_at, null::text, null::text, false,
                v_many.actor, v_many.details;
        end if;
    end if;
    return null;
exception
    when others then
        perform monitoring._record_trigger_error(v_table, tg_argv[0], sqlstate, sqlerrm);
        return null;
end
$$;

comment on function monitoring._track_trigger() is
'Trigger function that records what a statement has done to the statuses in a table.';

create or replace function monitoring._trigger_code(p_key_columns text[], p_status_column text)
returns text
language sql
stable
return format(
    $code$
-- The statement is one of ours, with its names quoted.
-- @plpgsql_check_options: security_warnings = off
declare
    v_table constant text := format('%%I.%%I', tg_table_schema, tg_table_name);
    v_keys text [];
    v_statuses text [];
    v_many record;
begin
    if tg_op = 'UPDATE' then
        %s into v_keys, v_statuses;
    elsif tg_op = 'INSERT' then
        %s into v_keys, v_statuses;
    else
        %s into v_keys, v_statuses;
    end if;
    if v_keys is not null then
        if not monitoring._track_few_statuses(tg_argv[0], tg_argv[2], v_keys, v_statuses) then
            v_many := monitoring._trigger_statement(tg_op, v_table, tg_argv);
            execute v_many.statement
            using tg_argv[0], v_many.change_source, v_many.told_at, null::text, null::text, false,
                v_many.actor, v_many.details;
        end if;
    end if;
    return null;
exception
    when others then
        perform monitoring._record_trigger_error(v_table, tg_argv[0], sqlstate, sqlerrm);
        return null;
end
$code$,
    monitoring._first_rows(
        monitoring._rows_of_trigger('UPDATE', null, p_key_columns, p_status_column)
    ),
    monitoring._first_rows(
        monitoring._rows_of_trigger('INSERT', null, p_key_columns, p_status_column)
    ),
    monitoring._first_rows(
        monitoring._rows_of_trigger('DELETE', null, p_key_columns, p_status_column)
    )
);

comment on function monitoring._trigger_code(text[], text) is
'Body of the trigger function of one watched table: that of _track_trigger with the queries '
'written out.';

create or replace function monitoring._write_trigger_function(
    p_name text, p_key_columns text[], p_status_column text
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
        'set timezone = ''UTC'' set extra_float_digits = 1 as %L',
        p_name, monitoring._trigger_code(p_key_columns, p_status_column)
    );
    execute format(
        'comment on function monitoring.%I() is %L',
        p_name, 'Trigger function of one watched table: _track_trigger with its queries planned once.'
    );
end
$$;

comment on function monitoring._write_trigger_function(text, text[], text) is
'Makes the trigger function of a watched table, or makes it anew.';

create or replace function monitoring._make_trigger_function(
    p_key_columns text[], p_status_column text
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
    perform monitoring._write_trigger_function(v_name, p_key_columns, p_status_column);
    execute format('revoke all on function monitoring.%I() from public', v_name);
    if to_regrole('monitoring_admin') is not null then
        execute format('grant all on function monitoring.%I() to monitoring_admin', v_name);
    end if;
    return v_name;
end
$$;

comment on function monitoring._make_trigger_function(text[], text) is
'Makes a trigger function, which belongs to the owner of this one, and returns its name.';

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

comment on function monitoring._is_status_trigger(oid) is
'Whether a trigger that has this function is a status trigger: no other has one of ours.';

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

comment on function monitoring._drop_unused_trigger_functions() is
'Drops the trigger functions of tables that are no longer watched, or gone.';

create or replace function monitoring._remake_trigger_functions() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_function record;
begin
    for v_function in
        select distinct on (p.oid) p.proname, (
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
        where monitoring._is_status_trigger(p.oid) and p.proname <> '_track_trigger'
        order by p.oid
    loop
        perform monitoring._write_trigger_function(
            v_function.proname, v_function.arguments[4:], v_function.arguments[2]
        );
    end loop;
end
$$;

comment on function monitoring._remake_trigger_functions() is
'Gives the trigger functions that an earlier pgvigil made the body that this one makes.';

do $$
begin
    perform monitoring._remake_trigger_functions();
end
$$;
