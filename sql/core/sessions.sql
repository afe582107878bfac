-- The session that ran the query of an own rule, left as it was found. Whatever a transaction can
-- undo is undone with the query's block: settings, temporary tables, notices, cursors, large
-- objects. Locks of the session and prepared statements are not, and are put right here.

-- What this session has that outlasts a transaction which is undone: advisory locks as "lock",
-- kind, both halves of the number and suffix of the functions for it, and prepared statements.
create or replace function monitoring._kept_by_session() returns text[]
language sql
volatile
return (
    select coalesce(array_agg(k.kept order by k.kept), '{}')
    from (
        select
            format(
                'lock %s %s %s %s', l.objsubid, l.classid::bigint, l.objid::bigint,
                case l.mode when 'ShareLock' then '_shared' else '' end
            ) as kept
        from pg_locks as l
        where l.locktype = 'advisory' and l.pid = pg_backend_pid() and l.granted
        union all
        select 'statement ' || s.name from pg_prepared_statements as s
    ) as k
);

-- Query that calls a function for an advisory lock, given as _kept_by_session() has it.
create or replace function monitoring._call_for_lock(p_function text, p_lock text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_parts constant text [] := string_to_array(p_lock, ' ');
begin
    return format(
        'select pg_catalog.%I(%s)', p_function || v_parts[5],
        case v_parts[2]
            when '1' then ((v_parts[3]::bigint << 32) | v_parts[4]::bigint)::text
            else format(
                '%s, %s', v_parts[3]::bigint::bit(32)::integer, v_parts[4]::bigint::bit(32)::integer
            )
        end
    );
end
$$;

-- Gives back an advisory lock of this session as often as it was taken.
create or replace function monitoring._give_back_lock(p_lock text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The query has numbers in it and nothing else:
-- @plpgsql_check_options: security_warnings = off
declare
    v_messages constant text := current_setting('client_min_messages');
    v_had_it boolean := true;
begin
    -- The last one is answered by a warning.
    perform set_config('client_min_messages', 'error', true);
    while v_had_it loop
        execute monitoring._call_for_lock('pg_advisory_unlock', p_lock) into v_had_it;
    end loop;
    perform set_config('client_min_messages', v_messages, true);
end
$$;

-- Gives back what a query has left to its session, and takes again what it has taken away;
-- returns, with a warning, what cannot be had again.
create or replace function monitoring._leave_session_as(p_found text[]) returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- Numbers and quoted names are all that is in the queries:
-- @plpgsql_check_options: security_warnings = off
declare
    v_kept constant text [] := monitoring._kept_by_session();
    v_what text;
    v_is_back boolean;
    v_lost text;
begin
    if v_kept = p_found then
        return null;
    end if;
    for v_what in select k.what from unnest(v_kept) k (what) where k.what <> all (p_found) loop
        if starts_with(v_what, 'lock ') then
            perform monitoring._give_back_lock(v_what);
        else
            execute format('deallocate %I', substr(v_what, 11));
        end if;
    end loop;
    for v_what in select f.what from unnest(p_found) f (what) where f.what <> all (v_kept) loop
        v_is_back := false;
        if starts_with(v_what, 'lock ') then
            execute monitoring._call_for_lock('pg_try_advisory_lock', v_what) into v_is_back;
        end if;
        if not v_is_back then
            v_lost := v_what;
        end if;
    end loop;
    if v_lost is not null then
        raise warning 'the query of a rule changed its session: %', v_lost
            using hint = 'Begin a new session; and let the rule call nothing that does that.';
    end if;
    return v_lost;
end
$$;
