-- depends: 0021_enabled_sources

-- What the last installer made, so that the next can tell it from what others put beside it.

set local lock_timeout = '5s';

create table monitoring.installed_objects (
    object_type text not null,
    object_identity text not null,
    constraint installed_objects_pk primary key (object_type, object_identity)
);

comment on table monitoring.installed_objects is
'What was in the schema after pgvigil migrate or the single file last loaded code, all of it ours. '
'Installers refuse to touch functions and views that are not in here.';
comment on column monitoring.installed_objects.object_type is
'Kind of object, as pg_identify_object() says it: function, view, table.';
comment on column monitoring.installed_objects.object_identity is
'Its name with the schema, and of a function the types of its arguments.';

insert into monitoring.installed_migrations (migration_id) values ('0028_installed_objects');
