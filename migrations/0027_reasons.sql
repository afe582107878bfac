-- depends: 0021_enabled_sources
-- squawk-ignore-file ban-drop-constraint, require-concurrent-index-creation

-- Why an alert fires and whose it is, what the work of an adopted run is, since when a step has
-- been watched, and messages that stand for others.

set local lock_timeout = '5s';

-- Why and whose

alter table monitoring.raised_alerts add column reason text;
alter table monitoring.raised_alerts add column owner text;
alter table monitoring.raised_alerts add column explained_at timestamptz;

comment on column monitoring.raised_alerts.reason is
'Why, such as the last error behind it; null when nobody said.';
comment on column monitoring.raised_alerts.owner is
'Whose it is; null when nobody said.';
comment on column monitoring.raised_alerts.explained_at is
'When the reason was last looked for; null when it is to be looked for.';

create table monitoring.alert_owners (
    labels jsonb not null,
    owner text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint alert_owners_pk primary key (labels),
    constraint alert_owners_go_by_an_object_ck check (labels @> '{}')
);

comment on table monitoring.alert_owners is
'Whose alerts are: of several rows that fit an alert, the one with most labels counts.';
comment on column monitoring.alert_owners.labels is
'Labels that an alert must have, such as {"task_type": "etl"}; empty for all.';
comment on column monitoring.alert_owners.owner is
'Person or team, as messages name them.';
comment on column monitoring.alert_owners.changed_by is
'Who said so.';
comment on column monitoring.alert_owners.changed_at is
'When that was.';

create table monitoring.page_addresses (
    page_name text not null,
    url text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint page_addresses_pk primary key (page_name),
    constraint page_addresses_are_addresses_ck check (url ~ '^https?://[^[:space:]]+$')
);

comment on table monitoring.page_addresses is
'Where people find what messages are about: at most one row, the page of pgvigil.';
comment on column monitoring.page_addresses.page_name is
'Name of the page: page.';
comment on column monitoring.page_addresses.url is
'Its address, without a slash at its end.';
comment on column monitoring.page_addresses.changed_by is
'Who said so.';
comment on column monitoring.page_addresses.changed_at is
'When that was.';

-- The work of adopted runs

alter table monitoring.run_sources add column work text not null default 'type';
alter table monitoring.run_sources add column failed_severity text;
alter table monitoring.run_sources
add constraint run_sources_work_is_known_ck check (work in ('type', 'run')) not valid;
alter table monitoring.run_sources
add constraint run_sources_failed_severity_is_known_ck check (
    failed_severity in ('low', 'medium', 'high', 'critical')
) not valid;

comment on column monitoring.run_sources.work is
'What makes up for a run that failed: the next one of its type that completes (type), or only the '
'same run (run).';
comment on column monitoring.run_sources.failed_severity is
'Severity of its failed runs; null for that of rule task_failed.';

-- Until the new code is loaded the old goes on making rows without these.
alter type monitoring.source_run add attribute work text;
alter type monitoring.source_run add attribute attempt bigint;
alter type monitoring.source_run add attribute max_attempts bigint;

comment on column monitoring.source_run.work is
'What the run does, where its type does not say it.';
comment on column monitoring.source_run.attempt is
'How often it has been tried.';
comment on column monitoring.source_run.max_attempts is
'How often it is tried at most.';

-- Since when steps are watched

alter table monitoring.workflow_steps add column first_applied_at timestamptz;
update monitoring.workflow_steps set first_applied_at = expected_since_at
where first_applied_at is null;

comment on column monitoring.workflow_steps.first_applied_at is
'When the step was first applied; what was due before nobody can say anything about.';

-- Messages that stand for others

alter table monitoring.queued_notifications add column folded integer not null default 0;
alter table monitoring.queued_notifications add column folded_into bigint;
alter table monitoring.queued_notifications drop constraint queued_notifications_kind_is_known_ck;
alter table monitoring.queued_notifications
add constraint queued_notifications_kind_is_known_ck check (
    kind in ('alerts', 'held_back', 'summary', 'test', 'digest')
) not valid;

comment on column monitoring.queued_notifications.folded is
'How many messages that could not be sent in time it stands for; 0 for one of its own.';

comment on column monitoring.queued_notifications.folded_into is
'Digest that has told what this message, which was given up, could not; null until one has.';

-- Serves the search for what was given up and is still to be told, whenever one gets through.
create index queued_notifications_dead_ix on monitoring.queued_notifications (channel_name, target)
where status = 'dead' and folded_into is null;

insert into monitoring.installed_migrations (migration_id) values ('0027_reasons');
