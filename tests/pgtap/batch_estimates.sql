-- When steps are expected to be complete, from their own history.

begin;
select plan(32);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

create function pg_temp.eta(p_step text, p_at text) returns text
language plpgsql
as $$
begin
    perform pg_temp.set_clock(p_at);
    return (
        select format(
            '%s (%s - %s)',
            coalesce(to_char(t.eta_at at time zone 'UTC', 'HH24:MI:SS'), 'unknown'),
            coalesce(to_char(t.eta_from_at at time zone 'UTC', 'HH24:MI:SS'), 'unknown'),
            coalesce(to_char(t.eta_to_at at time zone 'UTC', 'HH24:MI:SS'), 'unknown')
        )
        from monitoring.get_batch_timeline(p_workflow_name => 'w') as t
        where t.step_name = p_step
    );
end
$$;

-- How long steps usually take, rounded: histograms know it within 2.5 %.
create function pg_temp.usual(p_step text, p_date date) returns text
language sql
as $$
    select format(
        '%s runs: %s', u.runs,
        (select string_agg(round(e::numeric, -1)::text, ', ') from unnest(u.seconds) as e)
    )
    from monitoring.workflows as w
    cross join lateral monitoring._usual_seconds(w, p_date) as u
    where w.workflow_name = 'w' and u.step_name = p_step
$$;

select pg_temp.set_clock('2026-01-15 05:00+00');
select monitoring.apply_workflow(
    '{"workflow": "w", "steps": [
        {"step": "a", "schedule": "10:00", "expected": "20 minutes"},
        {"step": "b", "after": ["a"], "expected": "10 minutes"},
        {"step": "side", "after": ["a"], "expected": "2 hours", "optional": true},
        {"step": "c", "after": ["b", "side"], "expected": "5 minutes"},
        {"step": "d", "after": ["c"]},
        {"step": "many", "expected": "10 minutes", "until_done": true}
    ]}'
);

-- Without history

select is(
    pg_temp.eta('a', '2026-01-15 06:00+00'), '10:20:00 (unknown - unknown)',
    'without history what is expected goes, from when a step is due; its range is not known'
);
select is(
    pg_temp.eta('b', '2026-01-15 06:00+00'), '10:30:00 (unknown - unknown)',
    'a step that waits begins when that before it is expected to be through'
);
select is(
    pg_temp.eta('c', '2026-01-15 06:00+00'), '10:35:00 (unknown - unknown)',
    'nothing waits for an optional step'
);
select is(
    pg_temp.eta('side', '2026-01-15 06:00+00'), '12:20:00 (unknown - unknown)',
    'which has an estimate all the same'
);
select is(
    pg_temp.eta('d', '2026-01-15 06:00+00'), 'unknown (unknown - unknown)',
    'of a step without history and expectation nobody knows'
);
select is(
    pg_temp.eta('a', '2026-01-15 10:30+00'), '10:50:00 (unknown - unknown)',
    'one that is late may begin now'
);
select is(
    pg_temp.eta('many', '2026-01-15 10:30+00'), '10:40:00 (unknown - unknown)',
    'one that waits for nothing as well'
);

-- A running step

select monitoring.start_task_tracking('a', 'a', p_started_at => '2026-01-15 10:32+00');
select is(
    pg_temp.eta('a', '2026-01-15 10:40+00'), '10:52:00 (unknown - unknown)',
    'a running step is expected to take as long as it should'
);
select is(
    pg_temp.eta('b', '2026-01-15 10:40+00'), '11:02:00 (unknown - unknown)',
    'and those after it follow'
);
select is(
    pg_temp.eta('a', '2026-01-15 10:53+00'), 'unknown (unknown - unknown)',
    'when it takes longer nobody knows'
);
select pg_temp.set_clock('2026-01-15 10:42+00');
select monitoring.update_task_progress('a', 25, 100);
-- A quarter in 10 minutes makes 40, expected are 20: three quarters of 25 are still to come.
select is(
    pg_temp.eta('a', '2026-01-15 10:42+00'), '11:00:45 (unknown - unknown)',
    'with progress its own rate counts by what is done, what is expected by the rest'
);
select is(
    pg_temp.eta('a', '2026-01-15 11:12+00'), '11:12:00 (unknown - unknown)',
    'it is never in the past'
);
select pg_temp.set_clock('2026-01-15 10:52+00');
select monitoring.update_task_progress('a', 100, 100);
select is(
    pg_temp.eta('a', '2026-01-15 10:52+00'), '10:52:00 (unknown - unknown)',
    'with everything done it may end now'
);
select monitoring.complete_task_tracking('a');
select is(
    pg_temp.eta('a', '2026-01-15 10:53+00'), 'unknown (unknown - unknown)',
    'one that is complete has no estimate'
);
select is(
    pg_temp.eta('c', '2026-01-15 10:53+00'), '11:08:00 (unknown - unknown)',
    'those after it have'
);

-- Several runs

select pg_temp.set_clock('2026-01-15 10:50+00');
select monitoring.start_task_tracking('many', 'many', p_started_at => '2026-01-15 10:40+00');
select monitoring.update_task_progress('many', 100, p_counters => '{"remaining": 250}');
select monitoring.complete_task_tracking('many');
select is(
    pg_temp.eta('many', '2026-01-15 11:00+00'), '11:30:00 (unknown - unknown)',
    'a step that did 100 and has 250 left needs three more runs'
);

-- History

delete from monitoring.finished_tasks;
delete from monitoring.late_finished_tasks;
select pg_temp.set_clock('2026-02-12 06:00+00');
select
    pg_temp.ended(
        'a', 'completed', timestamptz '2026-02-01 10:30+00' + n * interval '1 day', 600 + n * 60
    )
from generate_series(1, 10) as n;
select pg_temp.ended('a', 'failed', timestamptz '2026-02-01 11:30+00' + n * interval '1 day', 9)
from generate_series(1, 10) as n;
select pg_temp.roll_up_own('tasks');
select is(
    pg_temp.usual('a', '2026-02-12'), '10 runs: 660, 920, 1120',
    'completed runs of the last two weeks say how long a step takes, failed ones do not'
);
select ok(
    pg_temp.eta('a', '2026-02-12 06:00+00') ~ '^10:1[45]:.. \(10:1[01]:.. - 10:1[89]:..\)$',
    'with a range from its best to its worst tenth'
);
select ok(
    pg_temp.eta('b', '2026-02-12 06:00+00') ~ '^10:2[45]:.. \(unknown - unknown\)$',
    'a range goes as far as all before it have one'
);
select is(
    pg_temp.usual('a', '2026-02-06'), '4 runs: 660, 720, 840',
    'what came later does not count'
);
select is(
    pg_temp.usual('a', '2026-03-12'), '1 runs: 840, 840, 840',
    'nor what is more than two weeks old, but on the same weekday'
);

-- Thursdays take longer.
select pg_temp.forget_roll_ups();
select pg_temp.set_clock('2026-02-12 06:00+00');
select pg_temp.ended('a', 'completed', w.end_time, 3600)
from generate_series(
        timestamptz '2026-01-08 11:00+00', '2026-02-05 11:00+00', '7 days'
    ) as w (end_time);
select pg_temp.roll_up_own('tasks');
select is(
    pg_temp.usual('a', '2026-02-12'), '6 runs: 840, 3600, 3600',
    'with three runs on the same weekday of 8 weeks only those count'
);
select is(
    pg_temp.usual('a', '2026-02-13'), '11 runs: 720, 970, 1180',
    'on another weekday those of two weeks'
);

-- Beyond what is usual

delete from monitoring.rollups;
select pg_temp.forget_roll_ups();
delete from monitoring.finished_tasks;
delete from monitoring.late_finished_tasks;
select
    pg_temp.ended(
        'a', 'completed', timestamptz '2026-02-01 10:30+00' + n * interval '1 day', 300 * n
    )
from generate_series(1, 9) as n;
select pg_temp.roll_up_own('tasks');
select monitoring.start_task_tracking('a', 'a', p_started_at => '2026-02-12 10:00+00');
select ok(
    pg_temp.eta('a', '2026-02-12 10:10+00') ~ '^10:2[45]:.. \(10:10:00 - 10:4[456]:..\)$',
    'of a running step without progress its usual length goes'
);
select ok(
    pg_temp.eta('a', '2026-02-12 10:35+00') ~ '^10:(39|40):.. \(10:35:00 - 10:4[456]:..\)$',
    'once that is over it is expected half way to its slowest runs'
);
select is(
    pg_temp.eta('a', '2026-02-12 10:50+00'), 'unknown (10:50:00 - unknown)',
    'slower than those nobody knows'
);

-- Absurd numbers

select pg_temp.forget_roll_ups();
select pg_temp.set_clock('2026-02-12 10:51+00');
select monitoring.update_task_progress('a', 1, 9223372036854775807);
select is(
    pg_temp.eta('a', '2026-02-12 10:51+00'), '12:33:00 (unknown - unknown)',
    'a rate at which it would never end counts for the little that is done'
);
select
    monitoring.start_task_tracking(
        'd' || n, 'd', p_items_total => 9223372036854775807, p_started_at => '2026-02-12 10:00+00'
    )
from generate_series(1, 3) as n;
select monitoring.update_task_progress('d3', 1, p_counters => '{"remaining": 1e99}');
select is(
    pg_temp.eta('d', '2026-02-12 10:51+00'), 'unknown (unknown - unknown)',
    'alone it is no estimate'
);
select
    monitoring.update_task_progress(
        'd' || n, 9223372036854775807, p_counters => '{"remaining": 1e99}'
    )
from generate_series(1, 3) as n;
select monitoring.complete_task_tracking('d' || n) from generate_series(1, 3) as n;
select
    monitoring.start_task_tracking(
        'many' || n,
        'many',
        p_items_total => 9223372036854775807,
        p_started_at => '2026-02-12 10:00+00'
    )
from generate_series(1, 3) as n;
select
    monitoring.update_task_progress(
        'many' || n, 9223372036854775807, p_counters => '{"remaining": 1e99}'
    )
from generate_series(1, 3) as n;
select monitoring.complete_task_tracking('many' || n) from generate_series(1, 3) as n;
select results_eq(
    $$
        select step_name, records_processed, records_remaining, progress_percent
        from monitoring.v_batch_timeline where step_name in ('d', 'many')
    $$,
    $$
        values
        ('d', 9223372036854775807::bigint, 1000000000000000000::bigint, 100.0),
        ('many', 1000000000000000000, 1000000000000000000, 50.0)
    $$,
    'records beyond all measure are cut'
);
select lives_ok(
    'select * from monitoring.batch_performance_summary, monitoring.v_batch_health', 'and summed up'
);

-- Refusals

select throws_ok(
    $$select * from monitoring.get_batch_timeline('infinity')$$,
    'PV004', 'business_date is out of range: infinity',
    'no day is infinite'
);

select throws_ok(
    $$select * from monitoring.get_batch_timeline(p_workflow_name => 'none')$$,
    'PV007', 'there is no workflow "none"',
    'there is no timeline of a workflow that there is not'
);

select * from finish(); -- noqa: AM04
rollback;
