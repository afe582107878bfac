-- Heartbeats and progress of a running task. Writes active_tasks.

-- Does the work of update_task_progress.
create or replace function monitoring._update_task(
    p_task_id text,
    p_items_done bigint,
    p_items_total bigint,
    p_counters jsonb,
    p_at timestamptz,
    p_attempt bigint default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task_id text := monitoring._mended_name('task_id', p_task_id);
    -- A heartbeat from a clock that is ahead must not outlast those that follow it.
    v_now timestamptz := least(monitoring._event_time(p_at), monitoring.clock());
    v_done bigint := monitoring._mended_size('items_done', p_items_done);
    v_total bigint := monitoring._mended_size('items_total', p_items_total);
    v_counters jsonb := monitoring._mended_numbers('counters', p_counters);
begin
    update monitoring.active_tasks t
    set
        heartbeat_at = greatest(t.heartbeat_at, v_now),
        progress_at = case
            when v_done <> coalesce(t.items_done, 0)
                or monitoring._merged(t.counters, v_counters) is distinct from t.counters
                then greatest(t.progress_at, v_now)
            else t.progress_at
        end,
        items_done = coalesce(v_done, t.items_done),
        items_total = coalesce(v_total, t.items_total),
        counters = monitoring._merged(t.counters, v_counters),
        backend_pid = monitoring._speaking_backend()
    where t.task_id = v_task_id and (p_attempt is null or t.attempt = p_attempt);
    return found;
end
$$;

create or replace function monitoring.update_task_progress(
    p_task_id text,
    p_items_done double precision default null,
    p_items_total double precision default null,
    p_counters jsonb default null,
    p_at timestamptz default null,
    p_attempt bigint default null
)
returns boolean
language sql
volatile
return monitoring._update_task(
    coalesce(p_task_id, ''), monitoring._whole(p_items_done), monitoring._whole(p_items_total),
    p_counters, p_at, p_attempt
);

comment on function monitoring.update_task_progress(
    text, double precision, double precision, jsonb, timestamptz, bigint
) is
'Heartbeat of a running task, with items done, items expected and counters (object of numbers, '
'merged by key) where given. Returns false when the task, or that attempt of it, is not running.';
