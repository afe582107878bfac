-- What is installed here, and the note that new code was loaded.

create or replace function monitoring.version() returns text
language sql
immutable
return '0.1.0';

comment on function monitoring.version() is
'Version of pgvigil that the functions and views belong to.';

create or replace function monitoring.note_code_checksum(p_checksum text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.installed_code set checksum = p_checksum;
    -- Days come and go, and go by the names of their tables.
    delete from monitoring.installed_objects;
    insert into monitoring.installed_objects (object_type, object_identity)
    select distinct i.type, i.identity
    from pg_depend d
    cross join lateral pg_identify_object(d.classid, d.objid, 0) i
    left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid
    where d.refclassid = 'pg_namespace'::regclass
        and d.refobjid = 'monitoring'::regnamespace
        and coalesce(not c.relispartition, true);
end
$$;

comment on function monitoring.note_code_checksum(text) is
'For installers, which have refused what is not ours: notes the checksum of the code just loaded, '
'so that loading it again can be saved, and what is in the schema now.';

-- Those of the four roles that the cluster does not have.
create or replace function monitoring._missing_roles() returns text[]
language sql
stable
return (
    select coalesce(array_agg(wanted.role_name order by wanted.role_name), '{}')
    from unnest(
            array[
                'monitoring_admin', 'monitoring_operator', 'monitoring_reader', 'monitoring_writer'
            ]
        ) as wanted (role_name)
    where to_regrole(wanted.role_name) is null
);

-- Number and newest day of the partitions of each partitioned table, as an array of objects.
create or replace function monitoring._describe_partitions() returns jsonb
language sql
stable
return (
    select
        coalesce(jsonb_agg(jsonb_build_object(
            'table', t.table_name,
            'partitions', coalesce(d.partitions, 0),
            'newest', (d.newest_day_at at time zone 'UTC')::date
        ) order by t.table_name), '[]')
    from monitoring.partitioned_tables as t
    left join monitoring._counted_days as d
        on to_regclass('monitoring.' || t.table_name) = d.table_id
);

create or replace function monitoring.get_installation() returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return jsonb_build_object(
        'version', monitoring.version(),
        'code_checksum', (select c.checksum from monitoring.installed_code c),
        'code_loaded_at', (select c.loaded_at from monitoring.installed_code c),
        'migrations', (
            select jsonb_agg(m.migration_id order by m.migration_id)
            from monitoring.installed_migrations m
        ),
        'missing_roles', to_jsonb(monitoring._missing_roles()),
        'partitions', monitoring._describe_partitions(),
        'today', (monitoring.clock() at time zone 'UTC')::date
    );
end
$$;

comment on function monitoring.get_installation() is
'What is installed, as an object: version, code_checksum (null when psql loaded the code), '
'code_loaded_at, migrations, missing_roles, partitions, today (UTC).';

insert into monitoring.installed_code (version) values (monitoring.version())
on conflict (is_installed) do update
    set version = excluded.version, checksum = null, loaded_at = now();
