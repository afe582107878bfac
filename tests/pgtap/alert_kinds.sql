-- What kind of trouble an alert is about, and how a run goes that takes long.

begin;
select plan(10);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/batch.psql

-- Every rule that we ship

select results_eq(
    $$
        select monitoring._alert_kind(rule_name) as kind, string_agg(rule_name, ' ' order by rule_name)
        from monitoring.v_alert_rules
        where monitoring._alert_kind(rule_name) <> 'other'
        group by 1 order by 1
    $$,
    $$
        values
        ('failed', 'consecutive_failures job_failed task_failed'),
        ('late', 'job_late missed_run step_late step_missed'),
        ('long', 'long_running_task slow_processing'),
        ('stuck', 'backend_gone task_stuck')
    $$,
    'each kind has its rules, all of which are there'
);
select is(monitoring._alert_kind('one of their own'), 'other', 'rules of people are other');

-- A run that takes long

select pg_temp.set_clock('2026-01-12 05:00+01');
select pg_temp.apply_billing();
select pg_temp.begin_step('D1-IMD', '2026-01-14 19:00+01', 400000, p_task_id => 'imd');
select pg_temp.progress_step('imd', '2026-01-14 23:20+01', 193848);
select pg_temp.set_clock('2026-01-14 23:23+01');
select monitoring.evaluate_alerts();
select results_eq(
    $$
        select kind, summary, reason from monitoring.v_active_alerts
        where rule_name = 'long_running_task'
    $$,
    $$
        values (
            'long', 'task imd of type D1-IMD has been running for 4 h 23 min',
            'expected 30 min, 12.3 records a second (threshold 20)'
        )
    $$,
    'the row of an alert says what is expected, how fast it is and how fast it should be'
);
select results_eq(
    $$
        select kind, reason, acknowledged from monitoring.batch_monitoring_alerts
        where rule_name = 'long_running_task'
    $$,
    $$values ('long', 'expected 30 min, 12.3 records a second (threshold 20)', false)$$,
    'so does that of a step'
);
select is(
    (select monitoring.get_dashboard_cards() #> '{active_alerts_by_kind,long}'),
    '1',
    'the figures count alerts by kind'
);
select pg_temp.set_clock('2026-01-15 00:30+01');
select monitoring.evaluate_alerts();
select is(
    (select reason from monitoring.v_active_alerts where rule_name = 'task_stuck'),
    'expected 30 min, 9.8 records a second (threshold 20)',
    'one that is stuck says the same'
);
select monitoring.acknowledge_alert(alert_id, 'seen', 'ann')
from monitoring.v_active_alerts where rule_name = 'task_stuck';
select results_eq(
    $$select rule_name from monitoring.batch_monitoring_alerts where acknowledged$$,
    $$values ('task_stuck')$$,
    'what is acknowledged can be asked for'
);

-- Tasks that are no step

select monitoring.start_task_tracking('plain', 'copy');
select monitoring.record_error('plain', 'OSError', 'low', 'retried once');
select monitoring.update_task_progress('plain', 36000);
select monitoring.start_task_tracking('mute', 'copy');
select pg_temp.set_clock('2026-01-15 02:30+01');
select monitoring.evaluate_alerts();
select is(
    (
        select reason from monitoring.v_active_alerts
        where labels ->> 'task_id' = 'plain' and rule_name = 'long_running_task'
    ),
    'OSError: retried once; 5 items a second',
    'nothing is expected of it, and its last error comes first'
);
select is(
    (
        select reason from monitoring.v_active_alerts
        where labels ->> 'task_id' = 'mute' and rule_name = 'long_running_task'
    ),
    null,
    'where nothing is known nothing is said'
);
select is(
    (select count(*) from monitoring.batch_execution_logs where created_at = started_at), 1::bigint,
    'runs have the time at which they came'
);

select * from finish(); -- noqa: AM04
rollback;
