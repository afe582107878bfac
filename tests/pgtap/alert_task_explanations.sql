-- The rows behind alerts about tasks.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

-- Details show times by the clocks of the session.
select set_config('timezone', 'UTC', true);

-- Interface

select is_empty(
    $$
        select r.rule_name from monitoring.alert_rules as r
        where r.family = 'processing'
            and (
                to_regprocedure(
                    format('monitoring.%I(monitoring.alert_rules, timestamptz)', r.finder_name)
                ) is null
                or to_regprocedure(format(
                    'monitoring.%I(monitoring.raised_alerts, timestamptz, integer)',
                    r.explainer_name
                )) is null
            )
    $$,
    'every rule about tasks has a function that finds and one that explains'
);
select is_empty(
    $$
        select r.rule_name, e.source from monitoring.alert_rules as r
        cross join lateral pg_temp.explained(
            r.rule_name, '{"task_type": "etl", "task_id": "t"}'
        ) as e
        where r.family = 'processing'
    $$,
    'where nothing was recorded there is nothing to show'
);

-- Attempts

select pg_temp.ended('etl', 'completed', '2026-01-15 11:10+00', 100);
select pg_temp.ended('etl', 'failed', '2026-01-15 11:20+00', 50);
select pg_temp.ended('etl', 'completed', '2026-01-15 10:59+00', 10);
select pg_temp.ended('ocr', 'completed', '2026-01-15 11:30+00', 10);
select monitoring.start_task_tracking('now', 'etl', p_started_at => '2026-01-15 11:45+00');

create function pg_temp.shown(
    p_rule_name text, p_labels jsonb default '{"task_type": "etl"}', p_limit integer default 10,
    p_now timestamptz default monitoring.clock()
) returns text[]
language sql
as $$
    select array_agg(
        format(
            '%s %s: %s', e.source, to_char(e.happened_at at time zone 'UTC', 'DD HH24:MI'),
            coalesce(
                e.details ->> 'task_id', e.details ->> 'error_type', e.details ->> 'schedule'
            )
        )
        order by e.place
    )
    from pg_temp.explained(p_rule_name, p_labels, p_limit, p_now)
        with ordinality as e (source, happened_at, details, place)
$$;

select is(
    pg_temp.shown('slow_processing'),
    array['processing_metrics 15 11:20: task 2', 'processing_metrics 15 11:10: task 1'],
    'of a slow type the attempts that ended in the window, newest first'
);
select is(
    pg_temp.shown('slow_processing', p_limit => 1),
    array['processing_metrics 15 11:20: task 2'],
    'no more than are wanted'
);
select is(
    pg_temp.shown('slow_processing', p_now => '2026-01-15 11:15+00'),
    array['processing_metrics 15 11:10: task 1', 'processing_metrics 15 10:59: task 3'],
    'as it was when the alert was last seen'
);
select is(
    pg_temp.shown('task_too_fast'),
    array['processing_metrics 15 11:10: task 1'],
    'of one that is too fast those that completed'
);
select is(
    pg_temp.shown('low_throughput'),
    array['processing_metrics 15 11:45: now', 'processing_metrics 15 11:10: task 1'],
    'of one that does little those that run as well'
);
select is(
    pg_temp.shown('error_rate_high'),
    array['processing_metrics 15 11:20: task 2'],
    'of one that fails those that failed'
);
select is(
    (
        select details from pg_temp.explained('success_rate_low', '{"task_type": "etl"}')
    ),
    '{
        "task_id": "task 2", "task_type": "etl", "attempt": 1, "status": "failed",
        "start_time": "2026-01-15T11:19:10+00:00", "end_time": "2026-01-15T11:20:00+00:00",
        "duration_ms": 50000
    }'::jsonb,
    'details are what people want to see'
);
select pg_temp.ended('etl', 'failed', '2026-01-03 11:20+00');
select pg_temp.roll_up_own('tasks');
select is(
    pg_temp.shown('consecutive_failures'),
    array['processing_metrics 15 11:20: task 2', 'processing_metrics 03 11:20: task 5'],
    'failures in a row may be days apart'
);
select pg_temp.forget_roll_ups();

-- Single tasks

select monitoring.record_error(
    'now', 'TimeoutError', 'high', 'no answer', p_occurred_at => '2026-01-15 11:50+00'
);
select is(
    pg_temp.shown('task_stuck', '{"task_type": "etl", "task_id": "now"}'),
    array['error_tracking 15 11:50: TimeoutError', 'processing_metrics 15 11:45: now'],
    'of one task itself and its errors'
);
select monitoring.complete_task_tracking('now', 'failed');
select is(
    (
        select jsonb_agg(details) from pg_temp.explained('task_failed', '{"task_type": "etl"}')
    ),
    '[{
        "task_id": "now", "task_type": "etl", "attempt": 1, "status": "failed",
        "last_error": "TimeoutError: no answer"
    }]'::jsonb,
    'of failed tasks each with its last error'
);
select is(
    pg_temp.shown('long_running_task', '{"task_id": "now"}', p_now => '2026-01-15 11:49+00'),
    array['processing_metrics 15 11:45: now'],
    'a task that has ended since is shown by when it began'
);

-- Missed runs

select pg_temp.set_clock('2026-01-14 12:00+00');
select monitoring.define_expected_runs('etl', '02:30');
select pg_temp.set_clock('2026-01-16 12:00+00');
select is(
    pg_temp.shown('missed_run', p_limit => 3),
    array[
        'v_expected_runs 16 02:30: 02:30', 'processing_metrics 15 11:45: now',
        'processing_metrics 15 11:19: task 2'
    ],
    'of a missed run when it was due, and the runs before'
);

select * from finish(); -- noqa: AM04
rollback;
