-- v_queue_trends: depths, and what was done by running totals that may begin anew.

begin;
select plan(9);
\ir helpers/fixed_clock.psql

-- Samples of a queue as text: minutes after ten, and the totals of done and failed then.
create function pg_temp.sample_queue(p_name text, p_samples text) returns bigint
language sql
as $$
    select count(
        monitoring.record_queue_metrics(
            p_name, s.told[1]::bigint, 1, s.told[2]::bigint, s.told[3]::bigint, null,
            timestamptz '2026-01-10 10:00+00' + s.told[1]::integer * interval '1 minute'
        )
    )
    from regexp_matches(p_samples, '(\d+)m (\d+)/(\d+)', 'g') as s (told)
$$;

create function pg_temp.done_by(p_resolution text, p_name text)
returns table (completed double precision, failed double precision)
language sql
as $$
    select v.completed, v.failed from monitoring.v_queue_trends as v
    where v.resolution = p_resolution and v.queue_name = p_name
    order by v.bucket_at
$$;

select pg_temp.sample_queue(queue, samples)
from (
    values
    ('steady', '0m 100/0 30m 130/1 70m 150/1 80m 160/3'),
    ('once', '0m 100/7'),
    ('anew', '0m 100/5 50m 140/6 70m 10/0 80m 25/2'),
    ('still', '0m 100/5 70m 100/5'),
    ('gap', '0m 100/0 200m 150/0')
) as told (queue, samples);

-- Interface

select columns_are(
    'monitoring', 'v_queue_trends',
    array[
        'resolution', 'bucket_at', 'queue_name', 'samples', 'avg_pending', 'max_pending',
        'p95_pending', 'avg_processing', 'max_oldest_ready_seconds', 'completed', 'failed'
    ]
);

-- Behaviour

select
    results_eq(
        format(
            'select completed::integer, failed::integer from pg_temp.done_by(%L, %L)',
            resolution,
            queue
        ),
        expected, about
    )
from (
    values
    (
        'hour', 'steady', 'values (30, 1), (30, 2)',
        'an hour counts from the last total of the hour before'
    ),
    ('day', 'steady', 'values (60, 3)', 'a day counts from its first total'),
    ('day', 'once', 'values (0, 0)', 'one sample says of nothing that it was done since'),
    (
        'hour', 'anew', 'values (40, 1), (15, 2)',
        'a total that goes back was started anew, and what it counts from then on is what was done'
    ),
    ('hour', 'still', 'values (0, 0), (0, 0)', 'a total that stays tells of nothing done'),
    ('hour', 'gap', 'values (0, 0), (50, 0)', 'hours without samples go to the next that has one')
) as expected (resolution, queue, expected, about);

select monitoring.record_queue_metrics('depth', pending, 2, 0, 0, age, at)
from (
    values
    (10, null, '2026-01-10 10:00+00'::timestamptz), (20, 5.5, '2026-01-10 10:01+00'),
    (60, 0, '2026-01-10 10:02+00')
) as told (pending, age, at);

select results_eq(
    $$
        select samples, avg_pending, max_pending, p95_pending between 58.5 and 61.5,
            avg_processing, max_oldest_ready_seconds
        from monitoring.v_queue_trends where queue_name = 'depth' and resolution = 'week'
    $$,
    $$values (3::bigint, 30::float8, 60::float8, true, 2::float8, 5.5::float8)$$,
    'depths and ages are those of all samples'
);

-- Boundaries

select monitoring.record_queue_metrics(
    'vast',
    9223372036854775807,
    9223372036854775807,
    9223372036854775807,
    9223372036854775807,
    1e100
) from generate_series(1, 3);

select lives_ok(
    'select * from monitoring.v_queue_trends', 'no depth that may be recorded breaks the view'
);

select * from finish(); -- noqa: AM04
rollback;
