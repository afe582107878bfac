-- The built-in rule errors_per_hour.

begin;
select plan(16);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql
\ir helpers/refusals.psql

create function pg_temp.fail(
    p_at text, p_component text default null, p_type text default 'E', p_times integer default 1
) returns bigint
language sql
as $$
    select count(monitoring.record_error(
        't', p_type, 'low', 'message', p_component, p_occurred_at => p_at::timestamptz
    ))
    from generate_series(1, p_times)
$$;

-- Nothing recorded

select results_eq(
    $$
        select fingerprint, value, labels, severity, summary from pg_temp.judge('errors_per_hour')
    $$,
    $$values ('all', 0::double precision, '{}'::jsonb, null, 'errors in 1 h: 0')$$,
    'without errors their number is 0'
);

-- How many

select pg_temp.fail('2026-01-15 11:30+00', 'billing', 'TimeoutError', 20);
select pg_temp.fail('2026-01-15 11:40+00', 'mail', 'TimeoutError', 3);
select pg_temp.fail('2026-01-15 11:40+00', null, 'ValueError', 1);

select results_eq(
    $$
        select fingerprint, value, severity, threshold, summary
        from pg_temp.judge('errors_per_hour')
    $$,
    $$
        values ('all', 24::double precision, null, null::double precision,
            'errors in 1 h: 24, 20 in billing, 23 of type TimeoutError')
    $$,
    'fewer than 25 errors in an hour pass no threshold'
);

select pg_temp.fail('2026-01-15 11:50+00', 'mail', 'ValueError');

select results_eq(
    $$select value, severity, threshold from pg_temp.judge('errors_per_hour')$$,
    $$values (25::double precision, 'low', 25::double precision)$$,
    'the 25th passes the first'
);

create function pg_temp.severity_of(p_more integer) returns text
language sql
as $$
    select pg_temp.fail('2026-01-15 11:50+00', p_times => p_more);
    select severity from pg_temp.judge('errors_per_hour')
$$;

select results_eq(
    $$
        select step, pg_temp.severity_of(more)
        from (values (49, 24), (50, 1), (74, 24), (75, 1), (99, 24), (100, 1)) as s (step, more)
    $$,
    $$
        values (49, 'low'), (50, 'medium'), (74, 'medium'), (75, 'high'), (99, 'high'),
        (100, 'critical')
    $$,
    '50, 75 and 100 are the next'
);

-- Edges of the window, and times gone by

select pg_temp.fail('2026-01-15 11:00+00');
select pg_temp.fail('2026-01-15 12:00:00.000001+00');

select is(
    (select value from pg_temp.find('errors_per_hour')),
    100::double precision,
    'neither one of an hour ago counts nor one to come'
);

select pg_temp.fail('2026-01-15 11:00:00.000001+00');
select pg_temp.fail('2026-01-15 12:00+00');

select is(
    (select value from pg_temp.find('errors_per_hour')),
    102::double precision,
    'one of just less than an hour ago does, and one of this moment'
);

select results_eq(
    $$
        select at, (select value from pg_temp.find('errors_per_hour', at))
        from unnest(array[
            '2026-01-15 11:30+00', '2026-01-15 11:29:59.999999+00', '2026-01-15 12:29:59.999999+00',
            '2026-01-15 12:30+00', '2027-01-15 12:30+00'
        ]) as at
    $$,
    $$
        values
        ('2026-01-15 11:30+00', 22::double precision),
        ('2026-01-15 11:29:59.999999+00', 2),
        ('2026-01-15 12:29:59.999999+00', 102),
        ('2026-01-15 12:30+00', 82),
        ('2027-01-15 12:30+00', 0)
    $$,
    'at each moment the hour before it counts'
);

-- Settings

select pg_temp.set_parameters('errors_per_hour', '{"by": "component"}');

select results_eq(
    $$
        select fingerprint, value, labels, summary from pg_temp.find('errors_per_hour')
        order by fingerprint
    $$,
    $$
        values
        ('billing', 20::double precision, '{"component": "billing"}'::jsonb,
            'errors in 1 h: 20, 20 of type TimeoutError'),
        ('mail', 4, '{"component": "mail"}', 'errors in 1 h: 4, 3 of type TimeoutError'),
        ('no component', 78, '{"component": "no component"}',
            'errors in 1 h: 78, 77 of type E')
    $$,
    'they can be counted by component'
);

select pg_temp.set_parameters('errors_per_hour', '{"by": "error_type"}');

select results_eq(
    $$
        select fingerprint, value, labels from pg_temp.find('errors_per_hour')
        order by fingerprint
    $$,
    $$
        values
        ('E', 77::double precision, '{"error_type": "E"}'::jsonb),
        ('TimeoutError', 23, '{"error_type": "TimeoutError"}'),
        ('ValueError', 2, '{"error_type": "ValueError"}')
    $$,
    'or by type'
);

select is_empty(
    $$select * from pg_temp.find('errors_per_hour', '2027-01-15 12:00+00')$$,
    'then nothing is found where there are none'
);

select pg_temp.set_parameters('errors_per_hour', '{"by": "all", "window_minutes": 15}');

select is(
    (select summary from pg_temp.find('errors_per_hour')),
    'errors in 15 min: 77, 76 in no component, 76 of type E',
    'the window can be another'
);

select pg_temp.set_parameters('errors_per_hour', '{"by": "weekday"}');

select throws_ok(
    $$select * from pg_temp.find('errors_per_hour')$$,
    'PV003',
    'by is not known: "weekday"',
    'what errors cannot be counted by is refused'
);

-- Names

select pg_temp.set_parameters('errors_per_hour', '{"by": "component", "window_minutes": 60}');
select pg_temp.fail('2026-01-15 20:00+00', repeat('ü', 255), repeat('Ä', 255));
select pg_temp.fail('2026-01-15 20:00+00', 'it''s "a" %s', 'E');
select pg_temp.fail('2026-01-15 20:00+00', repeat('a', 255), 'E');

select results_eq(
    $$
        select
            count(*),
            count(distinct fingerprint),
            max(length(fingerprint)),
            bool_and(length(summary) <= 500),
            bool_or(fingerprint = 'it''s "a" %s')
        from pg_temp.find('errors_per_hour', '2026-01-15 20:00+00')
    $$,
    $$values (3::bigint, 3::bigint, 255, true, true)$$,
    'names may be long, and have quotes and umlauts'
);

-- The rows behind it

select results_eq(
    $$
        select source, happened_at, details ->> 'component', details ->> 'message'
        from pg_temp.explain('errors_per_hour', '{}', 2)
    $$,
    $$
        values
        ('error', '2026-01-15 12:00+00'::timestamptz, null, 'message'),
        ('error', '2026-01-15 11:50+00', null, 'message')
    $$,
    'the explainer shows the newest errors that were counted'
);

select is(
    (
        select count(*) from pg_temp.explain('errors_per_hour', '{"component": "mail"}', 100)
        where details ->> 'component' = 'mail'
    ),
    4::bigint,
    'those of the component that the alert is about'
);

select is(
    (
        select count(*)
        from pg_temp.explain('errors_per_hour', '{"component": "no component"}', 100)
    ),
    78::bigint,
    'or those without any'
);

select * from finish(); -- noqa: AM04
rollback;
