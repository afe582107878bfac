-- How many days ahead partitions are made is data.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- Long before any installation, so that no partitions are there but those of the test.
select pg_temp.set_clock('2020-06-15 12:00+00');

create function pg_temp.days_of(p_table text) returns text
language sql
as $$
    select string_agg(right(d.partition_name, 4), ' ' order by d.begins_at)
    from monitoring._days(p_table) as d where d.begins_at < '2021-01-01'
$$;

-- Behaviour

select monitoring.set_partitions_ahead(2);

select is(monitoring.ensure_partitions(), 21, 'the number of days may be set for all tables');
select is(pg_temp.days_of('errors'), '0615 0616 0617', 'today is one more');

select monitoring.set_partitions_ahead(4, 'errors');

select is(monitoring.ensure_partitions(), 2, 'or for one table');
select is(pg_temp.days_of('errors'), '0615 0616 0617 0618 0619', 'which then has more');
select is(pg_temp.days_of('log_lines'), '0615 0616 0617', 'while the others have not');

select is(
    monitoring.ensure_partitions(3),
    6,
    'a call may ask for another number of days for all tables'
);

select pg_temp.set_clock('2020-08-01 12:00+00');
select monitoring.ensure_partitions();

select is(
    pg_temp.days_of('errors') || ' and ' || pg_temp.days_of('log_lines'),
    '0615 0616 0617 0618 0619 0801 0802 0803 0804 0805 and 0615 0616 0617 0618 0801 0802 0803',
    'the days of each are those ahead of today'
);

select results_eq(
    $$
        select distinct table_name, days_ahead from monitoring.v_retention
        where table_name in ('errors', 'log_lines') order by 1
    $$,
    $$values ('errors', 4), ('log_lines', 2)$$,
    'v_retention tells how many'
);

-- Boundaries

select monitoring.set_partitions_ahead(0);
select pg_temp.set_clock('2020-09-01 12:00+00');

select is(monitoring.ensure_partitions(), 7, 'none ahead leaves today');

-- Taking it back

select is(
    (select array_agg(distinct changed_by) from monitoring.partitioned_tables),
    array[session_user::text],
    'who set it is kept'
);
select monitoring.set_partitions_ahead(null);
select set_eq(
    'select days_ahead, changed_by, changed_at from monitoring.partitioned_tables',
    'values (7, null::text, null::timestamptz)',
    'null is as shipped'
);

-- Refusals

select
    is(
        pg_temp.refusal_of(call),
        row(code, message, hint)::pg_temp.refusal,
        'refused: ' || call
    )
from (
    values
    (
        'monitoring.set_partitions_ahead(101)', 'PV004', 'p_days is out of range: 101',
        'Give p_days as a number from 0 to 100.'
    ),
    (
        'monitoring.set_partitions_ahead(-1)', 'PV004', 'p_days is out of range: -1',
        'Give p_days as a number from 0 to 100.'
    ),
    (
        'monitoring.set_partitions_ahead(7, ''jobs'')', 'PV007',
        'there is no partitioned table "jobs"',
        'Take the name from v_retention, or leave it out to mean all.'
    )
) as refused (call, code, message, hint);

select * from finish(); -- noqa: AM04
rollback;
