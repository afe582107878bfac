-- What lets programs go on recording while code is loaded and tables change.

begin;
select plan(3);

create temporary view bodies as
select
    p.proname::text as name,
    p.proacl::text ~ 'monitoring_writer=X' as is_for_writers,
    coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) as body
from pg_proc as p
where p.pronamespace = 'monitoring'::regnamespace and p.prokind in ('f', 'p');

create temporary view mentioned as
select distinct
    b.name,
    m.words[1] as word
from bodies as b
cross join regexp_matches(b.body, '\mmonitoring\.([a-z_0-9]+)', 'g') as m (words);

-- Loading the code locks each view that it replaces, until all is loaded.
select is_empty(
    $$
        with recursive called (name) as (
            select b.name from bodies b where b.is_for_writers
            union
            select m.word from called c
            inner join mentioned m on m.name = c.name
            where m.word in (select b.name from bodies b)
        )
        select m.name, m.word
        from called c
        inner join mentioned m on m.name = c.name
        inner join pg_class v on v.relname = m.word
        where v.relnamespace = 'monitoring'::regnamespace
            and v.relkind = 'v'
            and v.relname !~ '^_all_'
            -- What a run would be, and what a day came to, may wait for that.
            and m.word <> 'processing_log'
    $$,
    'what programs call reads no view that loading the code replaces'
);

select ok(
    (
        select
            count(*) > 0 and bool_and(
                monitoring._columns_of(t.table_name)
                = monitoring._columns_of('_all_' || t.table_name)
            )
        from monitoring.partitioned_tables as t
    ),
    'a view of all rows has the columns of its table, so that it is left alone'
);

select ok(
    (
        select
            bool_and(
                monitoring._columns_of(t.table_name)
                = monitoring._columns_of('late_' || t.table_name)
            )
        from monitoring.partitioned_tables as t
    ),
    'rows that wait to be placed have the columns of their table, in its order'
);

select * from finish(); -- noqa: AM04
rollback;
