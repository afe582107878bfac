-- When runs are expected as the program says that does them.

begin;
select plan(21);
\ir helpers/fixed_clock.psql

select set_config('monitoring.strict', 'off', true);

-- What is expected of a type, and who said so last.
create function pg_temp.expected(p_task_type text) returns text
language sql
as $$
    select concat_ws(
        ' | ', e.schedule, e.time_zone, e.grace_seconds, e.counts, e.is_enabled, e.changed_by,
        to_char(e.changed_at at time zone 'UTC', 'HH24:MI')
    )
    from monitoring.v_expected_runs as e
    where e.task_type = p_task_type
$$;

-- Told by the program

select is(
    monitoring.record_expected_runs('nightly', '30 2 * * *', 'Europe/Berlin', '10 minutes'), true,
    'a program says when its runs are expected'
);
select is(
    pg_temp.expected('nightly'),
    '30 2 * * * | Europe/Berlin | 600 | successes | t | its program | 12:00',
    'which is noted, and that it was the program'
);
select pg_temp.set_clock('2026-01-15 12:10+00');
select is(
    monitoring.record_expected_runs('nightly', '30 2 * * *', 'Europe/Berlin', '10 minutes'), false,
    'the same again is no news'
);
select is(
    pg_temp.expected('nightly'),
    '30 2 * * * | Europe/Berlin | 600 | successes | t | its program | 12:00', 'and changes nothing'
);
select is(
    monitoring.record_expected_runs('nightly', '@daily', null, null, null), true,
    'another schedule is'
);
select is(
    pg_temp.expected('nightly'), '@daily | UTC | 300 | successes | t | its program | 12:10',
    'and what it leaves out is as it is without'
);
select pg_temp.set_clock('2026-01-16 00:06+00');
select is(
    (select e.is_missed from monitoring.v_expected_runs as e where e.task_type = 'nightly'), true,
    'a run that does not come is missed'
);

-- Decided by people

select monitoring.define_expected_runs('nightly', '03:00', p_by => 'ann');
select is(
    monitoring.record_expected_runs('nightly', '@daily'), false, 'what people decided stays'
);
select is(
    pg_temp.expected('nightly'), '03:00 | UTC | 300 | starts | t | ann | 00:06', 'as it was'
);
select monitoring.record_expected_runs('often', '5 minutes');
select monitoring.define_expected_runs('often', '5 minutes', p_is_enabled => false, p_by => 'ann');
select is(
    monitoring.record_expected_runs('often', '10 minutes'), false,
    'and so does what they have switched off'
);
select monitoring.remove_expected_runs('often');
select is(
    monitoring.record_expected_runs('often', '10 minutes'), true,
    'what they remove comes back when the program says so again'
);

-- The configuration

select is(
    monitoring.get_config() -> 'expected_runs' ? 'often', false,
    'what a program says is no decision'
);
select is(
    monitoring.get_config(true) -> 'expected_runs' -> 'often' ->> 'schedule', '10 minutes',
    'but counts'
);
select monitoring.apply_config('{"expected_runs": {"often": {"schedule": "15 minutes"}}}'::jsonb);
select is(
    monitoring.record_expected_runs('often', '10 minutes'), false,
    'a configuration that names it decides'
);

-- Whatever comes

select is(
    monitoring.record_expected_runs('odd', '2 fortnights'), false,
    'a schedule that is none raises nothing'
);
select is(
    monitoring.record_expected_runs('odd', '1 hour', 'Mars/Olympus'), false,
    'nor a zone that is none'
);
select is(monitoring.record_expected_runs('odd', '1 hour', 'UTC', '-1 hour'), false, 'nor a grace');
select is(monitoring.record_expected_runs(null, null), false, 'nor nothing at all');
select results_eq(
    $$
        select message, details ->> 'hint' is not null from monitoring.error_tracking
        where component = 'pgvigil' and fingerprint = 'pgvigil.repaired:expected_runs'
    $$,
    $$
        values (
            'schedule is not known: "2 fortnights"; when runs of "odd" are expected is left as it '
            'was', true
        )
    $$,
    'and it is told, once a minute'
);

-- Bounds

insert into monitoring.expected_runs (
    task_type, schedule, expected_since_at, changed_by, changed_at
)
select
    'made up ' || n as task_type,
    '1 hour' as schedule,
    monitoring.clock() as expected_since_at,
    'its program' as changed_by,
    monitoring.clock() as changed_at
from generate_series(1, 1000) as n;
select is(
    monitoring.record_expected_runs('one more', '1 hour'), false, 'names end at a thousand'
);
select is(
    monitoring.record_expected_runs('made up 7', '2 hours'), true, 'known ones can still change'
);

select * from finish(); -- noqa: AM04
rollback;
