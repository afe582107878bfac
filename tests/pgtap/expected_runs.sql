-- What people say about when runs are expected, and what they see of it.

begin;
select plan(34);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- Interface

select is_empty('select * from monitoring.v_expected_runs', 'at first no runs are expected');
select is(
    monitoring.define_expected_runs('etl', '30 2 * * mon-fri'), '2026-01-16 02:30+00',
    'who expects runs is told when the next is due'
);
select results_eq(
    $$
        select task_type, schedule, time_zone, grace_seconds, early_seconds, is_enabled,
            next_due_at, last_due_at, last_start_at, is_missed, changed_by, changed_at
        from monitoring.v_expected_runs
    $$,
    $$
        values ('etl', '30 2 * * mon-fri', 'UTC', 300::float8, 60::float8, true,
            '2026-01-16 02:30+00'::timestamptz, null::timestamptz, null::timestamptz, false,
            session_user::text collate "default", '2026-01-15 12:00+00'::timestamptz)
    $$,
    'in UTC, five minutes late and one minute early at most'
);

-- Behaviour

select is(
    monitoring.define_expected_runs(
        p_task_type => 'etl', p_schedule => ' 7:05 ', p_time_zone => 'Europe/Berlin',
        p_grace => '1 hour', p_early => '0', p_by => 'ann'
    ),
    '2026-01-16 06:05+00',
    'a time of day is one of every day, by the clocks of the time zone'
);
select results_eq(
    $$
        select schedule, time_zone, grace_seconds, early_seconds, changed_by
        from monitoring.v_expected_runs
    $$,
    $$values (' 7:05 ', 'Europe/Berlin', 3600::float8, 0::float8, 'ann')$$,
    'who expects other runs of the type changes it'
);

select pg_temp.set_clock('2026-01-16 08:00+00');
select results_eq(
    'select next_due_at, last_due_at, is_missed from monitoring.v_expected_runs',
    $$values ('2026-01-17 06:05+00'::timestamptz, '2026-01-16 06:05+00'::timestamptz, true)$$,
    'what has not begun is missed'
);
select monitoring.define_expected_runs('etl', ' 7:05 ', 'Europe/Berlin', '10 minutes');
select ok(
    (select is_missed from monitoring.v_expected_runs),
    'saying the same again, but for the grace, excuses nothing'
);
select monitoring.define_expected_runs('etl', '07:06', 'Europe/Berlin', '10 minutes');
select ok(
    (select not is_missed from monitoring.v_expected_runs),
    'another schedule counts from when it was given'
);

select pg_temp.set_clock('2026-01-17 08:00+00');
select ok((select is_missed from monitoring.v_expected_runs), 'then it is missed again');
select monitoring.define_expected_runs('etl', '07:06', 'Europe/Berlin', p_is_enabled => false);
select results_eq(
    'select is_enabled, next_due_at, last_due_at, is_missed from monitoring.v_expected_runs',
    'values (false, null::timestamptz, null::timestamptz, false)',
    'runs need not be expected for a while'
);
select monitoring.define_expected_runs('etl', '07:06', 'Europe/Berlin');
select ok(
    (select is_enabled and not is_missed from monitoring.v_expected_runs),
    'what was due meanwhile was not missed'
);

select monitoring.complete_task_tracking('unknown');
select
    monitoring.record_finished_tasks(
        '[
            {"task_id": "a", "task_type": "etl", "start_time": "2026-01-16T01:00Z",
                "end_time": "2026-01-16T02:00Z"},
            {"task_id": "b", "task_type": "etl", "end_time": "2026-01-15T02:00Z"}
        ]'
    );
select is(
    (select last_start_at from monitoring.v_expected_runs), '2026-01-16 01:00+00',
    'the last start is that of the run that ended last'
);
select monitoring.start_task_tracking('c', 'etl', p_started_at => '2026-01-17 07:00+00');
select is(
    (select last_start_at from monitoring.v_expected_runs), '2026-01-17 07:00+00',
    'or of the one that runs'
);

select ok(monitoring.remove_expected_runs('etl'), 'runs need no longer be expected');
select ok(not monitoring.remove_expected_runs('etl'), 'but who forgets twice forgets nothing');
select is_empty('select * from monitoring.v_expected_runs', 'then none are');

-- Refusals

select
    is(
        (pg_temp.refusal_of(format('monitoring.define_expected_runs(%s)', arguments))).code,
        code,
        format('define_expected_runs(%s) is refused', arguments)
    )
from (
    values
    ('null, ''02:30''', 'PV001'),
    ('repeat(''x'', 256), ''02:30''', 'PV002'),
    ('''t'', null', 'PV001'),
    ('''t'', ''daily''', 'PV003'),
    ('''t'', ''25:00''', 'PV004'),
    ('''t'', ''0 0 30 2 *''', 'PV004'),
    ('''t'', ''02:30'', ''CEST''', 'PV007'),
    ('''t'', ''02:30'', ''UTC'', ''-1 minute''', 'PV004'),
    ('''t'', ''02:30'', ''UTC'', null', 'PV004'),
    ('''t'', ''02:30'', ''UTC'', ''1 minute'', ''367 days''', 'PV004')
) as calls (arguments, code);

select results_eq(
    $$
        select message, hint
        from pg_temp.refusal_of($c$monitoring.define_expected_runs('t', 'at tea')$c$)
    $$,
    $$
        values (
            'schedule is not known: "at tea"',
            'Use an interval without months such as ''5 minutes'', a time of day such as ''02:30'', '
            'or a cron expression such as ''30 2 * * mon-fri''.'
        )
    $$,
    'the hint says what would be right'
);

-- What counts

delete from monitoring.expected_runs;
select pg_temp.set_clock('2026-01-20 08:00+00');
select monitoring.define_expected_runs('load', '09:00', p_counts => 'successes');
select monitoring.define_expected_runs('beat', '7 minutes', p_counts => 'successes');
select pg_temp.set_clock('2026-01-20 09:01+00');
select monitoring.start_task_tracking('load-1', 'load');
select monitoring.start_task_tracking('beat-1', 'beat');
select pg_temp.set_clock('2026-01-20 09:10+00');
select is_empty(
    'select task_type from monitoring.v_expected_runs where is_missed',
    'where successes count, nothing is missed while a run goes on'
);
select pg_temp.set_clock('2026-01-20 09:30+00');
select monitoring.complete_task_tracking('load-1', 'failed');
select monitoring.complete_task_tracking('beat-1', 'timeout');
select results_eq(
    'select task_type, counts from monitoring.v_expected_runs where is_missed order by 1',
    $$values ('beat', 'successes'), ('load', 'successes')$$,
    'one that failed is as one that did not come'
);
select monitoring.roll_up();
select is(
    (select count(*) from monitoring.v_expected_runs where is_missed), 2::bigint,
    'so it is when runs are rolled up'
);
select monitoring.define_expected_runs('load', '09:00');
select results_eq(
    'select task_type from monitoring.v_expected_runs where is_missed', $$values ('beat')$$,
    'where starts count it has come'
);
select monitoring.define_expected_runs('load', '09:00', p_counts => 'successes');
select monitoring.start_task_tracking('load-2', 'load');
select monitoring.start_task_tracking('beat-2', 'beat');
select monitoring.complete_task_tracking('load-2');
select monitoring.complete_task_tracking('beat-2');
select is_empty(
    'select task_type from monitoring.v_expected_runs where is_missed', 'a success makes up for it'
);
select monitoring.roll_up();
select is_empty(
    'select task_type from monitoring.v_expected_runs where is_missed', 'in roll-ups as well'
);
select throws_ok(
    $$select monitoring.define_expected_runs('load', '09:00', p_counts => 'ends')$$, 'PV003',
    null, 'nothing else counts'
);

select * from finish(); -- noqa: AM04
rollback;
