-- depends: 0021_enabled_sources 0024_moved_clocks
-- squawk-ignore-file require-concurrent-index-creation, prefer-bigint-over-int

-- What is not of today or yesterday, or finds no partition, waits in one small table a kind until a
-- job places it. So recording makes no partition, and days that are over can be closed.

set local lock_timeout = '5s';

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

create table monitoring.late_log_lines (
    like monitoring.log_lines including defaults including comments,
    constraint late_log_lines_pk primary key (component, logged_at, log_id)
);

-- Serves every question about a span of time, and the job that places rows.
create index late_log_lines_time_ix on monitoring.late_log_lines (logged_at);

comment on table monitoring.late_log_lines is
'Log lines that were not of the day or the one before when they were recorded, or found no '
'partition; they wait here to be placed in log_lines.';

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

create table monitoring.late_status_changes (
    like monitoring.status_changes including defaults including comments,
    constraint late_status_changes_pk primary key (dataset, recorded_at, change_id)
);

-- Serves every question about a span of time, and the job that places rows.
create index late_status_changes_time_ix on monitoring.late_status_changes (recorded_at);

-- Serves the history of one record.
create index late_status_changes_record_ix on monitoring.late_status_changes (record_key);

comment on table monitoring.late_status_changes is
'Changes of status that were not of the day or the one before when they were recorded, or found no '
'partition; they wait here to be placed in status_changes.';

-- Days before open_since_at have no new rows but those of the late tables: whoever records puts
-- rows of today and yesterday alone into a partition, and the transactions that could have done so
-- earlier have ended.
alter table monitoring.rollup_progress
add column open_since_at timestamptz not null default '-infinity',
add column closing_to_at timestamptz,
add column closing_sessions text[];

comment on column monitoring.rollup_progress.open_since_at is
'Beginning of the oldest day that rows may still be recorded in; of the days before, all rows are '
'rolled up.';
comment on column monitoring.rollup_progress.closing_to_at is
'Where the open days will begin when all transactions that could have recorded before have ended; '
'null when no day is about to be closed.';
comment on column monitoring.rollup_progress.closing_sessions is
'Virtual numbers of the transactions that ran when the closing began, or those that were prepared '
'meanwhile, and must end before.';

-- Uptime goes on from the check that is the newest by its time, whichever is the state.
alter table monitoring.component_states
add column latest_checked_at timestamptz,
add column latest_probe_id bigint,
add column latest_status text;

update monitoring.component_states
set latest_checked_at = checked_at, latest_probe_id = probe_id, latest_status = status;

comment on column monitoring.component_states.latest_checked_at is
'Time of the check that is the newest by its time, as far as they are rolled up; null when '
'unknown.';
comment on column monitoring.component_states.latest_probe_id is
'Number of that check.';
comment on column monitoring.component_states.latest_status is
'What it found.';

-- Not due before the function comes with the code, which is loaded after the migrations.
insert into monitoring.jobs (
    job_name, description, schedule, procedure_name, timeout_seconds, next_run_at
)
values
(
    'place_late_rows', 'Places what was recorded late in its day.', '10 minutes',
    'monitoring.place_late_rows', 600, now() + interval '10 minutes'
);

insert into monitoring.installed_migrations (migration_id) values ('0030_late_rows');
