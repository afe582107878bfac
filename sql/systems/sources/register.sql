-- What people say about sources of every kind; what each kind has besides: register_runs.sql,
-- register_records.sql and register_queues.sql. With whose rights they are read: foreign_code.sql.
-- What a source tells is believed: only members of the owner of this schema register one.
-- Writes sources, and clears what belongs to a source that is removed.

-- The source of that name, of a kind if one is given, or PV007.
create or replace function monitoring._found_source(p_source_name text, p_kind text default null)
returns monitoring.sources
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_source monitoring.sources;
begin
    select s.* into v_source from monitoring.sources s
    where s.source_name = p_source_name and s.kind = coalesce(p_kind, s.kind);
    if not found then
        perform monitoring._refuse_unknown(
            concat('source', ' of ' || p_kind || 's'), p_source_name,
            format('Take the name from v_sources, or call register_%s_source() first.',
                coalesce(p_kind, 'run'))
        );
    end if;
    return v_source;
end
$$;

-- Raises PV001 to PV003 unless a source of a kind may have a name.
create or replace function monitoring._check_source_name(p_source_name text, p_kind text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_kind text;
begin
    perform monitoring._checked_name('source_name', p_source_name);
    if length(p_source_name) > 100 or strpos(p_source_name, ':') > 0 then
        perform monitoring._refuse_choice('source_name', p_source_name,
            array['a name of at most 100 characters without a colon']);
    end if;
    select s.kind into v_kind from monitoring.sources s
    where s.source_name = p_source_name and s.kind <> p_kind;
    if found then
        raise exception using
            errcode = 'PV003',
            message = format('there is a source of %ss named "%s"', v_kind, p_source_name),
            hint = 'Take another name, or remove that one first: what is told of a source goes by '
                'its name.';
    end if;
end
$$;

-- The name of a relation with its schema, quoted where need be, or query:NAME; PV007 when there
-- is none.
create or replace function monitoring._checked_source_relation(p_relation text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_parts text [];
    v_name text;
begin
    perform monitoring._checked_name('relation', p_relation);
    if starts_with(p_relation, 'query:') then
        perform monitoring._found_source_query(substr(p_relation, 7));
        return p_relation;
    end if;
    begin
        v_parts := parse_ident(p_relation);
    exception
        when invalid_parameter_value then
            v_parts := '{}';
    end;
    if cardinality(v_parts) = 2 then
        v_name := format('%I.%I', v_parts[1], v_parts[2]);
    end if;
    if not exists (
        select from pg_class c
        inner join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = v_parts[1] and c.relname = v_parts[2] and cardinality(v_parts) = 2
            and c.relkind in ('r', 'p', 'v', 'm', 'f')
    ) then
        perform monitoring._refuse_unknown(
            'relation', p_relation,
            case
                when starts_with(p_relation, 'monitoring.v_adopted_')
                    then 'Adopt the system in this database first, with adopt(), which makes it.'
                else 'Name a table, view or foreign table that exists, with its schema, such as '
                    'billing.runs.'
            end
        );
    end if;
    return v_name;
end
$$;

-- Raises PV007, with what to grant, unless the role that reads a relation may, or another that will
-- do.
create or replace function monitoring._check_reading_rights(
    p_relation text, p_columns text[], p_reader oid, p_other oid default null
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_relation regclass := to_regclass(p_relation);
begin
    if not monitoring._may_read(p_reader, v_relation, p_columns)
        and not monitoring._may_read(p_other, v_relation, p_columns)
    then
        raise exception using
            errcode = 'PV007',
            message = format('%s may not read %s', pg_get_userbyid(p_reader), p_relation),
            hint = format(
                'Grant it: grant usage on schema %1$s to %3$I; grant select on %2$s to %3$I;',
                (select c.relnamespace::regnamespace from pg_class c where c.oid = v_relation),
                p_relation, pg_get_userbyid(p_reader)
            );
    end if;
end
$$;

-- Raises PV007, with what to grant, unless the rows of a source may be read.
create or replace function monitoring._check_source_rights(p_relation text, p_columns text[])
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if starts_with(p_relation, 'query:') then
        return; -- its rows are ours
    end if;
    perform monitoring._check_reading_rights(p_relation, p_columns, case
        when monitoring._is_read_without_rights(p_relation, p_columns)
            then monitoring._reader_of_relations()
        else (
            select p.proowner from pg_proc p
            where p.oid = 'monitoring.sync_source(text)'::regprocedure
        )
    end);
end
$$;

-- Raises PV007, with what to grant, unless the table of a status trigger may be read: by our owner,
-- or where code of others runs in it as monitoring_reader.
create or replace function monitoring._check_trigger_rights(p_table text, p_columns text[])
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_owner oid;
begin
    select p.proowner into v_owner from pg_proc p
    where p.oid = 'monitoring.sync_source(text)'::regprocedure;
    perform monitoring._check_reading_rights(p_table, p_columns, v_owner, case
        when monitoring._reads_as_reader(p_table, p_columns)
            then monitoring._reader_of_relations()
    end);
end
$$;

-- A source with what its kind does not matter for; PV001 to PV007 unless that is right.
create or replace function monitoring._new_source(
    p_source_name text, p_kind text, p_relation text, p_columns jsonb, p_time_zone text,
    p_every interval, p_timeout interval, p_by text
)
returns monitoring.sources
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_source monitoring.sources;
begin
    perform monitoring._check_source_name(p_source_name, p_kind);
    perform monitoring._check_time_zone(p_time_zone);
    v_source.source_name := p_source_name;
    v_source.kind := p_kind;
    v_source.relation_name := monitoring._checked_source_relation(p_relation);
    v_source.columns := p_columns;
    v_source.time_zone := p_time_zone;
    v_source.every_seconds := monitoring._checked_span('every', p_every, '1 minute', '31 days');
    v_source.timeout_seconds := monitoring._checked_span(
        'timeout', p_timeout, '1 second', '1 day'
    );
    v_source.changed_by := coalesce(p_by, session_user);
    v_source.changed_at := monitoring.clock();
    return v_source;
end
$$;

-- Registers a source, or changes the one of its name, once its rows may be read and it has the
-- columns; PV007 when not.
create or replace function monitoring._put_source(
    p_source monitoring.sources, p_columns text[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._check_source_rights(p_source.relation_name, p_columns);
    perform monitoring._check_relation_columns(p_source.relation_name, p_columns);
    insert into monitoring.sources as s (
        source_name, kind, relation_name, columns, statuses, time_zone, settings, every_seconds,
        timeout_seconds, changed_by, changed_at, next_sync_at
    )
    values (
        p_source.source_name, p_source.kind, p_source.relation_name, p_source.columns,
        p_source.statuses, p_source.time_zone, p_source.settings, p_source.every_seconds,
        p_source.timeout_seconds, p_source.changed_by, p_source.changed_at, p_source.changed_at
    )
    on conflict (source_name) do update
        set
            relation_name = excluded.relation_name,
            columns = excluded.columns,
            statuses = excluded.statuses,
            time_zone = excluded.time_zone,
            settings = excluded.settings,
            every_seconds = excluded.every_seconds,
            timeout_seconds = excluded.timeout_seconds,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at,
            next_sync_at = excluded.next_sync_at;
end
$$;

-- Whether a source is read.
create or replace function monitoring._switch_source(
    p_source_name text, p_is_enabled boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._found_source(p_source_name);
    update monitoring.sources s
    set
        is_enabled = coalesce(p_is_enabled, true),
        enabled_at = case when s.is_enabled then s.enabled_at else monitoring.clock() end,
        next_sync_at = case when s.is_enabled then s.next_sync_at else monitoring.clock() end
    where s.source_name = p_source_name;
end
$$;

create or replace function monitoring.enable_source(p_source_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_source(p_source_name, true);
end
$$;

comment on function monitoring.enable_source(text) is
'Has a source read when it is due, from now on.';

create or replace function monitoring.disable_source(p_source_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_source(p_source_name, false);
end
$$;

comment on function monitoring.disable_source(text) is
'No longer has a source read; running tasks of its runs stay as they are meanwhile.';

create or replace function monitoring.remove_source(p_source_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    perform monitoring._found_source(p_source_name);
    -- Whoever reads it now is waited for, or would remember runs of no source.
    perform monitoring._guard('reading of ' || p_source_name);
    perform monitoring._close_lost_runs(
        array_agg(p_source_name || ':' || k.run_id), array_agg(v_now), 'its source was removed'
    )
    from monitoring.source_runs k
    where k.source_name = p_source_name and k.ended_at = 'infinity';
    delete from monitoring.source_runs where source_name = p_source_name;
    delete from monitoring.records_to_read where source_name = p_source_name;
    delete from monitoring.sources where source_name = p_source_name;
    perform monitoring._end_troubles(p_source_name, '[]', v_now);
end
$$;

comment on function monitoring.remove_source(text) is
'Removes a source; what it has reported stays in history, and runs that were running end as lost.';
