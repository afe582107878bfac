-- cleanup_old_monitoring_data: whole days, emptied by one call and dropped by a later one.

begin;
select plan(22);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/placed.psql

-- Long before any installation, so that no partitions are there but those of the test.
select pg_temp.set_clock('2020-06-15 12:00+00');

-- What a call returned, without the sizes.
create function pg_temp.clean_up(p_is_dry_run boolean default false) returns setof text
language sql
as $$
    select format(
        '%s %s: %s partitions, %s rows, before %s%s',
        c.action, c.table_name, c.partitions, c.rows,
        to_char(c.removed_before at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), ', ' || c.note
    )
    from monitoring.cleanup_old_monitoring_data(p_is_dry_run) as c
$$;

create function pg_temp.days_of(p_table text) returns text
language sql
as $$
    select string_agg(right(d.partition_name, 4), ' ' order by d.begins_at)
    from monitoring._days(p_table) as d where d.begins_at < '2020-06-15 00:00+00'
$$;

select is_empty('select * from pg_temp.clean_up(true)', 'there is nothing to do at first');

select monitoring.record_log('c', 'INFO', 'm', p_logged_at => logged_at)
from
    unnest(array[
        '2020-05-10 00:00+00', '2020-05-10 12:00+00', '2020-05-15 23:59:59.999999+00',
        '2020-05-16 00:00+00', '2020-05-16 11:00+00', '2020-06-15 12:00+00'
    ]::timestamptz[]) as logged_at;
select monitoring.record_queue_metrics('q', 1, p_recorded_at => recorded_at)
from unnest(array['2020-06-07 12:00+00', '2020-06-08 12:00+00']::timestamptz[]) as recorded_at;
select pg_temp.place_all();
select pg_temp.take_all();

-- Behaviour: a dry run

create temporary table told as
select * from monitoring.cleanup_old_monitoring_data(true); -- noqa: AM04

select results_eq(
    'select * from pg_temp.clean_up(true)',
    array[
        'truncate log_lines: 1 partitions, 2 rows, before 2020-05-11 00:00',
        'truncate log_lines: 1 partitions, 1 rows, before 2020-05-16 00:00',
        'truncate queue_samples: 1 partitions, 1 rows, before 2020-06-08 00:00'
    ],
    'a dry run tells which days are due as a whole, oldest first'
);

select is_empty(
    'select * from monitoring.retention_policies where removed_before is not null',
    'and changes nothing: nothing is noted'
);

select is((select count(*) from monitoring.log_lines), 6::bigint, 'nor is any row gone');

-- Behaviour: emptying

select results_eq(
    'select * from monitoring.cleanup_old_monitoring_data()',
    'select * from told',
    'the clean-up itself returns the same rows'
);

select is(
    (select min(bytes) > 8192 from told),
    true,
    'with the size of what was there, indexes included'
);

select results_eq(
    $$
        select logged_at at time zone 'UTC' from monitoring.log_lines
        where logged_at < '2020-06-01 00:00+00' order by 1
    $$,
    array['2020-05-16 00:00', '2020-05-16 11:00']::timestamp[],
    'a day of which some rows are to be kept is kept as a whole'
);

select results_eq(
    $$
        select table_name, removed_before from monitoring.retention_policies
        where table_name in ('log_lines', 'queue_samples') order by 1
    $$,
    $$
        values ('log_lines', '2020-05-16 00:00+00'::timestamptz),
        ('queue_samples', '2020-06-08 00:00+00')
    $$,
    'it is noted up to where rows are missing'
);

select is(
    (
        select complete_since from monitoring.rollup_progress
        where table_name = 'queue_samples'
    ),
    '2020-06-08 00:00+00'::timestamptz,
    'so that roll-ups are not rebuilt from what is left'
);

select is(pg_temp.days_of('log_lines'), '0510 0515 0516', 'emptied days are still there');

-- Behaviour: dropping

select is(current_setting('lock_timeout'), '0', 'until then the caller''s lock_timeout is his own');

select results_eq(
    'select * from pg_temp.clean_up(true)',
    array['drop log_lines: 2 partitions, 0 rows, before 2020-05-16 00:00'],
    'a call that finds no day to empty drops those of one table that are empty'
);

select results_eq(
    'select * from pg_temp.clean_up()',
    array['drop log_lines: 2 partitions, 0 rows, before 2020-05-16 00:00'],
    'a dry run tells that as well'
);

select is(
    current_setting('lock_timeout'),
    '150ms',
    'everyone waits for the end of that transaction, so it must not wait long for anything'
);

select results_eq(
    'select * from pg_temp.clean_up()',
    array['drop queue_samples: 1 partitions, 0 rows, before 2020-06-08 00:00'],
    'those of the next table go at the next call'
);

select is_empty('select * from pg_temp.clean_up()', 'then nothing is left to do');

select is(
    pg_temp.days_of('log_lines') || ' and ' || pg_temp.days_of('queue_samples'),
    '0516 and 0608',
    'days that are not due are left'
);


-- Behaviour: late rows

select monitoring.record_log('late', 'INFO', 'm', p_logged_at => '2020-05-10 12:00+00');

select results_eq(
    'select * from pg_temp.clean_up(true) limit 1',
    array['delete late_log_lines: 0 partitions, 1 rows, before 2020-05-16 12:00'],
    'a row that comes late for a day that is gone is recorded, and goes at the next call'
);

select results_eq(
    'select * from pg_temp.clean_up() limit 1',
    array['delete late_log_lines: 0 partitions, 1 rows, before 2020-05-16 12:00'],
    'which is as the dry run told'
);

select is_empty('select from monitoring.late_log_lines', 'then it is gone');

-- Boundaries

select monitoring.record_log('many', 'INFO', 'm', p_logged_at => logged_at)
from generate_series(
        timestamptz '2020-01-01 00:00+00', '2020-01-25 00:00+00', interval '1 day'
    ) as logged_at;
select pg_temp.place_all();

select results_eq(
    $$select count(*) from pg_temp.clean_up() union all select count(*) from pg_temp.clean_up()$$,
    array[20, 5]::bigint[],
    'one call empties no more than twenty days'
);

select results_eq(
    'select pg_temp.clean_up(n > 4) from generate_series(1, 4) as n',
    array[
        'drop log_lines: 10 partitions, 0 rows, before 2020-01-11 00:00',
        'drop log_lines: 10 partitions, 0 rows, before 2020-01-21 00:00',
        'drop log_lines: 5 partitions, 0 rows, before 2020-01-26 00:00'
    ],
    'and drops no more than ten'
);

select * from finish(); -- noqa: AM04
rollback;
