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
