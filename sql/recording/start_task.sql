-- Starting a task. Writes active_tasks; reads unsuccessful_attempts to number the attempt.

-- Process id of the session that speaks for a task; null in a batch (batches.sql), which one
-- session sends for tasks of many threads, and which may well be ended while they run.
create or replace function monitoring._speaking_backend() returns integer
language sql
stable
return case
    when current_setting('monitoring.is_batch', true) = 'on' then null else pg_backend_pid()
end;

-- Does the work of start_task_tracking.
create or replace function monitoring._start_task(
    p_task_id text,
    p_task_type text,
    p_input_size bigint,
    p_worker_id text,
    p_parent_task_id text,
    p_metadata jsonb,
    p_items_total bigint,
    p_started_at timestamptz
)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_started_at timestamptz := coalesce(p_started_at, monitoring.clock());
    v_attempt integer;
begin
    if (
        least(
            p_task_id collate "C", coalesce(p_task_type, ''), p_worker_id, p_parent_task_id
        ) >= '!'
        and octet_length(concat(p_task_id, p_task_type, p_worker_id, p_parent_task_id)) <= 255
        and monitoring._is_printable(concat(p_task_id, p_task_type, p_worker_id, p_parent_task_id))
        and least(p_input_size, p_items_total, 0) = 0
        and monitoring._is_small_object(p_metadata)
        and (p_started_at is null or monitoring._is_recent(p_started_at))
    ) is not true then
        p_task_id := monitoring._mended_name('task_id', p_task_id);
        p_task_type := monitoring._mended_name('task_type', p_task_type);
        p_input_size := monitoring._mended_size('input_size', p_input_size);
        p_worker_id := monitoring._mended_optional_name('worker_id', p_worker_id);
        p_parent_task_id := monitoring._mended_optional_name('parent_task_id', p_parent_task_id);
        p_metadata := monitoring._mended_object('metadata', p_metadata);
        p_items_total := monitoring._mended_size('items_total', p_items_total);
        v_started_at := monitoring._event_time(p_started_at);
    end if;

    insert into monitoring.active_tasks (
        task_id, attempt, task_type, started_at, heartbeat_at, progress_at, input_size,
        items_total, backend_pid, worker_id, parent_task_id, metadata
    )
    values (
        p_task_id,
        1 + coalesce(
            (
                select case when u.early_end_at is null then u.attempt else -u.attempt - 2 end
                from monitoring.unsuccessful_attempts u where u.task_id = p_task_id
            ),
            0
        ),
        p_task_type, v_started_at, v_started_at, v_started_at, p_input_size, p_items_total,
        monitoring._speaking_backend(), p_worker_id, p_parent_task_id, p_metadata
    )
    on conflict (task_id) do nothing
    returning attempt into v_attempt;

    if v_attempt > 0 then
        return v_attempt;
    end if;
    if v_attempt < 0 then
        -- An end was told before: perhaps it is that of this start.
        perform monitoring._meet_early_end(p_task_id, -v_attempt, p_started_at is not null);
        return -v_attempt;
    end if;
    -- The name is running already: that attempt was restarted without a word.
    perform monitoring._complete_task(p_task_id, 'lost', null, null, null, null, v_started_at);
    return monitoring._start_task(
        p_task_id, p_task_type, p_input_size, p_worker_id, p_parent_task_id, p_metadata,
        p_items_total, v_started_at
    );
end
$$;

create or replace function monitoring.start_task_tracking(
    p_task_id text,
    p_task_type text,
    p_input_size double precision default null,
    p_worker_id text default null,
    p_parent_task_id text default null,
    p_metadata jsonb default null,
    p_items_total double precision default null,
    p_started_at timestamptz default null
)
returns integer
language sql
volatile
return monitoring._start_task(
    coalesce(p_task_id, ''), p_task_type, monitoring._whole(p_input_size), p_worker_id,
    p_parent_task_id, p_metadata, monitoring._whole(p_items_total), p_started_at
);

comment on function monitoring.start_task_tracking(
    text, text, double precision, text, text, jsonb, double precision, timestamptz
) is
'Begins a task and returns the number of the attempt: 1, or one more for each '
'restart since the task last succeeded. A running task of that name is closed as lost.';
