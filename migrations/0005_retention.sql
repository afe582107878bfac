-- depends: 0004_jobs

-- How long what was recorded is kept.

set local lock_timeout = '200ms';

create table monitoring.retention_policies (
    table_name text not null,
    category text not null default '',
    is_shipped boolean not null default false,
    shipped_keep interval,
    decided_keep interval,
    keep interval generated always as (
        case when changed_at is null then shipped_keep else decided_keep end
    ) stored,
    changed_by text,
    changed_at timestamptz,
    removed_before timestamptz,
    constraint retention_policies_pk primary key (table_name, category),
    constraint retention_policies_are_shipped_or_decided_ck check (
        is_shipped or changed_at is not null
    ),
    constraint retention_policies_keep_is_positive_ck check (keep > '0')
);

comment on table monitoring.retention_policies is
'How long the rows of a table are kept, and how far they have been removed.';
comment on column monitoring.retention_policies.table_name is
'Table in schema monitoring.';
comment on column monitoring.retention_policies.category is
'Severity of errors, type of tasks, level of log lines, resolution of roll-ups; empty for all rows '
'that no other policy names.';
comment on column monitoring.retention_policies.is_shipped is
'Whether it is a policy of ours, rather than one that people added.';
comment on column monitoring.retention_policies.shipped_keep is
'Age at which rows are removed while nobody has decided; null when they are kept for ever.';
comment on column monitoring.retention_policies.decided_keep is
'Age that people set, when changed_at says that they did; null when rows are kept for ever.';
comment on column monitoring.retention_policies.keep is
'Age at which rows are removed; null when they are kept for ever.';
comment on column monitoring.retention_policies.changed_by is
'Who set it; null as shipped.';
comment on column monitoring.retention_policies.changed_at is
'When that was; null as shipped.';
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

insert into monitoring.installed_migrations (migration_id) values ('0005_retention');
