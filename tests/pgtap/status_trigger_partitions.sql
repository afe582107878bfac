-- Status triggers on partitioned tables, and on tables whose records several columns name.

begin;
select plan(13);
\ir helpers/fixed_clock.psql
\ir helpers/statuses.psql

create schema scratch;
create table scratch.orders (branch text, number integer, state text) partition by range (number);
create table scratch.small_orders partition of scratch.orders for values from (0) to (100);
create table scratch.large_orders partition of scratch.orders for values from (100) to (200);
grant usage on schema scratch to monitoring_admin;
grant select on all tables in schema scratch to monitoring_admin;
insert into scratch.orders values ('a|b', 1, 'OPEN'), ('a', 2, 'OPEN'), ('a', 101, 'OPEN');

select is(
    monitoring.attach_status_trigger('scratch.orders', '{branch,number}', 'state'), 3::bigint,
    'the rows of all partitions are taken over'
);
select set_eq(
    $$select record_key from monitoring.v_record_status$$,
    array['a\|b|1', 'a|2', 'a|101'],
    'the columns of a key are joined by bars'
);

update scratch.orders set state = 'DONE'
where number < 2;
select is(
    pg_temp.history_of('a\|b|1'), 'OPEN > DONE 12:00 SYSTEM postgres',
    'a statement on the table is recorded'
);
update scratch.small_orders set state = 'DONE'
where number = 2;
select is(
    pg_temp.history_of('a|2'), 'OPEN > DONE 12:00 SYSTEM postgres',
    'and one on a partition'
);
update scratch.orders set number = 102, state = 'MOVED'
where number = 2;
select is(
    pg_temp.status_of('a|2') || ', ' || pg_temp.status_of('a|102'),
    '- 12:00 SYSTEM postgres, MOVED 12:00 SYSTEM postgres',
    'a row that moves to another partition is recorded once'
);
select is(
    (select count(*) from monitoring.status_history),
    4::bigint,
    'in two changes, for its key changed'
);
truncate scratch.large_orders;
select is(pg_temp.status_of('a|101'), '- 12:00 SYSTEM postgres', 'a truncated partition is gone');
select is(
    pg_temp.status_of('a\|b|1'), 'DONE 12:00 SYSTEM postgres', 'and none of the others'
);

create table scratch.huge_orders partition of scratch.orders for values from (200) to (300);
select is(
    (select without_trigger from monitoring.v_status_triggers), array['scratch.huge_orders'],
    'a partition that was added since shows'
);
insert into scratch.orders values ('a', 201, 'OPEN');
select is(
    pg_temp.history_of('a|201'), '- > OPEN 12:00 SYSTEM postgres',
    'though statements on the table are recorded'
);
grant select on scratch.huge_orders to monitoring_admin;
select monitoring.attach_status_trigger('scratch.orders', '{branch,number}', 'state');
update scratch.huge_orders set state = 'DONE';
select is(
    pg_temp.status_of('a|201'), 'DONE 12:00 SYSTEM postgres', 'attaching again includes it'
);
truncate scratch.orders;
select is(
    (select count(*) from monitoring.v_record_status where status is not null), 0::bigint,
    'truncating the table is the end of all'
);

drop schema scratch cascade;
select ok(
    monitoring.remove_status_trigger('scratch.orders'), 'a table that is gone can be detached'
);

select * from finish(); -- noqa: AM04
rollback;
