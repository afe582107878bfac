-- depends: 0002_tasks

set local lock_timeout = '5s';

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
    constraint errors_pk primary key (task_id, occurred_at, error_id)
)
partition by range (occurred_at);

-- Serves every question about a span of time.
create index errors_time_ix on monitoring.errors
using brin (occurred_at) with (pages_per_range = 16, autosummarize = on);

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

create table monitoring.error_group_states (
    fingerprint text not null,
    status text not null,
    muted_until timestamptz,
    note text,
    changed_by text not null,
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
comment on column monitoring.error_group_states.changed_at is
'When it was decided.';

insert into monitoring.partitioned_tables (table_name, key_column, time_column)
values ('errors', 'task_id', 'occurred_at');

insert into monitoring.installed_migrations (migration_id) values ('0003_errors');
