-- roll_up() and rebuild_rollups(): what they return, what they leave for later, what is refused.

begin;
select plan(23);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- Interface

select function_returns('monitoring', 'roll_up', array[]::text[], 'jsonb');
select is_definer('monitoring', 'roll_up', array[]::text[]);
select function_returns(
    'monitoring', 'rebuild_rollups',
    array['text', 'timestamp with time zone', 'timestamp with time zone'], 'bigint'
);
select is_definer(
    'monitoring', 'rebuild_rollups',
    array['text', 'timestamp with time zone', 'timestamp with time zone']
);

-- Rolling up

select monitoring.complete_task_tracking(name, status, p_finished_at => at)
from (
    values
    ('a', 'completed', timestamptz '2026-01-10 10:00+00'), ('b', 'failed', '2026-01-10 10:00+00'),
    ('c', 'completed', '2026-01-12 10:00+00')
) as ended (name, status, at);

select is(
    monitoring.roll_up(),
    '{"errors": 0, "finished_tasks": 0, "health_probes": 0, "metric_samples": 0,
        "queue_samples": 0}'::jsonb,
    'a transaction''s own rows are left to the next roll-up, and each table is told'
);
select is(
    (select sum(t.tasks) from monitoring.v_task_trends as t where t.resolution = 'day'),
    3::numeric, 'though views show them'
);
select results_eq(
    'select distinct rolled_up_at from monitoring.rollup_progress',
    array['2026-01-15 12:00+00'::timestamptz],
    'when each table was rolled up is noted'
);

-- As if another transaction had recorded them.
update monitoring.finished_tasks set recorded_xid = 1;
update monitoring.late_finished_tasks set recorded_xid = 1;
update monitoring.rollup_progress set claimed_below = 1, still_open = '{}';

select is(
    monitoring.roll_up() -> 'finished_tasks', '6'::jsonb,
    'buckets written are counted: three of an hour, three of a day, none of so long past a minute'
);
select is(monitoring.roll_up() -> 'finished_tasks', '0'::jsonb, 'and none the second time');
select is(
    (select sum(t.tasks) from monitoring.v_task_trends as t where t.resolution = 'day'),
    3::numeric, 'views show the same'
);

-- Rebuilding

update monitoring.rollups set row_count = 100;

select is(
    monitoring.rebuild_rollups('tasks', '2026-01-10 23:00+00', '2026-01-10 23:01+00'), 4::bigint,
    'any part of a day stands for all of it'
);
select results_eq(
    $$
        select to_char(bucket_at at time zone 'UTC', 'DD HH24:MI'), resolution, row_count
        from monitoring.rollups where source = 'tasks' order by bucket_at, resolution, label
    $$,
    $$
        values ('10 00:00', 'day', 1::bigint), ('10 00:00', 'day', 1), ('10 10:00', 'hour', 1),
            ('10 10:00', 'hour', 1), ('12 00:00', 'day', 100), ('12 10:00', 'hour', 100)
    $$,
    'and other days stay as they are'
);
select is(
    monitoring.rebuild_rollups('tasks', '2026-01-11 00:00+00', '2026-01-12 00:00+00'), 0::bigint,
    'a day ends before the midnight that follows it'
);
select is(
    monitoring.rebuild_rollups('tasks', '-infinity', 'infinity'), 6::bigint,
    'all of time may be rebuilt'
);

-- Refusals

select
    results_eq(
        format('select * from pg_temp.refusal_of(%L)', call),
        format('values (%L, %L, %L)', code, message, hint),
        'is refused: ' || call
    )
from (
    values
    (
        'rebuild_rollups(''jobs'', ''2026-01-10'', ''2026-01-11'')', 'PV003',
        'source is not known: "jobs"',
        'Use one of: errors, health, metrics, queues, tasks.'
    ),
    (
        'rebuild_rollups(null, ''2026-01-10'', ''2026-01-11'')', 'PV003',
        'source is not known: null',
        'Use one of: errors, health, metrics, queues, tasks.'
    ),
    (
        'rebuild_rollups(''uptime'', ''2026-01-10'', ''2026-01-11'')', 'PV003',
        'source is not known: "uptime"',
        'Use one of: errors, health, metrics, queues, tasks.'
    ),
    (
        'rebuild_rollups(''tasks'', ''2026-01-10 00:00+00'', ''2026-01-10 00:00+00'')', 'PV006',
        format(
            'the span from %s to %s is empty',
            timestamptz '2026-01-10 00:00+00', timestamptz '2026-01-10 00:00+00'
        ),
        'Give p_from and a later p_to; they are widened to whole days in UTC.'
    ),
    (
        'rebuild_rollups(''tasks'', ''2026-01-10 00:00+00'', null)', 'PV006',
        format('the span from %s to null is empty', timestamptz '2026-01-10 00:00+00'),
        'Give p_from and a later p_to; they are widened to whole days in UTC.'
    ),
    (
        'rebuild_rollups(''tasks'', null, ''2026-01-10 00:00+00'')', 'PV006',
        format('the span from null to %s is empty', timestamptz '2026-01-10 00:00+00'),
        'Give p_from and a later p_to; they are widened to whole days in UTC.'
    )
) as bad (call, code, message, hint);

update monitoring.rollup_progress set complete_since = '2026-01-11 00:00+00' where source = 'tasks';

select results_eq(
    $$
        select code, message from pg_temp.refusal_of(
            'rebuild_rollups(''tasks'', ''2026-01-10 23:59+00'', ''2026-01-12 00:00+00'')'
        )
    $$,
    format(
        $$values ('PV006', 'rows of tasks before %s have been removed')$$,
        timestamptz '2026-01-11 00:00+00'
    ),
    'so is a day of which rows have been removed'
);
select is(
    monitoring.rebuild_rollups('tasks', '2026-01-11 00:00+00', '2026-01-13 00:00+00'), 2::bigint,
    'and the day after is not'
);
select is(
    (select count(*) from monitoring.rollups where source = 'tasks'), 6::bigint,
    'what was refused has changed nothing'
);

select * from finish(); -- noqa: AM04
rollback;
