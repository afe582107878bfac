-- How the values of watched columns become texts, whatever types they have.

begin;
select plan(13);
\ir helpers/fixed_clock.psql

create schema scratch;
grant usage on schema scratch to monitoring_admin;
create domain scratch.flag as boolean;
create domain scratch.code as char(6);
create type scratch.state as enum ('OPEN', 'DONE');
create domain scratch.state_again as scratch.state;
create type scratch.pair as (a integer, b integer);

create function pg_temp.key_and_status(p_type text, p_value text) returns text
language plpgsql as $$
begin
    execute 'drop table if exists scratch.t';
    execute format('create table scratch.t (id %1$s, state %1$s)', p_type);
    execute 'grant select on scratch.t to monitoring_admin';
    perform monitoring.attach_status_trigger('scratch.t', '{id}', 'state', p_type);
    execute format('insert into scratch.t values (%1$L, %1$L)', p_value);
    return (
        select concat_ws(' is ', r.record_key, r.status) from monitoring.v_record_status r
        where r.dataset = p_type
    );
end $$;

select
    is(
        pg_temp.key_and_status(t.type_name, t.given), format('%1$s is %1$s', t.text),
        'as a text: ' || t.type_name
    )
from (
    values
    ('text', 'A b ', 'A b '),
    ('integer', '-7', '-7'),
    ('boolean', 't', 'true'),
    ('char(6)', 'AB', 'AB'),
    ('inet', '10.0.0.1', '10.0.0.1/32'),
    ('name', 'x', 'x'),
    ('timestamptz', '2026-01-15 12:00+01', '2026-01-15 11:00:00+00'),
    ('numeric(8,2)', '1', '1.00'),
    ('scratch.flag', 't', 'true'),
    ('scratch.code', 'AB', 'AB'),
    ('scratch.state', 'OPEN', 'OPEN'),
    ('scratch.state_again', 'OPEN', 'OPEN')
) as t (type_name, given, text);

select throws_ok(
    $$select pg_temp.key_and_status('scratch.pair', '(1,2)')$$,
    'PV007',
    'values of type scratch.pair are not read',
    'a type of another kind is refused'
);

select * from finish(); -- noqa: AM04
rollback;
