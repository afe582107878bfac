-- depends: 0001_schema_and_roles

set local lock_timeout = '5s';

-- Running tasks sit in one small table; completion moves the row into history, which is only
-- ever inserted into. Finding stuck work reads the small table, and retention drops partitions.

create table monitoring.active_tasks (
    task_id text not null,
    attempt integer not null,
    task_type text not null,
    started_at timestamptz not null,
    heartbeat_at timestamptz not null,
    progress_at timestamptz not null,
    input_size bigint,
    items_done bigint,
    items_total bigint,
    backend_pid integer not null,
    worker_id text,
    parent_task_id text,
    counters jsonb,
    metadata jsonb,
    constraint active_tasks_pk primary key (task_id)
)
with (
    -- Room for heartbeats to stay on their page, and vacuum before the table can grow.
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);

comment on table monitoring.active_tasks is
'Tasks that are running now, one row each; completion moves the row to finished_tasks.';
comment on column monitoring.active_tasks.task_id is
'The caller''s name for the task; never updated.';
comment on column monitoring.active_tasks.attempt is
'1 for a first try; one more for each restart of a task that has not succeeded since.';
comment on column monitoring.active_tasks.task_type is
'What kind of work it is; statistics and rules go by it.';
comment on column monitoring.active_tasks.started_at is
'When the attempt began.';
comment on column monitoring.active_tasks.heartbeat_at is
'When the task last spoke, whether or not it had got further.';
comment on column monitoring.active_tasks.progress_at is
'When the task last got further: items done or a counter changed.';
comment on column monitoring.active_tasks.input_size is
'Size of the input, in the unit the caller chose, usually bytes.';
comment on column monitoring.active_tasks.items_done is
'Items done so far.';
comment on column monitoring.active_tasks.items_total is
'Items expected altogether; null when unknown.';
comment on column monitoring.active_tasks.backend_pid is
'Process id of the database session that last spoke for the task.';
comment on column monitoring.active_tasks.worker_id is
'Host, process or thread that works on it.';
comment on column monitoring.active_tasks.parent_task_id is
'Task that this one is a part of.';
comment on column monitoring.active_tasks.counters is
'Object of numbers, such as {"succeeded": 12, "failed": 1}.';
comment on column monitoring.active_tasks.metadata is
'Object of whatever the caller wants to find again.';

create table monitoring.unsuccessful_attempts (
    task_id text not null,
    attempt integer not null,
    finished_at timestamptz not null,
    constraint unsuccessful_attempts_pk primary key (task_id)
);

comment on table monitoring.unsuccessful_attempts is
'Last attempt of each task that has not succeeded since, so that a restart can be numbered '
'without reading history.';
comment on column monitoring.unsuccessful_attempts.task_id is
'The caller''s name for the task.';
comment on column monitoring.unsuccessful_attempts.attempt is
'Number of the attempt that failed, timed out, was cancelled or got lost.';
comment on column monitoring.unsuccessful_attempts.finished_at is
'When that attempt ended.';

create table monitoring.finished_tasks (
    task_id text not null,
    attempt integer not null,
    task_type text not null,
    status text not null,
    started_at timestamptz,
    finished_at timestamptz not null,
    duration_ms double precision,
    input_size bigint,
    output_size bigint,
    items_done bigint,
    items_total bigint,
    backend_pid integer,
    worker_id text,
    parent_task_id text,
    step_durations jsonb,
    counters jsonb,
    metadata jsonb,
    constraint finished_tasks_pk primary key (task_id, finished_at, attempt)
)
partition by range (finished_at);

-- Serves every question about a span of time, at a three-hundredth of a b-tree's size.
create index finished_tasks_time_ix on monitoring.finished_tasks
using brin (finished_at) with (pages_per_range = 16, autosummarize = on);

comment on table monitoring.finished_tasks is
'Attempts that have ended, partitioned by the UTC day they ended on; rows are never updated.';
comment on column monitoring.finished_tasks.task_id is
'The caller''s name for the task.';
comment on column monitoring.finished_tasks.attempt is
'Number of the attempt; see active_tasks.';
comment on column monitoring.finished_tasks.task_type is
'What kind of work it was; unknown when only its end was told.';
comment on column monitoring.finished_tasks.status is
'completed, failed, cancelled, timeout or lost (restarted or gone without a word).';
comment on column monitoring.finished_tasks.started_at is
'When the attempt began; null when only its end was told.';
comment on column monitoring.finished_tasks.finished_at is
'When the attempt ended; decides the partition.';
comment on column monitoring.finished_tasks.duration_ms is
'Milliseconds from start to end; null when the start is unknown.';
comment on column monitoring.finished_tasks.input_size is
'Size of the input, in the unit the caller chose, usually bytes.';
comment on column monitoring.finished_tasks.output_size is
'Size of the output, in the unit the caller chose, usually bytes.';
comment on column monitoring.finished_tasks.items_done is
'Items done when it ended, as last told.';
comment on column monitoring.finished_tasks.items_total is
'Items expected altogether; null when unknown.';
comment on column monitoring.finished_tasks.backend_pid is
'Process id of the database session that last spoke for the task; null for bulk records.';
comment on column monitoring.finished_tasks.worker_id is
'Host, process or thread that worked on it.';
comment on column monitoring.finished_tasks.parent_task_id is
'Task that this one was a part of.';
comment on column monitoring.finished_tasks.step_durations is
'Object of milliseconds by step, such as {"extract": 120, "load": 40.5}.';
comment on column monitoring.finished_tasks.counters is
'Object of numbers, such as {"succeeded": 12, "failed": 1}.';
comment on column monitoring.finished_tasks.metadata is
'Object of whatever the caller wants to find again.';

insert into monitoring.partitioned_tables (table_name, key_column, time_column)
values ('finished_tasks', 'task_id', 'finished_at');

insert into monitoring.installed_migrations (migration_id) values ('0002_tasks');
