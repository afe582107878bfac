-- depends: 0017_records

-- The status of each record, and every change of it.

set local lock_timeout = '5s';

create table monitoring.change_sources (
    change_source text not null,
    description text not null,
    constraint change_sources_pk primary key (change_source)
);

comment on table monitoring.change_sources is
'Who or what changes statuses; more may be inserted.';
comment on column monitoring.change_sources.change_source is
'Name of the kind of source.';
comment on column monitoring.change_sources.description is
'What it stands for.';

insert into monitoring.change_sources (change_source, description)
values
('SYSTEM', 'The system that the record lives in.'),
('BOT', 'A program that works on records in place of people.'),
('AUTO_RESOLVE', 'A validation that no longer fails, or whose record is gone from its source.'),
('MONITOR', 'A program that watches records, and saw the change.'),
('MANUAL', 'A person.');

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

insert into monitoring.partitioned_tables (table_name, key_column, time_column)
values ('status_changes', 'dataset', 'recorded_at');

-- Whoever forgot a status would take it for new when it is read again: statuses outlive their
-- history.
insert into monitoring.retention_policies (table_name, category, keep)
values
('status_changes', '', '30 days'),
('record_states', '', '1 year');

insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters,
    no_data
)
values
(
    'status_change_unexpected', 'records',
    'Records went from one status to another that their dataset does not allow.',
    '_find_unexpected_status_changes', '_explain_unexpected_status_changes', 'changes', '>=',
    '{"window_minutes": 60}', 'ok'
),
(
    'bot_without_effect', 'records',
    'Runs of a bot ended without changing a record, though records wait for it.',
    '_find_bots_without_effect', '_explain_bot_without_effect', 'runs', '>=',
    '{"window_minutes": 1440}', 'ok'
);

insert into monitoring.alert_thresholds (rule_name, labels, medium, high)
values
('status_change_unexpected', '{}', 1, 100),
('bot_without_effect', '{}', 3, 6);

insert into monitoring.installed_migrations (migration_id) values ('0018_statuses');
