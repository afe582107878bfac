-- Reading sources: each by itself, when it is due, by one session at a time, for no longer than it
-- may take, and in a sub-transaction of its own, so that one that fails, hangs or is locked stops
-- no other. Writes sources, and what reading each kind writes.

-- Keeps other sessions from reading a source until the transaction ends, and returns why it is not
-- to be read; null when it is.
create or replace function monitoring._reason_not_to_read(p_source_name text) returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_source monitoring.sources;
begin
    if not monitoring._try_guard('reading of ' || p_source_name) then
        return 'another session reads it';
    end if;
    -- What others wrote before they gave the lock back is seen from here on.
    select s.* into v_source from monitoring.sources s where s.source_name = p_source_name;
    if v_source.is_enabled is not true then
        return 'not enabled';
    elsif starts_with(v_source.relation_name, 'query:')
        and monitoring._load_to_read(v_source.relation_name) is null
    then
        return 'read with its query';
    end if;
    return null;
end
$$;

-- Reads a source, or some records of it that have become valid, and tells what changed; raises when
-- it cannot be read.
create or replace function monitoring._read_source(
    p_source monitoring.sources, p_now timestamptz, p_keys text[], p_task_id text
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return case p_source.kind
        when 'run' then jsonb_build_object('source', p_source.source_name)
            || monitoring._read_run_source(p_source, p_now)
        when 'record' then
            monitoring._read_record_source(
                p_source, null, case when p_keys is not null then 'AUTO_RESOLVE' end, p_task_id,
                p_now, false, p_keys
            )
        when 'queue' then monitoring._read_queue_source(p_source, p_now)
    end;
end
$$;

-- Reads a source within a limit of time, and returns what it found or the error; what it wrote is
-- undone then. Whoever cancels it is obeyed, but a job notes that first.
create or replace function monitoring._try_source(
    p_source monitoring.sources, p_now timestamptz, p_is_job boolean, p_keys text[] default null,
    p_task_id text default null
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_deadline constant integer := monitoring._deadline(p_source.timeout_seconds);
    v_slot text;
    v_result jsonb;
begin
    -- Rows of a query are ours, and here already.
    if not starts_with(p_source.relation_name, 'query:') then
        v_slot := monitoring._begin_time_limit('source', v_deadline);
    end if;
    begin
        begin
            v_result := monitoring._read_source(p_source, p_now, p_keys, p_task_id);
        exception
            when query_canceled or assert_failure or others then
                perform monitoring._end_time_limit(v_slot);
                raise;
        end;
        perform monitoring._end_time_limit(v_slot);
    exception
        when query_canceled or assert_failure or others then
            v_result := jsonb_build_object('source', p_source.source_name, 'error', sqlerrm);
            if sqlstate = '57014' and monitoring._seconds_since_epoch() >= v_deadline then
                v_result := v_result || jsonb_build_object('error', format(
                    'took longer than %s', monitoring._spell_seconds(p_source.timeout_seconds)
                ));
            elsif sqlstate = '57014' and not p_is_job then
                raise;
            elsif sqlstate = '57014' then
                -- A job that takes too long is cancelled. What other sources told stays.
                v_result := v_result || jsonb_build_object('is_cancelled', true);
            end if;
    end;
    return v_result;
end
$$;

-- Notes how a reading went, and when the next is due: one that failed is tried again after a time
-- that grows, up to an hour or as long as it is read in any case.
create or replace function monitoring._note_reading(
    p_source_name text, p_result jsonb, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_error constant text := p_result ->> 'error';
begin
    update monitoring.sources s
    set
        synced_at = p_now,
        succeeded_at = case when v_error is null then p_now else s.succeeded_at end,
        last_error = monitoring._capped_text(v_error, 2000),
        consecutive_failures = case when v_error is null then 0 else s.consecutive_failures + 1 end,
        last_result = case when v_error is null then p_result - 'sample' else s.last_result end,
        next_sync_at = p_now + make_interval(secs => least(
            s.every_seconds
            * case when v_error is null then 1 else 2 ^ least(s.consecutive_failures, 12) end,
            greatest(s.every_seconds, 3600)
        ))
    where s.source_name = p_source_name;
    if v_error is not null then
        perform monitoring._tell_unreadable(p_source_name, v_error, p_now);
    end if;
end
$$;

-- Reads a source, or notes why it could not; skips one that is not to be read.
create or replace function monitoring._sync_source(
    p_source_name text, p_now timestamptz, p_is_job boolean
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_reason constant text := monitoring._reason_not_to_read(p_source_name);
    v_result jsonb;
begin
    if v_reason is not null then
        return jsonb_build_object('source', p_source_name, 'skipped', v_reason);
    end if;
    v_result := monitoring._try_source(monitoring._found_source(p_source_name), p_now, p_is_job);
    perform monitoring._note_reading(p_source_name, v_result, p_now);
    return v_result;
end
$$;

-- Has the query of a source loaded by the runner as soon as it can.
create or replace function monitoring._ask_for_load(p_source monitoring.sources) returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_query_name constant text := substr(p_source.relation_name, 7);
begin
    update monitoring.source_queries q
    set next_load_at = least(q.next_load_at, monitoring.clock())
    where q.query_name = v_query_name and q.is_enabled;
    return jsonb_build_object('source', p_source.source_name) || case
        when found then jsonb_build_object('requested', 'query ' || v_query_name)
        else jsonb_build_object('skipped', 'its query is not enabled')
    end;
end
$$;

-- Raises PV010: why a source was not read, and how to have it read.
create or replace function monitoring._refuse_reading(
    p_source monitoring.sources, p_reason text
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_query_name constant text := substr(p_source.relation_name, 7);
begin
    raise exception using
        errcode = 'PV010',
        message = format('source "%s" was not read: %s', p_source.source_name, case p_reason
            when 'read with its query'
                then format('its rows come with query "%s"', v_query_name)
            else p_reason
        end),
        hint = case p_reason
            when 'read with its query' then format(
                'Have it loaded with pgvigil sync %1$s, or by the runner: '
                'select monitoring.sync_source(%2$L); what it finds is in v_sources.',
                v_query_name, p_source.source_name
            )
            when 'not enabled'
                then format('Enable it: select monitoring.enable_source(%L);', p_source.source_name)
            else 'Call this again when that has ended.'
        end,
        -- For clients, which run it themselves.
        table = case p_reason when 'read with its query' then v_query_name else '' end;
end
$$;

create or replace function monitoring.sync_source(p_source_name text) returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_source monitoring.sources := monitoring._found_source(p_source_name);
begin
    if starts_with(v_source.relation_name, 'query:') and v_source.is_enabled then
        return monitoring._ask_for_load(v_source);
    end if;
    return monitoring._sync_source(p_source_name, monitoring.clock(), false);
end
$$;

comment on function monitoring.sync_source(text) is
'Reads a source now, or has the runner load its query. Returns how many of its runs, records or '
'queues are new, changed and so on, or the error, or why it was skipped.';

create or replace function monitoring.sync_sources() returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_began constant double precision := monitoring._stopwatch_ms();
    v_source_name text;
    v_results jsonb := '[]'::jsonb;
begin
    for v_source_name in
        select s.source_name from monitoring.sources s
        where s.is_enabled
            and not starts_with(s.relation_name, 'query:')
            -- Who comes by every minute comes a little earlier now and then.
            and s.next_sync_at <= monitoring.clock() + interval '5 seconds'
        -- One that may hang again should hang last.
        order by s.consecutive_failures > 0, s.next_sync_at, s.source_name
    loop
        v_results := v_results
            || (monitoring._sync_source(v_source_name, monitoring.clock(), true) - 'sample');
        -- The rest is due the next time, and what was read is committed before it waits any longer.
        exit when v_results -> -1 ? 'is_cancelled' or monitoring._stopwatch_ms() > v_began + 60000;
    end loop;
    -- Last, as it keeps others from these queries until the transaction ends.
    perform monitoring._give_up_dead_load(l.query_name, monitoring.clock())
    from monitoring.source_loads l
    where l.status in ('loading', 'interrupted');
    return v_results;
end
$$;

comment on function monitoring.sync_sources() is
'Reads all sources that are enabled and due, but for those of queries, and returns an array of '
'what sync_source() returns. Removes the rows of loads that broke off for good.';

call monitoring._ship_job(
    'sync_sources', 'Reads the runs, records and queues of other systems that are due.',
    '1 minute', 'monitoring.sync_sources',
    p_timeout => '1 hour'
);

create or replace function monitoring.track_all_status_changes_from_source(
    p_source_name text,
    p_target_date date default null,
    p_change_source text default null,
    p_task_id text default null,
    p_is_dry_run boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_source monitoring.sources := monitoring._found_source(p_source_name, 'record');
    v_reason text;
begin
    if p_change_source is not null then
        perform monitoring._checked_change_source(p_change_source);
    end if;
    perform monitoring._checked_date('target_date', p_target_date);
    v_reason := monitoring._reason_not_to_read(p_source_name);
    if v_reason is not null then
        -- Nobody shall believe that it was read.
        perform monitoring._refuse_reading(v_source, v_reason);
    end if;
    return monitoring._read_record_source(
        monitoring._found_source(p_source_name), p_target_date, p_change_source,
        monitoring._checked_optional_name('task_id', p_task_id), monitoring.clock(),
        coalesce(p_is_dry_run, false)
    );
end
$$;

comment on function monitoring.track_all_status_changes_from_source(
    text, date, text, text, boolean
) is
'Compares the records of a source, of a day or all, valid or not, with their current statuses and '
'records what changed, or only returns it. Raises what goes wrong, and PV010 when it is not read '
'now, such as one whose query is to be loaded first.';
