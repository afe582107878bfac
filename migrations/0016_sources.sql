-- depends: 0015_batch

-- Runs that live in another system: relations that are read again and again, what was last seen of
-- each run, and what is wrong with a source.

set local lock_timeout = '5s';

create table monitoring.run_sources (
    source_name text not null,
    relation_name text not null,
    columns jsonb not null,
    statuses jsonb not null,
    task_type text,
    time_zone text not null default 'UTC',
    look_back_days double precision not null default 7,
    is_enabled boolean not null default true,
    changed_by text not null,
    changed_at timestamptz not null,
    synced_at timestamptz,
    succeeded_at timestamptz,
    last_error text,
    consecutive_failures bigint not null default 0,
    last_result jsonb,
    constraint run_sources_pk primary key (source_name),
    constraint run_sources_map_by_objects_ck check (columns @> '{}' and statuses @> '{}'),
    constraint run_sources_look_back_some_time_ck check (look_back_days > 0)
);

comment on table monitoring.run_sources is
'Relations in which another system keeps its runs, and how the last reading of each went.';
comment on column monitoring.run_sources.source_name is
'Name of the source; its runs are tasks named after it.';
comment on column monitoring.run_sources.relation_name is
'Table, view or foreign table with its schema; looked up at each reading.';
comment on column monitoring.run_sources.columns is
'Object of its columns, such as {"run_id": "id"}.';
comment on column monitoring.run_sources.statuses is
'Object of what its status codes mean, codes in upper case.';
comment on column monitoring.run_sources.task_type is
'Task type of runs for which no column says one.';
comment on column monitoring.run_sources.time_zone is
'Time zone of its times that name none.';
comment on column monitoring.run_sources.look_back_days is
'Runs never seen before that are older than this are passed over.';
comment on column monitoring.run_sources.is_enabled is
'Whether it is read.';
comment on column monitoring.run_sources.changed_by is
'Who registered or changed it last.';
comment on column monitoring.run_sources.changed_at is
'When that was.';
comment on column monitoring.run_sources.synced_at is
'When it was last read or could not be; null before.';
comment on column monitoring.run_sources.succeeded_at is
'When it was last read; null before.';
comment on column monitoring.run_sources.last_error is
'Why it could not be read the last time; null when it could.';
comment on column monitoring.run_sources.consecutive_failures is
'How often it could not be read since it last could.';
comment on column monitoring.run_sources.last_result is
'What the last reading found, as sync_run_source() returned it.';

create table monitoring.run_source_runs (
    source_name text not null,
    run_id text not null,
    status text not null,
    task_type text not null,
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz,
    records_total bigint,
    records_done bigint,
    threads bigint,
    ended_at timestamptz not null default 'infinity',
    constraint run_source_runs_pk primary key (source_name, run_id),
    constraint run_source_runs_status_is_known_ck check (
        status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'vanished')
    ),
    constraint run_source_runs_that_run_have_no_end_ck check (
        (status = 'running') = (ended_at = 'infinity')
    )
)
with (fillfactor = 80);

-- Serves the search for what was running, and retention.
create index run_source_runs_ended_ix on monitoring.run_source_runs (ended_at);

comment on table monitoring.run_source_runs is
'What was last seen of each run of a source, so that reading it again changes nothing.';
comment on column monitoring.run_source_runs.source_name is
'Source of the run.';
comment on column monitoring.run_source_runs.run_id is
'Name of the run in the source.';
comment on column monitoring.run_source_runs.status is
'pending, running, completed, failed, cancelled, or vanished while running.';
comment on column monitoring.run_source_runs.task_type is
'What kind of work it is.';
comment on column monitoring.run_source_runs.started_at is
'When it began, as the source says.';
comment on column monitoring.run_source_runs.finished_at is
'When it ended, as the source says.';
comment on column monitoring.run_source_runs.updated_at is
'When the source last changed it, as the source says.';
comment on column monitoring.run_source_runs.records_total is
'Records expected altogether.';
comment on column monitoring.run_source_runs.records_done is
'Records done.';
comment on column monitoring.run_source_runs.threads is
'Threads that work on it.';
comment on column monitoring.run_source_runs.ended_at is
'When it ended, by what is recorded; infinity while it runs.';

create table monitoring.run_source_troubles (
    trouble_id bigserial not null,
    source_name text not null,
    trouble text not null,
    subject text not null,
    message text not null,
    begun_at timestamptz not null,
    ended_at timestamptz not null default 'infinity',
    constraint run_source_troubles_pk primary key (trouble_id),
    constraint run_source_troubles_are_known_ck check (
        trouble in ('unreadable', 'bad_row', 'unknown_status', 'vanished', 'went_backwards')
    )
);

-- Serves the identity: what goes on is told once.
create unique index run_source_troubles_open_ix
on monitoring.run_source_troubles (source_name, trouble, subject)
where ended_at = 'infinity';

-- Serves the rule about troubles, and retention.
create index run_source_troubles_ended_ix on monitoring.run_source_troubles (ended_at);

comment on table monitoring.run_source_troubles is
'What is or was wrong with a source and its runs.';
comment on column monitoring.run_source_troubles.trouble_id is
'Number of the trouble.';
comment on column monitoring.run_source_troubles.source_name is
'Source that has it.';
comment on column monitoring.run_source_troubles.trouble is
'unreadable, bad_row, unknown_status (these last), vanished or went_backwards (these happen).';
comment on column monitoring.run_source_troubles.subject is
'Run or status code that it is about; empty for the source itself.';
comment on column monitoring.run_source_troubles.message is
'What is the matter, in a sentence.';
comment on column monitoring.run_source_troubles.begun_at is
'When it was first seen.';
comment on column monitoring.run_source_troubles.ended_at is
'When it was gone, or happened; infinity while it lasts.';

-- A row of a source in our terms.
create type monitoring.source_run as (
    run_id text,
    task_type text,
    status_code text,
    status text,
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz,
    records_total bigint,
    records_done bigint,
    threads bigint,
    business_date text,
    error_message text,
    trouble text,
    fault text
);

comment on type monitoring.source_run is
'A row of a source in our terms.';
comment on column monitoring.source_run.run_id is
'Name of the run in the source.';
comment on column monitoring.source_run.task_type is
'What kind of work it is.';
comment on column monitoring.source_run.status_code is
'Status as the source says it.';
comment on column monitoring.source_run.status is
'What that means: pending, running, completed, failed or cancelled.';
comment on column monitoring.source_run.started_at is
'When it began.';
comment on column monitoring.source_run.finished_at is
'When it ended.';
comment on column monitoring.source_run.updated_at is
'When the source last changed it.';
comment on column monitoring.source_run.records_total is
'Records expected altogether.';
comment on column monitoring.source_run.records_done is
'Records done.';
comment on column monitoring.source_run.threads is
'Threads that work on it.';
comment on column monitoring.source_run.business_date is
'Business day that it belongs to, such as 2026-01-15.';
comment on column monitoring.source_run.error_message is
'Why it failed.';
comment on column monitoring.source_run.trouble is
'bad_row or unknown_status when nothing can be made of it.';
comment on column monitoring.source_run.fault is
'What is wrong with it, in a sentence.';

-- What is to be done about a run.
create type monitoring.run_change as (
    task_id text,
    action text,
    previous_status text,
    is_restart boolean,
    begins_at timestamptz,
    ends_at timestamptz,
    heard_at timestamptz,
    closes_at timestamptz,
    backwards text,
    run monitoring.source_run
);

comment on type monitoring.run_change is
'What is to be done about a run that has changed.';
comment on column monitoring.run_change.task_id is
'Task that the run is.';
comment on column monitoring.run_change.action is
'start, progress, end (it was running), record (it was not) or remember (nothing else).';
comment on column monitoring.run_change.previous_status is
'Status that it had; null when it is new.';
comment on column monitoring.run_change.is_restart is
'Whether it is a new attempt of a known run.';
comment on column monitoring.run_change.begins_at is
'When the attempt began; null when nobody knows.';
comment on column monitoring.run_change.ends_at is
'When the attempt ended; infinity while it runs.';
comment on column monitoring.run_change.heard_at is
'When the run last spoke.';
comment on column monitoring.run_change.closes_at is
'When the attempt before, still running, got lost; null when there is none.';
comment on column monitoring.run_change.backwards is
'How it went backwards, in a sentence; null when it did not.';
comment on column monitoring.run_change.run is
'The run as it is now.';

insert into monitoring.retention_policies (table_name, category, keep)
values
('run_source_runs', '', '30 days'),
('run_source_troubles', '', '90 days');

insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters,
    no_data
)
values
(
    'source_trouble', 'processing',
    'A source of runs cannot be read, has rows of which nothing can be made, or runs that vanished '
    'or went backwards within the window: v_run_source_troubles says which.',
    '_find_source_troubles', '_explain_source_troubles', 'troubles', '>=',
    '{"window_minutes": 1440}', 'ok'
);

insert into monitoring.alert_thresholds (rule_name, labels, medium, high)
values
('source_trouble', '{}', 1, null),
('source_trouble', '{"trouble": "unreadable"}', null, 1),
('source_trouble', '{"trouble": "vanished"}', null, 1);

-- The function comes with the code, which is loaded after the migrations.
insert into monitoring.jobs (
    job_name, description, schedule, procedure_name, timeout_seconds, next_run_at
)
values
(
    'sync_run_sources', 'Reads the runs that live in other systems.', '15 minutes',
    'monitoring.sync_run_sources', 600, now()
);

insert into monitoring.installed_migrations (migration_id) values ('0016_sources');
