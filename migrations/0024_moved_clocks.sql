-- depends: 0021_enabled_sources

-- Whom to believe: the clock that our own functions set, and who did something.

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

-- Where the clock stood when jobs were last looked at, so that a clock that moves is noticed.
create table monitoring.clock_readings (
    is_only boolean not null default true,
    seen_at timestamptz,
    last_step_ms double precision,
    moved_at timestamptz,
    moved_from_at timestamptz,
    constraint clock_readings_pk primary key (is_only),
    constraint clock_readings_are_one_ck check (is_only)
)
with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

comment on table monitoring.clock_readings is
'One row: where the clock stood when somebody last looked for due jobs.';
comment on column monitoring.clock_readings.is_only is
'Always true, so that there is one row.';
comment on column monitoring.clock_readings.seen_at is
'Where it stood.';
comment on column monitoring.clock_readings.last_step_ms is
'Milliseconds that it had gone on since the time before.';
comment on column monitoring.clock_readings.moved_at is
'Where it stood after it was last found to have gone on by far more than usual; null when it never '
'was, or was put back since.';
comment on column monitoring.clock_readings.moved_from_at is
'Where it had stood before that.';

insert into monitoring.clock_readings (is_only) values (true);

-- Whoever calls may say who did it. The session's user is noted beside that; what was there before
-- stays without.
alter table monitoring.status_changes add column login_name text;
alter table monitoring.status_changes alter column login_name set default session_user;
alter table monitoring.alert_transitions add column login_name text;
alter table monitoring.alert_transitions alter column login_name set default session_user;
alter table monitoring.alert_silences add column login_name text;
alter table monitoring.alert_silences alter column login_name set default session_user;
alter table monitoring.alert_silences add column ended_login_name text;
alter table monitoring.error_group_states add column login_name text;
alter table monitoring.error_group_states alter column login_name set default session_user;
alter table monitoring.datasets add column login_name text;
alter table monitoring.datasets alter column login_name set default session_user;

comment on column monitoring.status_changes.login_name is
'Database user whose session recorded it.';
comment on column monitoring.alert_transitions.login_name is
'Database user in whose session it happened.';
comment on column monitoring.alert_silences.login_name is
'Database user whose session made it.';
comment on column monitoring.alert_silences.ended_login_name is
'Database user whose session ended it before its time.';
comment on column monitoring.error_group_states.login_name is
'Database user whose session decided it.';
comment on column monitoring.datasets.login_name is
'Database user whose session changed it last.';

-- Days that are there already; those to come take it from the table.
do $$
declare
    v_partition regclass;
begin
    for v_partition in
        select i.inhrelid::regclass
        from pg_inherits i
        where i.inhparent = 'monitoring.status_changes'::regclass
    loop
        execute format(
            'comment on column %s.login_name is %L', v_partition,
            'Database user whose session recorded it.'
        );
    end loop;
end
$$;

insert into monitoring.installed_migrations (migration_id) values ('0024_moved_clocks');
