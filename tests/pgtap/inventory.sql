-- Everything in schema monitoring comes from the sources as they now are, and all of it is there.
-- What an older version left behind shows up here.

\set migrations `cat $(ls migrations/*.sql | grep -v rollback)`
\set code `cd sql && cat $(sed -n 's/^.ir //p' install.sql)`

begin;
select plan(8);

create temporary table sources as
select
    s.is_code,
    -- A statement begins on a line of its own.
    regexp_replace(t.statement, '--[^\n]*', '', 'g') as statement,
    row_number() over (order by s.is_code, t.position) as position
from (values (false, :'migrations'), (true, :'code')) as s (is_code, sources)
cross join
    string_to_table(regexp_replace(s.sources, '\n *(create|drop) ', E'\u0001\\1 ', 'g'), E'\u0001')
    with ordinality as t (statement, position);

-- A relation or type is there if it was made after it was last dropped.
create temporary table made as
select distinct on (m.parts[2], m.parts[3])
    m.parts[1] as verb,
    m.parts[2] as kind,
    m.parts[3] as name
from sources as s
cross join
    regexp_matches(
        s.statement,
        '^(create|drop) (?:or replace |unique |unlogged )?(table|view|sequence|type|index) '
        || '(?:if exists |concurrently )?(?:monitoring\.)?(\w+)(?!\w|\.| partition of)'
    ) as m (parts)
order by m.parts[2], m.parts[3], s.position desc;

create function pg_temp.made(p_kind text) returns setof text
language sql
as $$
    select name from made where kind = p_kind and verb = 'create'
$$;

-- Functions

select bag_eq(
    $$
        select p.proname || '(' || coalesce((
            select string_agg(a.name, ', ' order by a.position)
            from unnest(p.proargnames) with ordinality as a (name, position)
            where a.name ~ '^p_'
        ), '') || ')'
        from pg_proc as p
        where p.pronamespace = 'monitoring'::regnamespace
    $$,
    $$
        select f.parts[1] || '(' || coalesce((
            select string_agg(p.name[1], ', ' order by p.position)
            from regexp_matches(
                split_part(f.parts[2], ')' || chr(10) || 'language', 1), '\m(p_\w+)', 'g'
            ) with ordinality as p (name, position)
        ), '') || ')'
        from sources as s, regexp_matches(
            substring(s.statement from '^(.*?)\m(?:returns|language|sfunc)\M'),
            '^create or replace (?:function|procedure|aggregate) monitoring\.(\w+)(.*)$'
        ) as f (parts)
        where s.is_code
    $$,
    'all functions are there with their parameters, as often as they are written, and no others'
);

select is_empty(
    $$
        select p.proname, array_agg(p.oid::regprocedure)
        from pg_proc as p
        where p.pronamespace = 'monitoring'::regnamespace
            -- These take one argument in several types; their tests call each.
            and p.proname not in (
                'log_program_execution', 'track_status_changes', 'record_errors', 'record_metrics',
                'record_batch', 'cleanup_old_monitoring_data',
                'record_logs', 'record_finished_tasks', '_record_rows', 'apply_config',
                'apply_workflow'
            )
        group by p.proname having count(*) > 1
    $$,
    'no function has two signatures, so no call is ambiguous'
);

-- Relations and types

select set_eq(
    $$
        select c.relname::text from pg_class as c
        where c.relnamespace = 'monitoring'::regnamespace and c.relkind in ('r', 'p')
            and not c.relispartition
    $$,
    $$select pg_temp.made('table')$$,
    'all tables are there, and no others'
);

select set_eq(
    $$
        select c.relname::text from pg_class as c
        where c.relnamespace = 'monitoring'::regnamespace and c.relkind in ('v', 'm')
    $$,
    $$
        select pg_temp.made('view')
        union
        select '_all_' || table_name from monitoring.partitioned_tables
    $$,
    'all views are there, and no others'
);

select set_eq(
    $$
        select c.relname::text from pg_class as c
        where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'S'
            -- Those of a serial column come with its table.
            and not exists (
                select from pg_depend as d
                where d.refobjid = c.oid and d.classid = 'pg_attrdef'::regclass
            )
    $$,
    $$select pg_temp.made('sequence')$$,
    'all sequences are there, and no others'
);

select set_eq(
    $$
        select c.relname::text from pg_class as c
        where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'c'
    $$,
    $$select pg_temp.made('type')$$,
    'all composite types are there, and no others'
);

select set_eq(
    $$
        select c.relname::text from pg_class as c
        where c.relnamespace = 'monitoring'::regnamespace and c.relkind in ('i', 'I')
            and not c.relispartition
            and not exists (select from pg_constraint as k where k.conindid = c.oid)
    $$,
    $$select pg_temp.made('index')$$,
    'all indexes are there, and no others'
);

select is_empty(
    $$
        select t.typname from pg_type as t
        where t.typnamespace = 'monitoring'::regnamespace and t.typtype in ('d', 'e', 'r', 'm')
    $$,
    'there are no domains, enums or ranges'
);

select * from finish(); -- noqa: AM04
rollback;
