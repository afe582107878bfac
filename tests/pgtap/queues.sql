-- record_queue_metrics and the view of each queue's last hour.

begin;
select plan(17);
\ir helpers/fixed_clock.psql

-- Interface

select ok(
    monitoring.record_queue_metrics('mail', 12, 3, 100, 5, 42.5) > 0,
    'a sample is told by position: queue, pending, processing, completed, failed, oldest ready'
);

select ok(
    monitoring.record_queue_metrics(
        p_queue_name => 'print',
        p_pending => 7,
        p_processing => 1,
        p_completed => 2,
        p_failed => 3,
        p_oldest_ready_seconds => 0,
        p_recorded_at => '2026-01-15 11:30+00'
    ) > 0,
    'everything can be told by name'
);

select ok(monitoring.record_queue_metrics('scan', 9) > 0, 'queue and pending are enough');

-- Behaviour

select results_eq(
    $$
        select queue_name, pending, processing, completed, failed, oldest_ready_seconds, recorded_at
        from monitoring.queue_monitoring order by queue_name
    $$,
    $$
        values
        ('mail', 12::bigint, 3::bigint, 100::bigint, 5::bigint, 42.5::double precision,
            '2026-01-15 12:00+00'::timestamptz),
        ('print', 7, 1, 2, 3, 0, '2026-01-15 11:30+00'),
        ('scan', 9, 0, 0, 0, null, '2026-01-15 12:00+00')
    $$,
    'all that was told is kept; counts that were not told are 0'
);

select set_config('tests.id', monitoring.record_queue_metrics('numbered', 1)::text, true);

select is(
    (select sample_id from monitoring.queue_monitoring where queue_name = 'numbered'),
    current_setting('tests.id')::bigint,
    'the number of the sample is given back'
);

-- The last hour

create function pg_temp.sample_queue(
    p_queue text, p_at text, p_pending bigint, p_completed bigint, p_failed bigint default 0
) returns bigint
language sql
as $$
    select monitoring.record_queue_metrics(
        p_queue, p_pending, 1, p_completed, p_failed, p_recorded_at => p_at::timestamptz
    )
$$;

select pg_temp.sample_queue('orders', at, pending, completed, failed)
from (
    values
    ('2026-01-15 11:00+00', 999, 1, 999),
    ('2026-01-15 11:00:00.000001+00', 10, 100, 1),
    ('2026-01-15 11:30:00.000001+00', 40, 115, 2),
    ('2026-01-15 11:50:00.000001+00', 25, 150, 50),
    ('2026-01-15 12:00:00.000001+00', 999, 999, 999)
) as told (at, pending, completed, failed);

select results_eq(
    $$
        select pending, processing, completed, failed, recorded_at
        from monitoring.v_queue_performance where queue_name = 'orders'
    $$,
    $$
        values (25::bigint, 1::bigint, 150::bigint, 50::bigint,
            '2026-01-15 11:50:00.000001+00'::timestamptz)
    $$,
    'the newest sample that does not lie in the future is the state of a queue'
);

select results_eq(
    $$
        select samples, avg_pending, max_pending, pending_change, completed_per_minute,
            failed_percent
        from monitoring.v_queue_performance where queue_name = 'orders'
    $$,
    $$
        values (3::bigint, 25.0::numeric, 40::bigint, 15::bigint, 1::double precision,
            25.00::numeric)
    $$,
    'change and speed are those of the samples of less than an hour ago'
);

select results_eq(
    $$
        select pending, samples, avg_pending, pending_change, completed_per_minute, failed_percent
        from monitoring.v_queue_performance where queue_name = 'scan'
    $$,
    $$
        values (9::bigint, 1::bigint, 9.0::numeric, 0::bigint, null::double precision,
            null::numeric)
    $$,
    'one sample has no speed, and a queue where nothing has ended no failures'
);

select pg_temp.sample_queue('still', '2026-01-14 12:00:00.000001+00', 8, 5, 5);

select results_eq(
    $$
        select pending, samples, avg_pending, max_pending, pending_change, completed_per_minute,
            failed_percent
        from monitoring.v_queue_performance where queue_name = 'still'
    $$,
    $$
        values (8::bigint, 0::bigint, null::numeric, null::bigint, null::bigint,
            null::double precision, 50.00::numeric)
    $$,
    'a queue not seen for an hour is listed without change and speed'
);

select pg_temp.sample_queue('gone', '2026-01-14 12:00+00', 8, 5);

select is_empty(
    $$select * from monitoring.v_queue_performance where queue_name = 'gone'$$,
    'a queue not seen for 24 hours is listed no longer'
);

select pg_temp.sample_queue('restarted', at, 5, completed)
from (
    values ('2026-01-15 11:10+00', 100), ('2026-01-15 11:40+00', 30)
) as told (at, completed);

select is(
    (
        select completed_per_minute from monitoring.v_queue_performance
        where queue_name = 'restarted'
    ),
    null,
    'when the total went back there is no speed'
);

select pg_temp.sample_queue('overtaken', at, 5, completed)
from (
    values
    ('2026-01-15 11:10+00', 100), ('2026-01-15 11:20+00', 0), ('2026-01-15 11:40+00', 150)
) as told (at, completed);

select is(
    (
        select completed_per_minute from monitoring.v_queue_performance
        where queue_name = 'overtaken'
    ),
    null,
    'not even when it has passed the old one again since'
);

select pg_temp.sample_queue('idle', at, 5, 100)
from unnest(array['2026-01-15 11:10+00', '2026-01-15 11:40+00']) as at;

select is(
    (select completed_per_minute from monitoring.v_queue_performance where queue_name = 'idle'),
    0::double precision,
    'a queue in which nothing was done has the speed 0'
);

select pg_temp.sample_queue('shrinking', at, pending, 100)
from (
    values ('2026-01-15 11:10+00', 30), ('2026-01-15 11:40+00', 10)
) as told (at, pending);

select is(
    (select pending_change from monitoring.v_queue_performance where queue_name = 'shrinking'),
    -20::bigint,
    'a queue that shrinks has a negative change'
);

-- Boundaries

select monitoring.record_queue_metrics('none', null, null, null, null);

select results_eq(
    $$
        select pending, processing, completed, failed from monitoring.queue_monitoring
        where queue_name = 'none'
    $$,
    'values (0::bigint, 0::bigint, 0::bigint, 0::bigint)',
    'counts that are null are 0'
);

select
    monitoring.record_queue_metrics(
        'vast', number, number, completed, number, 1e100, at
    )
from (
    values
    (9223372036854775807, 0, '2026-01-15 11:00:01+00'::timestamptz),
    (9223372036854775807, 9223372036854775807, '2026-01-15 12:00+00')
) as told (number, completed, at);

select lives_ok(
    $$select * from monitoring.v_queue_performance$$,
    'no number that may be recorded breaks the view'
);

select lives_ok(
    'select monitoring.get_dashboard_summary()',
    'nor the dashboard'
);

select * from finish(); -- noqa: AM04
rollback;
