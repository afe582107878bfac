-- Each watched table has a trigger function of its own, whose queries are planned once; what it
-- records, and that it goes with the table.

begin;
select plan(30);
\ir helpers/fixed_clock.psql
\ir helpers/statuses.psql

create schema scratch;
create table scratch.orders (id integer primary key, state text, note text);
grant usage on schema scratch to monitoring_admin;
grant select on scratch.orders to monitoring_admin;
insert into scratch.orders (id, state)
select
    n as id,
    'OPEN' as state
from generate_series(1, 5000) as n;
select monitoring.attach_status_trigger('scratch.orders', '{id}', 'state');

create temporary view functions_of_tables as
select
    p.oid,
    p.proname,
    p.proacl,
    p.proowner,
    p.prosecdef
from pg_proc as p
where
    p.pronamespace = 'monitoring'::regnamespace
    and p.prorettype = 'trigger'::regtype
    and p.proname <> '_track_trigger';

-- The function

select is((select count(*) from functions_of_tables), 1::bigint, 'a watched table has a function');
select is(
    (
        select count(*) from pg_trigger as t
        inner join functions_of_tables as f on t.tgfoid = f.oid
        where t.tgrelid = 'scratch.orders'::regclass
    ),
    3::bigint,
    'which serves inserts, updates and deletes'
);
select results_eq(
    $$
        select f.prosecdef, f.proowner = p.proowner
        from functions_of_tables f, pg_proc p
        where p.oid = 'monitoring._track_trigger()'::regprocedure
    $$,
    $$values (true, true)$$,
    'it has the rights of the owner of all functions'
);
select is_empty(
    $$
        select a.grantee::regrole
        from functions_of_tables f, aclexplode(f.proacl) a
        where a.grantee not in (f.proowner, 'monitoring_admin'::regrole)
    $$,
    'and nobody else may use it'
);

create temporary table functions_before as select f.oid from functions_of_tables as f;
select monitoring.attach_status_trigger('scratch.orders', '{id}', 'state');
select is((select count(*) from functions_of_tables), 1::bigint, 'attached again it has one');
select is_empty(
    'select oid from functions_of_tables intersect select oid from functions_before',
    'which is another'
);
select ok(monitoring.remove_status_trigger('scratch.orders'), 'when it is detached');
select is_empty('select * from functions_of_tables', 'the function is gone');

create table scratch.gone (id integer, state text);
grant select on scratch.gone to monitoring_admin;
select monitoring.attach_status_trigger('scratch.gone', '{id}', 'state');
drop table scratch.gone;
select monitoring.remove_status_trigger('scratch.gone');
select is_empty('select * from functions_of_tables', 'as is that of a table that was dropped');

-- What it looks at

select monitoring.attach_status_trigger('scratch.orders', '{id}', 'state');
create function pg_temp.reads_of(p_statement text) returns bigint
language plpgsql
as $$
declare
    v_before bigint;
begin
    select pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid)
    into v_before
    from pg_class c where c.oid = 'monitoring.record_states'::regclass;
    execute p_statement;
    return (
        select pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid)
        from pg_class c where c.oid = 'monitoring.record_states'::regclass
    ) - v_before;
end
$$;
analyze monitoring.record_states;
select cmp_ok(
    pg_temp.reads_of('create temporary table s as select status from monitoring.record_states'),
    '>=', 5000::bigint, 'reading all statuses would show'
);
select is(
    pg_temp.reads_of($$update scratch.orders set note = 'read'$$), 0::bigint,
    'a statement that changes no status reads no known status'
);
select cmp_ok(
    pg_temp.reads_of($$update scratch.orders set state = 'DONE' where id = 1$$), '<=', 2::bigint,
    'one that changes a status reads that of its record alone'
);
select cmp_ok(
    pg_temp.reads_of($$delete from scratch.orders where id = 2$$), '<=', 2::bigint,
    'as does one that removes a row'
);
select is(
    pg_temp.history_of('1') || ', ' || pg_temp.history_of('2'),
    'OPEN > DONE 12:00 SYSTEM postgres, OPEN > - 12:00 SYSTEM postgres', 'and both are recorded'
);

-- What it records

update scratch.orders set state = 'MANY'
where id > 1000;
select results_eq(
    $$
        select count(*), count(distinct record_key), count(distinct recorded_at)
        from monitoring.status_history where to_status = 'MANY'
    $$,
    $$values (4000::bigint, 4000::bigint, 1::bigint)$$,
    'thousands of rows are recorded by their statement'
);

delete from monitoring.record_states
where record_key in ('3', '4');
update scratch.orders set state = 'DONE'
where id = 3;
select is(
    pg_temp.history_of('3'), 'OPEN > DONE 12:00 SYSTEM postgres',
    'a record whose status was forgotten is not taken for a new one: its row says what it was'
);
delete from scratch.orders where id = 4;
select is(
    pg_temp.history_of('4'), 'OPEN > - 12:00 SYSTEM postgres', 'nor does it go unnoticed'
);

select pg_temp.track_at('12:00', pg_temp.told('5', 'AHEAD', '13:00'));
update scratch.orders set state = 'DONE'
where id = 5;
select is(
    pg_temp.status_of('5'), 'AHEAD 13:00 MONITOR', 'a status that was told ahead stays the present'
);
select is(
    pg_temp.history_of('5'),
    '- > DONE 12:00 SYSTEM postgres, OPEN > AHEAD 13:00 MONITOR',
    'and the change that a row makes before it goes into history'
);

-- Who writes it

set local search_path = scratch, public;
set local standard_conforming_strings = off;
set local plan_cache_mode = force_custom_plan;
set local datestyle = 'German';
update orders set state = E'it''s \\ odd'
where id = 6;
reset search_path;
reset standard_conforming_strings;
reset plan_cache_mode;
reset datestyle;
select is(
    pg_temp.history_of('6'), E'OPEN > it''s \\ odd 12:00 SYSTEM postgres',
    'settings of a session change nothing'
);
set local client_min_messages = error;
select pg_temp.set_clock('never');
select lives_ok(
    $$update scratch.orders set state = 'DONE' where id = 7$$, 'not even when there is no time'
);
select pg_temp.set_clock('2026-01-15 12:00+00');
reset client_min_messages;

-- Columns

alter table scratch.orders alter column id type bigint;
alter table scratch.orders add column added text;
update scratch.orders set state = 'DONE'
where id = 8;
select is(
    pg_temp.history_of('8'), 'OPEN > DONE 12:00 SYSTEM postgres', 'columns may come, or change'
);

create table scratch.parts (
    "Ein|Teil" text, day date, "it's \ näme" varchar(20) -- noqa: RF05
);
grant select on scratch.parts to monitoring_admin;
insert into scratch.parts values ('a|b', '2026-01-15', 'OPEN'), ('c', null, 'OPEN');
select monitoring.attach_status_trigger(
    'scratch.parts', array['Ein|Teil', 'day'], E'it''s \\ näme'
);
update scratch.parts set day = day + 1;
select results_eq(
    $$
        select record_key, from_status, to_status from monitoring.status_history
        where dataset = 'parts' order by record_key collate "C"
    $$,
    $$values ('a\|b|2026-01-15', 'OPEN', null), ('a\|b|2026-01-16', null, 'OPEN')$$,
    'a key of several columns may have bars and nulls, and its change is two'
);
update scratch.parts set "it's \ näme" = 'DONE'; -- noqa: RF05
select set_eq(
    $$select record_key from monitoring.status_history where to_status = 'DONE'
        and dataset = 'parts'$$,
    array['a\|b|2026-01-16', 'c|'],
    'whatever the columns are called'
);

-- Upgrades

create function pg_temp.spoil_functions() returns void
language plpgsql
as $$
declare
    v_function regprocedure;
begin
    for v_function in select f.oid from functions_of_tables f loop
        execute format(
            'create or replace function %s returns trigger language plpgsql as '
            '''begin return null; end''',
            v_function
        );
    end loop;
end
$$;
select pg_temp.spoil_functions();
update scratch.parts set "it's \ näme" = 'SPOILT'; -- noqa: RF05
select is_empty(
    $$select * from monitoring.status_history where to_status = 'SPOILT'$$,
    'a function of an earlier version does what that did'
);
select monitoring._remake_trigger_functions();
update scratch.parts set "it's \ näme" = 'REMADE'; -- noqa: RF05
update scratch.orders set state = 'REMADE'
where id = 9;
select is(
    (select count(*) from monitoring.status_history where to_status = 'REMADE'), 3::bigint,
    'an upgrade gives it the present code, whatever the columns are called'
);
select is_empty(
    'select * from functions_of_tables where not prosecdef', 'with the rights of its owner'
);

create table scratch.early (id integer, state text);
grant select on scratch.early to monitoring_admin;
create trigger pgvigil_status_insert after insert on scratch.early
referencing new table as new_rows
for each statement execute function monitoring._track_trigger('early', 'state', 'SYSTEM', 'id');
create trigger pgvigil_status_update after update on scratch.early
referencing old table as old_rows new table as new_rows
for each statement execute function monitoring._track_trigger('early', 'state', 'SYSTEM', 'id');
create trigger pgvigil_status_delete after delete on scratch.early
referencing old table as old_rows
for each statement execute function monitoring._track_trigger('early', 'state', 'SYSTEM', 'id');
insert into scratch.early
select
    n as id,
    'OPEN' as state
from generate_series(1, 1500) as n;
update scratch.early set state = 'DONE'
where id = 1;
delete from scratch.early where id = 1;
select is(
    pg_temp.history_of('1', 'early'),
    '- > OPEN 12:00 SYSTEM postgres, OPEN > DONE 12:00 SYSTEM postgres, '
    'DONE > - 12:00 SYSTEM postgres',
    'triggers that an earlier version made go on'
);
select is(
    (select count(*) from monitoring.v_record_status where dataset = 'early' and status = 'OPEN'),
    1499::bigint, 'for many rows as well'
);
select monitoring.attach_status_trigger('scratch.early', '{id}', 'state');
select is(
    (
        select count(*) from pg_trigger as t
        inner join functions_of_tables as f on t.tgfoid = f.oid
        where t.tgrelid = 'scratch.early'::regclass
    ),
    3::bigint, 'and are replaced when the table is attached again'
);

select * from finish(); -- noqa: AM04
rollback;
