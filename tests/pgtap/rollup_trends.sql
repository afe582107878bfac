-- Trends by minute, hour, day, week and month: where spans begin and end, and what is counted.

begin;
select plan(17);
\ir helpers/fixed_clock.psql

create function pg_temp.end_tasks(
    p_type text, p_times text[], p_seconds double precision default 60
)
returns bigint
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
        'task_id', p_type || t.at, 'task_type', p_type, 'end_time', t.at,
        'start_time', t.at::timestamptz - p_seconds * interval '1 second'
    )))
    from unnest(p_times) as t (at)
$$;

create function pg_temp.tasks_by(p_resolution text, p_type text) returns table (
    at text, tasks bigint
)
language sql
as $$
    select to_char(v.bucket_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), v.tasks
    from monitoring.v_task_trends as v
    where v.resolution = p_resolution and v.task_type = p_type
    order by v.bucket_at
$$;

-- Interface

select columns_are(
    'monitoring', 'v_task_trends',
    array[
        'resolution', 'bucket_at', 'task_type', 'tasks', 'completed', 'failed',
        'ended_otherwise', 'success_percent', 'tasks_per_hour', 'avg_duration_ms',
        'p50_duration_ms', 'p95_duration_ms', 'p99_duration_ms', 'min_duration_ms',
        'max_duration_ms'
    ]
);

-- Borders

select pg_temp.end_tasks(
    'border',
    array[
        '2026-01-14 23:59:59.999999+00', '2026-01-15 00:00+00', '2026-01-15 00:59:59.999999+00',
        '2026-01-15 01:00+00'
    ]
);

select results_eq(
    $$select * from pg_temp.tasks_by('minute', 'border')$$,
    $$
        values ('2026-01-14 23:59', 1::bigint), ('2026-01-15 00:00', 1), ('2026-01-15 00:59', 1),
            ('2026-01-15 01:00', 1)
    $$,
    'a minute holds its first microsecond, and not the first of the next'
);
select results_eq(
    $$select * from pg_temp.tasks_by('hour', 'border')$$,
    $$values ('2026-01-14 23:00', 1::bigint), ('2026-01-15 00:00', 2), ('2026-01-15 01:00', 1)$$,
    'so does an hour'
);
select results_eq(
    $$select * from pg_temp.tasks_by('day', 'border')$$,
    $$values ('2026-01-14 00:00', 1::bigint), ('2026-01-15 00:00', 3)$$,
    'so does a day'
);

select pg_temp.end_tasks('week', array['2026-01-04 23:59:59.999999+00', '2026-01-05 00:00+00']);

select results_eq(
    $$select * from pg_temp.tasks_by('week', 'week')$$,
    $$values ('2025-12-29 00:00', 1::bigint), ('2026-01-05 00:00', 1)$$,
    'weeks begin on Monday, whatever the year'
);

select pg_temp.end_tasks(
    'month',
    array[
        '2024-02-01 00:00+00',
        '2024-02-29 23:59:59+00',
        '2024-03-01 00:00+00',
        '2025-12-31 12:00+00'
    ]
);

select results_eq(
    $$select * from pg_temp.tasks_by('month', 'month')$$,
    $$values ('2024-02-01 00:00', 2::bigint), ('2024-03-01 00:00', 1), ('2025-12-01 00:00', 1)$$,
    'months are as long as they are'
);

create temporary view lengths as
select
    v.resolution,
    to_char(v.bucket_at at time zone 'UTC', 'YYYY-MM') as month,
    round((v.tasks / v.tasks_per_hour)::numeric, 6) as hours
from monitoring.v_task_trends as v
where v.task_type = 'month' and v.resolution <> 'minute';

select results_eq(
    $$select distinct * from lengths order by hours, month$$,
    $$
        values ('hour', '2024-02', 1.0), ('hour', '2024-03', 1), ('hour', '2025-12', 1),
            ('day', '2024-02', 24), ('day', '2024-03', 24), ('day', '2025-12', 24),
            ('week', '2024-01', 168), ('week', '2024-02', 168), ('week', '2025-12', 168),
            ('month', '2024-02', 29 * 24), ('month', '2024-03', 744), ('month', '2025-12', 744)
    $$,
    'throughput goes by the true length of hours, days, weeks and months'
);

-- Time zones

create temporary table before as
select
    (v.bucket_at at time zone 'UTC')::text as at,
    to_jsonb(v) - 'bucket_at' as shown
from monitoring.v_task_trends as v;

select
    set_eq(
        format(
            $$
            select (v.bucket_at at time zone 'UTC')::text, to_jsonb(v) - 'bucket_at'
            from monitoring.v_task_trends as v
            where set_config('timezone', %L, true) is not null
        $$, zone
        ),
        'select * from before',
        'the trends are the same in ' || zone
    )
from unnest(array['Europe/Berlin', 'America/New_York', 'Pacific/Apia', 'Asia/Kathmandu']) as zone;

select set_config('timezone', 'UTC', true);

-- Late minutes

select pg_temp.end_tasks('late', array['2026-01-13 11:59:59+00', '2026-01-13 12:00+00']);

select results_eq(
    $$select * from pg_temp.tasks_by('minute', 'late')$$,
    $$values ('2026-01-13 12:00', 1::bigint)$$,
    'what is recorded more than two days late is in no minute'
);
select results_eq(
    $$select * from pg_temp.tasks_by('hour', 'late')$$,
    $$values ('2026-01-13 11:00', 1::bigint), ('2026-01-13 12:00', 1)$$,
    'but in its hour'
);

-- Figures

select pg_temp.end_tasks('figures', array['2026-01-02 10:00+00'], 0.5);
select pg_temp.end_tasks('figures', array['2026-01-02 10:01+00', '2026-01-02 10:02+00'], 2);
select monitoring.complete_task_tracking(name, status, p_finished_at => '2026-01-02 10:03+00')
from (
    values
    ('x', 'failed'), ('y', 'timeout'), ('z', 'completed')
) as ended (name, status);

select results_eq(
    $$
        select task_type, tasks, completed, failed, ended_otherwise, success_percent,
            avg_duration_ms, min_duration_ms, max_duration_ms
        from monitoring.v_task_trends
        where resolution = 'day' and bucket_at = '2026-01-02 00:00+00'
        order by task_type
    $$,
    $$
        values ('figures', 3::bigint, 3::bigint, 0::bigint, 0::bigint, 100.00,
                1500::float8, 500::float8, 2000::float8),
            ('unknown', 3, 1, 2, 0, 33.33, null, null, null)
    $$,
    'tasks are counted by how they ended, and timed where they have a duration'
);

select
    monitoring.record_performance_metric(
        'm', 'gauge', v, unit, p_recorded_at => '2026-01-02 10:00+00'
    )
from (
    values
    (2, 's'),
    (4, 's'),
    (4, 's'),
    (4, 's'),
    (5, 's'),
    (5, 's'),
    (7, 's'),
    (9, 's'),
    (0.5, null),
    (0.5, null),
    (0.5, null)
) as measured (v, unit);

select results_eq(
    $$
        select unit, samples, avg_value, stddev_value::numeric(9, 6), min_value, max_value
        from monitoring.v_performance_trends where metric_name = 'm' and resolution = 'month'
        order by unit
    $$,
    $$values ('s', 8::bigint, 5::float8, 2.0, 2::float8, 9::float8), (null, 3, 0.5, 0, 0.5, 0.5)$$,
    'values of different units are apart, and equal ones do not spread'
);

select
    monitoring.record_error(
        null, 'Timeout', severity, 'm', component, p_occurred_at => '2026-01-02 10:00+00'
    )
from (values ('low', null), ('low', null), ('low', 'web'), ('critical', null))
        as e (severity, component);

select results_eq(
    $$
        select severity, component, occurrences from monitoring.v_error_trends
        where resolution = 'week' order by occurrences desc, severity, component
    $$,
    $$values ('low', null, 2::bigint), ('critical', null, 1), ('low', 'web', 1)$$,
    'errors of no component are apart from those of one'
);

-- Whatever may be recorded

select monitoring.record_performance_metric('extreme', 'gauge', v)
from unnest(array[1e-200, -1e-200, 5e-324, 1e-160, 1e100, -1e100]) as v;
select monitoring.record_performance_metric('tiny', 'gauge', v)
from unnest(array[5e-324, 5e-324, 0]) as v;
select monitoring.update_system_health('service', 'tiny', 'healthy', 1e-200);
select monitoring.record_queue_metrics('tiny', 1, p_oldest_ready_seconds => 1e-200);

select results_eq(
    $$
        select metric_name, samples, min_value, max_value, avg_value
        from monitoring.v_performance_trends
        where resolution = 'day' and metric_name in ('extreme', 'tiny') order by metric_name
    $$,
    $$
        values ('extreme', 6::bigint, -1e100::float8, 1e100::float8, 0::float8),
            ('tiny', 3, 0, 5e-324, 0)
    $$,
    'values may be as large or small as they get'
);

select * from finish(); -- noqa: AM04
rollback;
