-- depends: 0002_recording

-- Roll-ups: what was recorded, by minute, hour and day, how far they are, and which names they tell
-- apart.

set local lock_timeout = '200ms';

create type monitoring.histogram as (
    cells smallint [],
    counts bigint []
);

comment on type monitoring.histogram is
'How many values fell into each log-scaled cell: two parallel arrays in ascending order of cells, '
'of those cells that are not empty. Each cell is 5 % wide.';
comment on column monitoring.histogram.cells is
'Numbers of the cells; see _histogram_cell().';
comment on column monitoring.histogram.counts is
'Number of values in each of them.';

create table monitoring.rollups (
    source text not null,
    name text not null,
    label text not null,
    component text not null,
    resolution text not null,
    bucket_at timestamptz not null,
    row_count bigint not null,
    value_count bigint not null,
    value_sum double precision not null,
    value_sum_squares double precision not null,
    value_min double precision,
    value_max double precision,
    histogram monitoring.histogram,
    constraint rollups_pk primary key (source, bucket_at, name, label, component, resolution)
)
partition by list (resolution);

-- Every run of the roll-up writes the newest buckets again: room for that on their own pages.
create table monitoring.rollups_minute partition of monitoring.rollups for values in ('minute')
with (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0
);
create table monitoring.rollups_hour partition of monitoring.rollups for values in ('hour')
with (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);
create table monitoring.rollups_day partition of monitoring.rollups for values in ('day')
with (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

-- Serves the removal of old ones.
create index rollups_time_ix on monitoring.rollups
using brin (bucket_at) with (pages_per_range = 16, autosummarize = on);

comment on table monitoring.rollups is
'What was recorded, by minute, hour and day: counts, sums and histograms that can be added up over '
'any span. Kept longer than the rows themselves.';
comment on column monitoring.rollups.source is
'tasks, errors, metrics, queues, health (checks) or uptime (seconds in each state of health).';
comment on column monitoring.rollups.name is
'Task type, error type, metric, queue or component, as the source has it.';
comment on column monitoring.rollups.label is
'Status of tasks and health, severity of errors, unit of metrics, or which figure of a queue.';
comment on column monitoring.rollups.component is
'Component of errors and metrics, type of a component for health; empty when there is none.';
comment on column monitoring.rollups.resolution is
'minute, hour or day; decides the partition.';
comment on column monitoring.rollups.bucket_at is
'Beginning of the minute, hour or day, in UTC.';
comment on column monitoring.rollups.row_count is
'Rows recorded.';
comment on column monitoring.rollups.value_count is
'How many of them had a value: milliseconds of tasks and health checks, the measure of metrics, '
'the figure of queues; errors have none.';
comment on column monitoring.rollups.value_sum is
'Sum of the values; for uptime the seconds.';
comment on column monitoring.rollups.value_sum_squares is
'Sum of their squares.';
comment on column monitoring.rollups.value_min is
'Least value.';
comment on column monitoring.rollups.value_max is
'Greatest value.';
comment on column monitoring.rollups.histogram is
'Distribution of the values; null when there are none.';

-- Days before open_since_at have no new rows but those of the late tables: whoever records puts
-- rows of today and yesterday alone into a partition, and the transactions that could have done so
-- earlier have ended.
create table monitoring.rollup_progress (
    table_name text not null,
    source text not null,
    claimed_below bigint not null default 0,
    still_open bigint[] not null default '{}',
    complete_since timestamptz not null default '-infinity',
    open_since_at timestamptz not null default '-infinity',
    closing_to_at timestamptz,
    closing_sessions text[],
    rolled_up_at timestamptz,
    system_identifier bigint,
    xid_offset bigint not null default 0,
    constraint rollup_progress_pk primary key (table_name),
    constraint rollup_progress_source_uq unique (source)
);

comment on table monitoring.rollup_progress is
'How far each table has been rolled up: rows of transactions below claimed_below are in the '
'roll-ups, except those of transactions that were still open.';
comment on column monitoring.rollup_progress.table_name is
'Table whose rows are rolled up.';
comment on column monitoring.rollup_progress.source is
'What roll-ups call it.';
comment on column monitoring.rollup_progress.claimed_below is
'First transaction that no roll-up has looked at.';
comment on column monitoring.rollup_progress.still_open is
'Transactions below that which had not ended when it looked.';
comment on column monitoring.rollup_progress.complete_since is
'From here on no rows have been removed, so that roll-ups can be rebuilt from them.';
comment on column monitoring.rollup_progress.open_since_at is
'Beginning of the oldest day that rows may still be recorded in; of the days before, all rows are '
'rolled up.';
comment on column monitoring.rollup_progress.closing_to_at is
'Where the open days will begin when all transactions that could have recorded before have ended; '
'null when no day is about to be closed.';
comment on column monitoring.rollup_progress.closing_sessions is
'Virtual numbers of the transactions that ran when the closing began, or those that were prepared '
'meanwhile, and must end before.';
comment on column monitoring.rollup_progress.rolled_up_at is
'When it was last rolled up.';
comment on column monitoring.rollup_progress.system_identifier is
'Server that it was rolled up on, as pg_control_system() has it; tells that a dump was restored.';
comment on column monitoring.rollup_progress.xid_offset is
'What is added to the numbers of transactions here, so that they follow those of the server that '
'the rows were restored from.';

-- A row that takes the place of another is counted once: the next roll-up counts that hour anew.
create table monitoring.recounts (
    source text not null,
    hour_at timestamptz not null,
    recorded_xid bigint not null default txid_current(),
    constraint recounts_pk primary key (source, hour_at, recorded_xid)
);

comment on table monitoring.recounts is
'Hours from which a row that may be in the roll-ups was taken back; the next roll-up counts them '
'anew.';
comment on column monitoring.recounts.source is
'Which roll-ups: tasks.';
comment on column monitoring.recounts.hour_at is
'Beginning of the hour.';
comment on column monitoring.recounts.recorded_xid is
'Transaction that noted it, so that nobody waits for another who notes the same hour.';

create table monitoring.error_group_totals (
    fingerprint text not null,
    error_type text not null,
    severity text not null,
    component text not null,
    example text not null,
    occurrences bigint not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    last_error_id bigint not null,
    constraint error_group_totals_pk primary key (fingerprint, error_type, severity, component)
)
with (fillfactor = 70);

-- Serves the search for new groups. When a group was first seen hardly ever changes, so that what
-- is rolled up still stays on its page.
create index error_group_totals_first_seen_ix on monitoring.error_group_totals (first_seen_at);

comment on table monitoring.error_group_totals is
'Error groups by type, severity and component, as far as they are rolled up.';
comment on column monitoring.error_group_totals.fingerprint is
'Name of the error group.';
comment on column monitoring.error_group_totals.severity is
'low, medium, high or critical.';
comment on column monitoring.error_group_totals.component is
'Program, service or stage that spoke; empty when unknown.';
comment on column monitoring.error_group_totals.error_type is
'Kind of error.';
comment on column monitoring.error_group_totals.example is
'Message of the newest occurrence.';
comment on column monitoring.error_group_totals.occurrences is
'How often it was recorded.';
comment on column monitoring.error_group_totals.first_seen_at is
'When it first happened.';
comment on column monitoring.error_group_totals.last_seen_at is
'When it last happened.';
comment on column monitoring.error_group_totals.last_error_id is
'Number of the newest occurrence.';

-- Uptime goes on from the check that is the newest by its time, whichever is the state.
create table monitoring.component_states (
    component_name text not null,
    component_type text not null,
    checked_at timestamptz not null,
    probe_id bigint not null,
    status text not null,
    response_time_ms double precision,
    failure_reason text,
    details jsonb,
    last_unhealthy_at timestamptz,
    latest_checked_at timestamptz,
    latest_probe_id bigint,
    latest_status text,
    constraint component_states_pk primary key (component_name, component_type)
)
with (fillfactor = 70);

comment on table monitoring.component_states is
'Newest health check of each component, as far as they are rolled up.';
comment on column monitoring.component_states.component_name is
'Which component was checked.';
comment on column monitoring.component_states.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.component_states.checked_at is
'When it was last checked.';
comment on column monitoring.component_states.probe_id is
'Number of that check.';
comment on column monitoring.component_states.status is
'healthy, degraded, unhealthy or unknown.';
comment on column monitoring.component_states.response_time_ms is
'Milliseconds until the component answered.';
comment on column monitoring.component_states.failure_reason is
'What was wrong.';
comment on column monitoring.component_states.details is
'Whatever the caller wanted to find again, as JSON.';
comment on column monitoring.component_states.last_unhealthy_at is
'When a check last found it unhealthy; null when none has.';
comment on column monitoring.component_states.latest_checked_at is
'Time of the check that is the newest by its time, as far as they are rolled up; null when '
'unknown.';
comment on column monitoring.component_states.latest_probe_id is
'Number of that check.';
comment on column monitoring.component_states.latest_status is
'What it found.';

-- How many names there may be: of task types, errors, metrics, queues and components, and alerts of
-- a rule. What comes beyond is counted as "(other)".

create table monitoring.name_limits (
    kind text not null,
    description text not null,
    shipped_at_most integer not null,
    at_most integer,
    changed_by text,
    changed_at timestamptz,
    is_reached boolean not null default false,
    beyond bigint not null default 0,
    examples text[] not null default '{}',
    beyond_at timestamptz,
    constraint name_limits_pk primary key (kind),
    constraint name_limits_are_sensible_ck check (at_most between 10 and 100000)
);

comment on table monitoring.name_limits is
'How many names of each kind are told apart; what comes beyond is counted as "(other)".';
comment on column monitoring.name_limits.kind is
'tasks, errors, metrics, queues, health, error_groups or alerts.';
comment on column monitoring.name_limits.description is
'What is counted.';
comment on column monitoring.name_limits.shipped_at_most is
'How many there may be while nobody has decided.';
comment on column monitoring.name_limits.at_most is
'How many there may be by somebody''s decision; null when nobody has decided.';
comment on column monitoring.name_limits.changed_by is
'Who decided.';
comment on column monitoring.name_limits.changed_at is
'When that was.';
comment on column monitoring.name_limits.is_reached is
'Whether names that are not known are counted as "(other)" from now on.';
comment on column monitoring.name_limits.beyond is
'How many names were beyond the limit when that last happened.';
comment on column monitoring.name_limits.examples is
'Some of them.';
comment on column monitoring.name_limits.beyond_at is
'When there were last names beyond the limit; null when there never were.';

create table monitoring.known_names (
    kind text not null,
    name text not null,
    component text not null,
    label text not null,
    first_seen_at timestamptz not null,
    seen_at timestamptz not null,
    constraint known_names_pk primary key (kind, name, component, label)
);

comment on table monitoring.known_names is
'Names that roll-ups tell apart; others are counted as "(other)" once a limit is reached.';
comment on column monitoring.known_names.kind is
'Kind of name, as in name_limits.';
comment on column monitoring.known_names.name is
'The name; of error groups the fingerprint.';
comment on column monitoring.known_names.component is
'Component of errors and metrics, type of a component for health; empty for all others.';
comment on column monitoring.known_names.label is
'Unit of metrics; empty for all others.';
comment on column monitoring.known_names.first_seen_at is
'When a roll-up first met it.';
comment on column monitoring.known_names.seen_at is
'When a roll-up last met it, to the hour; what has not been seen for a week counts for no limit.';

insert into monitoring.installed_migrations (migration_id) values ('0003_rollups');
