-- depends: 0021_enabled_sources

-- What shows that a time in monitoring.now was set by our own functions.

set local lock_timeout = '5s';

create table monitoring.clock_keys (
    is_only boolean not null default true,
    key bytea not null,
    constraint clock_keys_pk primary key (is_only),
    constraint clock_keys_are_one_ck check (is_only)
);

comment on table monitoring.clock_keys is
'One row, which nobody but the admins may read.';
comment on column monitoring.clock_keys.is_only is
'Always true, so that there is one row.';
comment on column monitoring.clock_keys.key is
'Goes into the seal of the times that our own functions set.';

insert into monitoring.clock_keys (key)
select sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

insert into monitoring.installed_migrations (migration_id) values ('0024_moved_clocks');
