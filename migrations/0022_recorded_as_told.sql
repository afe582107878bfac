-- depends: 0021_enabled_sources

set local lock_timeout = '5s';

-- An end that arrives before its start waits here for it: the start looks into this table anyway.
alter table monitoring.unsuccessful_attempts
add column early_end_at timestamptz;

comment on column monitoring.unsuccessful_attempts.early_end_at is
'When an end was told that fits no start yet, the start closes with it; attempt is 0 where there '
'was no unsuccessful attempt before.';

insert into monitoring.installed_migrations (migration_id) values ('0022_recorded_as_told');
