-- cleanup_old_monitoring_data: old days become months where rows are kept for long.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/placed.psql

-- Long before any installation, so that no partitions are there but those of the test.
select pg_temp.set_clock('2020-06-15 12:00+00');

create function pg_temp.clean_up(p_is_dry_run boolean default false) returns setof text
language sql
as $$
    select format(
        '%s %s: %s partitions, %s rows%s', c.action, c.table_name, c.partitions, c.rows,
        ', ' || c.note
    )
    from monitoring.cleanup_old_monitoring_data(p_is_dry_run) as c
$$;

create function pg_temp.partitions_of(p_table text) returns text
language sql
as $$
    select string_agg(replace(d.partition_name, p_table || '_', ''), ' ' order by d.begins_at)
    from monitoring._days(p_table) as d where d.begins_at < '2020-06-15 00:00+00'
$$;

create function pg_temp.log_at(p_times text[]) returns void
language sql
as $$
    select monitoring.record_log('c', 'INFO', 'at ' || t.at, p_logged_at => t.at)
    from unnest(p_times::timestamptz[]) as t (at);
    select pg_temp.place_all();
    select pg_temp.take_all()
$$;

select monitoring.set_retention('log_lines', '400 days');
select pg_temp.log_at(array[
    '2020-01-01 00:00+00', '2020-01-20 10:00+00', '2020-01-31 23:59:59.999999+00',
    '2020-02-10 00:00+00', '2020-04-10 00:00+00', '2020-04-11 00:00+00'
]);
create temporary table told as
select * from monitoring.log_lines; -- noqa: AM04

-- Merging

select results_eq(
    'select * from pg_temp.clean_up(true)', array['merge log_lines: 3 partitions, 0 rows'],
    'a dry run tells which days would become a month'
);
select results_eq(
    'select * from pg_temp.clean_up()', array['merge log_lines: 3 partitions, 3 rows'],
    'days of a month that has been over for two become one partition'
);
select is(
    pg_temp.partitions_of('log_lines'), '202001 20200210 20200410 20200411',
    'others stay: a day alone in its month, and what is not old enough'
);
select set_eq(
    'select * from monitoring.log_lines', 'select * from told',
    'every row is there as it was'
);
select is(
    (select count(*) from monitoring.log_lines_202001), 3::bigint, 'those of the month are in it'
);
select is_empty('select * from pg_temp.clean_up()', 'then nothing is left to do');

-- What comes late, or is loaded

select pg_temp.log_at(array['2020-01-07 12:00+00']);
select is(
    (select count(*) from monitoring.log_lines_202001), 4::bigint,
    'a late row of a day that was merged is placed in its month'
);
select is(
    monitoring.prepare_backfill('log_lines', '2020-01-30', '2020-02-01'), 1,
    'a backfill makes days where there is neither the day nor its month'
);

-- Retention

select pg_temp.set_clock('2021-02-20 12:00+00');
select monitoring.confirm_clock();
select is_empty(
    $$select * from pg_temp.clean_up() as c where c !~ '^merge'$$,
    'a month stays until all of it is due'
);
select is(
    (
        select r.seconds_behind from monitoring.v_retention as r
        where r.table_name = 'log_lines' and r.category = ''
    ),
    0::double precision,
    'which does not count as late'
);
select pg_temp.set_clock('2021-03-07 12:00+00');
select monitoring.confirm_clock();
select is(
    (
        select format('%s %s, before %s', c.action, c.rows, c.removed_before at time zone 'UTC')
        from monitoring.cleanup_old_monitoring_data() as c where c.action = 'truncate'
    ),
    'truncate 4, before 2020-02-01 00:00:00',
    'then it is emptied'
);
select isnt_empty(
    $$select * from pg_temp.clean_up() as c where c like 'drop log_lines: %'$$, 'and dropped'
);
select unalike(pg_temp.partitions_of('log_lines'), '%202001 %', 'so that it is gone');

-- As shipped

select is_empty(
    $$
        select monitoring._make_partition(t.table_name, '2020-01-01'::date + g.n)
        from monitoring.partitioned_tables as t
        cross join generate_series(1, 20) as g (n)
        where
            t.table_name <> 'log_lines'
            and monitoring._mergeable_month(t.table_name, '2020-06-15 12:00+00') is not null
    $$,
    'as shipped nothing is kept for so long that it is merged'
);

select * from finish(); -- noqa: AM04
rollback;
