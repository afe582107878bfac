-- House rules of what reads many partitions: nothing of it is compiled, which takes far longer.

begin;
select plan(3);

set local search_path = pg_catalog, tap;

create temporary view routines_and_views as
select
    p.proname::text collate "C" as name,
    'routine' as kind,
    coalesce(p.proconfig @> array['jit=off'], false) as is_pinned,
    coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) as body
from pg_proc as p
where p.pronamespace = 'monitoring'::regnamespace and p.prokind <> 'a'
union all
select
    c.relname::text collate "C" as name,
    'view' as kind,
    false as is_pinned,
    pg_get_viewdef(c.oid) as body
from pg_class as c
where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'v';

-- Inner functions that record insert into partitions, and read none.
create temporary table uses as
select distinct
    n.name as caller,
    m.used[1] collate "C" as used
from routines_and_views as n
cross join lateral regexp_matches(n.body, 'monitoring\.(_?[a-z_]+)', 'g') as m (used)
where n.name !~ '^_(record_|start_task|complete_task|update_task)';

-- A view whose name is put together.
insert into uses (caller, used)
select
    n.name as caller,
    v.name as used
from routines_and_views as n
cross join routines_and_views as v
where n.body ~ '_samples_of_' and v.name ~ '^_samples_of_';

create temporary table reaching as
with recursive reaching as (
    select t.table_name collate "C" as name
    from monitoring.partitioned_tables as t
    union
    select u.caller
    from uses as u
    inner join reaching as r on u.used = r.name
    where not exists (
            select from routines_and_views as n where n.name = u.caller and n.is_pinned
        )
)

select r.name from reaching as r;

select isnt_empty(
    $$select name from reaching where name in ('processing_metrics', '_samples_of_tasks')$$,
    'the catalogue tells which views read tables by day'
);

select is_empty(
    $$
        select n.name
        from routines_and_views as n
        inner join reaching as r on n.name = r.name
        where n.kind = 'routine' and n.name !~ '^_'
    $$,
    'no public function reads tables by day but with jit off, in itself or in what it calls'
);

select set_has(
    $$select name from routines_and_views where is_pinned$$,
    $$values ('_run_job'), ('_evaluate'), ('roll_up'), ('_read_samples'), ('_trends_between')$$,
    'nor what any job calls, nor a rule, nor what is new in a trend'
);

select * from finish(); -- noqa: AM04
rollback;
