-- Refuses to go on when schema monitoring holds what is not pgvigil's, and names it. Nothing in the
-- catalogue says whose a thing is, so: tables and types are ours when a migration makes them;
-- functions and views, when the last installer noted them; where none did, when they belong to
-- whom ours belong to. In a schema without our book nothing is ours.
do $pgvigil$
declare
    v_schema oid := (select oid from pg_catalog.pg_namespace where nspname = 'monitoring');
    v_tables text [] := array[/*tables*/];
    v_types text [] := array[/*types*/];
    v_has_book boolean;
    v_is_first_there boolean := false;
    v_has_code boolean := false;
    v_is_noted boolean := false;
    v_noted text [];
    v_owners oid [];
    v_foreign text [];
begin
    if v_schema is null then
        return;
    end if;
    select
        count(*) filter (
            where c.relname = 'installed_migrations'
                and (a.attname, a.atttypid) in (
                    ('migration_id', 'text'::regtype), ('installed_at', 'timestamptz'::regtype)
                )
        ) = 2
        and count(*) filter (
            where c.relname = 'installed_code' and a.attname in ('is_installed', 'version', 'checksum')
        ) = 3
    into v_has_book
    from pg_catalog.pg_class c
    inner join pg_catalog.pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = v_schema and c.relkind = 'r';
    if v_has_book then
        execute 'select exists (select from monitoring.installed_migrations'
            ' where migration_id = ''0001_schema_and_roles'')'
        into v_is_first_there;
        v_has_book := v_is_first_there;
    end if;
    if v_has_book then
        execute 'select count(*) > 0, count(checksum) > 0 from monitoring.installed_code'
        into v_has_code, v_is_noted;
        if v_is_noted and exists (
            select from pg_catalog.pg_class c
            where c.relnamespace = v_schema and c.relname = 'installed_objects'
        ) then
            execute 'select array_agg(object_type || '' '' || object_identity)'
                ' from monitoring.installed_objects'
            into v_noted;
        end if;
        v_owners := array(
            select n.nspowner from pg_catalog.pg_namespace n where n.oid = v_schema
            union
            select c.relowner from pg_catalog.pg_class c
            where c.relnamespace = v_schema and c.relname = 'installed_migrations'
            union
            select r.oid from pg_catalog.pg_roles r
            where r.rolname in ('monitoring_admin', 'monitoring_reader', current_user)
        );
    end if;
    with things as (
        select
            d.classid, d.objid, i.type || ' ' || i.identity as name,
            c.relname, c.relkind, t.typname, p.proname, coalesce(c.relowner, p.proowner) as owner
        from pg_catalog.pg_depend d
        cross join lateral pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
        left join pg_catalog.pg_class c on d.classid = 'pg_catalog.pg_class'::regclass
            and c.oid = d.objid
        left join pg_catalog.pg_type t on d.classid = 'pg_catalog.pg_type'::regclass
            and t.oid = d.objid
        left join pg_catalog.pg_proc p on d.classid = 'pg_catalog.pg_proc'::regclass
            and p.oid = d.objid
        where d.refclassid = 'pg_catalog.pg_namespace'::regclass
            and d.refobjid = v_schema
            and d.objsubid = 0
            -- Rights that are granted ahead, and publications, are settings of the schema.
            and d.classid not in (
                'pg_catalog.pg_default_acl'::regclass,
                'pg_catalog.pg_publication_namespace'::regclass
            )
    )
    select array_agg(s.name order by s.name)
    into v_foreign
    from things s
    where not v_has_book
        or not coalesce(
            case
                when s.relkind in ('r', 'p') then
                    s.relname = any (v_tables)
                    or substring(s.relname from '^(.*)_\d{8}$') = any (v_tables)
                    or s.name = any (v_noted)
                when s.relkind = 'S' then exists (
                    select from pg_catalog.pg_depend o
                    inner join pg_catalog.pg_class c on c.oid = o.refobjid
                    where o.classid = s.classid
                        and o.objid = s.objid
                        and o.refclassid = s.classid
                        and o.refobjsubid > 0
                        and c.relnamespace = v_schema
                )
                when s.typname is not null then s.typname = any (v_types) or s.name = any (v_noted)
                when s.proname ~ '^_track_trigger_[0-9a-f]{32}$' then true
                -- What adopt() makes of the tables of others.
                when coalesce(s.proname, s.relname)
                    ~ '^(_|v_)adopted_[a-z][a-z0-9_]{0,29}_(runs|depths|queues)$'
                    then s.owner = any (v_owners)
                when s.relkind = 'v' or s.proname is not null then case
                    when v_noted is not null then s.name = any (v_noted)
                    when v_has_code then s.owner = any (v_owners)
                end
            end,
            false
        );
    if v_foreign is not null then
        raise exception using
            errcode = 'duplicate_schema',
            message = format(
                'schema monitoring holds what is not pgvigil''s: %s%s',
                array_to_string(v_foreign[1:10], ', '),
                ' and ' || nullif(greatest(cardinality(v_foreign) - 10, 0), 0) || ' more'
            ),
            hint = case
                when v_has_book then
                    'Nothing was changed. Move it (alter ... set schema ...) or drop it, and run '
                    'this again.'
                else
                    'Nothing was changed. pgvigil needs schema monitoring for itself: rename '
                    'yours (alter schema monitoring rename to ...), or take another database.'
            end;
    end if;
end
$pgvigil$;
