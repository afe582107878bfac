-- The schema, the four roles, the book of what is installed, the list of partitioned tables, and
-- what the clock and vital work are guarded by.

set local lock_timeout = '200ms';

-- A DBA may have made the schema beforehand for a caller who may not create one. In one that holds
-- anything somebody else is at home.
do $$
declare
    v_there text [];
begin
    if to_regnamespace('monitoring') is null then
        create schema monitoring;
    end if;
    v_there := array(
        select pg_describe_object(d.classid, d.objid, 0)
        from pg_depend d
        where d.refclassid = 'pg_namespace'::regclass
            and d.refobjid = to_regnamespace('monitoring')
            and d.classid <> 'pg_default_acl'::regclass
        order by 1
    );
    if v_there <> '{}' then
        raise exception using
            errcode = 'duplicate_schema',
            message = format(
                'schema monitoring holds what is not pgvigil''s: %s%s',
                array_to_string(v_there[1:10], ', '),
                ' and ' || nullif(greatest(cardinality(v_there) - 10, 0), 0) || ' more'
            ),
            hint = 'Nothing was changed. pgvigil needs schema monitoring for itself: rename yours '
                '(alter schema monitoring rename to ...), or take another database.';
    end if;
end
$$;

comment on schema monitoring is
'pgvigil: watches the work that programs do, from inside PostgreSQL.';

-- Roles belong to the whole cluster: another database may have made them already, and on a
-- managed server the caller may not be allowed to. The installation works in both cases.
do $$
declare
    v_role name;
begin
    foreach v_role in array
        array['monitoring_reader', 'monitoring_writer', 'monitoring_operator', 'monitoring_admin']
    loop
        if exists (select from pg_roles where rolname = v_role) then
            raise notice 'role % is already there and is used as it is', v_role;
            if exists (
                select from pg_roles
                where rolname = v_role
                    and (
                        rolcanlogin or rolsuper or rolcreaterole or rolcreatedb or rolreplication
                        or rolbypassrls
                    )
            ) then
                raise warning 'role % is not as pgvigil makes it: it may log in, or more', v_role
                    using hint = format(
                        'If it is somebody else''s, install elsewhere: who has it gets its rights '
                        'in pgvigil, and pgvigil those of the role. If not: alter role %I nologin '
                        'nosuperuser nocreaterole nocreatedb noreplication nobypassrls;', v_role);
            end if;
        else
            execute format('create role %I nologin', v_role);
        end if;
    end loop;
exception
    when insufficient_privilege then
        raise warning 'the monitoring roles were not set up: %', sqlerrm
            using hint = format(
                'Everything works for the role that installs, which owns all until then. Ask an '
                'administrator to run: create role monitoring_reader; create role '
                'monitoring_writer; create role monitoring_operator; create role '
                'monitoring_admin; grant monitoring_admin to %I; (those that are missing), then '
                'run sql/grants.sql or pgvigil migrate.', current_user);
end
$$;

-- The admin is to own everything, which takes an installer with the admin's rights. To have made
-- the role is not enough from PostgreSQL 16 on. Without the role there is nothing to do.
do $$
begin
    if not pg_has_role(to_regrole('monitoring_admin'), 'usage') then
        execute format('grant monitoring_admin to %I', current_user);
    end if;
exception
    when insufficient_privilege then
        raise warning '% owns the installation instead of monitoring_admin: %', current_user, sqlerrm
            using hint = format(
                'Everything works all the same. To hand it over, ask an administrator to run: '
                'grant monitoring_admin to %I; then run sql/grants.sql or pgvigil migrate.',
                current_user);
end
$$;

create table monitoring.installed_migrations (
    migration_id text not null,
    installed_at timestamptz not null default now(),
    constraint installed_migrations_pk primary key (migration_id)
);

comment on table monitoring.installed_migrations is
'Migrations that ran here, whichever way they came in: pgvigil migrate, the single file or yoyo.';
comment on column monitoring.installed_migrations.migration_id is
'File name of the migration without its ending, such as 0001_schema_and_roles.';
comment on column monitoring.installed_migrations.installed_at is
'Start of the transaction that ran it.';

create table monitoring.installed_code (
    is_installed boolean not null default true,
    version text not null,
    checksum text,
    loaded_at timestamptz not null default now(),
    constraint installed_code_pk primary key (is_installed),
    constraint installed_code_is_one_row_ck check (is_installed)
);

comment on table monitoring.installed_code is
'One row: which version of the functions and views is loaded.';
comment on column monitoring.installed_code.is_installed is
'Always true; keeps the table at one row.';
comment on column monitoring.installed_code.version is
'Version of pgvigil that the code belongs to.';
comment on column monitoring.installed_code.checksum is
'SHA-256 over the files of sql/install.sql in order; null when plain psql loaded them.';
comment on column monitoring.installed_code.loaded_at is
'Start of the transaction that loaded the code.';

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

create table monitoring.partitioned_tables (
    table_name text not null,
    key_column text not null,
    time_column text not null,
    shipped_days_ahead integer not null default 7,
    decided_days_ahead integer,
    days_ahead integer not null generated always as (
        coalesce(decided_days_ahead, shipped_days_ahead)
    ) stored,
    changed_by text,
    changed_at timestamptz,
    constraint partitioned_tables_pk primary key (table_name),
    constraint partitioned_tables_days_ahead_are_few_ck check (days_ahead between 0 and 100),
    constraint partitioned_tables_decisions_have_a_time_ck check (
        (decided_days_ahead is null) = (changed_at is null)
    )
);

comment on table monitoring.partitioned_tables is
'Tables that are partitioned by UTC day, with the columns their primary keys must contain.';
comment on column monitoring.partitioned_tables.table_name is
'Name of the partitioned table in schema monitoring.';
comment on column monitoring.partitioned_tables.key_column is
'Column that says what a row is about; the distribution column on Citus.';
comment on column monitoring.partitioned_tables.time_column is
'Column whose UTC day decides the partition.';
comment on column monitoring.partitioned_tables.shipped_days_ahead is
'Number of days after today that have a partition made for them while nobody has decided.';
comment on column monitoring.partitioned_tables.decided_days_ahead is
'Number that people set; null while nobody has.';
comment on column monitoring.partitioned_tables.days_ahead is
'Number of days after today that have a partition made for them.';
comment on column monitoring.partitioned_tables.changed_by is
'Who set it; null as shipped.';
comment on column monitoring.partitioned_tables.changed_at is
'When that was; null as shipped.';

-- Whom to believe about the time: only our own functions can set the clock.
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

-- What vital work is guarded by: rows and sequences that nobody but the admins can lock or set.
create table monitoring.guards (
    guard_name text not null,
    constraint guards_pk primary key (guard_name)
);

comment on table monitoring.guards is
'One row for each piece of work that only one session may do at a time, which locks it meanwhile.';
comment on column monitoring.guards.guard_name is
'What is guarded.';

insert into monitoring.guards (guard_name) values
('configuration'), ('evaluations'), ('alerts'), ('partitions'), ('cleanup'),
('import of pg_cron runs'),
('rule_query_1'), ('rule_query_1 end'), ('rule_query_2'), ('rule_query_2 end'),
('rule_query_3'), ('rule_query_3 end'), ('rule_query_4'), ('rule_query_4 end'),
('explanation_1'), ('explanation_1 end'), ('explanation_2'), ('explanation_2 end'),
('source_1'), ('source_1 end'), ('source_2'), ('source_2 end'),
('source_3'), ('source_3 end'), ('source_4'), ('source_4 end');

-- Sequences are the only thing that others see before a transaction ends. They belong to the table,
-- so that they change owner and go with it.
create sequence monitoring.rule_query_1 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.rule_query_2 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.rule_query_3 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.rule_query_4 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.explanation_1 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.explanation_2 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.source_1 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.source_2 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.source_3 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.source_4 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.evaluated_rule minvalue 0 owned by monitoring.guards.guard_name;

comment on sequence monitoring.rule_query_1 is
'Until when the query of a rule may run, and in which session.';
comment on sequence monitoring.rule_query_2 is
'Until when the query of a rule may run, and in which session.';
comment on sequence monitoring.rule_query_3 is
'Until when the query of a rule may run, and in which session.';
comment on sequence monitoring.rule_query_4 is
'Until when the query of a rule may run, and in which session.';
comment on sequence monitoring.explanation_1 is
'Until when the query of a rule may run that explains an alert, and in which session.';
comment on sequence monitoring.explanation_2 is
'Until when the query of a rule may run that explains an alert, and in which session.';
comment on sequence monitoring.source_1 is
'Until when a source may be read, and in which session.';
comment on sequence monitoring.source_2 is
'Until when a source may be read, and in which session.';
comment on sequence monitoring.source_3 is
'Until when a source may be read, and in which session.';
comment on sequence monitoring.source_4 is
'Until when a source may be read, and in which session.';
comment on sequence monitoring.evaluated_rule is
'Checksum of the own rule whose query an evaluation is running; 0 when it is running none.';

insert into monitoring.installed_migrations (migration_id) values ('0001_schema_and_roles');
