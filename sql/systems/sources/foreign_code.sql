-- Reading relations of others without our rights. Whoever made a view, a type, a cast or an index
-- says which functions run when it is read, and they run with the rights of whoever reads. So what
-- sources read is read as monitoring_reader, in a block that cannot write and is undone. Foreign
-- tables, whose servers know our owner, and the tables of status triggers are read by that one
-- where monitoring_reader may not, and only if there is no code of others in them. Where nobody
-- could arrange for such a role, that goes for everything. Reads the catalogue, writes nothing.

-- Rows of a query, whose columns have types of PostgreSQL's own, which whoever calls names. It can
-- only read what monitoring_reader may read, and whatever it does besides is undone.
--
-- Belongs to monitoring_reader, see grants.sql; hence it calls nothing but what that role may.
create or replace function monitoring._rows_as_reader(p_query text)
returns setof record
language plpgsql
stable
rows 100000
security definer
set search_path = pg_catalog, pg_temp
as $$
-- The query was made by our own functions, which quote what is in it.
-- @plpgsql_check_options: security_warnings = off
begin
    -- Each of the readers may alter this function, see _run_rule_query().
    if current_user::pg_catalog.text operator(pg_catalog.<>) 'monitoring_reader'::pg_catalog.text
    then
        raise insufficient_privilege using
            message = 'relations of others are read as another role than they should be',
            hint = 'Somebody has altered monitoring._rows_as_reader(): run pgvigil migrate --reload.';
    end if;
    declare
        v_is_complete pg_catalog.bool := false;
    begin
        -- Set within, nothing can take it back before the block ends; and what others have left
        -- behind ends with it.
        perform
            set_config('row_security', 'off', true),
            -- A relation that somebody keeps locked is none to wait for, the less in a hurry.
            set_config('lock_timeout', case
                when current_setting('lock_timeout') operator(pg_catalog.=) '1s' then '1s'
                else '10s'
            end, true),
            set_config('transaction_read_only', 'on', true);
        return query execute p_query;
        v_is_complete := true;
        raise transaction_rollback;
    exception
        when transaction_rollback then
            if not v_is_complete then
                raise;
            end if;
    end;
end
$$;

-- The role without our rights that reads relations of others; null where there is none.
create or replace function monitoring._reader_of_relations() returns oid
language sql
stable
return (
    select p.proowner
    from pg_catalog.pg_proc as p
    where
        p.oid = 'monitoring._rows_as_reader(text)'::regprocedure
        and p.proowner = to_regrole('monitoring_reader')
);

-- Whether a role may read columns of a relation.
create or replace function monitoring._may_read(
    p_role oid, p_relation regclass, p_columns text[]
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_role is not null
        and exists (
            select from pg_class c
            where c.oid = p_relation and has_schema_privilege(p_role, c.relnamespace, 'usage')
                -- To count rows takes the right to read one column, whichever that is.
                and has_any_column_privilege(p_role, c.oid, 'select')
        )
        and not exists (
            select from unnest(p_columns) c (name)
            inner join pg_attribute a on a.attrelid = p_relation and a.attname = c.name
            where not has_column_privilege(p_role, p_relation, a.attnum, 'select')
        );
end
$$;

-- A relation with its partitions and children, and whatever a view reads, at every level.
create or replace function monitoring._relations_under(p_relation regclass)
returns table (relation oid)
language sql
stable
begin atomic
    with recursive found as (
        select p_relation::oid as relation
        union
        select u.relation
        from found as f
        cross join lateral (
            select i.inhrelid as relation
            from pg_catalog.pg_inherits as i
            where i.inhparent = f.relation
            union all
            select d.refobjid
            from pg_catalog.pg_rewrite as r
            inner join pg_catalog.pg_depend as d
                on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
            where
                r.ev_class = f.relation
                and r.rulename = '_RETURN'
                and d.refclassid = 'pg_class'::regclass
        ) as u
    )

    select f.relation from found as f;
end;

-- Whether a function, operator, operator class or type is PostgreSQL's own, ours or a
-- superuser's.
create or replace function monitoring._is_trusted_object(p_class oid, p_object oid)
returns boolean
language sql
stable
-- What only superusers can make or have made can do no more than they may.
return p_object < 16384 or exists (
    select
    from (
        select
            p.proowner as owner,
            p.pronamespace as namespace
        from pg_catalog.pg_proc as p
        where p_class = 'pg_proc'::regclass and p.oid = p_object
        union all
        select
            p.proowner,
            p.pronamespace
        from pg_catalog.pg_operator as o
        inner join pg_catalog.pg_proc as p on o.oprcode = p.oid
        where p_class = 'pg_operator'::regclass and o.oid = p_object
        union all
        select
            c.opcowner,
            c.opcnamespace
        from pg_catalog.pg_opclass as c
        where p_class = 'pg_opclass'::regclass and c.oid = p_object
        union all
        select
            t.typowner,
            t.typnamespace
        from pg_catalog.pg_type as t
        where p_class = 'pg_type'::regclass and t.oid = p_object
    ) as m
    inner join pg_catalog.pg_roles as r on m.owner = r.oid
    where r.rolsuper or m.namespace = 'monitoring'::regnamespace
);

-- A function or type of others by which their code may run when columns of a relation are read;
-- null when there is none.
create or replace function monitoring._foreign_code_in(p_relation regclass, p_columns text[])
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        with relations as (
            select u.relation from monitoring._relations_under(p_relation) u (relation)
        ),
        parts (class, object) as (
            select 'pg_class'::regclass, r.relation from relations r
            union all
            -- The planner looks into the conditions of indexes and checks before it reads a row.
            select 'pg_class'::regclass, i.indexrelid
            from relations r inner join pg_index i on i.indrelid = r.relation
            union all
            select 'pg_constraint'::regclass, k.oid
            from relations r inner join pg_constraint k on k.conrelid = r.relation
            union all
            select 'pg_statistic_ext'::regclass, s.oid
            from relations r inner join pg_statistic_ext s on s.stxrelid = r.relation
            union all
            select 'pg_attrdef'::regclass, f.oid
            from relations r
            inner join pg_attrdef f on f.adrelid = r.relation
            inner join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
            where a.attgenerated <> ''
            union all
            select 'pg_rewrite'::regclass, w.oid
            from relations r inner join pg_rewrite w on w.ev_class = r.relation
            where w.rulename = '_RETURN'
        )
        select pg_describe_object(c.class, c.object, 0)
        from (
            select d.refclassid as class, d.refobjid as object
            from parts p
            inner join pg_depend d on d.classid = p.class and d.objid = p.object
            where d.refclassid in (
                'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass
            )
            or d.refclassid = 'pg_type'::regclass and d.classid = 'pg_rewrite'::regclass
            union all
            select 'pg_type'::regclass, a.atttypid
            from pg_attribute a
            where a.attrelid = p_relation and a.attname = any (p_columns) and a.attnum > 0
                and not monitoring._is_our_kind_of_type(a.atttypid)
            union all
            -- What comes from elsewhere is made a value here, which domains check.
            select 'pg_type'::regclass, a.atttypid
            from relations r
            inner join pg_foreign_table t on t.ftrelid = r.relation
            inner join pg_attribute a on a.attrelid = t.ftrelid and a.attnum > 0
        ) c
        where not monitoring._is_trusted_object(c.class, c.object)
        limit 1
    );
end
$$;

-- Whether a relation is read as monitoring_reader, and not as our owner; PV007 when neither will
-- do.
create or replace function monitoring._reads_as_reader(p_relation_name text, p_columns text[])
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_relation regclass;
    v_is_readable boolean;
    v_foreign text;
begin
    if not starts_with(p_relation_name, 'query:') then
        v_relation := to_regclass(p_relation_name);
    end if;
    if v_relation is null then
        return false; -- rows of a query are ours
    end if;
    v_is_readable := monitoring._may_read(
        monitoring._reader_of_relations(), v_relation, p_columns
    );
    -- A foreign server knows our owner, and may know no other.
    if v_is_readable and (select c.relkind <> 'f' from pg_class c where c.oid = v_relation) then
        return true;
    end if;
    v_foreign := monitoring._foreign_code_in(v_relation, p_columns);
    if v_foreign is not null and not v_is_readable then
        raise exception using
            errcode = 'PV007',
            message = format('%s is not read with our rights, for code of others runs in it: %s',
                p_relation_name, v_foreign),
            hint = format('Let it be read without them: grant usage on schema %s to '
                'monitoring_reader; grant select on %s to monitoring_reader;',
                (select c.relnamespace::regnamespace from pg_class c where c.oid = v_relation),
                p_relation_name);
    end if;
    return v_foreign is not null;
end
$$;

-- Whether the rows of a source are read as monitoring_reader, and not as our owner; PV007 when
-- neither will do.
create or replace function monitoring._is_read_without_rights(
    p_relation_name text, p_columns text[]
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
-- The name is one that _checked_source_relation() has quoted:
-- @plpgsql_check_options: security_warnings = off
declare
    v_kind text;
    v_relation regclass;
begin
    if not starts_with(p_relation_name, 'query:') then
        v_relation := to_regclass(p_relation_name);
    end if;
    select c.relkind::text into v_kind from pg_class c where c.oid = v_relation;
    if v_kind <> 'f' and monitoring._reader_of_relations() is not null then
        return true;
    end if;
    if v_kind = 'f' and has_any_column_privilege(v_relation, 'select') then
        -- Locks it: between the look and the reading it stays what it is.
        execute format('select from %s where false', v_relation);
    end if;
    return monitoring._reads_as_reader(p_relation_name, p_columns);
end
$$;

-- Query for the rows of another, which is run as monitoring_reader: given the names of its
-- columns and the types that they are to have, which are PostgreSQL's own.
create or replace function monitoring._query_as_reader(p_query text, p_names text[], p_types text[])
returns text
language sql
stable
return (
    select
        format(
            'select * from monitoring._rows_as_reader(%L) r (%s)',
            -- Made what they are to be before they come here: a cast may be code of others.
            format(
                'select %s from (%s) q',
                string_agg(
                    format('q.%I::%s', c.name, c.type_name), ', ' order by c.position
                ),
                p_query
            ),
            string_agg(format('%I %s', c.name, c.type_name), ', ' order by c.position)
        )
    from unnest(p_names, p_types) with ordinality as c (name, type_name, position)
);
