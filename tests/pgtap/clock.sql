-- monitoring.clock(): the one time everything goes by.

begin;
select plan(7);

create function pg_temp.set_clock(p_now text) returns text
language sql
as $$
    select set_config('monitoring.now', p_now, true)
$$;

select ok(
    clock_timestamp() - monitoring.clock() between interval '-1 second' and interval '1 second',
    'the clock is the wall clock'
);

create temporary table reading as select monitoring.clock() as at;

select ok(
    monitoring.clock() > (select at from reading),
    'and goes on within a transaction'
);

select pg_temp.set_clock('2026-01-15 12:00+00');

select is(
    monitoring.clock(),
    '2026-01-15 12:00+00'::timestamptz,
    'a test may set it'
);

select is(
    monitoring.record_log('c', 'INFO', 'm') > 0,
    true,
    'then everything goes by that'
);

select is(
    (select logged_at from monitoring.v_application_logs),
    '2026-01-15 12:00+00'::timestamptz,
    'what is recorded'
);

select is(
    monitoring.get_installation() ->> 'today',
    '2026-01-15',
    'and what is told'
);

select pg_temp.set_clock('');

select ok(
    clock_timestamp() - monitoring.clock() < interval '1 second',
    'an empty setting is none'
);

select * from finish(); -- noqa: AM04
rollback;
