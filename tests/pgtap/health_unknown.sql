-- A component that nobody has checked for long is unknown, not what it was.

begin;
select plan(10);
\ir helpers/fixed_clock.psql

create function pg_temp.state_at(p_name text, p_now text) returns text
language sql
as $$
    select set_config('monitoring.now', p_now, true);
    select format('%s, was %s', v.status, v.last_status)
    from monitoring.v_system_health_summary as v where v.component_name = p_name
$$;

select monitoring.update_system_health('service', 'api', 'healthy');
select monitoring.update_system_health('service', 'backup', 'healthy');
select monitoring.set_alert_thresholds(
    'component_silent', '{"high": 100000}', '{"component": "backup"}'
);

select is(
    pg_temp.state_at('api', '2026-01-15 12:15+00'), 'healthy, was healthy',
    'it is what the newest check found for as long as no rule calls it silent'
);
select is(
    pg_temp.state_at('api', '2026-01-15 12:15:01+00'), 'unknown, was healthy',
    'then nobody knows'
);
select is(
    pg_temp.state_at('backup', '2026-01-16 12:00+00'), 'healthy, was healthy',
    'one that is checked once a day is known for longer, where that was said'
);
select is(
    pg_temp.state_at('backup', '2026-01-16 16:00+00'), 'unknown, was healthy',
    'but not for ever'
);
select is(
    (
        select v.uptime_percent from monitoring.v_system_health_summary as v
        where v.component_name = 'api'
    ),
    null,
    'of a day in which nobody knows there is no uptime'
);

select set_config('monitoring.now', '2026-01-15 13:00+00', true);
select monitoring.update_system_health(
    'service', 'web', 'healthy', p_checked_at => '2026-01-15 12:00+00'
);
select monitoring.update_system_health(
    'service', 'web', 'unhealthy', p_checked_at => '2026-01-15 12:45+00'
);
select is(
    pg_temp.state_at('web', '2026-01-15 14:00+00'), 'unknown, was unhealthy',
    'an unhealthy one is unknown as well: whether it still is nobody has seen'
);
select is(
    (
        select v.uptime_percent from monitoring.v_system_health_summary as v
        where v.component_name = 'web'
    ),
    75.0,
    'the time in which nobody knew is no part of its uptime'
);
select is(
    monitoring.get_dashboard_summary() -> 'health' ->> 'unknown', '2',
    'the summary counts it as unknown'
);

select monitoring.set_alert_thresholds('component_silent', '{}');
select is(
    pg_temp.state_at('api', '2026-01-16 12:00+00'), 'healthy, was healthy',
    'where the rule has no thresholds it is known for a day'
);
select is(
    pg_temp.state_at('api', '2026-01-16 12:00:01+00'), 'unknown, was healthy',
    'and no longer'
);

select * from finish(); -- noqa: AM04
rollback;
