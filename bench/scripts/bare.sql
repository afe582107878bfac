-- The floor: the same rows in tables without index, partition, function or right.
create schema bare;

create table bare.tasks (
    task_id text primary key, attempt integer, task_type text, status text,
    started_at timestamptz, finished_at timestamptz, duration_ms double precision,
    input_size bigint, output_size bigint, worker_id text, metadata jsonb
);

create table bare.errors (
    error_id bigint, task_id text, occurred_at timestamptz, error_type text, severity text,
    message text, component text, fingerprint text, details jsonb, stack text
);

create table bare.metrics (
    sample_id bigint, metric_name text, recorded_at timestamptz, metric_type text,
    value double precision, unit text, component text, task_id text, tags jsonb
);

create table bare.logs (
    log_id bigint, component text, logged_at timestamptz, level text, message text,
    task_id text, duration_ms double precision, details jsonb
);

create table bare.queues (
    sample_id bigint, queue_name text, recorded_at timestamptz, pending bigint,
    processing bigint, completed bigint, failed bigint, oldest_ready_seconds double precision
);

-- What a start and an end cost when PL/pgSQL does them and checks nothing: the rows of pgvigil in
-- the tables of pgvigil, with its rights and its search path.
create function bare.start_task(
    p_task_id text, p_task_type text, p_input_size bigint, p_worker_id text
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := clock_timestamp();
    v_attempt integer;
begin
    insert into monitoring.active_tasks (
        task_id, attempt, task_type, started_at, heartbeat_at, progress_at, input_size,
        backend_pid, worker_id
    )
    values (
        p_task_id, 1, p_task_type, v_now, v_now, v_now, p_input_size, pg_backend_pid(), p_worker_id
    )
    returning attempt into v_attempt;
    return v_attempt;
end
$$;

create function bare.complete_task(p_task_id text, p_status text, p_output_size bigint)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := clock_timestamp();
    v_task monitoring.active_tasks;
begin
    delete from monitoring.active_tasks where task_id = p_task_id returning * into v_task;
    insert into monitoring.finished_tasks (
        task_id, attempt, task_type, status, started_at, finished_at, duration_ms, input_size,
        output_size, items_done, items_total, backend_pid, worker_id, parent_task_id, counters,
        metadata
    )
    values (
        p_task_id, v_task.attempt, v_task.task_type, p_status, v_task.started_at, v_now,
        date_part('epoch', v_now - v_task.started_at) * 1000, v_task.input_size, p_output_size,
        v_task.items_done, v_task.items_total, v_task.backend_pid, v_task.worker_id,
        v_task.parent_task_id, v_task.counters, v_task.metadata
    );
    return true;
end
$$;
