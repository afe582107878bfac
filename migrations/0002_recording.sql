-- depends: 0001_schema_and_roles

-- What programs record: tasks, errors, metrics, log lines, health checks and depths of queues.
-- recorded_xid says which transaction recorded a row, and so whether a roll-up has seen it, however
-- late the row is or long its transaction took.
--
-- Of each kind, what is not of today or yesterday, or finds no partition, waits in one small table
-- until a job places it. So recording makes no partition, and days that are over can be closed.

set local lock_timeout = '200ms';

-- Tasks

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
    backend_pid integer,
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
'Process id of the database session that last spoke for the task; null where it came in a batch or '
'from a source.';
comment on column monitoring.active_tasks.worker_id is
'Host, process or thread that works on it.';
comment on column monitoring.active_tasks.parent_task_id is
'Task that this one is a part of.';
comment on column monitoring.active_tasks.counters is
'Object of numbers, such as {"succeeded": 12, "failed": 1}.';
comment on column monitoring.active_tasks.metadata is
'Object of whatever the caller wants to find again.';

-- What rules and restarts ask of tasks that have not succeeded since, without reading history. An
-- end that arrives before its start waits here as well: the start looks into this table anyway.
create table monitoring.unsuccessful_attempts (
    task_id text not null,
    attempt integer not null,
    task_type text,
    status text,
    finished_at timestamptz not null,
    early_end_at timestamptz,
    constraint unsuccessful_attempts_pk primary key (task_id)
);

-- Serves the rule about failed tasks, and retention.
create index unsuccessful_attempts_time_ix on monitoring.unsuccessful_attempts (finished_at);

comment on table monitoring.unsuccessful_attempts is
'Last attempt of each task that has not succeeded since, so that a restart can be numbered '
'without reading history.';
comment on column monitoring.unsuccessful_attempts.task_id is
'The caller''s name for the task.';
comment on column monitoring.unsuccessful_attempts.attempt is
'Number of the attempt that failed, timed out, was cancelled or got lost.';
comment on column monitoring.unsuccessful_attempts.task_type is
'What kind of work it was; null while nothing but an early end has been told.';
comment on column monitoring.unsuccessful_attempts.status is
'failed, cancelled, timeout or lost; null while nothing but an early end has been told.';
comment on column monitoring.unsuccessful_attempts.finished_at is
'When that attempt ended.';
comment on column monitoring.unsuccessful_attempts.early_end_at is
'When an end was told that fits no start yet, the start closes with it; attempt is 0 where there '
'was no unsuccessful attempt before.';

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
    recorded_xid bigint not null default txid_current(),
    constraint finished_tasks_pk primary key (task_id, finished_at, attempt)
)
partition by range (finished_at);

-- One index serves every question about a span of time, and the roll-ups' about what is new.
create index finished_tasks_time_ix on monitoring.finished_tasks
using brin (finished_at, recorded_xid) with (pages_per_range = 16, autosummarize = on);

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
comment on column monitoring.finished_tasks.recorded_xid is
'Transaction that recorded the row; tells roll-ups what is new.';

create table monitoring.late_finished_tasks (
    like monitoring.finished_tasks including defaults including comments,
    constraint late_finished_tasks_pk primary key (task_id, finished_at, attempt)
);

-- Serves every question about a span of time, and the job that places rows.
create index late_finished_tasks_time_ix on monitoring.late_finished_tasks (finished_at);

-- Serves the search for what is not rolled up yet.
create index late_finished_tasks_recorded_ix on monitoring.late_finished_tasks (recorded_xid);

comment on table monitoring.late_finished_tasks is
'Attempts that were not of the day or the one before when they were recorded, or found no '
'partition; they wait here to be placed in finished_tasks.';

-- Errors

create table monitoring.errors (
    error_id bigserial not null,
    task_id text not null,
    occurred_at timestamptz not null,
    error_type text not null,
    severity text not null,
    message text not null,
    component text,
    fingerprint text not null,
    details jsonb,
    stack text,
    recorded_xid bigint not null default txid_current(),
    constraint errors_pk primary key (task_id, occurred_at, error_id)
)
partition by range (occurred_at);

-- One index serves every question about a span of time, and the roll-ups' about what is new.
create index errors_time_ix on monitoring.errors
using brin (occurred_at, recorded_xid) with (pages_per_range = 16, autosummarize = on);

-- Serves "the last 50 critical errors", which a BRIN index cannot answer quickly.
create index errors_critical_ix on monitoring.errors (occurred_at desc)
where severity = 'critical';

comment on table monitoring.errors is
'Occurrences of errors, partitioned by the UTC day they occurred on; rows are never updated.';
comment on column monitoring.errors.error_id is
'Number of the occurrence, unique together with task and time; negative when a backfill chose it.';
comment on column monitoring.errors.task_id is
'Task that it happened in; empty when it happened outside any task.';
comment on column monitoring.errors.occurred_at is
'When it happened; decides the partition.';
comment on column monitoring.errors.error_type is
'Kind of error, usually the class of the exception.';
comment on column monitoring.errors.severity is
'low, medium, high or critical.';
comment on column monitoring.errors.message is
'What the program said; cut after 8,000 characters, with a note of the full length.';
comment on column monitoring.errors.component is
'Program, service or stage that spoke.';
comment on column monitoring.errors.fingerprint is
'Name of the error group: the caller''s own, or computed from type and message template.';
comment on column monitoring.errors.details is
'Whatever the caller wants to find again, as JSON.';
comment on column monitoring.errors.stack is
'Stack trace; cut after 65,536 characters, with a note of the full length.';
comment on column monitoring.errors.recorded_xid is
'Transaction that recorded the row; tells roll-ups what is new.';

create table monitoring.late_errors (
    like monitoring.errors including defaults including comments,
    constraint late_errors_pk primary key (task_id, occurred_at, error_id)
);

-- Serves every question about a span of time, and the job that places rows.
create index late_errors_time_ix on monitoring.late_errors (occurred_at);

-- Serves "the last 50 critical errors", as in each partition.
create index late_errors_critical_ix on monitoring.late_errors (occurred_at desc)
where severity = 'critical';

-- Serves the search for what is not rolled up yet.
create index late_errors_recorded_ix on monitoring.late_errors (recorded_xid);

comment on table monitoring.late_errors is
'Errors that were not of the day or the one before when they were recorded, or found no '
'partition; they wait here to be placed in errors.';

create table monitoring.error_group_states (
    fingerprint text not null,
    status text not null,
    muted_until timestamptz,
    note text,
    changed_by text not null,
    login_name text default session_user,
    changed_at timestamptz not null,
    constraint error_group_states_pk primary key (fingerprint),
    constraint error_group_states_status_is_known_ck check (status in ('resolved', 'muted')),
    constraint error_group_states_only_muted_have_an_end_ck check (
        status = 'muted' or muted_until is null
    )
);

comment on table monitoring.error_group_states is
'What people decided about error groups; a group without a row is open.';
comment on column monitoring.error_group_states.fingerprint is
'Name of the error group.';
comment on column monitoring.error_group_states.status is
'resolved (a later occurrence makes it regressed) or muted.';
comment on column monitoring.error_group_states.muted_until is
'When the mute ends; null for a mute without an end.';
comment on column monitoring.error_group_states.note is
'Why, in the words of whoever decided.';
comment on column monitoring.error_group_states.changed_by is
'Who decided.';
comment on column monitoring.error_group_states.login_name is
'Database user whose session decided it.';
comment on column monitoring.error_group_states.changed_at is
'When it was decided.';

-- Metrics

create table monitoring.metric_samples (
    sample_id bigserial not null,
    metric_name text not null,
    recorded_at timestamptz not null,
    metric_type text not null,
    value double precision not null,
    unit text,
    component text,
    task_id text,
    tags jsonb,
    recorded_xid bigint not null default txid_current(),
    constraint metric_samples_pk primary key (metric_name, recorded_at, sample_id)
)
partition by range (recorded_at);

-- One index serves every question about a span of time, and the roll-ups' about what is new.
create index metric_samples_time_ix on monitoring.metric_samples
using brin (recorded_at, recorded_xid) with (pages_per_range = 16, autosummarize = on);

comment on table monitoring.metric_samples is
'Measured values, partitioned by the UTC day they were measured on; rows are never updated.';
comment on column monitoring.metric_samples.sample_id is
'Number of the sample, unique together with name and time; negative when a backfill chose it.';
comment on column monitoring.metric_samples.metric_name is
'What was measured, such as rows_per_second.';
comment on column monitoring.metric_samples.recorded_at is
'When it was measured; decides the partition.';
comment on column monitoring.metric_samples.metric_type is
'How to read the value: gauge, counter, timer or a word of the caller''s own.';
comment on column monitoring.metric_samples.value is
'The measured value, finite.';
comment on column monitoring.metric_samples.unit is
'Unit of the value, such as ms or rows/s.';
comment on column monitoring.metric_samples.component is
'Program, service or stage that was measured.';
comment on column monitoring.metric_samples.task_id is
'Task that it was measured in.';
comment on column monitoring.metric_samples.tags is
'Object of labels, such as {"region": "north"}.';
comment on column monitoring.metric_samples.recorded_xid is
'Transaction that recorded the row; tells roll-ups what is new.';

create table monitoring.late_metric_samples (
    like monitoring.metric_samples including defaults including comments,
    constraint late_metric_samples_pk primary key (metric_name, recorded_at, sample_id)
);

-- Serves every question about a span of time, and the job that places rows.
create index late_metric_samples_time_ix on monitoring.late_metric_samples (recorded_at);

-- Serves the search for what is not rolled up yet.
create index late_metric_samples_recorded_ix on monitoring.late_metric_samples (recorded_xid);

comment on table monitoring.late_metric_samples is
'Measured values that were not of the day or the one before when they were recorded, or found no '
'partition; they wait here to be placed in metric_samples.';

-- Logs

create table monitoring.log_lines (
    log_id bigserial not null,
    component text not null,
    logged_at timestamptz not null,
    level text not null,
    message text not null,
    task_id text,
    duration_ms double precision,
    details jsonb,
    constraint log_lines_pk primary key (component, logged_at, log_id)
)
partition by range (logged_at);

-- Serves every question about a span of time.
create index log_lines_time_ix on monitoring.log_lines
using brin (logged_at) with (pages_per_range = 16, autosummarize = on);

comment on table monitoring.log_lines is
'Structured log lines, partitioned by the UTC day they were logged on; rows are never updated.';
comment on column monitoring.log_lines.log_id is
'Number of the line, unique together with component and time; negative when a backfill chose it.';
comment on column monitoring.log_lines.component is
'Program, service or stage that spoke.';
comment on column monitoring.log_lines.logged_at is
'When it was logged; decides the partition.';
comment on column monitoring.log_lines.level is
'DEBUG, INFO, WARNING, ERROR or CRITICAL.';
comment on column monitoring.log_lines.message is
'What the program said; cut after 8,000 characters, with a note of the full length.';
comment on column monitoring.log_lines.task_id is
'Task that it was said in.';
comment on column monitoring.log_lines.duration_ms is
'Milliseconds that the told operation took.';
comment on column monitoring.log_lines.details is
'Whatever the caller wants to find again, as JSON.';

create table monitoring.late_log_lines (
    like monitoring.log_lines including defaults including comments,
    constraint late_log_lines_pk primary key (component, logged_at, log_id)
);

-- Serves every question about a span of time, and the job that places rows.
create index late_log_lines_time_ix on monitoring.late_log_lines (logged_at);

comment on table monitoring.late_log_lines is
'Log lines that were not of the day or the one before when they were recorded, or found no '
'partition; they wait here to be placed in log_lines.';

-- Health

create table monitoring.health_probes (
    probe_id bigserial not null,
    component_name text not null,
    component_type text not null,
    checked_at timestamptz not null,
    status text not null,
    response_time_ms double precision,
    failure_reason text,
    details jsonb,
    recorded_xid bigint not null default txid_current(),
    constraint health_probes_pk primary key (component_name, checked_at, probe_id)
)
partition by range (checked_at);

-- One index serves every question about a span of time, and the roll-ups' about what is new.
create index health_probes_time_ix on monitoring.health_probes
using brin (checked_at, recorded_xid) with (pages_per_range = 16, autosummarize = on);

comment on table monitoring.health_probes is
'Results of health checks, partitioned by UTC day; the newest of a component is its state.';
comment on column monitoring.health_probes.probe_id is
'Number of the probe, unique together with component and time.';
comment on column monitoring.health_probes.component_name is
'Which component was checked.';
comment on column monitoring.health_probes.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.health_probes.checked_at is
'When it was checked; decides the partition.';
comment on column monitoring.health_probes.status is
'healthy, degraded, unhealthy or unknown.';
comment on column monitoring.health_probes.response_time_ms is
'Milliseconds until the component answered.';
comment on column monitoring.health_probes.failure_reason is
'What was wrong; cut after 8,000 characters.';
comment on column monitoring.health_probes.details is
'Whatever the caller wants to find again, as JSON.';
comment on column monitoring.health_probes.recorded_xid is
'Transaction that recorded the row; tells roll-ups what is new.';

create table monitoring.late_health_probes (
    like monitoring.health_probes including defaults including comments,
    constraint late_health_probes_pk primary key (component_name, checked_at, probe_id)
);

-- Serves every question about a span of time, and the job that places rows.
create index late_health_probes_time_ix on monitoring.late_health_probes (checked_at);

-- Serves the search for what is not rolled up yet.
create index late_health_probes_recorded_ix on monitoring.late_health_probes (recorded_xid);

comment on table monitoring.late_health_probes is
'Health checks that were not of the day or the one before when they were recorded, or found no '
'partition; they wait here to be placed in health_probes.';

-- Queues

create table monitoring.queue_samples (
    sample_id bigserial not null,
    queue_name text not null,
    recorded_at timestamptz not null,
    pending bigint not null,
    processing bigint not null,
    completed bigint not null,
    failed bigint not null,
    oldest_ready_seconds double precision,
    recorded_xid bigint not null default txid_current(),
    constraint queue_samples_pk primary key (queue_name, recorded_at, sample_id)
)
partition by range (recorded_at);

-- One index serves every question about a span of time, and the roll-ups' about what is new.
create index queue_samples_time_ix on monitoring.queue_samples
using brin (recorded_at, recorded_xid) with (pages_per_range = 16, autosummarize = on);

comment on table monitoring.queue_samples is
'Depths of queues as they were sampled, partitioned by UTC day; rows are never updated.';
comment on column monitoring.queue_samples.sample_id is
'Number of the sample, unique together with queue and time.';
comment on column monitoring.queue_samples.queue_name is
'Which queue was looked at.';
comment on column monitoring.queue_samples.recorded_at is
'When it was looked at; decides the partition.';
comment on column monitoring.queue_samples.pending is
'Items waiting.';
comment on column monitoring.queue_samples.processing is
'Items being worked on.';
comment on column monitoring.queue_samples.completed is
'Items done so far, a running total.';
comment on column monitoring.queue_samples.failed is
'Items failed so far, a running total.';
comment on column monitoring.queue_samples.oldest_ready_seconds is
'Seconds that the oldest waiting item has been ready; null when unknown or nothing waits.';
comment on column monitoring.queue_samples.recorded_xid is
'Transaction that recorded the row; tells roll-ups what is new.';

create table monitoring.late_queue_samples (
    like monitoring.queue_samples including defaults including comments,
    constraint late_queue_samples_pk primary key (queue_name, recorded_at, sample_id)
);

-- Serves every question about a span of time, and the job that places rows.
create index late_queue_samples_time_ix on monitoring.late_queue_samples (recorded_at);

-- Serves the search for what is not rolled up yet.
create index late_queue_samples_recorded_ix on monitoring.late_queue_samples (recorded_xid);

comment on table monitoring.late_queue_samples is
'Samples of queues that were not of the day or the one before when they were recorded, or found no '
'partition; they wait here to be placed in queue_samples.';

create table monitoring.senders (
    sender uuid not null,
    number bigint not null,
    attempts jsonb not null,
    sent_at timestamptz not null,
    constraint senders_pk primary key (sender),
    constraint senders_number_is_positive_ck check (number >= 1)
)
-- Room for the next number to stay on its page.
with (fillfactor = 50);

-- Serves the removal of old rows.
create index senders_time_ix on monitoring.senders (sent_at);

comment on table monitoring.senders is
'Programs that send what they record in numbered batches, so that each batch is recorded once.';
comment on column monitoring.senders.sender is
'Name that a program has chosen for itself, new at each start.';
comment on column monitoring.senders.number is
'Number of the last batch that was recorded.';
comment on column monitoring.senders.attempts is
'Attempts of its runs that have begun and not ended, by the numbers that it gave them.';
comment on column monitoring.senders.sent_at is
'When that batch came.';

create table monitoring.pings (
    ping_name text not null,
    ping_id uuid not null default gen_random_uuid(),
    made_at timestamptz not null,
    made_by text not null,
    constraint pings_pk primary key (ping_name),
    constraint pings_ids_are_unique_uq unique (ping_id)
);

comment on table monitoring.pings is
'Names that pings may come under, and what stands for each in an address.';
comment on column monitoring.pings.ping_name is
'Name of the work that pings tell of; runs have it as their type.';
comment on column monitoring.pings.ping_id is
'Stands for the name in an address that is to be no name, and needs no key.';
comment on column monitoring.pings.made_at is
'When the first ping came, or somebody defined it.';
comment on column monitoring.pings.made_by is
'Database user who did.';

insert into monitoring.installed_migrations (migration_id) values ('0002_recording');
