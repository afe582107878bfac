-- place_late_rows: what waits goes into its day, or away, once it is rolled up; within bounds.

begin;
select plan(22);
-- Days and times are written here as they are in UTC.
set local timezone = 'UTC';
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql

-- Long before any installation, so that no partitions are there but those of the test.
select pg_temp.set_clock('2020-06-15 12:00+00');

create function pg_temp.days_of(p_table text) returns text
language sql
as $$
    select string_agg(right(d.partition_name, 4), ' ' order by d.begins_at)
    from monitoring._days(p_table) as d where d.begins_at < '2021-01-01 00:00+00'
$$;

create function pg_temp.record_at(p_name text, p_days_ago integer[]) returns void
language sql
as $$
    select
        monitoring.record_queue_metrics(p_name, 1, p_recorded_at => t.at),
        monitoring.record_log(p_name, 'INFO', 'm', p_logged_at => t.at)
    from unnest(p_days_ago) as n (days),
        lateral (select monitoring.clock() - make_interval(days => n.days)) as t (at)
$$;

-- Behaviour: only what is rolled up

select pg_temp.record_at('q', '{0, 3, 5, 40}');

select is(
    monitoring.place_late_rows(), '{"log_lines": {"placed": 3, "removed": 1}}',
    'log lines, of which there are no roll-ups, are placed at once; what is not kept goes'
);
select is(pg_temp.days_of('log_lines'), '0610 0612 0615', 'the days are made');
select is(pg_temp.days_of('queue_samples'), null, 'what no roll-up has taken waits');

select pg_temp.roll_up_own('queues');

select is(
    monitoring.place_late_rows(), '{"queue_samples": {"placed": 3, "removed": 1}}',
    'once it is rolled up it is placed as well'
);
select is(
    (
        select array_agg(q.tableoid::regclass::text order by q.recorded_at)
        from monitoring.queue_samples as q
    ),
    array['queue_samples_20200610', 'queue_samples_20200612', 'queue_samples_20200615'],
    'each row in its day'
);
select is_empty('select from monitoring.late_queue_samples', 'nothing waits any more');
select is(
    (select count(*) from monitoring.queue_monitoring where queue_name = 'q'), 3::bigint,
    'whoever reads sees the rows once'
);
select is(monitoring.place_late_rows(), '{}', 'a second call finds nothing to do');
select is_empty(
    'select from monitoring._new_queues()', 'rows that are placed are not new again'
);
select is(
    (
        select sum(r.row_count) from monitoring.rollups as r
        where r.source = 'queues' and r.resolution = 'day' and r.label = 'pending'
    ),
    4::numeric,
    'what was rolled up stays, also of the row that was not kept'
);
select is(
    (select complete_since from monitoring.rollup_progress where source = 'queues'),
    '2020-06-08 12:00+00'::timestamptz,
    'so that nobody makes roll-ups anew from what is left'
);

-- Behaviour: policies of categories

select monitoring.set_retention('log_lines', '2 days', 'DEBUG');
select monitoring.record_log('level', level, 'm', p_logged_at => '2020-06-12 10:00+00')
from unnest(array['DEBUG', 'INFO']) as level;

select is(
    monitoring.place_late_rows(), '{"log_lines": {"placed": 1, "removed": 1}}',
    'a category goes when its own policy says'
);
select is(
    (
        select string_agg(level, ' ') from monitoring.v_application_logs
        where component = 'level'
    ),
    'INFO',
    'and the others stay'
);

-- Behaviour: the clean-up removes them as well

select pg_temp.forget_roll_ups();
select pg_temp.record_at('old', '{50}');
select results_eq(
    $$
        select c.table_name, c.action, c.rows, c.note
        from monitoring.cleanup_old_monitoring_data() as c
        where c.table_name ~ '^late'
    $$,
    $$
        values
        ('late_log_lines', 'delete', 1::bigint, null),
        ('late_queue_samples', 'delete', 0, 'waits for a roll-up')
    $$,
    'a clean-up removes what is not kept, but not before it is rolled up'
);

-- Behaviour: told twice

insert into monitoring.late_queue_samples
select * from monitoring.queue_samples -- noqa: AM04
order by recorded_at limit 1;
select pg_temp.take_all();
select is(
    monitoring.place_late_rows() -> 'queue_samples', '{"placed": 1, "removed": 1}',
    'a row that is there already, told twice at the same time, stands in nobody''s way'
);
select is(
    (select count(*) from monitoring.queue_samples), 3::bigint, 'and is there once'
);

-- Boundaries

select monitoring.set_retention('log_lines', null);
select monitoring.set_retention('log_lines', null, 'DEBUG');
select pg_temp.record_at('many', array(select generate_series(100, 124)));
select monitoring.place_late_rows();

select is(
    (select count(distinct logged_at) from monitoring.late_log_lines where component = 'many'),
    5::bigint,
    'one call makes no more than twenty days'
);
select is(
    (select max(logged_at) from monitoring.late_log_lines where component = 'many'),
    '2020-02-16 12:00+00'::timestamptz,
    'the newest first'
);
select monitoring.place_late_rows();
select is_empty(
    'select from monitoring.late_log_lines where component = ''many''', 'the next call goes on'
);

select monitoring.prepare_backfill('log_lines', '2018-01-01', '2018-04-10');
select monitoring.prepare_backfill('log_lines', '2018-04-11', '2018-07-19');
select monitoring.prepare_backfill('log_lines', '2018-07-20', '2018-10-27');
select monitoring.prepare_backfill('log_lines', '2018-10-28', '2019-02-04');
select monitoring.record_log('beyond', 'INFO', 'm', p_logged_at => '2017-01-01 12:00+00');
select monitoring.record_log('prepared', 'INFO', 'm', p_logged_at => '2018-01-01 12:00+00');
select monitoring.place_late_rows();

select is(
    (select array_agg(l.component) from monitoring.late_log_lines as l), array['beyond'],
    'beyond 400 days none is made, and what is of a day that is there is placed all the same'
);
select results_eq(
    $$select status, detail from monitoring.self_check() where check_name = 'late rows'$$,
    $$
        values ('late', 'log_lines have more days with late rows than are made by themselves (400): '
            'make them with prepare_backfill(), or keep less')
    $$,
    'which self_check tells'
);
select is(
    (select count(*) from monitoring.v_application_logs where component = 'beyond'), 1::bigint,
    'while everybody reads them'
);

select * from finish(); -- noqa: AM04
rollback;
