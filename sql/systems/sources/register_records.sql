-- What people say about sources of records. They are read with the rights of the owner of this
-- schema, like those of runs. Writes record_sources, and ends the troubles of one that is removed.

-- The source of records of that name, or PV007.
create or replace function monitoring._found_record_source(p_source_name text)
returns monitoring.record_sources
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_source monitoring.record_sources;
begin
    select s.* into v_source from monitoring.record_sources s
    where s.source_name = p_source_name;
    if not found then
        raise exception using
            errcode = 'PV007',
            message = format('there is no source of records %s',
                coalesce('"' || left(p_source_name, 100) || '"', 'null')),
            hint = 'Take the name from v_record_sources, or call register_record_source() first.';
    end if;
    return v_source;
end
$$;

-- Raises PV001 to PV003 unless a source of records, or else of runs, may have a name.
create or replace function monitoring._check_source_name(
    p_source_name text, p_is_of_records boolean
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._checked_name('source_name', p_source_name);
    if length(p_source_name) > 100 or strpos(p_source_name, ':') > 0 then
        perform monitoring._refuse_choice('source_name', p_source_name,
            array['a name of at most 100 characters without a colon']);
    end if;
    -- What is told of a source goes by its name.
    if exists (
        select from monitoring.run_sources s
        where p_is_of_records and s.source_name = p_source_name
    ) or exists (
        select from monitoring.record_sources s
        where not p_is_of_records and s.source_name = p_source_name
    ) then
        raise exception using
            errcode = 'PV003',
            message = format('there is a source of %s named "%s"',
                case when p_is_of_records then 'runs' else 'records' end, p_source_name),
            hint = 'Take another name: sources of runs and of records have theirs in common.';
    end if;
end
$$;

-- Raises PV003 or PV005 unless an object names the columns that a source of records needs, and
-- no others.
create or replace function monitoring._check_record_columns(p_columns jsonb) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_bad text;
begin
    if p_columns is null or jsonb_typeof(p_columns) <> 'object' then
        perform monitoring._refuse_json('columns', coalesce(p_columns::text, 'null'),
            'a JSON object such as {"record_key": ["branch", "number"], "status": "state"}');
    end if;
    perform monitoring._refuse_unknown_keys(
        'key of columns', p_columns, monitoring._fields_of_records()
    );
    select c.key into v_bad from jsonb_each(p_columns) c
    where not (
        jsonb_typeof(c.value) = 'string'
        or (c.key = 'record_key' and jsonb_typeof(c.value) = 'array' and c.value <> '[]'
            and not jsonb_path_exists(c.value, '$[*] ? (@.type() != "string")'))
    )
    order by c.key
    limit 1;
    if v_bad is not null then
        perform monitoring._refuse_json('columns.' || v_bad, (p_columns -> v_bad)::text,
            case v_bad
                when 'record_key' then 'the name of a column, or an array of names'
                else 'the name of a column'
            end);
    end if;
    if not p_columns ?& array['record_key', 'status'] then
        perform monitoring._refuse_json('columns', p_columns::text,
            'an object with record_key and status');
    end if;
end
$$;

-- What status codes are called, codes in upper case and without blanks; PV005 when that is not
-- clear.
create or replace function monitoring._checked_status_names(p_statuses jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_bad text;
    v_statuses jsonb;
begin
    if p_statuses is null or jsonb_typeof(p_statuses) <> 'object' then
        perform monitoring._refuse_json('statuses', coalesce(p_statuses::text, 'null'),
            'a JSON object such as {"1": "OPEN", "2": "DONE"}');
    end if;
    select s.key into v_bad from jsonb_each(p_statuses) s
    where jsonb_typeof(s.value) <> 'string'
        or length(s.value #>> '{}') not between 1 and 255
    order by s.key limit 1;
    if v_bad is not null then
        perform monitoring._refuse_json('statuses.' || v_bad, (p_statuses -> v_bad)::text,
            'the name of a status');
    end if;
    select monitoring._status_code(s.key) into v_bad
    from jsonb_each_text(p_statuses) s
    group by monitoring._status_code(s.key) having count(distinct s.value) > 1
    limit 1;
    if v_bad is not null then
        perform monitoring._refuse_json('statuses', p_statuses::text,
            format('an object that says once what "%s" is called; case and blanks do not count',
                v_bad));
    end if;
    select coalesce(jsonb_object_agg(monitoring._status_code(s.key), s.value), '{}')
    into v_statuses
    from jsonb_each(p_statuses) s;
    return v_statuses;
end
$$;

create or replace function monitoring.register_record_source(
    p_source_name text,
    p_dataset text,
    p_relation text,
    p_columns jsonb,
    p_statuses jsonb default '{}',
    p_change_source text default 'SYSTEM',
    p_time_zone text default 'UTC',
    p_is_complete boolean default false,
    p_by text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_relation text;
begin
    perform monitoring._check_source_name(p_source_name, true);
    perform monitoring._checked_name('dataset', p_dataset);
    v_relation := monitoring._checked_source_relation(p_relation);
    perform monitoring._check_record_columns(p_columns);
    perform monitoring._checked_change_source(p_change_source);
    perform monitoring._check_time_zone(p_time_zone);
    perform monitoring._check_source_rights(
        v_relation, monitoring._columns_of_records(p_columns)
    );
    perform monitoring._check_relation_columns(
        v_relation, monitoring._columns_of_records(p_columns)
    );
    insert into monitoring.record_sources as s (
        source_name, dataset, relation_name, columns, statuses, change_source, time_zone,
        is_complete, changed_by, changed_at
    )
    values (
        p_source_name, p_dataset, v_relation, p_columns,
        monitoring._checked_status_names(p_statuses), p_change_source, p_time_zone,
        coalesce(p_is_complete, false), coalesce(p_by, session_user), monitoring.clock()
    )
    on conflict (source_name) do update
        set
            dataset = excluded.dataset,
            relation_name = excluded.relation_name,
            columns = excluded.columns,
            statuses = excluded.statuses,
            change_source = excluded.change_source,
            time_zone = excluded.time_zone,
            is_complete = excluded.is_complete,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at;
end
$$;

comment on function monitoring.register_record_source(
    text, text, text, jsonb, jsonb, text, text, boolean, text
) is
'Tells in which relation, or query:NAME, the records of a dataset and their statuses are to be '
'seen; calling it again changes that. docs/sources.md says what may be said.';

create or replace function monitoring.enable_record_source(
    p_source_name text, p_is_enabled boolean default true
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._found_record_source(p_source_name);
    update monitoring.record_sources s
    set
        is_enabled = coalesce(p_is_enabled, true),
        enabled_at = case when s.is_enabled then s.enabled_at else monitoring.clock() end
    where s.source_name = p_source_name;
end
$$;

comment on function monitoring.enable_record_source(text, boolean) is
'Reads a source of records, or no longer.';

create or replace function monitoring.remove_record_source(p_source_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._found_record_source(p_source_name);
    -- Whoever reads it now is waited for.
    perform monitoring._guard('record source ' || p_source_name);
    delete from monitoring.record_sources where source_name = p_source_name;
    perform monitoring._end_troubles(p_source_name, '[]', monitoring.clock());
end
$$;

comment on function monitoring.remove_record_source(text) is
'Forgets a source of records; their statuses and what it has told stay.';
