-- record_performance_metric and the view of the last day by hour.

begin;
select plan(13);
\ir helpers/fixed_clock.psql

-- Interface

select ok(
    monitoring.record_performance_metric('throughput', 'gauge', 1250.5, 'rows/s', 'loader') > 0,
    'a measured value is told by position: name, type, value, unit, component'
);

select ok(
    monitoring.record_performance_metric(
        p_metric_name => 'latency',
        p_metric_type => 'timer',
        p_value => -0.25,
        p_unit => 'ms',
        p_component => 'gateway',
        p_tags => '{"region": "north"}',
        p_task_id => 't-1',
        p_recorded_at => '2026-01-14 13:00+00'
    ) > 0,
    'everything can be told by name'
);

select ok(monitoring.record_performance_metric('bare', null, 0) > 0, 'name and value are enough');

-- Behaviour

select results_eq(
    $$
        select metric_name, metric_type, value, unit, component, tags, recorded_at, task_id
        from monitoring.performance_monitoring order by metric_name
    $$,
    $$
        values
        ('bare', 'gauge', 0::double precision, null, null, null::jsonb,
            '2026-01-15 12:00+00'::timestamptz, null),
        ('latency', 'timer', -0.25, 'ms', 'gateway', '{"region": "north"}', '2026-01-14 13:00+00',
            't-1'),
        ('throughput', 'gauge', 1250.5, 'rows/s', 'loader', null, '2026-01-15 12:00+00', null)
    $$,
    'all that was told is kept; it is a gauge, measured now, unless told otherwise'
);

select set_config(
    'tests.id', monitoring.record_performance_metric('score', 'points per game', 2)::text, true
);

select is(
    (
        select sample_id from monitoring.performance_monitoring
        where metric_type = 'points per game'
    ),
    current_setting('tests.id')::bigint,
    'a type may be a word of the caller''s own; the number of the sample is given back'
);

-- Boundaries: twice each, for the first on a day takes another way than the rest

select monitoring.record_performance_metric('empty', 'gauge', 1, '', '', 'null', '', '2025-07-01')
from generate_series(1, 2);

select results_eq(
    $$
        select distinct unit, component, tags, task_id from monitoring.performance_monitoring
        where metric_name = 'empty'
    $$,
    'values (null, null, null::jsonb, null)',
    'an empty unit, component or task, and tags that are a JSON null, are none'
);

-- Trends

delete from monitoring.metric_samples;
delete from monitoring.late_metric_samples;
select
    monitoring.record_performance_metric(
        'speed', 'gauge', value, 'km/h', 'car', p_recorded_at => at
    )
from (
    values
    (100, '2026-01-14 12:00:00.000001+00'::timestamptz),
    (1, '2026-01-15 11:00+00'),
    (2, '2026-01-15 11:20+00'),
    (3, '2026-01-15 11:40+00'),
    (10, '2026-01-15 11:59:59.999999+00'),
    (50, '2026-01-15 12:00+00')
) as sample (value, at);

select results_eq(
    $$
        select bucket_at, samples, avg_value, min_value, max_value, p50_value, p95_value
        from monitoring.v_performance_trends where resolution = 'hour' order by bucket_at
    $$,
    $$
        values
        ('2026-01-14 12:00+00'::timestamptz, 1::bigint, 100::float8, 100::float8, 100::float8,
            100::float8, 100::float8),
        ('2026-01-15 11:00+00', 4, 4, 1, 10,
            monitoring._histogram_value(monitoring._histogram_cell(2)), 10),
        ('2026-01-15 12:00+00', 1, 50, 50, 50, 50, 50)
    $$,
    'trends go by the hour of UTC, percentiles within 2.5 % and never beyond the extremes'
);

select set_config('timezone', 'Asia/Kathmandu', true);

select set_eq(
    $$select bucket_at from monitoring.v_performance_trends where resolution = 'hour'$$,
    array[
        '2026-01-14 12:00+00', '2026-01-15 11:00+00', '2026-01-15 12:00+00'
    ]::timestamptz[],
    'the hours are the same for everyone, also where clocks differ by a fraction of an hour'
);

select set_config('timezone', 'UTC', true);

select monitoring.record_performance_metric('speed', 'gauge', 1, unit, component)
from (
    values ('km/h', 'bike'), ('mph', 'car'), ('km/h', null), (null, null)
) as other (unit, component);

select results_eq(
    $$
        select unit, component, samples from monitoring.v_performance_trends
        where resolution = 'hour' and bucket_at = '2026-01-15 12:00+00'
        order by unit, component
    $$,
    $$
        values ('km/h', 'bike', 1::bigint), ('km/h', 'car', 1), ('km/h', null, 1),
            ('mph', 'car', 1), (null, null, 1)
    $$,
    'values of different units or components are not mixed'
);

select monitoring.record_performance_metric('speed', 'timer', 3, 'km/h', 'car');

select is(
    (
        select samples from monitoring.v_performance_trends
        where resolution = 'hour'
            and bucket_at = '2026-01-15 12:00+00'
            and unit = 'km/h'
            and component = 'car'
    ),
    2::bigint,
    'values of different types are'
);

-- Finite values may be so large that their sum or square is not.
select monitoring.record_performance_metric('vast', 'gauge', value)
from unnest(array[1e100, 1e100]) as value;

select lives_ok(
    $$select * from monitoring.v_performance_trends$$,
    'no value that may be recorded breaks the view'
);

select monitoring.record_performance_metric('opposite', 'gauge', value)
from unnest(array[1e100, -1e100]) as value;

select lives_ok(
    $$select * from monitoring.v_performance_trends where metric_name = 'opposite'$$,
    'nor do values whose squares are too large'
);

select is_empty(
    $$
        select * from monitoring.v_performance_trends
        where avg_value not between min_value and max_value
    $$,
    'a mean lies between the least and the greatest'
);

select * from finish(); -- noqa: AM04
rollback;
