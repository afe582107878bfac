-- depends: 0004_metrics

set local lock_timeout = '5s';

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

insert into monitoring.partitioned_tables (table_name, key_column, time_column)
values ('log_lines', 'component', 'logged_at');

insert into monitoring.installed_migrations (migration_id) values ('0005_logs');
