-- The state of a component is what was last heard of it, whatever the clock of the sender shows and
-- whatever the clock of the server has shown for a moment.

begin;
select plan(14);
\ir helpers/fixed_clock.psql

-- As a roll-up does, for which what this transaction has recorded would not be done yet.
create function pg_temp.roll_up() returns void
language plpgsql
as $$
begin
    perform monitoring._merge_component_states(9223372036854775807, '{}');
    update monitoring.health_probes set recorded_xid = 3;
    update monitoring.late_health_probes set recorded_xid = 3;
    update monitoring.rollup_progress set claimed_below = txid_current();
end
$$;

create function pg_temp.state_of(p_name text) returns text
language sql
as $$
    select format('%s, %s, %s s ago', s.status, v.last_status, v.seconds_since_check)
    from monitoring.system_health as s
    inner join monitoring.v_system_health_summary as v on s.component_name = v.component_name
    where s.component_name = p_name
$$;

create function pg_temp.check_at(p_now text, p_name text, p_status text, p_checked_at text)
returns void
language plpgsql
as $$
begin
    perform pg_temp.set_clock(p_now);
    perform monitoring.update_system_health(
        'service', p_name, p_status, 5, p_checked_at => p_checked_at::timestamptz
    );
end
$$;

-- A sender whose clock is fast

select pg_temp.check_at('2026-01-15 12:00+00', 'gw', 'healthy', '2026-01-15 18:00+00');
select is(
    pg_temp.state_of('gw'),
    'healthy, healthy, 0 s ago',
    'a check that is dated ahead counts as of now'
);
select pg_temp.check_at('2026-01-15 12:01+00', 'gw', 'unhealthy', null);
select is(
    pg_temp.state_of('gw'),
    'unhealthy, unhealthy, 0 s ago',
    'the next one is what is true from then on'
);
select is(
    (select uptime_percent from monitoring.v_system_health_summary where component_name = 'gw'),
    100.000,
    'until then it was healthy'
);
select pg_temp.roll_up();
select is(
    pg_temp.state_of('gw'), 'unhealthy, unhealthy, 0 s ago', 'also when they are rolled up'
);
select pg_temp.set_clock('2026-01-15 19:00+00');
select is(
    pg_temp.state_of('gw'), 'unhealthy, unhealthy, 25140 s ago',
    'and when the time has come that the sender had said'
);
select is(
    (
        select c.status from monitoring._component_states_at(
                '2026-01-15 19:00+00', '2026-01-15 00:00+00'
            ) as c
    ),
    'unhealthy',
    'rules see the same'
);
-- A server whose clock was ahead

select pg_temp.check_at('2026-01-16 02:00+00', 'shop', 'healthy', null);
select pg_temp.check_at('2026-01-15 20:00+00', 'shop', 'unhealthy', null);
select is(
    pg_temp.state_of('shop'), 'unhealthy, unhealthy, 0 s ago',
    'what came last is true, not what is dated last'
);
select pg_temp.roll_up();
select is(
    pg_temp.state_of('shop'), 'unhealthy, unhealthy, 0 s ago', 'also when it is rolled up'
);

select pg_temp.check_at('2026-01-16 02:00+00', 'till', 'healthy', null);
select pg_temp.roll_up();
select pg_temp.set_clock('2026-01-15 20:01+00');
select is(
    pg_temp.state_of('till'), 'healthy, healthy, 0 s ago',
    'a state that was rolled up by such a clock is not in the future'
);
select pg_temp.check_at('2026-01-15 20:01+00', 'till', 'degraded', null);
select is(
    pg_temp.state_of('till'), 'degraded, degraded, 0 s ago', 'and gives way to what comes after it'
);
select pg_temp.roll_up();
select is(pg_temp.state_of('till'), 'degraded, degraded, 0 s ago', 'for good');
select pg_temp.set_clock('2026-01-16 03:00+00');
select is(
    pg_temp.state_of('till'), 'degraded, degraded, 25140 s ago',
    'also when the time has come that the clock had shown'
);

-- What comes late changes nothing

select pg_temp.check_at('2026-01-16 03:01+00', 'till', 'unhealthy', '2026-01-15 19:00+00');
select is(
    pg_temp.state_of('till'), 'degraded, degraded, 25200 s ago',
    'a check that is told late is not the newest'
);
select pg_temp.roll_up();
select is(
    pg_temp.state_of('till'), 'degraded, degraded, 25200 s ago', 'nor when it is rolled up'
);

select * from finish(); -- noqa: AM04
rollback;
