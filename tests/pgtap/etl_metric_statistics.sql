-- Mean, extremes and number of samples of what was measured in ETL.

begin;
select plan(9);
\ir helpers/fixed_clock.psql

select is_empty(
    'select * from monitoring.get_etl_metric_statistics()', 'of nothing there is nothing'
);

select monitoring.start_etl_execution('load-1');
select monitoring.record_etl_metric('load-1', 'chunk_duration', v, 's', p_recorded_at => at)
from (
    values
    (30.5, timestamptz '2026-01-14 13:00+00'),
    (120.5, timestamptz '2026-01-15 00:30+00'),
    (46, timestamptz '2026-01-15 11:59+00')
) as given (v, at);
select monitoring.record_etl_metric(
    'load-1', 'chunk_duration', 1000, 's', p_recorded_at => '2026-01-14 12:59:59+00'
);
select monitoring.record_etl_metric(null, 'chunk_duration', 5, 'ms', p_component => 'other');
select monitoring.record_etl_metric('load-1', 'fixtures_per_second', 4);
select monitoring.record_etl_metric('load-2', 'fixtures_per_second', 8, p_component => 'other');
select monitoring.record_performance_metric('cpu', 'gauge', 1);
select monitoring.record_performance_metric('chunk_duration', 'gauge', 7, 's', 'web');
select results_eq(
    $$
        select metric_name, metric_unit, samples, round(avg_value::numeric, 2), min_value,
            max_value, last_value
        from monitoring.get_etl_metric_statistics()
    $$,
    $$
        values
        ('chunk_duration', 'ms', 1::bigint, 5.00, 5::float8, 5::float8, 5::float8),
        ('chunk_duration', 's', 3, 65.67, 30.5, 120.5, 46),
        ('fixtures_per_second', null, 2, 6.00, 4, 8, 8)
    $$,
    'each metric has its figures of this hour and the 23 before it, and what others measure none'
);
select is(
    (
        select last_at from monitoring.get_etl_metric_statistics()
        where metric_name = 'chunk_duration' and metric_unit = 's'
    ),
    '2026-01-15 11:59+00'::timestamptz,
    'and the time of the last sample'
);
select results_eq(
    $$
        select metric_name, samples, max_value
        from monitoring.get_etl_metric_statistics('load-2')
    $$,
    $$values ('fixtures_per_second', 1::bigint, 8::float8)$$,
    'an execution of which nothing else is known has its own of that time'
);
select monitoring.record_metrics(
    '[{"metric_name": "rows", "value": 3, "tags": {"execution_id": "load-1"}},
      {"metric_name": "rows", "value": 5, "task_id": "load-1/c-1",
       "tags": {"execution_id": "load-1"}}]'
);
select results_eq(
    $$
        select metric_name, metric_unit, samples, avg_value
        from monitoring.get_etl_metric_statistics('load-1')
    $$,
    $$
        values
        ('fixtures_per_second', null, 1::bigint, 4::float8),
        ('rows', null, 2, 4)
    $$,
    'an execution has those since it began'
);
select set_config('monitoring.now', '2026-01-15 12:10+00', true);
select monitoring.finish_etl_execution('load-1');
select is(
    (select count(*) from monitoring.get_etl_metric_statistics('load-1')), 2::bigint,
    'also once it has ended'
);
select set_config('monitoring.now', '2026-01-15 13:00+00', true);
select is(
    (
        select samples from monitoring.get_etl_metric_statistics()
        where metric_name = 'chunk_duration' and metric_unit = 's'
    ),
    2::bigint,
    'an hour later the first hour counts no longer'
);
select monitoring.record_etl_metric('load-1', 'of old', 1, p_recorded_at => '2026-01-10 10:00+00');
select is_empty(
    $$select * from monitoring.get_etl_metric_statistics() where metric_name = 'of old'$$,
    'what is told late of days ago is not of today'
);
select monitoring.record_etl_metric('load-1', 'late', 1, p_recorded_at => '2026-01-15 09:00+00');
select is(
    (
        select samples from monitoring.get_etl_metric_statistics() where metric_name = 'late'
    ),
    1::bigint,
    'what is told late of today is'
);

select * from finish(); -- noqa: AM04
rollback;
