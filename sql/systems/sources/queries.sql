-- Queries that are run in other databases, as people register them. Writes source_queries, and
-- clears what belongs to a query that is removed.

-- The query of that name, or PV007.
create or replace function monitoring._found_source_query(p_query_name text)
returns monitoring.source_queries
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_query monitoring.source_queries;
begin
    select q.* into v_query from monitoring.source_queries q where q.query_name = p_query_name;
    if not found then
        perform monitoring._refuse_unknown(
            'query', p_query_name,
            'Take the name from v_source_queries, or call register_source_query() first.'
        );
    end if;
    return v_query;
end
$$;

-- The columns of a query; PV001 to PV005 unless all have names of their own and the resume
-- column is among them.
create or replace function monitoring._checked_query_columns(
    p_columns text[], p_resume_column text
)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_column text;
begin
    if coalesce(cardinality(p_columns), 0) = 0 then
        perform monitoring._checked_name('column', null);
    end if;
    foreach v_column in array p_columns loop
        perform monitoring._checked_name('column', v_column);
    end loop;
    if (select count(distinct c.name) < count(*) from unnest(p_columns) c (name)) then
        perform monitoring._refuse_json('columns', p_columns::text,
            'an array of the names of its columns, in their order, each once');
    end if;
    if p_resume_column <> all (p_columns) then
        perform monitoring._refuse_choice('resume_column', p_resume_column, p_columns);
    end if;
    return p_columns;
end
$$;

-- Seconds of an interval, or PV004 unless it lies between two others.
create or replace function monitoring._checked_span(
    p_what text, p_length interval, p_least interval, p_most interval
)
returns double precision
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_length between p_least and p_most) is not true then
        perform monitoring._refuse_number(p_what, p_length::text,
            format('an interval from %s to %s', p_least, p_most));
    end if;
    return date_part('epoch', p_length);
end
$$;

create or replace function monitoring.register_source_query(
    p_query_name text,
    p_connection text,
    p_query text,
    p_columns text[],
    p_resume_column text default null,
    p_every interval default '1 hour',
    p_timeout interval default '10 minutes',
    p_by text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._checked_name('query_name', p_query_name);
    if length(p_query_name) > 100 or strpos(p_query_name, ':') > 0 then
        perform monitoring._refuse_choice('query_name', p_query_name,
            array['a name of at most 100 characters without a colon']);
    end if;
    perform monitoring._checked_targets(array[p_connection]);
    if btrim(coalesce(p_query, ''), E' \t\r\n;') = '' then
        perform monitoring._checked_name('query', null);
    end if;
    insert into monitoring.source_queries as q (
        query_name, connection_name, query, columns, resume_column, every_seconds,
        timeout_seconds, changed_by, changed_at, next_load_at
    )
    values (
        p_query_name, p_connection, btrim(p_query, E' \t\r\n;'),
        monitoring._checked_query_columns(p_columns, nullif(p_resume_column, '')),
        nullif(p_resume_column, ''),
        monitoring._checked_span('every', p_every, '1 minute', '31 days'),
        monitoring._checked_span('timeout', p_timeout, '1 second', '1 day'),
        coalesce(p_by, session_user), monitoring.clock(), monitoring.clock()
    )
    on conflict (query_name) do update
        set
            connection_name = excluded.connection_name,
            query = excluded.query,
            columns = excluded.columns,
            resume_column = excluded.resume_column,
            every_seconds = excluded.every_seconds,
            timeout_seconds = excluded.timeout_seconds,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at,
            next_load_at = excluded.next_load_at;
end
$$;

comment on function monitoring.register_source_query(
    text, text, text, text[], text, interval, interval, text
) is
'Registers a query that the runner or pgvigil sync runs in another database, whose address the '
'runner knows by a name; sources read its rows as query:NAME. Calling it again changes that.';

-- Whether a query is loaded when it is due.
create or replace function monitoring._switch_source_query(
    p_query_name text, p_is_enabled boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._found_source_query(p_query_name);
    update monitoring.source_queries q
    set
        is_enabled = coalesce(p_is_enabled, true),
        enabled_at = case when q.is_enabled then q.enabled_at else monitoring.clock() end,
        next_load_at = monitoring.clock()
    where q.query_name = p_query_name;
    perform monitoring._give_up_dead_load(p_query_name, monitoring.clock());
end
$$;

create or replace function monitoring.enable_source_query(p_query_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_source_query(p_query_name, true);
end
$$;

comment on function monitoring.enable_source_query(text) is
'Has a query run when it is due, from now on.';

create or replace function monitoring.disable_source_query(p_query_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_source_query(p_query_name, false);
end
$$;

comment on function monitoring.disable_source_query(text) is
'No longer has a query run; a load that broke off is not continued.';

create or replace function monitoring.remove_source_query(p_query_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_reader text;
begin
    perform monitoring._found_source_query(p_query_name);
    select s.source_name into v_reader from monitoring.sources s
    where s.relation_name = 'query:' || p_query_name
    order by s.source_name
    limit 1;
    if v_reader is not null then
        raise exception using
            errcode = 'PV003',
            message = format('query "%s" is read by source %s', p_query_name, v_reader),
            hint = 'Remove its sources first.';
    end if;
    -- Whoever loads it now learns of it with the next piece.
    perform monitoring._guard('source query ' || p_query_name);
    delete from monitoring.staged_rows r
    using monitoring.source_loads l
    where l.query_name = p_query_name and l.load_id = r.load_id;
    delete from monitoring.source_loads where query_name = p_query_name;
    delete from monitoring.source_queries where query_name = p_query_name;
    perform monitoring._end_troubles('query:' || p_query_name, '[]', monitoring.clock());
end
$$;

comment on function monitoring.remove_source_query(text) is
'Forgets a query and its loads; PV003 while a source reads it.';
