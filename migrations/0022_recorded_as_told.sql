-- depends: 0021_enabled_sources

set local lock_timeout = '5s';

-- An end that arrives before its start waits here for it: the start looks into this table anyway.
alter table monitoring.unsuccessful_attempts
add column early_end_at timestamptz;

comment on column monitoring.unsuccessful_attempts.early_end_at is
'When an end was told that fits no start yet, the start closes with it; attempt is 0 where there '
'was no unsuccessful attempt before.';

-- A row that takes the place of another is counted once: the next roll-up counts that hour anew.
create table monitoring.recounts (
    source text not null,
    hour_at timestamptz not null,
    recorded_xid bigint not null default txid_current(),
    constraint recounts_pk primary key (source, hour_at, recorded_xid)
);

comment on table monitoring.recounts is
'Hours from which a row that may be in the roll-ups was taken back; the next roll-up counts them '
'anew.';
comment on column monitoring.recounts.source is
'Which roll-ups: tasks.';
comment on column monitoring.recounts.hour_at is
'Beginning of the hour.';
comment on column monitoring.recounts.recorded_xid is
'Transaction that noted it, so that nobody waits for another who notes the same hour.';

insert into monitoring.installed_migrations (migration_id) values ('0022_recorded_as_told');
