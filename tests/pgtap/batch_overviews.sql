-- Workflows by day and altogether: runs, sums, health, limits.

begin;
select plan(19);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/batch.psql

select is(
    monitoring.get_batch_health(),
    '{"measured_at": "2026-01-15T12:00:00+00:00", "workflows": []}',
    'without workflows there is nothing to say'
) from set_config('timezone', 'UTC', true);
select is_empty('select * from monitoring.batch_performance_summary', 'or to add up');

select pg_temp.set_clock('2026-01-12 05:00+01');
select pg_temp.apply_billing();
select pg_temp.begin_step('D1-IMD', '2026-01-13 19:00+01', 1000, '{"threads": 8}', 'imd 1');
select pg_temp.progress_step('imd 1', '2026-01-13 19:09+01', 600, '{"remaining": 400}');
select pg_temp.end_step('imd 1', '2026-01-13 19:10+01');
select pg_temp.begin_step('D1-IMD', '2026-01-13 20:00+01', 400, '{"threads": "a few"}', 'imd 2');
select pg_temp.progress_step('imd 2', '2026-01-13 20:04+01', 400, '{"remaining": 0}');
select pg_temp.end_step('imd 2', '2026-01-13 20:05+01');
select pg_temp.begin_step('CM_BSGGN', '2026-01-14 02:00+01');
select pg_temp.end_step('CM_BSGGN', '2026-01-14 03:00+01', 'failed');
select pg_temp.begin_step('CM-DMRU', '2026-01-14 18:00+01', 100);
select pg_temp.progress_step('CM-DMRU', '2026-01-14 18:10+01', 60);

-- Runs

select results_eq(
    $$
        select task_id, business_date, status, duration_seconds, records_processed,
            records_remaining, threads, records_per_second
        from monitoring.batch_execution_logs order by started_at
    $$,
    $$
        values
        ('imd 1', '2026-01-13'::date, 'completed', 600::float8, 600::bigint, 400::bigint, 8,
            1::float8),
        ('imd 2', '2026-01-13', 'completed', 300, 400, 0, null, 400 / 300::float8),
        ('CM_BSGGN', '2026-01-13', 'failed', 3600, null, null, null, null),
        ('CM-DMRU', '2026-01-14', 'running', null, 60, null, null, 0.1)
    $$,
    'the log has all runs, with their day, records, threads and rate'
);

-- Days

select results_eq(
    $$
        select business_date, step_name, runs, completed, failed, duration_seconds,
            avg_duration_seconds, max_duration_seconds, records_processed, records_per_second
        from monitoring.batch_performance_summary
    $$,
    $$
        values
        ('2026-01-13'::date, 'D1-IMD', 2::bigint, 2::bigint, 0::bigint, 900::float8, 450::float8,
            600::float8, 1000::bigint, 1000 / 900::float8),
        ('2026-01-13', 'CM_BSGGN', 1, 0, 1, 3600, 3600, 3600, null, null)
    $$,
    'a day adds up the runs that ended'
);
select pg_temp.roll_up_own('tasks');
select is(
    (select count(*) from monitoring.batch_performance_summary), 2::bigint,
    'those that are rolled up as well'
);
select pg_temp.forget_roll_ups();
select is_empty(
    $$select * from monitoring.get_batch_performance('2026-01-14')$$, 'days may be chosen'
);
select is(
    (select sum(runs) from monitoring.get_batch_performance('2026-01-13', '2026-01-13', 'billing')),
    3::numeric, 'a single one, and the workflow'
);
select throws_ok(
    $$select * from monitoring.get_batch_performance(null, null, 'none')$$,
    'PV007', 'there is no workflow "none"',
    'one that there is not has none'
);
select pg_temp.set_clock('2026-01-20 12:00+01');
select is_empty(
    'select * from monitoring.batch_performance_summary', 'after a week a day is no longer shown'
);

-- Health

select pg_temp.set_clock('2026-01-14 18:20+01');
select results_eq(
    $$
        select workflow_name, business_date, is_enabled, steps, complete, running, late, failed,
            success_percent, failed_runs, records_per_second, active_alerts,
            jsonb_array_length(recent_failures), recent_failures -> 0 ->> 'task_id'
        from monitoring.v_batch_health
    $$,
    $$
        values (
            'billing', '2026-01-14'::date, true, 6::bigint, 0::bigint, 1::bigint, 0::bigint,
            0::bigint, 66.67, 1::bigint, 0.05::float8, 0::bigint, 1, 'CM_BSGGN'
        )
    $$,
    'health tells of today, the last day and the last week'
);
select monitoring.evaluate_alerts();
select is(
    (select active_alerts from monitoring.v_batch_health),
    (select count(*) from monitoring.batch_monitoring_alerts where status = 'firing'),
    'and counts the alerts that fire'
);
select cmp_ok(
    (select active_alerts from monitoring.v_batch_health), '>', 0::bigint,
    'of which there is one: the failure'
);
select is(
    (monitoring.get_batch_health() -> 'workflows' -> 0) - 'recent_failures',
    (select to_jsonb(h) - 'recent_failures' from monitoring.v_batch_health as h),
    'as a document it says the same'
);
select pg_temp.set_clock('2026-01-15 05:00+01');
select is(
    (select failed_runs from monitoring.v_batch_health), 0::bigint,
    'a failure of more than a day ago is none of the last day'
);
select is(
    (select jsonb_array_length(recent_failures) from monitoring.v_batch_health), 1,
    'but a recent one'
);

-- Settings

select results_eq(
    $$
        select position, step_name, after_steps, schedule, expected_seconds, is_optional,
            is_repeated
        from monitoring.batch_workflow_config where position between 3 and 5
    $$,
    $$
        values
        (3, 'C1-PPBTR', '{D1-IMD}'::text[], null, 1800::float8, false, false),
        (4, 'F1-FLUSH', '{C1-PPBTR}', null, 120, true, false),
        (5, 'CM_BSGGN', '{C1-PPBTR,F1-FLUSH}', '22:00', 7200, false, false)
    $$,
    'steps are listed in their order'
);
select results_eq(
    $$
        select rule_name, medium, high, critical, unit, is_own
        from monitoring.batch_monitoring_config
        where step_name = 'CM_BSGGN'
            and rule_name in (
                'task_stuck', 'low_throughput', 'step_late', 'step_missed', 'task_failed'
            )
    $$,
    $$
        values
        ('low_throughput', 10::float8, null::float8, null::float8, 'items/s', true),
        ('step_late', null, 1800, null, 'seconds', true),
        ('step_missed', null, 0, null, 'seconds', false),
        ('task_failed', null, null, 1, 'tasks', false),
        ('task_stuck', null, null, 3600, 'seconds', true)
    $$,
    'with the limits that go for each, its own or those of all'
);
set local role monitoring_reader;
select lives_ok(
    $$
        select * from monitoring.v_batch_timeline, monitoring.v_batch_health,
            monitoring.batch_performance_summary, monitoring.batch_execution_logs,
            monitoring.batch_monitoring_alerts, monitoring.batch_workflow_config,
            monitoring.batch_monitoring_config limit 1
    $$,
    'readers may read all of it'
);
reset role;
select monitoring.remove_workflow('billing');
select
    is_empty(
        'select * from monitoring.batch_execution_logs', 'without workflow there is none of it'
    );

select * from finish(); -- noqa: AM04
rollback;
