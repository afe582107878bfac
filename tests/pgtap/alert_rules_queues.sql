-- The built-in rules queue_backlog and queue_oldest_ready_age.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql

create function pg_temp.sample(
    p_queue text, p_at text, p_pending bigint, p_oldest double precision default null
) returns bigint
language sql
as $$
    select monitoring.record_queue_metrics(
        p_queue, p_pending, p_oldest_ready_seconds => p_oldest, p_recorded_at => p_at::timestamptz
    )
$$;

-- Nothing recorded

select is_empty(
    $$select * from pg_temp.find('queue_backlog')$$, 'without samples no queue is found'
);

select is_empty(
    $$select * from pg_temp.find('queue_oldest_ready_age')$$, 'nor does anything wait for long'
);

-- Backlog

select pg_temp.sample(queue, at, pending)
from (
    values
    ('a', '2026-01-15 11:50+00', 9999),
    ('a', '2026-01-15 11:59+00', 49),
    ('b', '2026-01-15 12:00+00', 50),
    ('c', '2026-01-15 12:00+00', 100),
    ('d', '2026-01-15 12:00+00', 200),
    ('e', '2026-01-15 12:00+00', 499),
    ('f', '2026-01-15 12:00+00', 500)
) as told (queue, at, pending);

select results_eq(
    $$
        select fingerprint, value, severity, threshold
        from pg_temp.judge('queue_backlog') order by fingerprint
    $$,
    $$
        values
        ('a', 49::double precision, null, null::double precision),
        ('b', 50, 'low', 50),
        ('c', 100, 'medium', 100),
        ('d', 200, 'high', 200),
        ('e', 499, 'high', 200),
        ('f', 500, 'critical', 500)
    $$,
    'the newest sample counts, and reaching a threshold passes it'
);

select results_eq(
    $$select labels, summary from pg_temp.find('queue_backlog') where fingerprint = 'f'$$,
    $$values ('{"queue": "f"}'::jsonb, 'queue f: 500 waiting')$$,
    'a finding names its queue'
);

select pg_temp.sample('f', '2026-01-15 12:00+00', 3);

select is(
    (select value from pg_temp.find('queue_backlog') where fingerprint = 'f'),
    3::double precision,
    'of two samples of one moment the later recorded counts'
);

-- Times gone by, and edges

select pg_temp.sample('f', '2026-01-15 12:00:00.000001+00', 7000);

select is(
    (select value from pg_temp.find('queue_backlog') where fingerprint = 'f'),
    3::double precision,
    'what came after the time asked for does not count'
);

select is(
    (
        select value from pg_temp.find('queue_backlog', '2026-01-15 11:55+00')
        where fingerprint = 'a'
    ),
    9999::double precision,
    'of a time gone by it is found what was there then'
);

select is(
    (
        select array_agg(fingerprint order by fingerprint)
        from pg_temp.find('queue_backlog', '2026-01-15 11:55+00')
    ),
    array['a'],
    'and no queue that was not known yet'
);

select monitoring.roll_up();
select pg_temp.set_clock('2026-01-15 12:59:59.999999+00');

select is(
    (
        select value from pg_temp.find('queue_backlog', '2026-01-15 12:59:59.999999+00')
        where fingerprint = 'b'
    ),
    50::double precision,
    'a sample of less than an hour ago counts'
);

select results_eq(
    $$
        select value, severity, summary from pg_temp.judge('queue_backlog', '2026-01-15 13:00+00')
        where fingerprint = 'b'
    $$,
    $$values (null::double precision, null, 'queue b: unknown how many waiting')$$,
    'an older one is no data, but the queue is still known'
);

select results_eq(
    $$
        select at, f.rule_name, f.value
        from unnest(array[
            '2026-01-16 11:59:59.999999+00', '2026-01-16 12:00+00', '2026-01-17 12:00+00'
        ]) as at
        cross join lateral (
            select 1 as rule_name, b.value
            from pg_temp.find('queue_backlog', at) as b where b.fingerprint = 'b'
            union all
            select 2 as rule_name, o.value
            from pg_temp.find('queue_oldest_ready_age', at) as o where o.fingerprint = 'b'
        ) as f
        order by 1, 2
    $$,
    $$
        values
        ('2026-01-16 11:59:59.999999+00', 1, null::double precision),
        ('2026-01-16 11:59:59.999999+00', 2, null),
        ('2026-01-16 12:00+00', 1, 0),
        ('2026-01-16 12:00+00', 2, 0)
    $$,
    'a queue without a sample for a day is forgotten: for a day it counts as empty, then as gone'
);

-- Age of the oldest

select pg_temp.sample(queue, '2026-01-15 14:00+00', pending, oldest)
from (
    values
    ('at', 5, 300::double precision),
    ('above', 5, 300.5),
    ('empty', 0, null),
    ('untold', 5, null),
    ('worst', 5, 3601)
) as told (queue, pending, oldest);

select results_eq(
    $$
        select fingerprint, value, severity, threshold, summary
        from pg_temp.judge('queue_oldest_ready_age', '2026-01-15 14:00+00')
        where fingerprint not in ('a', 'b', 'c', 'd', 'e', 'f')
        order by fingerprint
    $$,
    $$
        values
        ('above', 300.5::double precision, 'medium', 300::double precision,
            'queue above: the oldest of 5 waiting has been ready for 5 min'),
        ('at', 300, null, null, 'queue at: the oldest of 5 waiting has been ready for 5 min'),
        ('empty', 0, null, null,
            'queue empty: the oldest of 0 waiting has been ready for an unknown time'),
        ('untold', null, null, null,
            'queue untold: the oldest of 5 waiting has been ready for an unknown time'),
        ('worst', 3601, 'critical', 3600,
            'queue worst: the oldest of 5 waiting has been ready for 1 h')
    $$,
    'the oldest must be older than a threshold; an empty queue is well, an untold age no data'
);

-- Names

select pg_temp.sample(repeat('ü', 255), '2026-01-15 15:00+00', 60);
select pg_temp.sample('it''s "Ä" \ %s <&>', '2026-01-15 15:00+00', 60);

select set_eq(
    $$
        select fingerprint, labels ->> 'queue', severity
        from pg_temp.judge('queue_backlog', '2026-01-15 15:00+00') where severity is not null
    $$,
    $$
        values
        (repeat('ü', 255), repeat('ü', 255), 'low'),
        ('it''s "Ä" \ %s <&>', 'it''s "Ä" \ %s <&>', 'low')
    $$,
    'names may be long, and have quotes, umlauts and what else'
);

select pg_temp.sample('vast', '2026-01-15 15:00+00', 9223372036854775807, 1e100);

select lives_ok(
    $$
        select * from pg_temp.judge('queue_backlog', '2026-01-15 15:00+00')
        union all
        select * from pg_temp.judge('queue_oldest_ready_age', '2026-01-15 15:00+00')
    $$,
    'no number that may be recorded breaks a rule'
);

-- Thresholds of one queue, and many queues

select monitoring.set_alert_thresholds('queue_backlog', '{"high": 7000}', '{"queue": "big"}');
select pg_temp.sample('big', '2026-01-15 16:00+00', 6999);
select pg_temp.sample('q' || n, '2026-01-15 16:00+00', n) from generate_series(1, 1000) as n;

select results_eq(
    $$
        select
            count(*),
            count(*) filter (where severity = 'low'),
            count(*) filter (where severity = 'critical'),
            count(*) filter (where fingerprint = 'big' and severity is null)
        from pg_temp.judge('queue_backlog', '2026-01-15 16:00+00')
        where value is not null and fingerprint ~ '^(q\d+|big)$'
    $$,
    $$values (1001::bigint, 50::bigint, 501::bigint, 1::bigint)$$,
    'a thousand queues are found at once, and one has thresholds of its own'
);

-- The rows behind it

select results_eq(
    $$
        select source, happened_at, details -> 'pending'
        from pg_temp.explain('queue_backlog', '{"queue": "a"}')
    $$,
    $$
        values
        ('queue sample', '2026-01-15 11:59+00'::timestamptz, '49'::jsonb),
        ('queue sample', '2026-01-15 11:50+00', '9999')
    $$,
    'the explainer shows the newest samples of the queue'
);

select is(
    (
        select count(*)
        from pg_temp.explain(
                'queue_oldest_ready_age', '{"queue": "a"}', 10, '2026-01-15 11:55+00'
            )
    ),
    1::bigint,
    'and none from after the time that it is asked for'
);

select * from finish(); -- noqa: AM04
rollback;
