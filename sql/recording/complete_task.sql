-- Ending a task: the row moves from active_tasks to finished_tasks.
-- Keeps unsuccessful_attempts, so that a restart finds its number. The end of an attempt that is
-- not the running one is noted by task_ends.sql.

call monitoring._ship_partitioned_table('finished_tasks', 'task_id', 'finished_at');
call monitoring._ship_retention('finished_tasks', '30 days');

-- Does the work of complete_task_tracking.
create or replace function monitoring._complete_task(
    p_task_id text,
    p_status text,
    p_output_size bigint,
    p_step_durations jsonb,
    p_counters jsonb,
    p_metadata jsonb,
    p_finished_at timestamptz,
    p_attempt bigint default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_finished_at timestamptz := coalesce(p_finished_at, monitoring.clock());
    v_is_plain boolean;
    v_is_late boolean := false;
    v_given text[];
    v_task monitoring.active_tasks;
begin
    v_is_plain := p_status in ('completed', 'failed', 'cancelled', 'timeout', 'lost')
        and (p_output_size is null or p_output_size >= 0)
        and monitoring._has_partition('finished_tasks', v_finished_at);
    if coalesce(p_step_durations, p_counters, p_metadata) is not null
        or p_finished_at is not null
    then
        v_is_plain := v_is_plain
            and (p_finished_at is null or monitoring._is_recent(p_finished_at))
            and monitoring._is_small_numbers(p_step_durations)
            and monitoring._is_small_numbers(p_counters)
            and monitoring._is_small_object(p_metadata);
    end if;
    if v_is_plain is not true then
        v_given := monitoring._end_in_order(p_task_id, p_status);
        p_task_id := v_given[1];
        p_status := v_given[2];
        p_status := monitoring._mended_end_status(p_status);
        p_output_size := monitoring._mended_size('output_size', p_output_size);
        p_step_durations := monitoring._mended_numbers('step_durations', p_step_durations);
        p_counters := monitoring._mended_numbers('counters', p_counters);
        p_metadata := monitoring._mended_object('metadata', p_metadata);
        v_finished_at := monitoring._event_time(p_finished_at);
        v_is_late := monitoring._is_late('finished_tasks', v_finished_at);
    end if;

    delete from monitoring.active_tasks
    where task_id = p_task_id and (p_attempt is null or attempt = p_attempt)
    returning * into v_task;
    if not found and not monitoring._is_plain_name(p_task_id) then
        p_task_id := monitoring._mended_name('task_id', p_task_id);
        delete from monitoring.active_tasks
        where task_id = p_task_id and (p_attempt is null or attempt = p_attempt)
        returning * into v_task;
    end if;
    if v_task.task_id is null then
        perform monitoring._note_end(
            p_task_id, 'unknown', p_status, v_finished_at, p_finished_at is not null, p_attempt,
            p_output_size, p_step_durations, p_counters, p_metadata
        );
        return false;
    end if;
    if p_finished_at is not null or v_finished_at <= v_task.started_at then
        -- Clocks of two machines may differ by a little; a task never ends before it began.
        v_finished_at := greatest(v_finished_at, v_task.started_at);
        v_is_late := monitoring._is_late('finished_tasks', v_finished_at);
        -- A run that is told again with its times is in history already. Asking costs only those
        -- who give a time, where "on conflict" would cost everyone.
        if monitoring._is_in_history(p_task_id, v_finished_at, v_task.attempt) then
            return true;
        end if;
    end if;

    -- Most ends bring neither, and to see that once costs less than two expressions in the insert.
    if coalesce(p_counters, p_metadata) is not null then
        v_task.counters := monitoring._merged(v_task.counters, p_counters);
        v_task.metadata := monitoring._merged(v_task.metadata, p_metadata);
    end if;
    if v_is_late then
        insert into monitoring.late_finished_tasks (
            task_id, attempt, task_type, status, started_at, finished_at, duration_ms,
            input_size, output_size, items_done, items_total, backend_pid, worker_id,
            parent_task_id, step_durations, counters, metadata
        )
        values (
            p_task_id, v_task.attempt, v_task.task_type, p_status, v_task.started_at, v_finished_at,
            date_part('epoch', v_finished_at - v_task.started_at) * 1000,
            v_task.input_size, p_output_size, v_task.items_done, v_task.items_total,
            v_task.backend_pid, v_task.worker_id, v_task.parent_task_id, p_step_durations,
            v_task.counters, v_task.metadata
        );
    else
        insert into monitoring.finished_tasks (
            task_id, attempt, task_type, status, started_at, finished_at, duration_ms,
            input_size, output_size, items_done, items_total, backend_pid, worker_id,
            parent_task_id, step_durations, counters, metadata
        )
        values (
            p_task_id, v_task.attempt, v_task.task_type, p_status, v_task.started_at, v_finished_at,
            date_part('epoch', v_finished_at - v_task.started_at) * 1000,
            v_task.input_size, p_output_size, v_task.items_done, v_task.items_total,
            v_task.backend_pid, v_task.worker_id, v_task.parent_task_id, p_step_durations,
            v_task.counters, v_task.metadata
        );
    end if;

    if p_status <> 'completed' then
        perform monitoring._remember_attempt(
            p_task_id, v_task.attempt, v_finished_at, v_task.task_type, p_status
        );
    elsif v_task.attempt > 1 then
        delete from monitoring.unsuccessful_attempts where task_id = p_task_id;
    end if;
    return true;
end
$$;

-- Whether an attempt that ended at that very time is recorded.
create or replace function monitoring._is_in_history(
    p_task_id text, p_finished_at timestamptz, p_attempt integer
)
returns boolean
language sql
stable
return exists (
    select from monitoring._all_finished_tasks as t
    where t.task_id = p_task_id and t.finished_at = p_finished_at and t.attempt = p_attempt
);

-- Notes that an attempt did not succeed, so that a restart is numbered after it, and rules see
-- it.
create or replace function monitoring._remember_attempt(
    p_task_id text,
    p_attempt integer,
    p_finished_at timestamptz,
    p_task_type text default null,
    p_status text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.unsuccessful_attempts (
        task_id, attempt, finished_at, task_type, status
    )
    values (p_task_id, p_attempt, p_finished_at, p_task_type, p_status)
    on conflict (task_id) do update
        set
            attempt = excluded.attempt,
            finished_at = excluded.finished_at,
            task_type = excluded.task_type,
            status = excluded.status;
end
$$;

create or replace function monitoring.complete_task_tracking(
    p_task_id text,
    p_status text default 'completed',
    p_output_size double precision default null,
    p_step_durations jsonb default null,
    p_counters jsonb default null,
    p_metadata jsonb default null,
    p_finished_at timestamptz default null,
    p_attempt bigint default null
)
returns boolean
language sql
volatile
return monitoring._complete_task(
    coalesce(p_task_id, ''), p_status, monitoring._whole(p_output_size), p_step_durations,
    p_counters, p_metadata, p_finished_at, p_attempt
);

comment on function monitoring.complete_task_tracking(
    text, text, double precision, jsonb, jsonb, jsonb, timestamptz, bigint
) is
'Ends a task, or that attempt of it, as completed, failed, cancelled, timeout or '
'lost, with milliseconds by step where given. Returns false when it was not running.';
