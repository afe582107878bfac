-- attach_status_trigger: every change of status in a table is recorded, whoever makes it.

begin;
select plan(34);
\ir helpers/fixed_clock.psql
\ir helpers/statuses.psql

create schema scratch;
create table scratch.orders (id integer primary key, state text, note text);
grant usage on schema scratch to monitoring_admin;
grant select on scratch.orders to monitoring_admin;
insert into scratch.orders (id, state) values (1, 'OPEN'), (2, 'OPEN'), (3, null);

-- Attaching

select is(
    monitoring.attach_status_trigger('scratch.orders', '{id}', 'state'), 2::bigint,
    'attaching takes over the records that have a status'
);
select is(pg_temp.status_of('1'), 'OPEN 12:00 SYSTEM postgres', 'as their present status');
select is_empty('select * from monitoring.status_history', 'and writes no history');
select results_eq(
    $$
        select table_name, dataset, key_columns, status_column, change_source, tables,
            without_trigger
        from monitoring.v_status_triggers
    $$,
    $$
        values ('scratch.orders', 'orders', '{id}'::text[], 'state', 'SYSTEM', 1::bigint,
            '{}'::text[])
    $$,
    'the table is listed, its dataset named like it'
);

-- Statements

create function pg_temp.clock_at(p_time text) returns void
language sql
as $$
    select set_config('monitoring.now', '2026-01-15 ' || p_time || '+00', true)
$$;

select pg_temp.clock_at('13:00');
update scratch.orders set state = 'DONE'
where id = 1;
select is(pg_temp.history_of('1'), 'OPEN > DONE 13:00 SYSTEM postgres', 'an update is a change');
update scratch.orders set note = 'read';
update scratch.orders set state = state;
select is(
    (select count(*) from monitoring.status_history), 1::bigint,
    'one that changes no status is none'
);
select pg_temp.clock_at('13:10');
insert into scratch.orders (id, state) values (4, 'OPEN'), (5, 'OPEN'), (6, null);
select is(pg_temp.history_of('4'), '- > OPEN 13:10 SYSTEM postgres', 'an inserted row is new');
select is(pg_temp.history_of('6'), null, 'unless it has no status');
update scratch.orders set state = 'OPEN'
where id = 6;
select is(pg_temp.history_of('6'), '- > OPEN 13:10 SYSTEM postgres', 'until it gets one');
select pg_temp.clock_at('13:20');
delete from scratch.orders where id = 4;
select is(
    pg_temp.history_of('4'), '- > OPEN 13:10 SYSTEM postgres, OPEN > - 13:20 SYSTEM postgres',
    'a deleted row is gone'
);
insert into scratch.orders (id, state) values (5, 'LATE'), (7, 'OPEN')
on conflict (id) do update set state = excluded.state;
select is(
    pg_temp.history_of('5'), '- > OPEN 13:10 SYSTEM postgres, OPEN > LATE 13:20 SYSTEM postgres',
    'an upsert changes what is there'
);
select is(pg_temp.history_of('7'), '- > OPEN 13:20 SYSTEM postgres', 'and adds what is not');
update scratch.orders set id = 70
where id = 7;
select is(
    pg_temp.history_of('7'), '- > OPEN 13:20 SYSTEM postgres, OPEN > - 13:20 SYSTEM postgres',
    'a row with another key is no longer the record that it was'
);
select is(pg_temp.history_of('70'), '- > OPEN 13:20 SYSTEM postgres', 'but a new one');
select lives_ok(
    $$
        merge into scratch.orders o using (values (70, 'DONE'), (71, 'OPEN')) m (id, state)
        on o.id = m.id
        when matched then update set state = m.state
        when not matched then insert (id, state) values (m.id, m.state)
    $$,
    'rows may be merged'
);
select is(
    pg_temp.status_of('70') || ', ' || pg_temp.status_of('71'),
    'DONE 13:20 SYSTEM postgres, OPEN 13:20 SYSTEM postgres', 'with the same result'
);

-- Who it was

create function pg_temp.act_as(p_change_source text, p_actor text) returns void
language plpgsql
as $$
begin
    perform set_config('monitoring.change_source', p_change_source, true);
    perform set_config('monitoring.actor', p_actor, true);
end
$$;

select pg_temp.act_as('BOT', 'robo');
update scratch.orders set state = 'CHECKED'
where id = 1;
select is(
    pg_temp.status_of('1'), 'CHECKED 13:20 BOT robo', 'a program may say who it is, and for whom'
);
select pg_temp.act_as('ELF', 'robo');
update scratch.orders set state = 'DONE'
where id = 1;
select results_eq(
    $$
        select change_source, details from monitoring.status_history
        where record_key = '1' and from_status = 'CHECKED'
    $$,
    $$values ('SYSTEM', '{"unknown_change_source": "ELF"}'::jsonb)$$,
    'a source that is not known is noted, and stops nobody'
);
select pg_temp.act_as('', '');

-- All at once

select pg_temp.clock_at('14:00');
truncate scratch.orders;
select results_eq(
    $$
        select record_key, from_status from monitoring.status_history
        where recorded_at = '2026-01-15 14:00+00' and to_status is null order by record_key
    $$,
    $$
        values ('1', 'DONE'), ('2', 'OPEN'), ('5', 'LATE'), ('6', 'OPEN'), ('70', 'DONE'),
            ('71', 'OPEN')
    $$,
    'after truncate all are gone'
);
insert into scratch.orders (id, state)
select
    n as id,
    'OPEN' as state
from generate_series(1001, 2000) as n;
update scratch.orders set state = 'DONE'
where id > 1500;
select results_eq(
    $$
        select from_status, to_status, count(*) from monitoring.status_history
        where length(record_key) = 4 group by 1, 2 order by 1, 2
    $$,
    $$values ('OPEN', 'DONE', 500::bigint), (null, 'OPEN', 1000)$$,
    'rows by the thousand are recorded by their statement'
);

-- What goes wrong

set local client_min_messages = error;
select lives_ok(
    $$insert into scratch.orders (id, state) values (9, repeat('long ', 100))$$,
    'a status that is very long is recorded'
);
select alike(
    (select status from monitoring.v_record_status where record_key = '9'),
    'long long % [cut: 500 characters in all]', 'cut, with a note of it'
);
create table scratch.notes (name text, state text);
grant select on scratch.notes to monitoring_admin;
select monitoring.attach_status_trigger('scratch.notes', '{name}', 'state');
insert into scratch.notes
values (null, 'OPEN'), ('', 'OPEN'), (repeat('long ', 100), 'OPEN'), ('fine', 'OPEN');
select results_eq(
    $$
        select length(record_key) from monitoring.v_record_status
        where dataset = 'notes' order by 1
    $$,
    $$values (4), (236)$$,
    'a row without a key, or with a very long one, does not hide the others'
);
truncate scratch.notes;
select is(
    (select count(*) from monitoring.v_record_status where dataset = 'notes' and status is null),
    2::bigint, 'whatever is done to them'
);
select monitoring.remove_status_trigger('scratch.notes');
alter table scratch.orders rename column state to status;
select lives_ok(
    $$update scratch.orders set status = 'OPEN' where id = 9$$,
    'a trigger that fails does not stop the program'
);
select is((select status from scratch.orders where id = 9), 'OPEN', 'whose change is made');
select results_eq(
    $$select error_type, severity, component, details from monitoring.error_tracking$$,
    $$
        values ('StatusTriggerFailed', 'high', 'pgvigil',
            '{"table": "scratch.orders", "dataset": "orders", "sqlstate": "42703"}'::jsonb)
    $$,
    'an error tells that it was not recorded'
);
select pg_temp.clock_at('15:00');
select is(
    monitoring.attach_status_trigger('scratch.orders', '{id}', 'status'), 0::bigint,
    'attached anew it knows all records'
);
select is(
    (
        select to_status from monitoring.status_history
        where record_key = '9' and recorded_at = '2026-01-15 15:00+00'
    ),
    'OPEN', 'and records what it missed'
);
alter table scratch.orders disable trigger pgvigil_status_update;
select is(
    (select without_trigger from monitoring.v_status_triggers), array['scratch.orders'],
    'a trigger that somebody disabled shows'
);

-- Detaching

select ok(monitoring.remove_status_trigger('scratch.orders'), 'a trigger can be detached');
update scratch.orders set status = 'LOST'
where id = 9;
select is(
    (select status from monitoring.v_record_status where record_key = '9'), 'OPEN',
    'and then records nothing'
);
select is_empty('select * from monitoring.v_status_triggers', 'nor is the table listed');
select ok(
    not monitoring.remove_status_trigger('scratch.never'), 'where there is none nothing happens'
);

select * from finish(); -- noqa: AM04
rollback;
