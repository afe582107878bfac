-- record_release, get_releases and get_chart_marks: when components went over to other versions.

begin;
select plan(18);
\ir helpers/fixed_clock.psql

-- The clock says 2026-01-15 12:00 UTC.
create function pg_temp.releases(p_component text) returns text
language sql
as $$
    select string_agg(
        concat(
            r.previous_version, '>', r.version, ' ',
            to_char(r.released_at at time zone 'UTC', 'DD HH24:MI')
        ),
        ', ' order by r.released_at
    )
    from monitoring.get_releases(p_component) as r
$$;

-- What is recorded

select isnt(monitoring.record_release('api', '1.0'), null, 'a release has a number');
select is(
    monitoring.record_release('api', '1.0', p_released_at => '2026-01-15 11:59+00')
    - monitoring.record_release('api', '1.0', p_released_at => '2026-01-15 11:59+00'),
    0::bigint, 'told again it is the same'
);
select pg_temp.set_clock('2026-01-15 12:10+00');
select monitoring.record_release('api', '1.0');
select monitoring.record_release('api', '1.1', '{"commit": "3f2a"}');
select is(
    pg_temp.releases('api'), '>1.0 15 11:59, 1.0>1.1 15 12:10',
    'each of many programs may tell its version: only a change is a release, since its first'
);
select monitoring.record_release('api', '1.0', p_released_at => '2026-01-15 12:20+00');
select is(
    pg_temp.releases('api'), '>1.0 15 11:59, 1.0>1.1 15 12:10, 1.1>1.0 15 12:20',
    'to go back to an earlier version is a release'
);
select is(
    monitoring.record_release('api', '1.1', p_released_at => '2026-01-15 12:15+00'),
    (select r.release_id from monitoring.get_releases('api') as r where r.version = '1.1'),
    'what comes late is compared with what was newest by then'
);
insert into monitoring.releases (component, version, released_at, recorded_by)
select
    r.component,
    r.version,
    r.released_at,
    r.recorded_by
from monitoring.releases as r
where r.version = '1.1';
select is(
    pg_temp.releases('api'), '>1.0 15 11:59, 1.0>1.1 15 12:10, 1.1>1.0 15 12:20',
    'what two sessions tell at the same moment is one release'
);
select is(pg_temp.releases('mail'), null, 'each component has releases of its own');
select is(
    (select r.details from monitoring.get_releases('api') as r where r.version = '1.1'),
    '{"commit": "3f2a"}', 'what else is told is kept'
);

-- What is asked for

select results_eq(
    $$
        select r.version
        from monitoring.get_releases('api', '2026-01-15 12:00+00', '2026-01-15 12:20+00') as r
    $$,
    array['1.1'], 'a span has its beginning and not its end'
);
select results_eq(
    $$select r.version, r.released_at from monitoring.get_releases(p_limit => 1) as r$$,
    $$values ('1.0', '2026-01-15 12:20+00'::timestamptz)$$, 'the newest come first'
);

-- Marks of charts

select pg_temp.set_clock('2026-01-15 12:30+00');
select count(*) from monitoring.ensure_partitions();
select monitoring.raise_alert('tests', 'disk', 'critical', 'disk is full', '{"component": "api"}');
select monitoring.raise_alert('tests', 'door', 'medium', 'door is open');
select monitoring.evaluate_alerts();
select results_eq(
    $$
        select m.kind, m.title, m.severity, m.alert_id is not null
        from monitoring.get_chart_marks('2026-01-15 12:05+00', '2026-01-15 13:00+00') as m
    $$,
    $$
        values ('release', 'api 1.1 (before: 1.0)', null, false),
            ('release', 'api 1.0 (before: 1.1)', null, false),
            ('alert', 'disk is full', 'critical', true)
    $$,
    'a chart is marked with releases and with alerts of severity high or critical'
);
select results_eq(
    $$
        select m.title
        from monitoring.get_chart_marks(
            '2026-01-15 12:00+00', '2026-01-15 13:00+00', p_limit => 1
        ) as m
    $$,
    array['api 1.0 (before: 1.1)', 'disk is full'], 'of each the newest'
);
select is_empty(
    $$
        select m.title
        from monitoring.get_chart_marks('2026-01-15 12:00+00', '2026-01-15 13:00+00', 'mail') as m
    $$,
    'of a component only its own'
);

-- Refusals

select set_config('monitoring.strict', 'on', true);
select throws_ok(
    $$select monitoring.record_release('api', '')$$, 'PV001', null, 'a version has a name'
);
select set_config('monitoring.strict', 'off', true);
select lives_ok(
    $$select monitoring.record_release(null, null)$$, 'outside of tests nothing raises'
);
select is(pg_temp.releases('(unnamed)'), '>(unnamed) 15 12:30', 'but is repaired');
select count(monitoring.record_release('churn', 'v' || n))
from generate_series(1, 100) as n;
select is(
    monitoring.record_release('churn', 'one more'), null,
    'who gives a new version at each start has a hundred of them a day'
);
select pg_temp.set_clock('2026-01-16 12:31+00');
select isnt(monitoring.record_release('churn', 'one more'), null, 'and goes on the day after');

select * from finish(); -- noqa: AM04
rollback;
