-- get_trend_points: small charts, the same as the trend views, without reading all days there are.

begin;
select plan(19);
\ir helpers/fixed_clock.psql

-- Five days of everything, the last hours of which no roll-up has seen.
create function pg_temp.record(p_from text, p_to text) returns void
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
        'task_id', 'task-' || s.at, 'task_type', 'type-' || extract(minute from s.at)::integer % 3,
        'status', (array['completed', 'failed', 'timeout', 'completed'])[
            1 + extract(epoch from s.at)::bigint / 420 % 4
        ],
        'start_time', s.at - interval '1 minute' * (1 + extract(hour from s.at)), 'end_time', s.at
    )))
    from generate_series(p_from::timestamptz, p_to::timestamptz, '7 minutes') s (at);

    select monitoring.record_error(
        null, 'Trouble',
        (array['low', 'medium', 'high', 'critical'])[1 + extract(epoch from s.at)::bigint / 660 % 4],
        'no such page', 'reader', p_occurred_at => s.at
    )
    from generate_series(p_from::timestamptz, p_to::timestamptz, '11 minutes') s (at);

    select monitoring.record_queue_metrics(
        'queue-' || extract(epoch from s.at)::bigint / 540 % 2, extract(minute from s.at)::bigint,
        p_recorded_at => s.at
    )
    from generate_series(p_from::timestamptz, p_to::timestamptz, '9 minutes') s (at);
$$;
select pg_temp.record('2026-01-10 00:00+00', '2026-01-15 09:30+00');
insert into monitoring.rollups
select
    n.source,
    n.name,
    n.label,
    n.component,
    n.resolution,
    n.bucket_at,
    n.row_count,
    n.value_count,
    n.value_sum,
    n.value_sum_squares,
    n.value_min,
    n.value_max,
    n.histogram
from unnest(array['tasks', 'errors', 'queues']) as s (source)
cross join lateral monitoring._add_up(s.source, true) as n;
-- As though of a transaction that a roll-up has taken; what comes now is new.
update monitoring.finished_tasks set recorded_xid = 1;
update monitoring.late_finished_tasks set recorded_xid = 1;
update monitoring.errors set recorded_xid = 1;
update monitoring.late_errors set recorded_xid = 1;
update monitoring.queue_samples set recorded_xid = 1;
update monitoring.late_queue_samples set recorded_xid = 1;
update monitoring.rollup_progress set claimed_below = 2, still_open = '{}';
-- Late ones among them, which come into a day that has been rolled up.
select pg_temp.record('2026-01-15 09:31+00', '2026-01-15 11:59+00');
select pg_temp.record('2026-01-13 22:03+00', '2026-01-13 23:20+00');

create function pg_temp.is_that_of_the_view(
    p_what text, p_query text, p_from text, p_to text, p_resolution text
)
returns text
language sql
as $$
    select results_eq(
        format(
            'select bucket_at, series, value from monitoring.get_trend_points(%L, %L, %L, %L)',
            p_what, p_from, p_to, p_resolution
        ),
        format(p_query, p_resolution, p_from, p_to),
        p_what || ' by the ' || p_resolution || ' are those of the view'
    )
$$;

-- Behaviour

select
    pg_temp.is_that_of_the_view(
        k.what, k.query, s.from_at, s.to_at, s.resolution
    )
from (
    values
    ('tasks', $$
        select v.bucket_at, p.series, p.value::double precision
        from (
            select bucket_at, sum(completed) as completed, sum(failed) as failed,
                sum(ended_otherwise) as ended_otherwise
            from monitoring.v_task_trends
            where resolution = %L and bucket_at >= %L and bucket_at < %L
            group by bucket_at
        ) v
        cross join lateral (
            values (1, 'completed', v.completed), (2, 'failed', v.failed),
                (3, 'ended_otherwise', v.ended_otherwise)
        ) p (place, series, value)
        order by v.bucket_at, p.place
    $$),
    ('durations', $$
        select bucket_at, task_type, p95_duration_ms
        from monitoring.v_task_trends
        where resolution = %L and bucket_at >= %L and bucket_at < %L
        order by bucket_at, task_type
    $$),
    ('errors', $$
        select bucket_at, severity, sum(occurrences)::double precision
        from monitoring.v_error_trends
        where resolution = %L and bucket_at >= %L and bucket_at < %L
        group by bucket_at, severity
        order by bucket_at, array_position(array['critical', 'high', 'medium', 'low'], severity)
    $$),
    ('queues', $$
        select bucket_at, queue_name, avg_pending
        from monitoring.v_queue_trends
        where resolution = %L and bucket_at >= %L and bucket_at < %L
        order by bucket_at, queue_name
    $$)
) as k (what, query)
cross join (
    values
    -- An end within a bucket, and a beginning within one that is then left out.
    ('2026-01-15 09:05+00', '2026-01-15 12:00+00', 'minute'),
    ('2026-01-13 21:30+00', '2026-01-15 11:30+00', 'hour'),
    ('2026-01-10 12:00+00', '2026-01-15 12:00+00', 'day')
) as s (from_at, to_at, resolution);

select results_eq(
    $$select count(distinct bucket_at) from monitoring.get_trend_points(
        'tasks', '2026-01-13 00:00+00', '2026-01-15 12:00+00'
    )$$,
    $$values (60::bigint)$$,
    'the resolution follows the span'
);

select is_empty(
    $$select * from monitoring.get_trend_points('tasks', '2026-01-09', '2026-01-10 00:00+00')$$,
    'there is none where nothing was recorded'
);

select results_eq(
    $$
    select s.label, sum(s.row_count)::bigint
    from (
        values (timestamptz '2026-01-10 05:30+00', timestamptz '2026-01-15 12:00+00'),
            ('2026-01-10 05:30+00', '2026-01-13 22:10+00'),
            ('2026-01-13 22:10+00', '2026-01-13 22:50+00'),
            ('2026-01-11 00:00+00', '2026-01-12 00:00+00')
    ) p (from_at, to_at)
    cross join lateral monitoring._counts_between('tasks', p.from_at, p.to_at) s
    group by p.from_at, p.to_at, s.label
    order by p.from_at, p.to_at, s.label
    $$,
    $$
    select s.label, sum(s.row_count)::bigint
    from (
        values (timestamptz '2026-01-10 05:30+00', timestamptz '2026-01-15 12:00+00'),
            ('2026-01-10 05:30+00', '2026-01-13 22:10+00'),
            ('2026-01-13 22:10+00', '2026-01-13 22:50+00'),
            ('2026-01-11 00:00+00', '2026-01-12 00:00+00')
    ) p (from_at, to_at)
    cross join lateral monitoring._rollups_between('tasks', p.from_at, p.to_at) s
    group by p.from_at, p.to_at, s.label
    order by p.from_at, p.to_at, s.label
    $$,
    'counts of a span are those of its roll-ups'
);

select is_empty(
    $$select * from monitoring._counts_between('tasks', '2026-01-12', '2026-01-11 00:00+00')$$,
    'a span that ends before it begins has no counts'
);

-- Refusals

select throws_ok(
    $$select * from monitoring.get_trend_points('weather', '2026-01-13', '2026-01-15')$$,
    'PV003', null,
    'what is not known is refused'
);

select throws_ok(
    $$select * from monitoring.get_trend_points('tasks', '2026-01-13', '2026-01-15', 'month')$$,
    'PV003', null,
    'a resolution that no chart has is refused'
);

select throws_ok(
    $$select * from monitoring.get_trend_points(null, '2026-01-13', '2026-01-15')$$,
    'PV003', null,
    'so is nothing'
);

select * from finish(); -- noqa: AM04
rollback;
