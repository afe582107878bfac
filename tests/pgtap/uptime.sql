-- v_system_health_summary: the last day of each component, weighted by time. At the fixed clock's
-- noon the last day is 23 hours long: this hour, and the 23 before it.

begin;
select plan(13);
\ir helpers/fixed_clock.psql

-- Checks of a component as text: the hours before now, and the status then.
create function pg_temp.check_component(p_name text, p_checks text) returns bigint
language sql
as $$
    select count(
        monitoring.update_system_health(
            'service', p_name, c.told[2],
            p_checked_at => monitoring.clock() - c.told[1]::double precision * interval '1 hour'
        )
    )
    from regexp_matches(p_checks, '(-?[\d.]+)h (\w+)', 'g') as c (told)
$$;

create function pg_temp.uptime_of(p_name text) returns numeric
language sql
as $$
    select s.uptime_percent from monitoring.v_system_health_summary as s
    where s.component_name = p_name
$$;

-- These are checked every few hours, and nobody calls them silent for that.
select monitoring.set_alert_thresholds('component_silent', '{"high": 1000000}');

select pg_temp.check_component(component, checks)
from (
    values
    ('steady', '20h healthy 10h healthy'),
    ('broken', '20h unhealthy 10h unhealthy'),
    ('half', '8h healthy 4h unhealthy'),
    ('uneven', '10h unhealthy 9h healthy 1h healthy'),
    ('slow', '8h degraded 2h unhealthy'),
    ('unsure', '8h healthy 6h unknown 2h unhealthy'),
    ('unseen', '8h unknown'),
    ('just now', '0h healthy'),
    ('changing', '26h unhealthy 5.75h healthy'),
    ('silent', '30h unhealthy'),
    ('ahead', '4h healthy -2h unhealthy')
) as told (component, checks);

-- Behaviour

select is(pg_temp.uptime_of(component), uptime::numeric, about)
from (
    values
    ('steady', 100, 'a component that was healthy at each check was up all the time'),
    ('broken', 0, 'one that was unhealthy at each was never up'),
    ('half', 50, 'a status holds until the next check, the last one until now'),
    ('uneven', 90, 'what counts is time, not the number of checks'),
    ('slow', 75, 'degraded counts as up'),
    ('unsure', 50, 'time in an unknown state counts neither way'),
    ('unseen', null, 'where all the time is unknown there is no uptime'),
    ('changing', 25, 'the status at the beginning of the day is that of the check before'),
    ('silent', 0, 'a status holds however long ago the last check was'),
    ('ahead', 100, 'a check that lies in the future does not count yet')
) as expected (component, uptime, about);

select monitoring.update_system_health('service', 'timed', status, milliseconds, reason, null, at)
from (
    values
    ('unhealthy', 900, 'full', '2026-01-14 12:59:59.999999+00'::timestamptz),
    ('unhealthy', 100, 'slow', '2026-01-14 13:00+00'),
    ('healthy', 50, null, '2026-01-15 06:00+00'),
    ('healthy', null, null, '2026-01-15 11:59+00')
) as told (status, milliseconds, reason, at);

select results_eq(
    $$
        select component_type, status, response_time_ms, failure_reason, last_check_at,
            seconds_since_check, checks, avg_response_time_ms, last_unhealthy_at
        from monitoring.v_system_health_summary where component_name = 'timed'
    $$,
    $$
        values ('service', 'healthy', null::double precision, null,
            '2026-01-15 11:59+00'::timestamptz, 60::double precision, 3::bigint,
            75::double precision, '2026-01-14 13:00+00'::timestamptz)
    $$,
    'checks and mean response are those of the last day'
);

select results_eq(
    $$
        select status, seconds_since_check, checks, avg_response_time_ms, last_unhealthy_at
        from monitoring.v_system_health_summary where component_name = 'silent'
    $$,
    $$
        values ('unhealthy', 108000::double precision, 0::bigint, null::double precision,
            '2026-01-14 06:00+00'::timestamptz)
    $$,
    'a component without a check in the last day is still listed, with its last failure'
);

-- Boundaries

select monitoring.update_system_health('service', 'vast', 'healthy', milliseconds)
from unnest(array[0, 1e100, 1e100]) as milliseconds;

select lives_ok(
    $$select * from monitoring.v_system_health_summary$$,
    'no response time that may be recorded breaks the view'
);

select * from finish(); -- noqa: AM04
rollback;
