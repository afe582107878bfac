-- depends: 0009_records

-- Relations and queries of other systems that are read again and again: the runs and the records
-- in them, and what is wrong with a source. Rows of queries come into staging, and from there on
-- are read like those of a relation.

set local lock_timeout = '200ms';

-- What is read: relations that hold runs, records or queues

create table monitoring.sources (
    source_name text not null,
    kind text not null,
    relation_name text not null,
    columns jsonb not null,
    statuses jsonb not null default '{}',
    time_zone text not null default 'UTC',
    settings jsonb not null,
    every_seconds double precision not null,
    timeout_seconds double precision not null,
    is_enabled boolean not null default true,
    enabled_at timestamptz,
    changed_by text not null,
    changed_at timestamptz not null,
    next_sync_at timestamptz not null,
    synced_at timestamptz,
    succeeded_at timestamptz,
    last_error text,
    consecutive_failures bigint not null default 0,
    last_result jsonb,
    told_queues text[] not null default '{}',
    constraint sources_pk primary key (source_name),
    constraint sources_kind_is_known_ck check (kind in ('run', 'record', 'queue')),
    constraint sources_map_by_objects_ck check (
        columns @> '{}' and statuses @> '{}' and settings @> '{}'
    ),
    constraint sources_of_runs_say_how_they_are_read_ck check (
        kind <> 'run'
        or (settings -> 'look_back_days')::double precision > 0
        and settings ->> 'work' in ('type', 'run')
        and coalesce(settings ->> 'failed_severity', 'low')
        in ('low', 'medium', 'high', 'critical')
    ),
    constraint sources_of_records_say_of_what_ck check (
        kind <> 'record'
        or settings ?& array['dataset', 'change_source']
        and jsonb_typeof(settings -> 'is_complete') = 'boolean'
    ),
    constraint sources_wait_some_time_ck check (every_seconds >= 60),
    constraint sources_may_take_some_time_ck check (timeout_seconds > 0)
);

comment on table monitoring.sources is
'Relations and queries of other systems that hold runs, records or queues, and how the last '
'reading of each went.';
comment on column monitoring.sources.source_name is
'Name of the source; runs are tasks named after it.';
comment on column monitoring.sources.kind is
'What its rows tell of: run, record or queue.';
comment on column monitoring.sources.relation_name is
'Table, view or foreign table with its schema, or query:NAME; looked up at each reading.';
comment on column monitoring.sources.columns is
'Object of its columns, such as {"run_id": "id", "status": "state"}.';
comment on column monitoring.sources.statuses is
'Object of what its status codes mean or are called, codes in upper case.';
comment on column monitoring.sources.time_zone is
'Time zone of its times that name none.';
comment on column monitoring.sources.settings is
'What only sources of its kind have: task_type, look_back_days, work and failed_severity of runs; '
'dataset, change_source and is_complete of records; queue_name of queues.';
comment on column monitoring.sources.every_seconds is
'Seconds from one reading to the next; a query has its own.';
comment on column monitoring.sources.timeout_seconds is
'Seconds that a reading may take.';
comment on column monitoring.sources.is_enabled is
'Whether it is read.';
comment on column monitoring.sources.enabled_at is
'When it was last enabled again; null when it was never disabled.';
comment on column monitoring.sources.changed_by is
'Who registered or changed it last.';
comment on column monitoring.sources.changed_at is
'When that was.';
comment on column monitoring.sources.next_sync_at is
'When it is to be read next.';
comment on column monitoring.sources.synced_at is
'When it was last read or could not be; null before.';
comment on column monitoring.sources.succeeded_at is
'When it was last read; null before.';
comment on column monitoring.sources.last_error is
'Why it could not be read the last time; null when it could.';
comment on column monitoring.sources.consecutive_failures is
'How often it could not be read since it last could.';
comment on column monitoring.sources.last_result is
'What the last reading found, as sync_source() returned it.';
comment on column monitoring.sources.told_queues is
'Queues that had a row at the last reading: one that has none at the next is told as empty.';

-- What was seen of runs

create table monitoring.source_runs (
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
    constraint source_runs_pk primary key (source_name, run_id),
    constraint source_runs_status_is_known_ck check (
        status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'vanished')
    ),
    constraint source_runs_that_run_have_no_end_ck check (
        (status = 'running') = (ended_at = 'infinity')
    )
)
with (fillfactor = 80);

-- Serves the search for what was running, and retention.
create index source_runs_ended_ix on monitoring.source_runs (ended_at);

comment on table monitoring.source_runs is
'What was last seen of each run of a source, so that reading it again changes nothing.';
comment on column monitoring.source_runs.source_name is
'Source of the run.';
comment on column monitoring.source_runs.run_id is
'Name of the run in the source.';
comment on column monitoring.source_runs.status is
'pending, running, completed, failed, cancelled, or vanished while running.';
comment on column monitoring.source_runs.task_type is
'What kind of work it is.';
comment on column monitoring.source_runs.started_at is
'When it began, as the source says.';
comment on column monitoring.source_runs.finished_at is
'When it ended, as the source says.';
comment on column monitoring.source_runs.updated_at is
'When the source last changed it, as the source says.';
comment on column monitoring.source_runs.records_total is
'Records expected altogether.';
comment on column monitoring.source_runs.records_done is
'Records done.';
comment on column monitoring.source_runs.threads is
'Threads that work on it.';
comment on column monitoring.source_runs.ended_at is
'When it ended, by what is recorded; infinity while it runs.';

create table monitoring.source_troubles (
    trouble_id bigserial not null,
    source_name text not null,
    trouble text not null,
    subject text not null,
    message text not null,
    begun_at timestamptz not null,
    ended_at timestamptz not null default 'infinity',
    constraint source_troubles_pk primary key (trouble_id),
    constraint source_troubles_are_known_ck check (
        trouble in ('unreadable', 'bad_row', 'unknown_status', 'vanished', 'went_backwards')
    )
);

-- Serves the identity: what goes on is told once.
create unique index source_troubles_open_ix
on monitoring.source_troubles (source_name, trouble, subject)
where ended_at = 'infinity';

-- Serves the rule about troubles, and retention.
create index source_troubles_ended_ix on monitoring.source_troubles (ended_at);

comment on table monitoring.source_troubles is
'What is or was wrong with a source and its rows.';
comment on column monitoring.source_troubles.trouble_id is
'Number of the trouble.';
comment on column monitoring.source_troubles.source_name is
'Source that has it.';
comment on column monitoring.source_troubles.trouble is
'unreadable, bad_row, unknown_status (these last), vanished or went_backwards (these happen).';
comment on column monitoring.source_troubles.subject is
'Run, status code or fault that it is about; empty for the source itself.';
comment on column monitoring.source_troubles.message is
'What is the matter, in a sentence.';
comment on column monitoring.source_troubles.begun_at is
'When it was first seen.';
comment on column monitoring.source_troubles.ended_at is
'When it was gone, or happened; infinity while it lasts.';

create table monitoring.records_to_read (
    source_name text not null,
    record_key text not null,
    resolved_at timestamptz not null,
    constraint records_to_read_pk primary key (source_name, record_key)
);

comment on table monitoring.records_to_read is
'Records that were invalid and are valid again, whose status a source is still to be asked for.';
comment on column monitoring.records_to_read.source_name is
'Source that has not been read since.';
comment on column monitoring.records_to_read.record_key is
'Name of the record in the dataset of the source.';
comment on column monitoring.records_to_read.resolved_at is
'When it was found valid.';

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
    fault text,
    work text,
    attempt bigint,
    max_attempts bigint
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
comment on column monitoring.source_run.work is
'What the run does, where its type does not say it.';
comment on column monitoring.source_run.attempt is
'How often it has been tried.';
comment on column monitoring.source_run.max_attempts is
'How often it is tried at most.';

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

-- Queries that are run in other databases

create table monitoring.source_queries (
    query_name text not null,
    connection_name text not null,
    query text not null,
    columns text[] not null,
    resume_column text,
    every_seconds double precision not null default 3600,
    timeout_seconds double precision not null default 600,
    is_enabled boolean not null default true,
    enabled_at timestamptz,
    changed_by text not null,
    changed_at timestamptz not null,
    next_load_at timestamptz not null,
    constraint source_queries_pk primary key (query_name),
    constraint source_queries_resume_by_a_column_ck check (resume_column = any(columns)),
    constraint source_queries_wait_some_time_ck check (every_seconds >= 60),
    constraint source_queries_may_take_some_time_ck check (timeout_seconds > 0)
);

comment on table monitoring.source_queries is
'Queries that pgvigil sync or the runner executes in other databases.';
comment on column monitoring.source_queries.query_name is
'Name of the query; sources read it as query:NAME.';
comment on column monitoring.source_queries.connection_name is
'Environment variable, or key in the runner''s file, that holds the address of the database.';
comment on column monitoring.source_queries.query is
'The query, in the other database''s words.';
comment on column monitoring.source_queries.columns is
'Names of its columns, in order.';
comment on column monitoring.source_queries.resume_column is
'Column that names each row, by which the query is ordered and a load that broke off goes on; null '
'when that begins anew.';
comment on column monitoring.source_queries.every_seconds is
'Seconds from one load to the next.';
comment on column monitoring.source_queries.timeout_seconds is
'Seconds that a load may take.';
comment on column monitoring.source_queries.is_enabled is
'Whether it is executed.';
comment on column monitoring.source_queries.enabled_at is
'When it was last enabled again; null when it was never disabled.';
comment on column monitoring.source_queries.changed_by is
'Who registered or changed it last.';
comment on column monitoring.source_queries.changed_at is
'When that was.';
comment on column monitoring.source_queries.next_load_at is
'When it is to be executed next.';

create table monitoring.source_loads (
    load_id bigserial not null,
    query_name text not null,
    status text not null,
    loader_pid integer,
    started_at timestamptz not null,
    heartbeat_at timestamptz not null,
    ended_at timestamptz not null default 'infinity',
    rows_read bigint not null default 0,
    resume_after text,
    attempts integer not null default 1,
    last_error text,
    constraint source_loads_pk primary key (load_id),
    constraint source_loads_status_is_known_ck check (
        status in ('loading', 'interrupted', 'loaded', 'failed')
    )
);

-- Serves the identity: one load of a query at a time.
create unique index source_loads_going_on_ix on monitoring.source_loads (query_name)
where status in ('loading', 'interrupted');

-- Serves retention.
create index source_loads_ended_ix on monitoring.source_loads (ended_at);

comment on table monitoring.source_loads is
'Executions of queries in other databases, and how far each came.';
comment on column monitoring.source_loads.load_id is
'Number of the load.';
comment on column monitoring.source_loads.query_name is
'Query that was executed.';
comment on column monitoring.source_loads.status is
'loading, interrupted (may be continued), loaded or failed.';
comment on column monitoring.source_loads.loader_pid is
'Process id of the session that loads it, or did last.';
comment on column monitoring.source_loads.started_at is
'When it began.';
comment on column monitoring.source_loads.heartbeat_at is
'When rows last arrived.';
comment on column monitoring.source_loads.ended_at is
'When it ended; infinity before.';
comment on column monitoring.source_loads.rows_read is
'Number of rows staged so far.';
comment on column monitoring.source_loads.resume_after is
'Value of the resume column in the last row that was staged, with its type.';
comment on column monitoring.source_loads.attempts is
'How often it was begun or continued.';
comment on column monitoring.source_loads.last_error is
'What went wrong last; null when nothing did.';

-- Rows in passing: they come again with the next load, so that a crash may empty the table.
create unlogged table monitoring.staged_rows (
    load_id bigint not null,
    row_number bigint not null,
    cells text[] not null,
    constraint staged_rows_pk primary key (load_id, row_number)
);

comment on table monitoring.staged_rows is
'Rows that a query in another database returned, until they are read.';
comment on column monitoring.staged_rows.load_id is
'Load that brought the row.';
comment on column monitoring.staged_rows.row_number is
'Number of the row in its load, from 1.';
comment on column monitoring.staged_rows.cells is
'Its values as texts, in the order of the columns of the query.';

insert into monitoring.installed_migrations (migration_id) values ('0010_sources');
