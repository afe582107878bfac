-- What is known of queues and schedulers that live in PostgreSQL, as sql/adapters/ says it in a
-- file each: the relations that a system keeps its work in, and the queries that make runs and
-- depths of them. Files are loaded where they are wanted, by whoever runs adopt(). Writes adapters.

-- Raises PV001, PV003 or PV005 unless an adapter may be defined so.
create or replace function monitoring._check_adapter(
    p_adapter_name text, p_relations jsonb, p_runs text, p_depths text, p_work text
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_bad text;
begin
    perform monitoring._check_adopted_name('adapter_name', p_adapter_name);
    if p_relations is null or jsonb_typeof(p_relations) <> 'object' or p_relations = '{}' then
        perform monitoring._refuse_json('relations', coalesce(p_relations::text, 'null'),
            'a JSON object such as {"river_job": ["id", "state"]}');
    end if;
    select r.key into v_bad from jsonb_each(p_relations) r
    where jsonb_typeof(r.value) <> 'array' or r.value = '[]'
        or jsonb_path_exists(r.value, '$[*] ? (@.type() != "string")')
    order by r.key limit 1;
    if v_bad is not null then
        perform monitoring._refuse_json('relations.' || v_bad, (p_relations -> v_bad)::text,
            'an array with the names of the columns that are read');
    end if;
    if coalesce(btrim(p_runs), '') = '' and coalesce(btrim(p_depths), '') = '' then
        perform monitoring._refuse_choice('depths', p_depths,
            array['a query for depths of queues, unless p_runs is one for runs']);
    end if;
    if (p_work in ('type', 'run')) is not true then
        perform monitoring._refuse_choice('work', p_work, array['type', 'run']);
    end if;
end
$$;

-- Raises PV003 unless names of views can be made of a name.
create or replace function monitoring._check_adopted_name(p_what text, p_name text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_name collate "C" ~ '^[a-z][a-z0-9_]{0,29}$') is not true then
        perform monitoring._refuse_choice(p_what, p_name, array[
            'a name of at most 30 lower-case letters, digits and underscores, a letter first'
        ]);
    end if;
end
$$;

create or replace function monitoring.define_adapter(
    p_adapter_name text,
    p_description text,
    p_relations jsonb,
    p_runs text default null,
    p_statuses jsonb default '{}',
    p_depths text default null,
    p_work text default 'run',
    p_further_grants text[] default '{}',
    p_by text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_runs constant text := nullif(btrim(p_runs, E' \t\r\n;'), '');
begin
    perform monitoring._check_adapter(p_adapter_name, p_relations, p_runs, p_depths, p_work);
    insert into monitoring.adapters as a (
        adapter_name, description, relations, runs, statuses, depths, work, further_grants,
        changed_by, changed_at
    )
    values (
        p_adapter_name, coalesce(p_description, ''), p_relations, v_runs,
        case
            when v_runs is null then '{}'::jsonb
            else monitoring._checked_meanings(
                p_statuses, array['pending', 'running', 'completed', 'failed', 'cancelled'],
                '{"running": "running", "completed": "completed", "discarded": "failed"}'
            )
        end,
        nullif(btrim(p_depths, E' \t\r\n;'), ''), p_work, coalesce(p_further_grants, '{}'),
        coalesce(p_by, session_user), monitoring.clock()
    )
    on conflict (adapter_name) do update
        set
            description = excluded.description,
            relations = excluded.relations,
            runs = excluded.runs,
            statuses = excluded.statuses,
            depths = excluded.depths,
            work = excluded.work,
            further_grants = excluded.further_grants,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at;
end
$$;

comment on function monitoring.define_adapter(
    text, text, jsonb, text, jsonb, text, text, text[], text
) is
'Says where a queue or scheduler of others keeps its work in PostgreSQL, and how runs and depths '
'are read from there, for adopt(). Calling it again changes that; docs/queues.md says how.';

-- The adapter of that name, or PV007.
create or replace function monitoring._found_adapter(p_adapter_name text)
returns monitoring.adapters
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_adapter monitoring.adapters;
begin
    select a.* into v_adapter from monitoring.adapters a where a.adapter_name = p_adapter_name;
    if not found then
        perform monitoring._refuse_unknown('adapter', p_adapter_name, format(
            'Load it first, from sql/adapters/ or by: pgvigil adapter %s | psql; loaded are: %s.',
            coalesce(substring(p_adapter_name collate "C" from '^[a-z0-9_]+$'), 'NAME'),
            coalesce(
                (select string_agg(a.adapter_name, ', ' order by a.adapter_name)
                    from monitoring.adapters a),
                'none'
            )
        ));
    end if;
    return v_adapter;
end
$$;

-- Schemas that have all relations of an adapter, each with the first column that it lacks.
create or replace function monitoring._schemas_of_adapter(p_relations jsonb)
returns table (schema_name text, missing text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select n.nspname::text, (
        select format('%I.%I has no column "%s"', n.nspname, r.key, c.name)
        from jsonb_each(p_relations) r
        cross join lateral jsonb_array_elements_text(r.value) with ordinality c (name, position)
        where not exists (
            select from pg_class k
            inner join pg_attribute a on a.attrelid = k.oid and a.attnum > 0
            where k.relnamespace = n.oid and k.relname = r.key and a.attname = c.name
                and not a.attisdropped
        )
        order by r.key, c.position
        limit 1
    )
    from pg_namespace n
    where n.nspname not in ('pg_catalog', 'information_schema', 'monitoring')
        and not exists (
            select from jsonb_object_keys(p_relations) r (name)
            where not exists (
                select from pg_class k
                where k.relnamespace = n.oid and k.relname = r.name
                    and k.relkind in ('r', 'p', 'v', 'm', 'f')
            )
        );
end
$$;

-- The only schema that has what an adapter reads, or the one that is named if it has; PV003 or
-- PV007.
create or replace function monitoring._schema_of_adapter(
    p_adapter monitoring.adapters, p_schema text
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fit text [];
    v_missing text;
begin
    v_fit := array(
        select s.schema_name from monitoring._schemas_of_adapter(p_adapter.relations) s
        where s.missing is null order by s.schema_name
    );
    if p_schema = any (v_fit) or p_schema is null and cardinality(v_fit) = 1 then
        return coalesce(p_schema, v_fit[1]);
    elsif p_schema is null and cardinality(v_fit) > 1 then
        perform monitoring._refuse_choice('schema', p_schema, v_fit);
    end if;
    select s.missing into v_missing from monitoring._schemas_of_adapter(p_adapter.relations) s
    where s.schema_name = coalesce(p_schema, s.schema_name) and s.missing is not null
    order by s.schema_name limit 1;
    if v_missing is not null then
        raise exception using
            errcode = 'PV007',
            message = v_missing,
            hint = format('The adapter was tried with %s: load the one for your version, or '
                'define it anew.', p_adapter.description);
    end if;
    perform monitoring._refuse_unknown(
        'relation',
        concat_ws('.', p_schema, (
            select min(r.name) from jsonb_object_keys(p_adapter.relations) r (name)
        )),
        format('No schema %s has all of %s; adopt it in the database where it is.',
            case when p_schema is null then 'here' else 'of that name' end,
            (select string_agg(r.name, ', ' order by r.name)
                from jsonb_object_keys(p_adapter.relations) r (name)))
    );
    return null;
end
$$;

-- The statements that let a role read what an adapter reads; none where it may already.
create or replace function monitoring._missing_grants(
    p_adapter monitoring.adapters, p_schema text, p_reader name
)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_grants text [];
begin
    if not has_schema_privilege(p_reader, p_schema, 'usage') then
        v_grants := array[format('grant usage on schema %I to %I;', p_schema, p_reader)];
    end if;
    v_grants := v_grants || array(
        select format('grant select (%s) on %I.%I to %I;', string_agg(format('%I', c.name), ', '
            order by c.position), p_schema, r.key, p_reader)
        from jsonb_each(p_adapter.relations) r
        cross join lateral jsonb_array_elements_text(r.value) with ordinality c (name, position)
        inner join pg_class k on k.relname = r.key
        inner join pg_namespace n on n.oid = k.relnamespace and n.nspname = p_schema
        group by r.key
        having not bool_and(has_column_privilege(p_reader, k.oid, c.name, 'select'))
        order by r.key
    );
    if cardinality(v_grants) > 0 then
        v_grants := v_grants || array(
            select replace(replace(g.statement, '{schema}', quote_ident(p_schema)), '{reader}',
                quote_ident(p_reader))
            from unnest(p_adapter.further_grants) g (statement)
        );
    end if;
    return coalesce(v_grants, '{}');
end
$$;

create or replace view monitoring.v_adapters as
select
    a.adapter_name,
    a.description,
    a.relations,
    a.runs is not null as has_runs,
    a.depths is not null as has_depths,
    array(
        select o.adoption_name
        from monitoring.adoptions as o
        where o.adapter_name = a.adapter_name
        order by o.adoption_name
    ) as adopted_as,
    a.changed_by,
    a.changed_at
from monitoring.adapters as a;

comment on view monitoring.v_adapters is
'Queues and schedulers that adopt() knows here, and what was adopted by them.';
comment on column monitoring.v_adapters.adapter_name is
'Name that adopt() takes.';
comment on column monitoring.v_adapters.description is
'What it is, and the versions that the adapter was tried with.';
comment on column monitoring.v_adapters.relations is
'Object of its relations and the columns of each that are read.';
comment on column monitoring.v_adapters.has_runs is
'Whether its jobs become tasks.';
comment on column monitoring.v_adapters.has_depths is
'Whether depths of its queues are recorded.';
comment on column monitoring.v_adapters.adopted_as is
'Names under which it was adopted.';
comment on column monitoring.v_adapters.changed_by is
'Who defined it.';
comment on column monitoring.v_adapters.changed_at is
'When that was.';
