-- Only what is ours goes: the tables made with it, and what code is left of those who own them.
do $$
declare
    v_owners oid [] := array(
        select nspowner from pg_namespace where nspname = 'monitoring'
        union
        select oid from pg_roles
        where rolname in ('monitoring_admin', 'monitoring_reader', current_user)
    );
    v_kept text [];
begin
    v_kept := array(
        select pg_describe_object(d.classid, d.objid, 0)
        from pg_depend d
        left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid
        left join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.objid
        where d.refclassid = 'pg_namespace'::regclass
            and d.refobjid = to_regnamespace('monitoring')
            and d.classid not in (
                'pg_default_acl'::regclass, 'pg_publication_namespace'::regclass
            )
            and coalesce(c.relname, '') not in (
                'installed_migrations', 'installed_code', 'installed_objects',
                'partitioned_tables', 'clock_keys', 'guards', 'rule_query_1', 'rule_query_2',
                'rule_query_3', 'rule_query_4', 'explanation_1', 'explanation_2', 'evaluated_rule',
                'source_1', 'source_2', 'source_3', 'source_4'
            )
            and not (
                (p.oid is not null or c.relkind = 'v')
                and coalesce(p.proowner, c.relowner) = any (v_owners)
            )
        order by 1
    );
    if v_kept <> '{}' then
        raise exception using
            errcode = 'dependent_objects_still_exist',
            message = format(
                'schema monitoring holds what is not pgvigil''s: %s', array_to_string(v_kept, ', ')
            ),
            hint = 'Nothing was changed. Move it to another schema, and run this again.';
    end if;
end
$$;

-- Roles stay: another database of the cluster may use them.
drop schema monitoring cascade;
