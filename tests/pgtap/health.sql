-- update_system_health: checks of components, their history, and the state of each.

begin;
select plan(12);
\ir helpers/fixed_clock.psql

-- Interface

select ok(
    monitoring.update_system_health('service', 'api', 'unhealthy', 1500.5, 'no answer') > 0,
    'a check is told by position: type, name, status, response time, failure reason'
);

select ok(
    monitoring.update_system_health(
        p_component_type => 'database',
        p_component_name => 'orders',
        p_status => 'degraded',
        p_response_time_ms => 90,
        p_failure_reason => 'replica lags',
        p_details => '{"lag": 12}',
        p_checked_at => '2026-01-15 11:00+00'
    ) > 0,
    'everything can be told by name'
);

select ok(
    monitoring.update_system_health('service', 'web', 'healthy') > 0,
    'type, name and status are enough'
);

-- Behaviour

select results_eq(
    $$
        select component_type, component_name, status, response_time_ms, failure_reason, details,
            checked_at
        from monitoring.v_health_history order by component_name
    $$,
    $$
        values
        ('service', 'api', 'unhealthy', 1500.5::double precision, 'no answer', null::jsonb,
            '2026-01-15 12:00+00'::timestamptz),
        ('database', 'orders', 'degraded', 90, 'replica lags', '{"lag": 12}',
            '2026-01-15 11:00+00'),
        ('service', 'web', 'healthy', null, null, null, '2026-01-15 12:00+00')
    $$,
    'all that was told is kept, as checked now unless told otherwise'
);

select set_config(
    'tests.id', monitoring.update_system_health('cron', 'nightly', 'unknown')::text, true
);

select is(
    (select probe_id from monitoring.v_health_history where component_type = 'cron'),
    current_setting('tests.id')::bigint,
    'the number of the check is given back'
);

select
    monitoring.update_system_health(
        'service', 'api', status, milliseconds, p_checked_at => at
    )
from (
    values
    ('degraded', 700, '2026-01-15 11:58+00'::timestamptz),
    ('healthy', 20, '2026-01-15 11:59+00')
) as earlier (status, milliseconds, at);

select results_eq(
    $$
        select status, response_time_ms, failure_reason, last_check_at, details
        from monitoring.system_health where component_name = 'api'
    $$,
    $$
        values ('unhealthy', 1500.5::double precision, 'no answer',
            '2026-01-15 12:00+00'::timestamptz, null::jsonb)
    $$,
    'the newest check is the state of a component, in whatever order they arrived'
);

select monitoring.update_system_health('service', 'api', 'healthy');

select is(
    (select status from monitoring.system_health where component_name = 'api'),
    'healthy',
    'of two checks at the same instant the one told last stands'
);

select monitoring.update_system_health('database', 'api', 'degraded');

select results_eq(
    $$
        select component_type, status from monitoring.system_health
        where component_name = 'api' order by component_type
    $$,
    $$values ('database', 'degraded'), ('service', 'healthy')$$,
    'components of one name and different types are different components'
);

-- Boundaries

select is(
    (
        select array_agg(component_type || ' ' || component_name order by component_name)
        from monitoring.system_health where last_check_at >= '2026-01-15 11:00+00'
    ),
    array['database api', 'service api', 'cron nightly', 'database orders', 'service web'],
    'each component has one row'
);

select monitoring.update_system_health(
    'service', 'forgotten', 'unhealthy', p_checked_at => '2025-03-01 12:00+00'
);

select results_eq(
    $$
        select status, last_check_at from monitoring.system_health
        where component_name = 'forgotten'
    $$,
    $$values ('unhealthy', '2025-03-01 12:00+00'::timestamptz)$$,
    'a component that has not been checked for long keeps its last state'
);

select monitoring.update_system_health(
    'service', 'ahead', 'healthy', p_checked_at => '2026-01-15 11:00+00'
);
select monitoring.update_system_health(
    'service', 'ahead', 'unhealthy', p_checked_at => '2026-01-15 13:00+00'
);

select is(
    (select status from monitoring.system_health where component_name = 'ahead'),
    (select status from monitoring.v_system_health_summary where component_name = 'ahead'),
    'state and summary agree about a check that lies in the future'
);

select
    monitoring.update_system_health(
        'service', 'empty', 'healthy', 0, '', 'null', '2025-03-01 12:00+00'
    )
from generate_series(1, 2);

select results_eq(
    $$
        select response_time_ms, failure_reason from monitoring.system_health
        where component_name = 'empty'
    $$,
    $$values (0::double precision, '')$$,
    'a response within no time is fine'
);

select * from finish(); -- noqa: AM04
rollback;
