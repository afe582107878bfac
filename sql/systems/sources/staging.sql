-- Loads of queries in other databases: begun, continued, ended. A load is several transactions: its
-- row names the session, and it has died when that is gone, or has said nothing for longer than the
-- query may take. Whoever begins or ends one has the guard of the query meanwhile.
-- Writes source_loads, source_queries and staged_rows, whose rows the loader copies itself.

-- Whether a load that broke off can be continued: its query can, is enabled and the same, it is
-- not old, and its rows are all there.
create or replace function monitoring._may_continue_load(
    p_load monitoring.source_loads, p_query monitoring.source_queries, p_now timestamptz
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_query.is_enabled
        and p_query.resume_column is not null
        and p_load.resume_after is not null
        and p_load.attempts < 20
        -- What was said of the query since may mean other rows.
        and p_query.changed_at <= p_load.started_at
        and p_load.heartbeat_at
            > p_now - make_interval(secs => greatest(p_query.every_seconds, 3600))
        -- A server that crashed has emptied the table.
        and p_load.rows_read = (
            select count(*) from monitoring.staged_rows r where r.load_id = p_load.load_id
        );
end
$$;

-- Whether another session that is there is loading a query.
create or replace function monitoring._is_loading_elsewhere(p_query_name text)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        select from monitoring.source_loads l
        inner join monitoring.source_queries q on q.query_name = l.query_name
        inner join pg_stat_activity a on a.pid = l.loader_pid
        where l.query_name = p_query_name and l.status = 'loading'
            and l.loader_pid <> pg_backend_pid()
            and l.heartbeat_at
                > monitoring.clock() - make_interval(secs => q.timeout_seconds + 60)
    );
end
$$;

-- Ends a load as failed and removes its rows.
create or replace function monitoring._give_up_load(
    p_load_id bigint, p_error text, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.staged_rows where load_id = p_load_id;
    update monitoring.source_loads l
    set
        status = 'failed',
        ended_at = p_now,
        last_error = coalesce(p_error, l.last_error, 'broke off')
    where l.load_id = p_load_id;
end
$$;

-- Ends the load of a query that broke off and nobody may continue any more, and removes its
-- rows.
create or replace function monitoring._give_up_dead_load(p_query_name text, p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_load monitoring.source_loads;
begin
    -- Whoever loads it now, or begins to, sees to its rows.
    if not monitoring._try_guard('source query ' || p_query_name)
        or monitoring._is_loading_elsewhere(p_query_name)
    then
        return;
    end if;
    select l.* into v_load from monitoring.source_loads l
    where l.query_name = p_query_name and l.status in ('loading', 'interrupted')
    for update;
    if found and not monitoring._may_continue_load(
        v_load, monitoring._found_source_query(p_query_name), p_now
    ) then
        perform monitoring._give_up_load(v_load.load_id, null, p_now);
    end if;
end
$$;

-- The load that broke off, continued, or else a new one.
create or replace function monitoring._begun_load(
    p_query monitoring.source_queries, p_now timestamptz
)
returns monitoring.source_loads
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_load monitoring.source_loads;
begin
    select l.* into v_load from monitoring.source_loads l
    where l.query_name = p_query.query_name and l.status in ('loading', 'interrupted')
    for update;
    if found and monitoring._may_continue_load(v_load, p_query, p_now) then
        update monitoring.source_loads l
        set
            status = 'loading',
            attempts = l.attempts + 1,
            heartbeat_at = p_now,
            loader_pid = pg_backend_pid()
        where l.load_id = v_load.load_id
        returning l.* into v_load;
        return v_load;
    end if;
    perform monitoring._give_up_load(v_load.load_id, null, p_now);
    insert into monitoring.source_loads as l (
        query_name, status, started_at, heartbeat_at, loader_pid
    )
    values (p_query.query_name, 'loading', p_now, p_now, pg_backend_pid())
    returning l.* into v_load;
    return v_load;
end
$$;

create or replace function monitoring.begin_source_load(
    p_query_name text, p_is_due_only boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_query monitoring.source_queries := monitoring._found_source_query(p_query_name);
    v_load monitoring.source_loads;
    v_skipped text;
begin
    if not monitoring._try_guard('source query ' || p_query_name)
        or monitoring._is_loading_elsewhere(p_query_name)
    then
        return jsonb_build_object('query', p_query_name, 'skipped', 'another session loads it');
    end if;
    -- What others wrote before they gave the lock back is seen from here on.
    v_query := monitoring._found_source_query(p_query_name);
    if not v_query.is_enabled then
        v_skipped := 'not enabled';
    elsif p_is_due_only and v_query.next_load_at > v_now then
        v_skipped := 'not due';
    end if;
    if v_skipped is not null then
        return jsonb_build_object('query', p_query_name, 'skipped', v_skipped);
    end if;
    v_load := monitoring._begun_load(v_query, v_now);
    -- When it dies without a word, it is looked for after the longest time that it may take.
    update monitoring.source_queries q
    set next_load_at
        = v_now + make_interval(secs => least(q.every_seconds, q.timeout_seconds + 60))
    where q.query_name = p_query_name;
    return jsonb_build_object(
        'query', p_query_name, 'load_id', v_load.load_id, 'rows_read', v_load.rows_read,
        'resume_after', v_load.resume_after, 'connection', v_query.connection_name,
        'statement', v_query.query, 'columns', to_jsonb(v_query.columns),
        'resume_column', v_query.resume_column, 'timeout_seconds', v_query.timeout_seconds
    );
end
$$;

comment on function monitoring.begin_source_load(text, boolean) is
'For runners: begins to load a query, or continues a load that broke off, and returns what to do, '
'or why it is skipped. While the session is there and reports progress, no other loads the query.';

create or replace function monitoring.note_source_progress(
    p_load_id bigint, p_rows_read bigint, p_resume_after text default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.source_loads l
    set
        heartbeat_at = monitoring.clock(),
        rows_read = p_rows_read,
        resume_after = p_resume_after
    where l.load_id = p_load_id and l.status = 'loading';
    return found;
end
$$;

comment on function monitoring.note_source_progress(bigint, bigint, text) is
'For runners: notes how many rows have been staged, in the transaction that staged them; false '
'when the load is no longer going on.';

-- Reads all sources that are enabled and read a query that was just loaded.
create or replace function monitoring._sync_sources_of_query(
    p_query_name text, p_now timestamptz
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_source_name text;
    v_results jsonb := '[]'::jsonb;
begin
    for v_source_name in
        select s.source_name from monitoring.sources s
        where s.relation_name = 'query:' || p_query_name and s.is_enabled
        order by s.source_name
    loop
        v_results := v_results || monitoring._sync_source(v_source_name, p_now, false);
    end loop;
    return v_results;
end
$$;

-- Reads a source of a query that was just loaded as a client asks for it: by the names of the
-- parameters of track_all_status_changes_from_source().
create or replace function monitoring._read_as_asked(p_asked jsonb) returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_target_date date;
    v_is_dry_run boolean;
begin
    begin
        v_target_date := (p_asked ->> 'target_date')::date;
        v_is_dry_run := (p_asked ->> 'is_dry_run')::boolean;
    exception
        when data_exception then
            perform monitoring._refuse_json('asked', p_asked::text,
                'an object of the arguments of track_all_status_changes_from_source()');
    end;
    return monitoring.track_all_status_changes_from_source(
        p_asked ->> 'source_name', v_target_date, p_asked ->> 'change_source',
        p_asked ->> 'task_id', v_is_dry_run
    );
end
$$;

create or replace function monitoring.finish_source_load(
    p_load_id bigint, p_asked jsonb default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_load monitoring.source_loads;
    v_staged bigint;
    v_asked jsonb;
    v_results jsonb;
begin
    update monitoring.source_loads l set status = 'loaded', heartbeat_at = v_now
    where l.load_id = p_load_id and l.status = 'loading'
    returning l.* into v_load;
    select count(*) into v_staged from monitoring.staged_rows r where r.load_id = p_load_id;
    if v_load.load_id is null or v_staged <> v_load.rows_read then
        raise exception using
            errcode = 'PV007',
            message = format('load %s is not complete: %s of %s rows are here', p_load_id,
                v_staged, coalesce(v_load.rows_read::text, 'unknown')),
            hint = 'Load it again; rows that are staged do not outlive a crash of the server.';
    end if;
    if v_staged > 10000 then
        -- Else the planner takes a million rows for a few.
        analyze monitoring.staged_rows;
    end if;
    if p_asked is not null then
        v_asked := monitoring._read_as_asked(p_asked);
    end if;
    v_results := monitoring._sync_sources_of_query(v_load.query_name, v_now);
    delete from monitoring.staged_rows where load_id = p_load_id;
    update monitoring.source_loads l set ended_at = v_now where l.load_id = p_load_id;
    update monitoring.source_queries q
    set next_load_at = greatest(
        v_load.started_at + make_interval(secs => q.every_seconds), v_now + interval '1 minute'
    )
    where q.query_name = v_load.query_name;
    perform monitoring._end_troubles('query:' || v_load.query_name, '[]', v_now);
    return jsonb_build_object(
        'query', v_load.query_name, 'rows_read', v_load.rows_read, 'attempts', v_load.attempts,
        'sources', v_results
    ) || coalesce(jsonb_build_object('asked', v_asked), '{}');
end
$$;

comment on function monitoring.finish_source_load(bigint, jsonb) is
'For runners: marks a load as complete, reads the sources that read its query, and removes its '
'rows, all or nothing. Returns what each source found, and what one found that was asked for first '
'by the arguments of track_all_status_changes_from_source().';

create or replace function monitoring.fail_source_load(p_query_name text, p_error text)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_query monitoring.source_queries := monitoring._found_source_query(p_query_name);
    v_load monitoring.source_loads;
    v_error text := monitoring._capped_text(coalesce(nullif(p_error, ''), 'it failed'), 2000);
    v_failures bigint;
begin
    -- Free, or ours: another session that loads it by now will tell for itself.
    if not monitoring._try_guard('source query ' || p_query_name)
        or monitoring._is_loading_elsewhere(p_query_name)
    then
        return null;
    end if;
    select l.* into v_load from monitoring.source_loads l
    where l.query_name = p_query_name and l.status in ('loading', 'interrupted')
    for update;
    if not found then
        return null;
    end if;
    update monitoring.source_loads l set status = 'interrupted', last_error = v_error
    where l.load_id = v_load.load_id;
    if not monitoring._may_continue_load(v_load, v_query, v_now) then
        perform monitoring._give_up_load(v_load.load_id, v_error, v_now);
    end if;
    select v_load.attempts + count(*) into v_failures from monitoring.source_loads l
    where l.query_name = p_query_name and l.load_id < v_load.load_id
        and l.load_id > coalesce((
            select max(d.load_id) from monitoring.source_loads d
            where d.query_name = p_query_name and d.status = 'loaded'
        ), 0);
    update monitoring.source_queries q
    set next_load_at = v_now + make_interval(
        secs => least(q.every_seconds, 30 * 2 ^ least(v_failures, 12))
    )
    where q.query_name = p_query_name;
    perform monitoring._tell_unreadable('query:' || p_query_name, v_error, v_now);
    return (select l.status from monitoring.source_loads l where l.load_id = v_load.load_id);
end
$$;

comment on function monitoring.fail_source_load(text, text) is
'For runners: notes why a query could not be loaded, reports it, and tries again after a while '
'that grows. Returns interrupted or failed; null when nothing of ours goes on.';

call monitoring._ship_retention('source_loads', '30 days');
