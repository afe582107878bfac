-- Telling the core what became of runs, all of a kind in one statement.
-- Writes active_tasks, then finished_tasks, unsuccessful_attempts, errors and source_runs; who
-- holds the lock of the source is alone with its tasks.

-- What a task keeps of a run besides its times and records.
create or replace function monitoring._run_metadata(
    p_source_name text, p_run monitoring.source_run
)
returns jsonb
language sql
stable
return jsonb_strip_nulls(jsonb_build_object(
    'source', p_source_name,
    'threads', (p_run).threads,
    'business_date', (p_run).business_date,
    'error_message', monitoring._capped_text(nullif((p_run).error_message, ''), 1000),
    'work', left(nullif(btrim((p_run).work), ''), 255),
    'retries_left', case
        when (p_run).attempt <= (p_run).max_attempts then (p_run).max_attempts - (p_run).attempt
        when (p_run).max_attempts is not null then 0
    end
));

-- Records finished attempts and keeps unsuccessful_attempts, so that rules see failures and a
-- restart finds its number.
create or replace function monitoring._finish_run_attempts(p_ends jsonb) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_ends is null then
        return;
    end if;
    perform monitoring._record_rows('finished_tasks', 'processing_metrics', 'end_time', p_ends);
    insert into monitoring.unsuccessful_attempts as u (
        task_id, attempt, finished_at, task_type, status
    )
    select e.task_id, e.attempt, e.end_time, e.task_type, e.status
    from jsonb_to_recordset(p_ends) e (
        task_id text, attempt integer, end_time timestamptz, task_type text, status text
    )
    where e.status <> 'completed'
    on conflict (task_id) do update
        set
            attempt = excluded.attempt,
            finished_at = excluded.finished_at,
            task_type = excluded.task_type,
            status = excluded.status;
    delete from monitoring.unsuccessful_attempts u
    using jsonb_to_recordset(p_ends) e (task_id text, status text)
    where e.task_id = u.task_id and e.status = 'completed';
end
$$;

-- Ends running tasks as lost, with a note of why.
create or replace function monitoring._close_lost_runs(
    p_task_ids text[], p_ended_at timestamptz[], p_note text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ends jsonb;
begin
    with lost as (
        delete from monitoring.active_tasks t
        using unnest(p_task_ids, p_ended_at) l (task_id, ended_at)
        where t.task_id = l.task_id
        returning t.*, greatest(l.ended_at, t.started_at) as ended_at
    )
    select jsonb_agg(jsonb_build_object(
        'task_id', l.task_id, 'attempt', l.attempt, 'task_type', l.task_type, 'status', 'lost',
        'start_time', l.started_at, 'end_time', l.ended_at, 'items_done', l.items_done,
        'items_total', l.items_total, 'input_size', l.input_size, 'worker_id', l.worker_id,
        'parent_task_id', l.parent_task_id, 'counters', l.counters,
        'metadata', monitoring._merged(l.metadata, jsonb_build_object('lost', p_note))
    ))
    into v_ends
    from lost l;
    perform monitoring._finish_run_attempts(v_ends);
end
$$;

-- Ends the tasks of runs that have ended, and records those that were never seen to run.
create or replace function monitoring._end_runs(
    p_source_name text, p_changes monitoring.run_change[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ends jsonb;
begin
    with ended as (
        delete from monitoring.active_tasks t
        using unnest(p_changes) c
        where t.task_id = c.task_id and c.action = 'end'
        returning t.*, c as change
    ), told as (
        select e.task_id, e.attempt, coalesce((e.change).begins_at, e.started_at) as started_at,
            e.change, e.items_done, e.items_total, e.input_size, e.worker_id, e.parent_task_id,
            e.counters, e.metadata
        from ended e
        union all
        select c.task_id, 1 + greatest(u.attempt, h.attempt, 0), c.begins_at, c, null, null, null,
            null, null, null, null
        from unnest(p_changes) c
        left join monitoring.unsuccessful_attempts u on u.task_id = c.task_id
        -- The source may take back how a run ended, and leave the time.
        left join lateral (
            select max(f.attempt) as attempt from monitoring._all_finished_tasks f
            where f.task_id = c.task_id and f.finished_at = c.ends_at and c.is_restart
        ) h on true
        where c.action = 'record'
    )
    select jsonb_agg(jsonb_build_object(
        'task_id', t.task_id, 'attempt', t.attempt, 'task_type', ((t.change).run).task_type,
        'status', ((t.change).run).status,
        -- Clocks may differ by a little; a task never ends before it began.
        'start_time', case
            when t.started_at is not null then least(t.started_at, (t.change).ends_at)
        end,
        'end_time', (t.change).ends_at,
        'items_done', coalesce(((t.change).run).records_done, t.items_done),
        'items_total', coalesce(((t.change).run).records_total, t.items_total),
        'input_size', t.input_size, 'worker_id', t.worker_id, 'parent_task_id', t.parent_task_id,
        'counters', t.counters,
        'metadata', monitoring._merged(
            t.metadata, monitoring._run_metadata(p_source_name, (t.change).run)
        )
    ))
    into v_ends
    from told t;
    perform monitoring._finish_run_attempts(v_ends);
end
$$;

-- Records an error for each run that has failed, with what the source says of it or that it says
-- nothing.
create or replace function monitoring._record_run_errors(
    p_source_name text, p_changes monitoring.run_change[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_errors jsonb;
begin
    select jsonb_agg(jsonb_build_object(
        'task_id', c.task_id, 'error_type', 'RunFailed',
        -- What will be tried again is half as bad.
        'severity', case
            when (c.run).attempt < (c.run).max_attempts then 'medium' else 'high'
        end,
        'message', coalesce(nullif(btrim((c.run).error_message), ''), format(
            'run %s of source %s failed, and the source does not say why',
            left((c.run).run_id, 255), p_source_name
        )),
        'component', (c.run).task_type,
        'occurred_at', c.ends_at
    ))
    into v_errors
    from unnest(p_changes) c
    where c.action in ('end', 'record') and monitoring._is_failure((c.run).status);
    if v_errors is not null then
        perform monitoring._record_rows('errors', 'error_tracking', 'occurred_at', v_errors);
    end if;
end
$$;

-- Starts the tasks of runs that have begun, and notes how far those are that go on.
create or replace function monitoring._start_runs(
    p_source_name text, p_changes monitoring.run_change[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.active_tasks (
        task_id, attempt, task_type, started_at, heartbeat_at, progress_at, items_done, items_total,
        metadata
    )
    select c.task_id, 1 + coalesce(u.attempt, 0), (c.run).task_type, c.begins_at,
        greatest(c.begins_at, c.heard_at), greatest(c.begins_at, c.heard_at),
        (c.run).records_done, (c.run).records_total,
        monitoring._run_metadata(p_source_name, c.run)
    from unnest(p_changes) c
    left join monitoring.unsuccessful_attempts u on u.task_id = c.task_id
    where c.action = 'start'
    on conflict (task_id) do nothing;

    update monitoring.active_tasks t
    set
        started_at = coalesce(c.begins_at, t.started_at),
        heartbeat_at = greatest(t.heartbeat_at, c.heard_at),
        progress_at = case
            when (c.run).records_done <> coalesce(t.items_done, 0)
                then greatest(t.progress_at, c.heard_at)
            else t.progress_at
        end,
        items_done = coalesce((c.run).records_done, t.items_done),
        items_total = coalesce((c.run).records_total, t.items_total),
        metadata = monitoring._merged(t.metadata, monitoring._run_metadata(p_source_name, c.run))
    from unnest(p_changes) c
    where t.task_id = c.task_id and c.action = 'progress';
end
$$;

-- Remembers runs as they were seen now.
create or replace function monitoring._remember_runs(
    p_source_name text, p_changes monitoring.run_change[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.source_runs as k (
        source_name, run_id, status, task_type, started_at, finished_at, updated_at, records_total,
        records_done, threads, ended_at
    )
    select p_source_name, (c.run).run_id, (c.run).status, (c.run).task_type, (c.run).started_at,
        (c.run).finished_at, (c.run).updated_at, (c.run).records_total, (c.run).records_done,
        (c.run).threads, c.ends_at
    from unnest(p_changes) c
    on conflict (source_name, run_id) do update
        set
            status = excluded.status,
            task_type = excluded.task_type,
            started_at = excluded.started_at,
            finished_at = excluded.finished_at,
            updated_at = excluded.updated_at,
            records_total = excluded.records_total,
            records_done = excluded.records_done,
            threads = excluded.threads,
            ended_at = excluded.ended_at;
end
$$;

-- Tells the core everything that became of the runs of a source.
create or replace function monitoring._apply_run_changes(
    p_source_name text, p_changes monitoring.run_change[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if cardinality(p_changes) = 0 then
        return;
    end if;
    perform monitoring._close_lost_runs(
        array_agg(c.task_id), array_agg(c.closes_at), 'the source began it anew or took it back'
    )
    from unnest(p_changes) c where c.closes_at is not null;
    perform monitoring._end_runs(p_source_name, p_changes);
    perform monitoring._record_run_errors(p_source_name, p_changes);
    perform monitoring._start_runs(p_source_name, p_changes);
    perform monitoring._remember_runs(p_source_name, p_changes);
end
$$;

call monitoring._ship_retention('source_runs', '30 days');
