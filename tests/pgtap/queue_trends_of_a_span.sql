-- get_queue_trends: v_queue_trends of a span, without reading the rest.

begin;
select plan(8);
\ir helpers/fixed_clock.psql

-- A sample every ten minutes; ten items done between two samples, and started anew on the 14th.
select
    monitoring.record_queue_metrics(
        'mail', n % 7, 1,
        case when at < '2026-01-14 06:00+00' then n * 10 else (n % 50) * 10 end,
        n, n, at
    )
from (
    select
        at,
        row_number() over (order by at) as n
    from generate_series(
            timestamptz '2026-01-10 00:00+00', '2026-01-15 11:50+00', '10 minutes'
        ) as at
) as samples;
select monitoring.roll_up();
select monitoring.record_queue_metrics('mail', 90, 1, 1, 1, 1, '2026-01-15 11:55+00');

create function pg_temp.is_that_of_the_view(p_from text, p_to text, p_resolution text, p_about text)
returns text
language sql
as $$
    select results_eq(
        format(
            'select * from monitoring.get_queue_trends(%L, %L, %L) order by bucket_at',
            p_from, p_to, p_resolution
        ),
        format(
            'select * from monitoring.v_queue_trends where bucket_at >= %L and bucket_at < %L '
            'and resolution = %L order by bucket_at',
            p_from, p_to, p_resolution
        ),
        p_about
    )
$$;

-- Behaviour

select pg_temp.is_that_of_the_view(from_at, to_at, resolution, about)
from (
    values
    ('2026-01-15 09:00+00', '2026-01-15 12:00+00', 'minute', 'by the minute'),
    ('2026-01-13 00:00+00', '2026-01-15 12:00+00', 'hour', 'by the hour, over a start anew'),
    ('2026-01-12 00:00+00', '2026-01-16 00:00+00', 'day', 'by the day'),
    ('2026-01-05 00:00+00', '2026-01-16 00:00+00', 'week', 'by the week')
) as span (from_at, to_at, resolution, about);

select results_eq(
    $$select distinct resolution from monitoring.get_queue_trends('2026-01-13', '2026-01-15')$$,
    $$values ('hour')$$,
    'the resolution follows the span'
);

select results_eq(
    $$
        select completed
        from monitoring.get_queue_trends('2026-01-12 05:00+00', '2026-01-12 06:00+00', 'hour')
    $$,
    $$values (60::double precision)$$,
    'the first bucket counts what was done since the one before it'
);

select is_empty(
    $$select * from monitoring.get_queue_trends('2026-01-15 12:00+00', '2026-01-15 11:00+00')$$,
    'nothing is in a span that ends before it begins'
);

select is_empty(
    $$select * from monitoring.get_queue_trends('2026-01-13', '2026-01-15', 'fortnight')$$,
    'there is nothing at a resolution that there is not'
);

select * from finish(); -- noqa: AM04
rollback;
