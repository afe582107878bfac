-- get_installation: what is installed here.

begin;
select plan(8);
\ir helpers/fixed_clock.psql

create temporary view installation as
select monitoring.get_installation() as document;

select is(
    (select array_agg(key order by key) from installation, jsonb_object_keys(document) as key),
    array[
        'code_checksum', 'code_loaded_at', 'migrations', 'missing_roles', 'partitions', 'today',
        'version'
    ],
    'the document has a key for each thing there is to know'
);

select is(
    (select document ->> 'version' from installation),
    monitoring.version(),
    'the version is that of the functions'
);

select matches(monitoring.version(), '^\d+\.\d+\.\d+$', 'a version has three numbers');

select is(
    (select document -> 'migrations' from installation),
    (
        select jsonb_agg(m.migration_id order by m.migration_id)
        from monitoring.installed_migrations as m
    ),
    'migrations are told in order'
);

select is(
    (select document -> 'missing_roles' from installation),
    '[]'::jsonb,
    'no role is missing here'
);

select is(
    (select jsonb_path_query_array(document, '$.partitions[*].table') from installation),
    (
        select jsonb_agg(t.table_name order by t.table_name)
        from monitoring.partitioned_tables as t
    ),
    'partitions are told for each table'
);

select pg_temp.set_clock('2031-05-06 12:00+00');
select monitoring.ensure_partitions();

select is(
    (
        select jsonb_path_query_first(document, '$.partitions[*] ? (@.table == "log_lines").newest')
        from installation
    ),
    '"2031-05-13"'::jsonb,
    'with the day of the newest'
);

select lives_ok(
    $$select monitoring.note_code_checksum('abc')$$,
    'the checksum of the code is noted'
);

select * from finish(); -- noqa: AM04
rollback;
