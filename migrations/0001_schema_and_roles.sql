-- The schema, the four roles, the book of what is installed and the list of partitioned tables.

set local lock_timeout = '5s';

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

create table monitoring.partitioned_tables (
    table_name text not null,
    key_column text not null,
    time_column text not null,
    constraint partitioned_tables_pk primary key (table_name)
);

comment on table monitoring.partitioned_tables is
'Tables that are partitioned by UTC day, with the columns their primary keys must contain.';
comment on column monitoring.partitioned_tables.table_name is
'Name of the partitioned table in schema monitoring.';
comment on column monitoring.partitioned_tables.key_column is
'Column that says what a row is about; the distribution column on Citus.';
comment on column monitoring.partitioned_tables.time_column is
'Column whose UTC day decides the partition.';

insert into monitoring.installed_migrations (migration_id) values ('0001_schema_and_roles');
