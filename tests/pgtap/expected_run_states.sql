-- What is kept of expected runs between evaluations, so that a quiet minute looks nothing up. That
-- it is what looking everything up would give is tested in tests/python/alerts/.

begin;
select plan(7);
\ir helpers/fixed_clock.psql

select monitoring.define_expected_runs('job ' || n, '0 2 * * *')
from generate_series(1, 20) as n;
select monitoring.define_expected_runs('heartbeat', '7 minutes');
select is_empty(
    $$select * from monitoring._suspected_runs(monitoring.clock())$$, 'a quiet minute suspects none'
);

select pg_temp.set_clock('2026-01-16 02:05:01+00');
select monitoring.evaluate_alerts();
select results_eq(
    $$
        select distinct s.judged_due_at, s.last_due_at, s.next_due_at, s.verdict_at
        from monitoring.expected_run_states s
        where s.every_seconds is null
    $$,
    $$values (
        '2026-01-16 02:00+00'::timestamptz, '2026-01-16 02:00+00'::timestamptz,
        '2026-01-17 02:00+00'::timestamptz, '2026-01-17 02:05+00'::timestamptz
    )$$,
    'those that were due are moved on'
);
select is(
    (
        select row(s.judged_due_at, s.verdict_at)::text from monitoring.expected_run_states as s
        where s.every_seconds = 420
    ),
    row('2026-01-15 12:07+00'::timestamptz, 'infinity'::timestamptz)::text,
    'what did not come is looked for until it does'
);
select is(
    (select count(*) from monitoring._suspected_runs(monitoring.clock())), 21::bigint,
    'and suspected'
);

-- As the clock of the system goes back.
select pg_temp.set_clock('2026-01-15 13:00+00');
select monitoring._put_decisions_right(monitoring.clock());
select is_empty(
    'select * from monitoring.expected_run_states',
    'what a clock that was ahead has left is forgotten'
);
select monitoring.evaluate_alerts();
select is(
    (select count(*) from monitoring.expected_run_states), 21::bigint, 'and looked up anew'
);

select monitoring.remove_expected_runs('heartbeat');
select is(
    (select count(*) from monitoring.expected_run_states), 20::bigint,
    'of runs that are no longer expected nothing is kept'
);

select * from finish(); -- noqa: AM04
rollback;
