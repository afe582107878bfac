-- depends: 0013_expected_run_states

-- Which version of a component was put into operation when, for all to see beside what went wrong.

set local lock_timeout = '200ms';

create table monitoring.releases (
    release_id bigserial not null,
    component text not null,
    version text not null,
    released_at timestamptz not null,
    details jsonb,
    recorded_by text not null,
    constraint releases_pk primary key (release_id)
);

-- What ran before: get_releases(), and each call of record_release()
create index releases_component_ix
on monitoring.releases (component, released_at desc, release_id desc);
-- What was released within a span: get_chart_marks()
create index releases_released_at_ix on monitoring.releases (released_at);

comment on table monitoring.releases is
'Versions of components with when each was put into operation, as told. Two programs that tell the '
'same at once may both be here: v_releases has it once.';
comment on column monitoring.releases.release_id is
'Number of the row.';
comment on column monitoring.releases.component is
'Program or service that was released.';
comment on column monitoring.releases.version is
'Name of the version, whatever it looks like.';
comment on column monitoring.releases.released_at is
'When that version was put into operation.';
comment on column monitoring.releases.details is
'What else there is to know, such as commit, author or a link.';
comment on column monitoring.releases.recorded_by is
'Database user whose session told it.';

insert into monitoring.installed_migrations (migration_id) values ('0014_releases');
