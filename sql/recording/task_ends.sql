-- Ends of attempts that are not the running one: told twice, told late, or told before their start.
-- Different facts are never taken for one; only an equal end told again is. Writes finished_tasks,
-- unsuccessful_attempts and recounts.

-- Writes a finished attempt, a microsecond later where that very instant has one.
create or replace function monitoring._add_finished_task(p_task monitoring._all_finished_tasks)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Another end may have been told of the same instant.
    while monitoring._is_in_history(p_task.task_id, p_task.finished_at, p_task.attempt) loop
        p_task.finished_at := p_task.finished_at + interval '1 microsecond';
    end loop;
    if monitoring._is_late('finished_tasks', p_task.finished_at) then
        insert into monitoring.late_finished_tasks (
            task_id, attempt, task_type, status, started_at, finished_at, duration_ms,
            input_size, output_size, items_done, items_total, backend_pid, worker_id,
            parent_task_id, step_durations, counters, metadata
        )
        values (
            p_task.task_id, p_task.attempt, p_task.task_type, p_task.status, p_task.started_at,
            p_task.finished_at,
            date_part('epoch', p_task.finished_at - p_task.started_at) * 1000,
            p_task.input_size, p_task.output_size, p_task.items_done, p_task.items_total,
            p_task.backend_pid, p_task.worker_id, p_task.parent_task_id, p_task.step_durations,
            p_task.counters, p_task.metadata
        );
    else
        insert into monitoring.finished_tasks (
            task_id, attempt, task_type, status, started_at, finished_at, duration_ms,
            input_size, output_size, items_done, items_total, backend_pid, worker_id,
            parent_task_id, step_durations, counters, metadata
        )
        values (
            p_task.task_id, p_task.attempt, p_task.task_type, p_task.status, p_task.started_at,
            p_task.finished_at,
            date_part('epoch', p_task.finished_at - p_task.started_at) * 1000,
            p_task.input_size, p_task.output_size, p_task.items_done, p_task.items_total,
            p_task.backend_pid, p_task.worker_id, p_task.parent_task_id, p_task.step_durations,
            p_task.counters, p_task.metadata
        );
    end if;
end
$$;

-- Removes a finished attempt, wherever it is, for another to take its place.
create or replace function monitoring._remove_finished_task(p_task monitoring._all_finished_tasks)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.finished_tasks t
    where t.task_id = p_task.task_id
        and t.finished_at = p_task.finished_at
        and t.attempt = p_task.attempt;
    if not found then
        delete from monitoring.late_finished_tasks t
        where t.task_id = p_task.task_id
            and t.finished_at = p_task.finished_at
            and t.attempt = p_task.attempt;
    end if;
    -- A roll-up may have counted it.
    insert into monitoring.recounts (source, hour_at)
    values ('tasks', date_trunc('hour', p_task.finished_at, 'UTC'))
    on conflict do nothing;
end
$$;

-- Whether what is told of an end is known of it already.
create or replace function monitoring._says_nothing_new(
    p_known monitoring._all_finished_tasks, p_told monitoring._all_finished_tasks
)
returns boolean
language sql
stable
return (p_known).status = (p_told).status
and (
    (p_told).output_size is null
    or (p_told).output_size is not distinct from (p_known).output_size
)
and ((p_told).items_done is null or (p_told).items_done is not distinct from (p_known).items_done)
and (
    (p_told).items_total is null
    or (p_told).items_total is not distinct from (p_known).items_total
)
and (
    (p_told).step_durations is null
    or (p_told).step_durations is not distinct from (p_known).step_durations
)
and coalesce((p_known).counters, '{}') @> coalesce((p_told).counters, '{}')
and coalesce((p_known).metadata, '{}') @> coalesce((p_told).metadata, '{}');

-- Whether an end is one that was recorded before, told again.
create or replace function monitoring._is_told_again(
    p_end monitoring._all_finished_tasks, p_is_time_told boolean
)
returns boolean
language sql
volatile
return exists (
    select from monitoring._all_finished_tasks as t
    where
        t.task_id = (p_end).task_id
        and t.attempt = coalesce((p_end).attempt, t.attempt)
        -- Who gives the time says which end it is. Else a retry comes within seconds; of an
        -- attempt that is named there is but one end.
        and t.finished_at between (p_end).finished_at - case
            when p_is_time_told then interval '0'
            when (p_end).attempt is not null then interval '1 hour'
            else interval '10 seconds'
        end and (p_end).finished_at
        and monitoring._says_nothing_new(row(t.*)::monitoring._all_finished_tasks, p_end)
);

-- What is known of an attempt that ended within days of a time: its newest end.
create or replace function monitoring._known_attempt(
    p_task_id text, p_attempt integer, p_at timestamptz
)
returns monitoring._all_finished_tasks
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_known monitoring._all_finished_tasks;
begin
    select t.* into v_known
    from monitoring._all_finished_tasks t
    where t.task_id = p_task_id
        and t.attempt = p_attempt
        and t.finished_at > p_at - interval '8 days'
        and t.finished_at < p_at + interval '8 days'
    order by t.finished_at desc
    limit 1;
    return v_known;
end
$$;

-- Puts the told end of an attempt in the place of the assumption that it was lost, which stays
-- in its metadata as taken_for_lost_at.
create or replace function monitoring._correct_lost(
    p_known monitoring._all_finished_tasks, p_end monitoring._all_finished_tasks
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task monitoring._all_finished_tasks := p_known;
begin
    v_task.status := p_end.status;
    v_task.finished_at := greatest(p_end.finished_at, p_known.started_at);
    v_task.output_size := p_end.output_size;
    v_task.step_durations := p_end.step_durations;
    v_task.items_done := coalesce(p_end.items_done, p_known.items_done);
    v_task.items_total := coalesce(p_end.items_total, p_known.items_total);
    v_task.counters := monitoring._merged(p_known.counters, p_end.counters);
    v_task.metadata := monitoring._merged(
        monitoring._merged(p_known.metadata, p_end.metadata),
        jsonb_build_object('taken_for_lost_at', p_known.finished_at)
    );
    perform monitoring._remove_finished_task(p_known);
    perform monitoring._add_finished_task(v_task);

    if v_task.status = 'completed' then
        delete from monitoring.unsuccessful_attempts u
        where u.task_id = p_known.task_id and u.attempt = p_known.attempt;
    else
        update monitoring.unsuccessful_attempts u
        set finished_at = v_task.finished_at, status = v_task.status
        where u.task_id = p_known.task_id and u.attempt = p_known.attempt;
    end if;
end
$$;

-- Notes that an end came without a start, so that the start, should it come later, asks for it.
create or replace function monitoring._await_start(
    p_task_id text, p_finished_at timestamptz, p_is_time_told boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- One that follows the end of a whole run tells more of that, rather than of a start to come.
    if not p_is_time_told and exists (
        select from monitoring._all_finished_tasks t
        where t.task_id = p_task_id
            and t.finished_at between p_finished_at - interval '1 minute' and p_finished_at
            and t.started_at is not null
    ) then
        return;
    end if;
    update monitoring.unsuccessful_attempts u
    set early_end_at = p_finished_at
    where u.task_id = (
        select a.task_id from monitoring.unsuccessful_attempts a
        where a.task_id = p_task_id and a.early_end_at is null
        -- Whoever has it is about to write it; nobody waits for that.
        for update skip locked
    );
    if not found and not exists (
        select from monitoring.unsuccessful_attempts u where u.task_id = p_task_id
    ) then
        insert into monitoring.unsuccessful_attempts (task_id, attempt, finished_at, early_end_at)
        values (p_task_id, 0, p_finished_at, p_finished_at)
        on conflict do nothing;
    end if;
end
$$;

-- Records the end of an attempt that is not running, unless it is one told again: in the place
-- of an assumed loss, else as a row without a start. True when it was news.
create or replace function monitoring._note_end(
    p_task_id text,
    p_task_type text,
    p_status text,
    p_finished_at timestamptz,
    p_is_time_told boolean,
    p_attempt bigint,
    p_output_size bigint,
    p_step_durations jsonb,
    p_counters jsonb,
    p_metadata jsonb,
    p_items_done bigint default null,
    p_items_total bigint default null
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_end monitoring._all_finished_tasks;
    v_known monitoring._all_finished_tasks;
begin
    v_end.task_id := p_task_id;
    v_end.attempt := monitoring._mended_attempt(p_attempt);
    v_end.task_type := p_task_type;
    v_end.status := p_status;
    v_end.finished_at := p_finished_at;
    v_end.output_size := p_output_size;
    v_end.items_done := p_items_done;
    v_end.items_total := p_items_total;
    v_end.step_durations := p_step_durations;
    v_end.counters := p_counters;
    v_end.metadata := p_metadata;
    if monitoring._is_told_again(v_end, p_is_time_told) then
        return false;
    end if;
    if v_end.attempt is not null then
        v_known := monitoring._known_attempt(p_task_id, v_end.attempt, p_finished_at);
        if v_known.status = 'lost' and p_status <> 'lost' then
            perform monitoring._correct_lost(v_known, v_end);
            return true;
        end if;
        v_end.task_type := coalesce(v_known.task_type, p_task_type);
        v_end.worker_id := v_known.worker_id;
        v_end.parent_task_id := v_known.parent_task_id;
    else
        perform monitoring._await_start(p_task_id, p_finished_at, p_is_time_told);
        v_end.attempt := 1;
    end if;
    perform monitoring._add_finished_task(v_end);
    return true;
end
$$;

-- Closes the start that has just been told with the end that was told before it, if there is one
-- that is not earlier; forgets that it was looked for.
create or replace function monitoring._meet_early_end(
    p_task_id text, p_attempt integer, p_is_time_told boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_task monitoring.active_tasks;
    v_early monitoring._all_finished_tasks;
    v_task_row monitoring._all_finished_tasks;
begin
    update monitoring.active_tasks set attempt = p_attempt
    where task_id = p_task_id
    returning * into v_task;
    update monitoring.unsuccessful_attempts set early_end_at = null where task_id = p_task_id;
    delete from monitoring.unsuccessful_attempts where task_id = p_task_id and attempt = 0;

    select t.* into v_early
    from monitoring._all_finished_tasks t
    where t.task_id = p_task_id
        and t.started_at is null
        -- One that does not tell its time came just now: seconds after the end that overtook it.
        and t.finished_at >= v_task.started_at - case
            when p_is_time_told then interval '0' else interval '5 seconds'
        end
        and t.finished_at < v_task.started_at + interval '8 days'
    order by t.finished_at
    limit 1;
    if not found then
        return;
    end if;

    perform monitoring._remove_finished_task(v_early);
    delete from monitoring.active_tasks where task_id = p_task_id;
    v_task_row := v_early;
    v_task_row.attempt := p_attempt;
    v_task_row.task_type := v_task.task_type;
    v_task_row.started_at := least(v_task.started_at, v_early.finished_at);
    v_task_row.input_size := v_task.input_size;
    v_task_row.items_total := coalesce(v_early.items_total, v_task.items_total);
    v_task_row.backend_pid := v_task.backend_pid;
    v_task_row.worker_id := v_task.worker_id;
    v_task_row.parent_task_id := v_task.parent_task_id;
    v_task_row.metadata := monitoring._merged(v_task.metadata, v_early.metadata);
    perform monitoring._add_finished_task(v_task_row);
    if v_early.status = 'completed' then
        delete from monitoring.unsuccessful_attempts where task_id = p_task_id;
    else
        perform monitoring._remember_attempt(
            p_task_id, p_attempt, v_early.finished_at, v_task.task_type, v_early.status
        );
    end if;
end
$$;
