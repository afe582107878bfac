-- get_components and get_component_trends: components as they are, day by day, and one over time.

begin;
select plan(14);
\ir helpers/fixed_clock.psql

-- The clock says 2026-01-15 12:00 UTC; each check says how a component is for two hours at most.
select monitoring.set_alert_thresholds('component_silent', '{"medium": null, "high": 7200}');
select
    monitoring.update_system_health(
        'service', c.name, c.status, c.took, case when c.status <> 'healthy' then 'slow disk' end,
        p_checked_at => monitoring.clock() - make_interval(hours => c.ago)
    )
from (
    values
    ('api', 36, 'healthy', 100), ('api', 24, 'unhealthy', 900), ('api', 12, 'healthy', 100),
    ('api', 1, 'degraded', 300),
    ('gap', 84, 'healthy', 5), ('gap', 12, 'healthy', 5),
    ('silent', 48, 'healthy', 5)
) as c (name, ago, status, took);
select monitoring.roll_up();
select monitoring.update_system_health('database', 'fresh', 'unhealthy', 50);

select results_eq(
    $$
        select component_type, component_name, status, last_status, standing
        from monitoring.get_components()
    $$,
    $$
        values
        ('database', 'fresh', 'unhealthy', 'unhealthy', 3),
        ('service', 'api', 'degraded', 'degraded', 2),
        ('service', 'gap', 'unknown', 'healthy', 1), ('service', 'silent', 'unknown', 'healthy', 1)
    $$,
    'components, those that are not well first; one that is silent is unknown, whatever it was'
);

-- Days of a component as text: seconds healthy, degraded, unhealthy and unknown.
create function pg_temp.days_of(p_name text) returns text
language sql
as $$
    select
        string_agg(
            format(
                '%s %s/%s/%s/%s', right(d.day ->> 'day', 2), d.day ->> 'healthy',
                d.day ->> 'degraded', d.day ->> 'unhealthy', d.day ->> 'unknown'
            ),
            ', ' order by d.place
        )
    from monitoring.get_components(p_component_name => p_name) as c
    cross join jsonb_array_elements(c.days) with ordinality as d (day, place)
$$;

select is(
    pg_temp.days_of('api'), '14 43200/0/43200/0, 15 39600/3600/0/0',
    'a day has the seconds in each state, the newest up to now'
);
select is(
    pg_temp.days_of('silent'), '13 7200/0/0/79200',
    'what a check says is known for so long, and nobody knows the rest of the day'
);
select is(
    pg_temp.days_of('gap'), '12 86400/0/0/0, 15 7200/0/0/36000',
    'days without a check are left out, whatever was found before them'
);
select is(pg_temp.days_of('fresh'), '15 0/0/0/43200', 'a check of now has told nothing of before');
select is(
    (select c.days from monitoring.get_components(p_component_name => 'api', p_days => 1) as c),
    '[{"day": "2026-01-15", "checks": 2, "healthy": 39600, "degraded": 3600, "unhealthy": 0,
        "unknown": 0}]'::jsonb,
    'of so many days as are asked for'
);
select results_eq(
    $$
        select checks, uptime_percent, p50_response_time_ms between 97 and 103, p99_response_time_ms
        from monitoring.get_components(p_component_name => 'api')
    $$,
    $$values (4::bigint, 66.667, true, 900::double precision)$$,
    'uptime by time, and percentiles of the answers'
);
select results_eq(
    $$select component_name from monitoring.get_components('DATA')$$, array['fresh'],
    'a part of type or name finds them, in any case'
);
select results_eq(
    $$select component_name from monitoring.get_components(p_status => 'unknown', p_limit => 1)$$,
    array['gap'], 'by state, and no more than wanted'
);
select monitoring.evaluate_alerts();
select results_eq(
    $$
        select component_name, trouble
        from monitoring.get_components(p_is_troubled => true, p_component_type => 'database')
    $$,
    $$values ('fresh', 4)$$, 'with the alerts that fire about them'
);
select is(
    array(
        select c.component_name from monitoring.get_components(
                p_after_trouble => 4, p_after_standing => 3, p_after_type => 'database',
                p_after_name => 'fresh'
            ) as c
    ),
    (array(select c.component_name from monitoring.get_components() as c))[2:],
    'a page begins after the last row of the page before'
);
select results_eq(
    $$
        select bucket_at, healthy_checks, degraded_checks, unhealthy_checks, max_response_time_ms
        from monitoring.get_component_trends(
            'service', 'api', '2026-01-14 00:00+00', '2026-01-15 13:00+00', 'day'
        )
    $$,
    $$
        values
        ('2026-01-14 00:00+00'::timestamptz, 1::bigint, 0::bigint, 1::bigint, 900::double precision),
        ('2026-01-15 00:00+00', 1, 1, 0, 300)
    $$,
    'one over time, by what was found and how long it took'
);
select is_empty(
    $$
        select * from monitoring.get_component_trends(
            'queue', 'api', '2026-01-14 00:00+00', '2026-01-15 13:00+00'
        )
    $$,
    'one of another type is another'
);
select throws_ok(
    $$select * from monitoring.get_components(p_days => 0)$$, 'PV004', null, 'no days are refused'
);

select * from finish(); -- noqa: AM04
rollback;
