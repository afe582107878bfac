-- depends: 0008_batch

-- Business rows under watch, named by dataset and record key: which of them are invalid, which
-- products they have, and what each day came to.

set local lock_timeout = '200ms';

create table monitoring.datasets (
    dataset text not null,
    description text,
    time_zone text not null default 'UTC',
    pending_statuses text[] not null default '{}',
    bot_task_type text,
    changed_by text not null,
    login_name text default session_user,
    changed_at timestamptz not null,
    constraint datasets_pk primary key (dataset)
);

comment on table monitoring.datasets is
'What people have said about datasets; one that nobody said anything about works without a row.';
comment on column monitoring.datasets.dataset is
'Name of the dataset.';
comment on column monitoring.datasets.description is
'What its records are.';
comment on column monitoring.datasets.time_zone is
'Time zone in which its days begin and end.';
comment on column monitoring.datasets.pending_statuses is
'Statuses that its bot is expected to take records out of.';
comment on column monitoring.datasets.bot_task_type is
'Task type of the runs of its bot; null when it has none.';
comment on column monitoring.datasets.changed_by is
'Who said so last.';
comment on column monitoring.datasets.login_name is
'Database user whose session changed it last.';
comment on column monitoring.datasets.changed_at is
'When that was.';

create table monitoring.invalid_record_states (
    dataset text not null,
    record_key text not null,
    validation_type text not null,
    group_name text,
    reported_value text,
    message text,
    details jsonb,
    target_date date not null,
    first_detected_at timestamptz not null,
    opened_at timestamptz not null,
    last_detected_at timestamptz not null,
    times_detected bigint not null default 1,
    times_detected_before bigint not null default 0,
    times_reopened integer not null default 0,
    alerted_at timestamptz,
    task_id text,
    resolved_at timestamptz not null default 'infinity',
    resolution text,
    resolved_by text,
    resolution_reason text,
    constraint invalid_record_states_pk primary key (dataset, record_key, validation_type),
    constraint invalid_record_states_resolution_is_known_ck check (
        resolution in ('auto', 'manual', 'superseded', 'gone')
    ),
    constraint invalid_record_states_open_ones_have_no_resolution_ck check (
        (resolved_at = 'infinity') = (resolution is null)
    )
)
with (fillfactor = 80);

-- Serves the search for what is open, by type and day, and counting it.
create index invalid_record_states_open_ix
on monitoring.invalid_record_states (dataset, validation_type, target_date)
where resolved_at = 'infinity';

-- Serves the search for what people have accepted, by type and day.
create index invalid_record_states_accepted_ix
on monitoring.invalid_record_states (dataset, validation_type, target_date)
where resolution in ('manual', 'superseded');

-- Serves retention and what was resolved lately.
create index invalid_record_states_resolved_ix
on monitoring.invalid_record_states (resolved_at);

comment on table monitoring.invalid_record_states is
'Each record that failed a validation, once for each type of validation, as it is now.';
comment on column monitoring.invalid_record_states.dataset is
'Dataset of the record.';
comment on column monitoring.invalid_record_states.record_key is
'Name of the record in its dataset.';
comment on column monitoring.invalid_record_states.validation_type is
'Validation that it failed, such as DUPLICATA.';
comment on column monitoring.invalid_record_states.group_name is
'What it is counted by in "top issues by", such as its branch.';
comment on column monitoring.invalid_record_states.reported_value is
'The value that is wrong, as the record has it.';
comment on column monitoring.invalid_record_states.message is
'What is wrong with it.';
comment on column monitoring.invalid_record_states.details is
'Whatever the caller wants to find again, as JSON.';
comment on column monitoring.invalid_record_states.target_date is
'Day that was looked at when it was found last.';
comment on column monitoring.invalid_record_states.first_detected_at is
'When it was found for the first time.';
comment on column monitoring.invalid_record_states.opened_at is
'When it was found for the first time since it was last valid.';
comment on column monitoring.invalid_record_states.last_detected_at is
'When it was found for the last time.';
comment on column monitoring.invalid_record_states.times_detected is
'How often it was found altogether.';
comment on column monitoring.invalid_record_states.times_detected_before is
'How often of those before it was opened, in spells that have ended.';
comment on column monitoring.invalid_record_states.times_reopened is
'How often it was found after it had been resolved.';
comment on column monitoring.invalid_record_states.alerted_at is
'When people were first told of it since it was opened; null when they were not.';
comment on column monitoring.invalid_record_states.task_id is
'Task that found it last; null outside any.';
comment on column monitoring.invalid_record_states.resolved_at is
'When it was resolved; infinity while it is open.';
comment on column monitoring.invalid_record_states.resolution is
'auto (found valid), manual, superseded (another record takes its place) or gone.';
comment on column monitoring.invalid_record_states.resolved_by is
'Who or what resolved it.';
comment on column monitoring.invalid_record_states.resolution_reason is
'Why, in their words.';

create table monitoring.invalid_record_spells (
    spell_id bigserial not null,
    dataset text not null,
    record_key text not null,
    validation_type text not null,
    group_name text,
    reported_value text,
    opened_at timestamptz not null,
    resolved_at timestamptz not null,
    times_detected bigint not null,
    is_alerted boolean not null,
    resolution text not null,
    resolved_by text not null,
    resolution_reason text,
    constraint invalid_record_spells_pk primary key (dataset, record_key, resolved_at, spell_id)
);

-- Serves how long resolving takes, and retention.
create index invalid_record_spells_resolved_ix on monitoring.invalid_record_spells (resolved_at);

comment on table monitoring.invalid_record_spells is
'Times during which records were invalid, from being found to being resolved; never updated.';
comment on column monitoring.invalid_record_spells.spell_id is
'Number of the spell.';
comment on column monitoring.invalid_record_spells.dataset is
'Dataset of the record.';
comment on column monitoring.invalid_record_spells.record_key is
'Name of the record in its dataset.';
comment on column monitoring.invalid_record_spells.validation_type is
'Validation that it failed.';
comment on column monitoring.invalid_record_spells.group_name is
'What it is counted by.';
comment on column monitoring.invalid_record_spells.reported_value is
'The value that was wrong.';
comment on column monitoring.invalid_record_spells.opened_at is
'When it was found.';
comment on column monitoring.invalid_record_spells.resolved_at is
'When it was resolved.';
comment on column monitoring.invalid_record_spells.times_detected is
'How often it was found meanwhile.';
comment on column monitoring.invalid_record_spells.is_alerted is
'Whether people were told of it.';
comment on column monitoring.invalid_record_spells.resolution is
'auto, manual, superseded or gone.';
comment on column monitoring.invalid_record_spells.resolved_by is
'Who or what resolved it.';
comment on column monitoring.invalid_record_spells.resolution_reason is
'Why, in their words.';

create table monitoring.products_of_records (
    dataset text not null,
    record_key text not null,
    product text not null,
    quantity double precision,
    amount numeric,
    details jsonb,
    first_seen_at timestamptz not null,
    changed_at timestamptz not null,
    task_id text,
    constraint products_of_records_pk primary key (dataset, record_key, product)
);

-- Serves retention.
create index products_of_records_changed_ix on monitoring.products_of_records (changed_at);

comment on table monitoring.products_of_records is
'The products that each record has now.';
comment on column monitoring.products_of_records.dataset is
'Dataset of the record.';
comment on column monitoring.products_of_records.record_key is
'Name of the record in its dataset.';
comment on column monitoring.products_of_records.product is
'Name of the product.';
comment on column monitoring.products_of_records.quantity is
'How many of it; null when nobody said.';
comment on column monitoring.products_of_records.amount is
'What it is worth, in the currency of the dataset; null when nobody said.';
comment on column monitoring.products_of_records.details is
'Whatever else the caller said about it, as JSON.';
comment on column monitoring.products_of_records.first_seen_at is
'When the record first had it.';
comment on column monitoring.products_of_records.changed_at is
'When it was last found to be otherwise than before.';
comment on column monitoring.products_of_records.task_id is
'Task that told so; null outside any.';

create table monitoring.program_runs (
    dataset text not null,
    target_date date not null,
    finished_at timestamptz not null,
    task_id text not null,
    attempt integer not null,
    run_mode text not null,
    status text not null,
    started_at timestamptz,
    constraint program_runs_pk primary key (dataset, target_date, finished_at, task_id, attempt)
);

-- Serves retention.
create index program_runs_finished_ix on monitoring.program_runs (finished_at);

comment on table monitoring.program_runs is
'Which finished tasks are runs of a program over a day of a dataset: the way to them by that day.';
comment on column monitoring.program_runs.dataset is
'Dataset that it looked at.';
comment on column monitoring.program_runs.target_date is
'Day that it looked at.';
comment on column monitoring.program_runs.finished_at is
'When it ended.';
comment on column monitoring.program_runs.task_id is
'Task that it is.';
comment on column monitoring.program_runs.attempt is
'Attempt of the task.';
comment on column monitoring.program_runs.run_mode is
'full when it looked at all records of the day; partial, dry_run or whatever the program said.';
comment on column monitoring.program_runs.status is
'completed, failed, cancelled, timeout or lost.';
comment on column monitoring.program_runs.started_at is
'When it began; null when nobody said.';

create table monitoring.daily_summaries (
    dataset text not null,
    target_date date not null,
    runs bigint not null,
    records_queried bigint not null,
    valid_records bigint not null,
    invalid_records bigint not null,
    records_stored bigint not null,
    alerts_sent bigint not null,
    invalid_opened bigint not null,
    invalid_resolved bigint not null,
    invalid_open bigint not null,
    invalid_by_type jsonb not null,
    status_changes bigint not null,
    status_changes_by_source jsonb not null,
    products bigint not null,
    updated_at timestamptz not null,
    constraint daily_summaries_pk primary key (dataset, target_date)
);

comment on table monitoring.daily_summaries is
'What each day of a dataset came to; outlives the rows that it was counted from.';
comment on column monitoring.daily_summaries.dataset is
'Name of the dataset.';
comment on column monitoring.daily_summaries.target_date is
'The day, in the time zone of the dataset.';
comment on column monitoring.daily_summaries.runs is
'Number of program runs for that day.';
comment on column monitoring.daily_summaries.records_queried is
'Number of records that the last complete run for that day looked at.';
comment on column monitoring.daily_summaries.valid_records is
'Number of those that it found valid.';
comment on column monitoring.daily_summaries.invalid_records is
'Number of those that it found invalid.';
comment on column monitoring.daily_summaries.records_stored is
'Number of records stored by all runs for that day.';
comment on column monitoring.daily_summaries.alerts_sent is
'Number of alerts sent by all runs for that day.';
comment on column monitoring.daily_summaries.invalid_opened is
'Number of invalid records found or found again during the day.';
comment on column monitoring.daily_summaries.invalid_resolved is
'Number of invalid records resolved during the day.';
comment on column monitoring.daily_summaries.invalid_open is
'Number of invalid records that were open when the day ended, or are now.';
comment on column monitoring.daily_summaries.invalid_by_type is
'Object of the number of records opened during the day by type of validation.';
comment on column monitoring.daily_summaries.status_changes is
'Number of status changes during the day.';
comment on column monitoring.daily_summaries.status_changes_by_source is
'Object of the number of status changes during the day by change source.';
comment on column monitoring.daily_summaries.products is
'Number of products first seen during the day.';
comment on column monitoring.daily_summaries.updated_at is
'When it was last counted.';

-- The status of each record, and every change of it

create table monitoring.change_sources (
    change_source text not null,
    shipped_description text,
    decided_description text,
    description text not null generated always as (
        coalesce(decided_description, shipped_description)
    ) stored,
    changed_by text,
    changed_at timestamptz,
    constraint change_sources_pk primary key (change_source)
);

comment on table monitoring.change_sources is
'Who or what changes statuses; more may be inserted.';
comment on column monitoring.change_sources.change_source is
'Name of the kind of source.';
comment on column monitoring.change_sources.shipped_description is
'What it stands for, as we ship it; null for one that people added.';
comment on column monitoring.change_sources.decided_description is
'What people said that it stands for; null while nobody has.';
comment on column monitoring.change_sources.description is
'What it stands for.';
comment on column monitoring.change_sources.changed_by is
'Who added or described it; null as shipped.';
comment on column monitoring.change_sources.changed_at is
'When that was; null as shipped.';

create table monitoring.record_states (
    dataset text not null,
    record_key text not null,
    status text,
    previous_status text,
    effective_at timestamptz not null,
    recorded_at timestamptz not null,
    change_source text not null,
    actor text,
    constraint record_states_pk primary key (dataset, record_key)
)
with (fillfactor = 80);

-- Serves retention.
create index record_states_recorded_ix on monitoring.record_states (recorded_at);

comment on table monitoring.record_states is
'The status that each record has now.';
comment on column monitoring.record_states.dataset is
'Dataset of the record.';
comment on column monitoring.record_states.record_key is
'Name of the record in its dataset.';
comment on column monitoring.record_states.status is
'Its status; null when the record is gone.';
comment on column monitoring.record_states.previous_status is
'Status before; null when the record was not known or gone.';
comment on column monitoring.record_states.effective_at is
'When it got that status.';
comment on column monitoring.record_states.recorded_at is
'When that was recorded.';
comment on column monitoring.record_states.change_source is
'What changed it.';
comment on column monitoring.record_states.actor is
'Who changed it, as far as known.';

create table monitoring.status_changes (
    change_id bigserial not null,
    dataset text not null,
    record_key text not null,
    recorded_at timestamptz not null,
    effective_at timestamptz not null,
    validation_type text not null default '',
    from_status text,
    to_status text,
    change_source text not null,
    actor text,
    source_name text,
    task_id text,
    details jsonb,
    login_name text default session_user,
    constraint status_changes_pk primary key (dataset, recorded_at, change_id)
)
partition by range (recorded_at);

-- Serves every question about a span of time.
create index status_changes_time_ix on monitoring.status_changes
using brin (recorded_at) with (pages_per_range = 16, autosummarize = on);

-- Serves the history of one record.
create index status_changes_record_ix on monitoring.status_changes (record_key);

comment on table monitoring.status_changes is
'Changes of status, partitioned by the UTC day they were recorded on; rows are never updated.';
comment on column monitoring.status_changes.change_id is
'Number of the change.';
comment on column monitoring.status_changes.dataset is
'Dataset of the record.';
comment on column monitoring.status_changes.record_key is
'Name of the record in its dataset.';
comment on column monitoring.status_changes.recorded_at is
'When it was recorded; decides the partition.';
comment on column monitoring.status_changes.effective_at is
'When it took effect.';
comment on column monitoring.status_changes.validation_type is
'Validation whose verdict changed (invalid to valid, superseded or gone); empty for the status of '
'the record itself.';
comment on column monitoring.status_changes.from_status is
'Status before; null when the record was not known.';
comment on column monitoring.status_changes.to_status is
'Status after; null when the record is gone.';
comment on column monitoring.status_changes.change_source is
'What changed it: a row of change_sources.';
comment on column monitoring.status_changes.actor is
'Who changed it, as far as known.';
comment on column monitoring.status_changes.source_name is
'Source in which it was seen; null when a program told it.';
comment on column monitoring.status_changes.task_id is
'Task that saw or made it; null outside any.';
comment on column monitoring.status_changes.details is
'Whatever the caller wants to find again, as JSON.';
comment on column monitoring.status_changes.login_name is
'Database user whose session recorded it.';

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

-- What comparing statuses found, in numbers of records unless another is said.
create type monitoring.status_counts as (
    compared bigint,
    unchanged bigint,
    new bigint,
    changed bigint,
    gone bigint,
    late bigint,
    repeated bigint,
    sample jsonb
);

comment on type monitoring.status_counts is
'What comparing statuses found.';
comment on column monitoring.status_counts.compared is
'Number of rows told.';
comment on column monitoring.status_counts.unchanged is
'Rows that say what is known.';
comment on column monitoring.status_counts.new is
'Records that were not known, or gone.';
comment on column monitoring.status_counts.changed is
'Records with another status.';
comment on column monitoring.status_counts.gone is
'Records that are no more.';
comment on column monitoring.status_counts.late is
'Changes that took effect before the present status, and are new to history.';
comment on column monitoring.status_counts.repeated is
'Rows left aside because a newer row of the same record, which differs, is among them.';
comment on column monitoring.status_counts.sample is
'The first twenty changes, as an array of objects.';

create table monitoring.allowed_transitions (
    dataset text not null,
    from_status text not null,
    to_status text not null,
    constraint allowed_transitions_pk primary key (dataset, from_status, to_status)
);

comment on table monitoring.allowed_transitions is
'Changes of status that are expected; a dataset without any may change as it likes.';
comment on column monitoring.allowed_transitions.dataset is
'Name of the dataset.';
comment on column monitoring.allowed_transitions.from_status is
'Status before; empty for a record that was not known.';
comment on column monitoring.allowed_transitions.to_status is
'Status after; empty for a record that is gone.';

create table monitoring.status_triggers (
    table_name text not null,
    dataset text not null,
    key_columns text[] not null,
    status_column text not null,
    change_source text not null,
    attached_by text not null,
    attached_at timestamptz not null,
    constraint status_triggers_pk primary key (table_name)
);

comment on table monitoring.status_triggers is
'Tables whose changes of status are recorded by triggers.';
comment on column monitoring.status_triggers.table_name is
'Table with its schema.';
comment on column monitoring.status_triggers.dataset is
'Dataset that its rows are records of.';
comment on column monitoring.status_triggers.key_columns is
'Columns that name a record.';
comment on column monitoring.status_triggers.status_column is
'Column that holds the status.';
comment on column monitoring.status_triggers.change_source is
'Change source of those who do not say one.';
comment on column monitoring.status_triggers.attached_by is
'Who attached it.';
comment on column monitoring.status_triggers.attached_at is
'When that was.';

insert into monitoring.installed_migrations (migration_id) values ('0009_records');
