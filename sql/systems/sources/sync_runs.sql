-- Reading a source of runs and telling the core what changed. Writes source_runs, and what
-- apply.sql and troubles.sql write.

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
        update monitoring.source_runs k
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
create or replace function monitoring._counts_of_runs(
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
create or replace function monitoring._read_run_source(
    p_source monitoring.sources, p_now timestamptz
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows monitoring.source_run [] := monitoring._rows_of_runs(p_source, p_now);
    v_runs monitoring.source_run [] := monitoring._judged_runs(p_source, v_rows, p_now);
    v_changes monitoring.run_change [];
    v_vanished text [];
    v_lasting jsonb := monitoring._troubles_of_rows(v_runs);
    v_happened jsonb;
    v_counts jsonb;
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
    v_counts := monitoring._counts_of_runs(v_runs, v_changes, v_vanished);
    if not monitoring._is_adopted(p_source.relation_name) then
        return v_counts;
    end if;
    perform monitoring._forget_adopted_runs(p_source);
    return v_counts || case
        when cardinality(v_rows) < monitoring._most_adopted_runs() then '{}'::jsonb
        -- The rest comes with the next reading.
        else (
            select jsonb_build_object('read_until', max(r.finished_at)) from unnest(v_rows) r
        )
    end;
end
$$;
