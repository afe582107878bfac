-- get_trend_resolution: what a dashboard reads a trend view by, for the span that it shows.

begin;
select plan(11);
\ir helpers/fixed_clock.psql

-- Interface

select has_function(
    'monitoring', 'get_trend_resolution', array['timestamptz', 'timestamptz', 'text']
);
select volatility_is(
    'monitoring', 'get_trend_resolution',
    array['timestamp with time zone', 'timestamp with time zone', 'text'], 'stable'
);

-- Behaviour

select
    is(
        monitoring.get_trend_resolution(from_at::timestamptz, to_at::timestamptz), resolution, about
    )
from (
    values
    ('2026-01-15 06:00+00', '2026-01-15 12:00+00', 'minute', 'six hours are read by the minute'),
    ('2026-01-15 05:59+00', '2026-01-15 12:00+00', 'hour', 'more than six hours by the hour'),
    ('2026-01-10 06:00+00', '2026-01-10 07:00+00', 'hour', 'an hour that has no minutes any more'),
    ('2026-01-01 12:00+00', '2026-01-15 12:00+00', 'hour', '14 days are read by the hour'),
    ('2026-01-01 11:59+00', '2026-01-15 12:00+00', 'day', 'more than 14 days by the day'),
    ('2026-01-15 12:00+00', '2026-01-15 12:00+00', 'minute', 'a span of nothing'),
    ('2026-01-15 12:00+00', '2026-01-15 11:00+00', 'minute', 'a span that ends before it begins')
) as span (from_at, to_at, resolution, about);

select is(
    monitoring.get_trend_resolution('2026-01-15 06:00+00', '2026-01-15 12:00+00', 'month'),
    'month', 'whoever wants a resolution gets it'
);

select monitoring.set_retention('rollups', '1 hour', 'minute');
select is(
    monitoring.get_trend_resolution('2026-01-15 10:00+00', '2026-01-15 12:00+00'),
    'hour', 'minutes are read as far back as they are kept'
);

select * from finish(); -- noqa: AM04
rollback;
