-- Reading sources and telling the core what changed. One session a source at a time; each source in
-- a sub-transaction of its own, so that one that cannot be read stops no other.
-- Writes run_sources, and what apply.sql and troubles.sql write.

-- Ends as lost the tasks of runs that are no longer in their source, and returns those runs.
create or replace function monitoring._lose_vanished_runs(
    p_source_name text, p_runs monitoring.source_run[], p_now timestamptz
)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_vanished text [];
begin
    with vanished as (
        update monitoring.run_source_runs k
        set status = 'vanished', ended_at = p_now
        where k.source_name = p_source_name
            and k.ended_at = 'infinity'
            -- A row of which nothing can be made is there all the same.
            and not exists (select from unnest(p_runs) r where r.run_id = k.run_id)
        returning k.run_id
    )
    select coalesce(array_agg(v.run_id order by v.run_id), '{}') into v_vanished from vanished v;
    perform monitoring._close_lost_runs(
        array_agg(p_source_name || ':' || v.run_id), array_agg(p_now), 'vanished from its source'
    )
    from unnest(v_vanished) v (run_id);
    return v_vanished;
end
$$;

-- What a reading found, in numbers of runs.
create or replace function monitoring._counts_of_sync(
    p_runs monitoring.source_run[], p_changes monitoring.run_change[], p_vanished text[]
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_good bigint;
    v_bad bigint;
    v_counts jsonb;
begin
    select count(*) filter (where r.trouble is null), count(r.trouble)
    into v_good, v_bad
    from unnest(p_runs) r;
    select jsonb_build_object(
        'new', count(*) filter (where c.previous_status is null and c.action <> 'remember'),
        'restarted', count(*) filter (where c.is_restart),
        'progressed', count(*) filter (where c.action = 'progress'),
        'ended', count(*) filter (where c.action = 'end'),
        'unchanged', v_good - count(*) filter (where c.action <> 'remember'),
        'vanished', cardinality(p_vanished),
        'went_backwards', count(c.backwards),
        'bad', v_bad
    )
    into v_counts
    from unnest(p_changes) c;
    return v_counts;
end
$$;

-- Reads a source and tells the core what changed; raises when it cannot be read.
create or replace function monitoring._sync_readable_source(
    p_source monitoring.run_sources, p_now timestamptz
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows monitoring.source_run [] := monitoring._read_run_source(p_source, p_now);
    v_runs monitoring.source_run [] := monitoring._judged_runs(p_source, v_rows, p_now);
    v_changes monitoring.run_change [];
    v_vanished text [];
    v_lasting jsonb := monitoring._troubles_of_rows(v_runs);
    v_happened jsonb;
begin
    v_changes := monitoring._changes_of_runs(p_source.source_name, v_runs, p_now);
    v_vanished := monitoring._lose_vanished_runs(p_source.source_name, v_rows, p_now);
    perform monitoring._apply_run_changes(p_source.source_name, v_changes);

    select coalesce(jsonb_agg(h.trouble), '[]') into v_happened
    from (
        select jsonb_build_object(
            'trouble', 'vanished', 'subject', v.run_id,
            'message', format('run %s vanished while it was running', v.run_id)
        ) as trouble
        from unnest(v_vanished) v (run_id)
        union all
        select jsonb_build_object(
            'trouble', 'went_backwards', 'subject', (c.run).run_id,
            'message', format('run %s went backwards: it %s', (c.run).run_id, c.backwards)
        )
        from unnest(v_changes) c
        where c.backwards is not null
    ) h;
    perform monitoring._end_troubles(p_source.source_name, v_lasting, p_now);
    if v_lasting || v_happened <> '[]' then
        perform monitoring._tell_troubles(p_source.source_name, v_lasting || v_happened, p_now);
    end if;
    return monitoring._counts_of_sync(v_runs, v_changes, v_vanished);
end
$$;

-- Notes why a source could not be read.
create or replace function monitoring._note_unreadable_source(
    p_source_name text, p_error text, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.run_sources s
    set
        synced_at = p_now,
        last_error = monitoring._capped_text(p_error, 2000),
        consecutive_failures = s.consecutive_failures + 1
    where s.source_name = p_source_name;
    perform monitoring._tell_unreadable(p_source_name, p_error, p_now);
end
$$;

-- Reads a source, or notes why it could not; skips one that another session reads. Whoever
-- cancels it is obeyed, but a job notes that first.
create or replace function monitoring._sync_run_source(
    p_source_name text, p_now timestamptz, p_is_job boolean
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_source monitoring.run_sources;
    v_result jsonb;
begin
    if not monitoring._try_guard('run source ' || p_source_name) then
        return jsonb_build_object('source', p_source_name, 'skipped', 'another session reads it');
    end if;
    -- What others wrote before they gave the lock back is seen from here on.
    select s.* into v_source from monitoring.run_sources s where s.source_name = p_source_name;
    if not found or not v_source.is_enabled then
        return jsonb_build_object('source', p_source_name, 'skipped', 'not enabled');
    end if;
    if starts_with(v_source.relation_name, 'query:')
        and monitoring._load_to_read(v_source.relation_name) is null
    then
        return jsonb_build_object('source', p_source_name, 'skipped', 'read with its query');
    end if;
    begin
        v_result := jsonb_build_object('source', p_source_name)
            || monitoring._sync_readable_source(v_source, p_now);
        update monitoring.run_sources s
        set synced_at = p_now, succeeded_at = p_now, last_error = null, consecutive_failures = 0,
            last_result = v_result
        where s.source_name = p_source_name;
    exception
        when query_canceled or assert_failure or others then
            -- A job that takes too long is cancelled while a source hangs. What others told stays.
            if sqlstate = '57014' and not p_is_job then
                raise;
            end if;
            v_result := monitoring._failed_reading(p_source_name, sqlstate, sqlerrm);
    end;
    if v_result ? 'error' then
        perform monitoring._note_unreadable_source(
            p_source_name, v_result ->> 'error', p_now
        );
    end if;
    return v_result;
end
$$;

create or replace function monitoring.sync_run_source(p_source_name text) returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    perform monitoring._check_run_source(p_source_name);
    return monitoring._sync_run_source(p_source_name, monitoring.clock(), false);
end
$$;

comment on function monitoring.sync_run_source(text) is
'Reads the runs of a source and starts, continues and ends their tasks. Returns how many were new, '
'restarted, progressed, ended, unchanged, vanished, went_backwards and bad, or the error.';

create or replace function monitoring.sync_run_sources() returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_source_name text;
    v_results jsonb := '[]'::jsonb;
begin
    for v_source_name in
        select s.source_name from monitoring.run_sources s
        where s.is_enabled and not starts_with(s.relation_name, 'query:')
        -- One that hangs until the job is cancelled should hang last.
        order by s.consecutive_failures > 0, s.source_name
    loop
        v_results := v_results
            || monitoring._sync_run_source(v_source_name, monitoring.clock(), true);
        exit when v_results -> -1 ? 'is_cancelled';
    end loop;
    return v_results;
end
$$;

comment on function monitoring.sync_run_sources() is
'Reads all sources that are enabled, and returns an array of what sync_run_source() returns.';

call monitoring._ship_job(
    'sync_run_sources', 'Reads the runs that live in other systems.',
    '15 minutes', 'monitoring.sync_run_sources'
);
