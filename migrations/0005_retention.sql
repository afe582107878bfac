-- depends: 0004_jobs

-- How long what was recorded is kept.

set local lock_timeout = '5s';

create table monitoring.retention_policies (
    table_name text not null,
    category text not null default '',
    keep interval,
    removed_before timestamptz,
    constraint retention_policies_pk primary key (table_name, category),
    constraint retention_policies_keep_is_positive_ck check (keep > '0')
);

comment on table monitoring.retention_policies is
'How long the rows of a table are kept, and how far they have been removed.';
comment on column monitoring.retention_policies.table_name is
'Table in schema monitoring.';
comment on column monitoring.retention_policies.category is
'Severity of errors, type of tasks, level of log lines, resolution of roll-ups; empty for all rows '
'that no other policy names.';
comment on column monitoring.retention_policies.keep is
'Age at which rows are removed; null when they are kept for ever.';
comment on column monitoring.retention_policies.removed_before is
'Rows older than this have been removed, but for late ones; null when none were.';

-- What a clean-up did, in the rows that it returns.
create type monitoring.removal as (
    table_name text,
    category text,
    action text,
    partitions integer,
    rows bigint,
    bytes bigint,
    removed_before timestamptz,
    note text
);

comment on type monitoring.removal is
'One thing that a clean-up removed, or could not remove yet.';
comment on column monitoring.removal.table_name is
'Table that it was removed from.';
comment on column monitoring.removal.category is
'Category of the policy; empty for whole partitions and for all rows that no policy names.';
comment on column monitoring.removal.action is
'truncate (a day emptied), drop (empty days dropped) or delete (rows of one category).';
comment on column monitoring.removal.partitions is
'Number of partitions emptied or dropped.';
comment on column monitoring.removal.rows is
'Number of rows removed.';
comment on column monitoring.removal.bytes is
'Bytes given back to the file system; deleted rows give none back until their day goes.';
comment on column monitoring.removal.removed_before is
'Rows older than this are gone.';
comment on column monitoring.removal.note is
'Why nothing, or not all, could be removed; null when all was.';

insert into monitoring.retention_policies (table_name, category, keep)
values
('finished_tasks', '', '30 days'),
('unsuccessful_attempts', '', '90 days'),
('errors', 'low', '30 days'),
('errors', 'medium', '45 days'),
('errors', 'high', '60 days'),
('errors', 'critical', '90 days'),
('metric_samples', '', '7 days'),
('log_lines', '', '30 days'),
('health_probes', '', '30 days'),
('queue_samples', '', '7 days'),
('rollups', 'minute', '2 days'),
('rollups', 'hour', '90 days'),
('rollups', 'day', '5 years'),
('error_group_totals', '', '1 year'),
('component_states', '', '1 year'),
('known_names', '', '30 days');

-- The functions come with the code, which is loaded after the migrations.
insert into monitoring.jobs (
    job_name, description, schedule, procedure_name, timeout_seconds, next_run_at
)
values
(
    'clean_up', 'Removes what is older than the retention policies say.', '10 minutes',
    'monitoring.cleanup_old_monitoring_data', 600, now()
),
(
    'place_late_rows', 'Places what was recorded late in its day.', '10 minutes',
    'monitoring.place_late_rows', 600, now() + interval '10 minutes'
);

insert into monitoring.installed_migrations (migration_id) values ('0005_retention');
