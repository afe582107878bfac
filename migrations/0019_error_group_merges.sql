-- depends: 0018_fleet

-- Which error groups count as one although their fingerprints differ, and which never shall.

set local lock_timeout = '200ms';

create table monitoring.error_group_merges (
    fingerprint text not null,
    merged_into text not null,
    note text,
    changed_by text not null,
    login_name text default session_user,
    changed_at timestamptz not null,
    constraint error_group_merges_pk primary key (fingerprint)
);

-- What a group is made of: error_groups, get_error_occurrences()
create index error_group_merges_merged_into_ix on monitoring.error_group_merges (merged_into);

comment on table monitoring.error_group_merges is
'What people decided about which error groups are one. Errors keep their fingerprints, and totals '
'are kept by those, so that each merge can be taken back.';
comment on column monitoring.error_group_merges.fingerprint is
'Fingerprint of errors that are no group of their own.';
comment on column monitoring.error_group_merges.merged_into is
'The group they belong to, which is in none itself; their own fingerprint when they were taken out '
'of a group.';
comment on column monitoring.error_group_merges.note is
'Why.';
comment on column monitoring.error_group_merges.changed_by is
'Who decided it.';
comment on column monitoring.error_group_merges.login_name is
'Database user whose session did it, whatever name was given.';
comment on column monitoring.error_group_merges.changed_at is
'When it was decided.';

insert into monitoring.installed_migrations (migration_id) values ('0019_error_group_merges');
