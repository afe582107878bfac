-- depends: 0018_statuses

-- Sources of records, and queries that are run in other databases: their rows come into staging,
-- and from there on are read like those of a relation.

set local lock_timeout = '5s';

create table monitoring.source_queries (
    query_name text not null,
    connection_name text not null,
    query text not null,
    columns text[] not null,
    resume_column text,
    every_seconds double precision not null default 3600,
    timeout_seconds double precision not null default 600,
    is_enabled boolean not null default true,
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

create table monitoring.record_sources (
    source_name text not null,
    dataset text not null,
    relation_name text not null,
    columns jsonb not null,
    statuses jsonb not null default '{}',
    change_source text not null default 'SYSTEM',
    time_zone text not null default 'UTC',
    is_complete boolean not null default false,
    is_enabled boolean not null default true,
    changed_by text not null,
    changed_at timestamptz not null,
    synced_at timestamptz,
    succeeded_at timestamptz,
    last_error text,
    consecutive_failures bigint not null default 0,
    last_result jsonb,
    constraint record_sources_pk primary key (source_name),
    constraint record_sources_map_by_objects_ck check (columns @> '{}' and statuses @> '{}')
);

comment on table monitoring.record_sources is
'Relations and queries that hold the status of records, and how the last reading of each went.';
comment on column monitoring.record_sources.source_name is
'Name of the source.';
comment on column monitoring.record_sources.dataset is
'Dataset that its rows are records of.';
comment on column monitoring.record_sources.relation_name is
'Table, view or foreign table with its schema, or query:NAME; looked up at each reading.';
comment on column monitoring.record_sources.columns is
'Object of its columns, such as {"record_key": ["branch", "number"], "status": "state"}.';
comment on column monitoring.record_sources.statuses is
'Object of what its status codes are called, codes in upper case; others keep their code.';
comment on column monitoring.record_sources.change_source is
'Change source of what no column says the source of.';
comment on column monitoring.record_sources.time_zone is
'Time zone of its times that name none.';
comment on column monitoring.record_sources.is_complete is
'Whether it always holds all records, so that one that is missing is gone.';
comment on column monitoring.record_sources.is_enabled is
'Whether it is read.';
comment on column monitoring.record_sources.changed_by is
'Who registered or changed it last.';
comment on column monitoring.record_sources.changed_at is
'When that was.';
comment on column monitoring.record_sources.synced_at is
'When it was last read or could not be; null before.';
comment on column monitoring.record_sources.succeeded_at is
'When it was last read; null before.';
comment on column monitoring.record_sources.last_error is
'Why it could not be read the last time; null when it could.';
comment on column monitoring.record_sources.consecutive_failures is
'How often it could not be read since it last could.';
comment on column monitoring.record_sources.last_result is
'What the last reading found.';

insert into monitoring.retention_policies (table_name, category, keep)
values ('source_loads', '', '30 days');

insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters,
    no_data
)
values
(
    'source_not_synchronised', 'records',
    'A source of records, or a query in another database, has not been read for long.',
    '_find_sources_not_synchronised', '_explain_source_not_synchronised', 'minutes', '>=',
    '{}', 'ok'
);

insert into monitoring.alert_thresholds (rule_name, labels, medium, high)
values ('source_not_synchronised', '{}', 120, 360);

-- The function comes with the code, which is loaded after the migrations.
insert into monitoring.jobs (
    job_name, description, schedule, procedure_name, timeout_seconds, next_run_at
)
values
(
    'sync_record_sources', 'Reads the statuses of records that live elsewhere.', '1 hour',
    'monitoring.sync_record_sources', 1800, now()
);

insert into monitoring.installed_migrations (migration_id) values ('0019_record_sources');
