-- depends: 0011_adapters

-- What has been counted since it began, for those who come back and look at the growth: these
-- figures stay when rows and roll-ups are removed.

set local lock_timeout = '200ms';

-- Every run of the roll-up writes the same few rows again: room for that on their own pages.
create table monitoring.running_totals (
    subject text not null,
    name text not null,
    label text not null,
    component text not null,
    total bigint not null,
    items numeric not null default 0,
    durations bigint not null default 0,
    duration_seconds double precision not null default 0,
    bucket_counts bigint[],
    since_at timestamptz not null,
    counted_at timestamptz not null,
    constraint running_totals_pk primary key (subject, name, label, component),
    constraint running_totals_subject_is_known_ck check (
        subject in ('tasks', 'errors', 'notifications')
    ),
    constraint running_totals_are_not_negative_ck check (
        total >= 0 and items >= 0 and durations >= 0 and duration_seconds >= 0
    )
)
with (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);

comment on table monitoring.running_totals is
'How many tasks, errors and notifications there have been since they are counted, which never '
'goes back. Names beyond the first few hundred share the name (other).';
comment on column monitoring.running_totals.subject is
'tasks, errors or notifications.';
comment on column monitoring.running_totals.name is
'Task type, error type or channel.';
comment on column monitoring.running_totals.label is
'Status of tasks, severity of errors, what became of notifications.';
comment on column monitoring.running_totals.component is
'Component of errors; empty when there is none.';
comment on column monitoring.running_totals.total is
'How many were counted.';
comment on column monitoring.running_totals.items is
'Items that the tasks had done when they ended.';
comment on column monitoring.running_totals.durations is
'How many of the tasks have a known duration.';
comment on column monitoring.running_totals.duration_seconds is
'Sum of their durations, in seconds.';
comment on column monitoring.running_totals.bucket_counts is
'How many of them took no longer than each of the bounds of _duration_bounds(); null where nothing '
'has a duration.';
comment on column monitoring.running_totals.since_at is
'When it was first counted.';
comment on column monitoring.running_totals.counted_at is
'When something of this name was last counted.';

insert into monitoring.installed_migrations (migration_id) values ('0012_running_totals');
