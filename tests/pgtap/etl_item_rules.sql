-- Rules item_error_rate_high and item_success_rate_low, and limits of type etl in other rules.

begin;
select plan(21);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

select set_config('timezone', 'UTC', true);

-- An execution that ended, with its items.
create function pg_temp.loaded(
    p_execution_id text, p_successful bigint, p_failed bigint, p_at text,
    p_status text default 'COMPLETED'
) returns void
language sql
as $$
    select pg_temp.set_clock(p_at);
    select monitoring.start_etl_execution(p_execution_id);
    select monitoring.finish_etl_execution(
        p_execution_id, p_status, p_successful + p_failed, p_successful + p_failed, p_successful,
        p_failed
    );
    select pg_temp.set_clock('2026-01-15 12:00+00');
$$;

-- An execution that runs, with its items.
create function pg_temp.loading(p_execution_id text, p_successful bigint, p_failed bigint)
returns void
language sql
as $$
    select monitoring.start_etl_execution(p_execution_id);
    select monitoring.update_task_progress(
        p_execution_id, p_successful + p_failed, null,
        jsonb_build_object('successful_fixtures', p_successful, 'failed_fixtures', p_failed)
    );
$$;

-- Interface

select results_eq(
    $$
        select r.rule_name, r.family, t.medium, t.high, r.comparison, r.unit
        from monitoring.alert_rules as r
        inner join monitoring.alert_thresholds as t on r.rule_name = t.rule_name
        where r.rule_name ~ '^item_'
        order by 1
    $$,
    $$
        values
        ('item_error_rate_high', 'processing', 5::float8, null::float8, '>', '%'),
        ('item_success_rate_low', 'processing', null, 90, '<', '%')
    $$,
    'above 5 % of failed items is too much, below 90 % that went well too little'
);
select results_eq(
    $$
        select medium, high, critical from monitoring.alert_thresholds
        where rule_name = 'slow_processing' and labels = '{"task_type": "etl"}'
    $$,
    $$values (3600::float8, 7200::float8, 14400::float8)$$,
    'an execution is slow after an hour rather than three minutes'
);
select is_empty(
    $$
        select * from pg_temp.findings_of('item_error_rate_high')
        union all
        select * from pg_temp.findings_of('item_success_rate_low')
    $$,
    'where nothing was recorded there is nothing to find'
);

-- Behaviour

select pg_temp.loaded('good', 100, 0, '2026-01-15 11:30+00');
select pg_temp.loaded('at the limits', 90, 10, '2026-01-15 11:30+00');
select pg_temp.loaded('bad', 85, 15, '2026-01-15 11:30+00', 'FAILED');
select pg_temp.loading('under way', 18, 2);
select pg_temp.loading('just begun', 0, 19);
select monitoring.record_finished_tasks(
    '[{"task_id": "other", "task_type": "import", "end_time": "2026-01-15 11:30+00",
    "counters": {"processed_fixtures": 10, "failed_fixtures": 10}}]'
);
select results_eq(
    $$select * from pg_temp.values_of('item_error_rate_high')$$,
    $$values ('at the limits', 10.000), ('bad', 15.000), ('good', 0.000), ('under way', 10.000)$$,
    'failed items are of those processed, of executions that ended or have done enough'
);
select results_eq(
    $$select * from pg_temp.values_of('item_success_rate_low')$$,
    $$values ('at the limits', 90.000), ('bad', 85.000), ('good', 100.000), ('under way', 90.000)$$,
    'so are those that went well'
);
select pg_temp.roll_up_own('tasks');
select results_eq(
    $$select * from pg_temp.values_of('item_success_rate_low')$$,
    $$values ('at the limits', 90.000), ('bad', 85.000), ('good', 100.000), ('under way', 90.000)$$,
    'rolled up it is the same'
);
select pg_temp.forget_roll_ups();
select results_eq(
    $$
        select f.summary, f.labels
        from pg_temp.findings_of('item_error_rate_high') as f where f.fingerprint = 'bad'
        union all
        select f.summary, f.labels
        from pg_temp.findings_of('item_success_rate_low') as f where f.fingerprint = 'bad'
    $$,
    $$
        values
        ('ETL execution bad: 15 % of items failed, 15 of 100',
            '{"task_id": "bad", "task_type": "etl"}'::jsonb),
        ('ETL execution bad: 85 % of items went well, 15 of 100 failed',
            '{"task_id": "bad", "task_type": "etl"}')
    $$,
    'the summary has the figures, and the labels name the execution'
);
select lives_ok(
    $$select monitoring.check_processing_performance_alerts()$$, 'the rules are evaluated'
);
select results_eq(
    $$
        select rule_name, fingerprint, severity, status from monitoring.alerts
        where rule_name ~ '^item_' order by 1, 2
    $$,
    $$
        values
        ('item_error_rate_high', 'at the limits', 'medium', 'firing'),
        ('item_error_rate_high', 'bad', 'medium', 'firing'),
        ('item_error_rate_high', 'under way', 'medium', 'firing'),
        ('item_success_rate_low', 'bad', 'high', 'firing')
    $$,
    'at the limit of success nothing is told, below it is'
);
select results_eq(
    $$
        select suppressed_by is not null from monitoring.v_active_alerts
        where rule_name = 'item_error_rate_high' and fingerprint in ('bad', 'under way')
        order by fingerprint
    $$,
    $$values (true), (false)$$,
    'who is told of little success need not be told of many failures'
);

-- Boundaries

select pg_temp.loaded('five', 95, 5, '2026-01-15 11:30+00');
select pg_temp.loaded('an hour ago', 0, 5, '2026-01-15 11:00+00');
select pg_temp.loaded('less than an hour ago', 0, 1, '2026-01-15 11:00:00.000001+00');
select monitoring.check_processing_performance_alerts();
select is_empty(
    $$select * from monitoring.alerts where fingerprint in ('five', 'an hour ago')$$,
    'exactly 5 % is not too much, and what ended exactly an hour ago is out of the window'
);
select is(
    (select count(*) from monitoring.alerts where fingerprint = 'less than an hour ago'), 2::bigint,
    'one item is enough of an execution that has ended'
);
select results_eq(
    $$select * from pg_temp.values_of('item_error_rate_high', '2026-01-15 11:10+00')$$,
    $$values ('an hour ago', 100.000), ('less than an hour ago', 100.000)$$,
    'looking back, only what had ended by then counts'
);
select monitoring.update_task_progress('just begun', 20, null, '{"failed_fixtures": 20}');
select is(
    (select value from pg_temp.values_of('item_error_rate_high') where fingerprint = 'just begun'),
    100.000,
    'twenty are enough of one that runs'
);
select pg_temp.set_parameter('item_error_rate_high', 'min_items', '100');
select is_empty(
    $$
        select * from pg_temp.values_of('item_error_rate_high')
        where fingerprint = 'less than an hour ago'
    $$,
    'there can be more to ask for'
);
select pg_temp.loading('bad', 40, 0);
select is(
    (select value from pg_temp.values_of('item_success_rate_low') where fingerprint = 'bad'),
    100.000,
    'of a restarted execution the newest attempt counts'
);
select monitoring.start_etl_execution('silent');
select monitoring.update_task_progress('silent', 500);
select is_empty(
    $$select * from pg_temp.values_of('item_error_rate_high') where fingerprint = 'silent'$$,
    'where nobody says how items went there is nothing to find'
);
select pg_temp.loaded(n.name, 0, 200, '2026-01-15 11:45+00')
from (values ('it''s "größer" \ %s'), (repeat('ä', 255)), (repeat('😀', 255))) as n (name);
select is(
    (
        select count(*) from pg_temp.findings_of('item_error_rate_high')
        where value = 100 and length(fingerprint) between 11 and 255 and length(summary) <= 500
            and fingerprint not like 'less%'
    ),
    3::bigint,
    'any name will do, of any length'
);

-- Explanation

select monitoring.start_etl_execution('told', null, 10);
select monitoring.record_error('told/7', 'ValueError', 'high', 'broken row', 'loader');
select monitoring.record_error('other', 'ValueError', 'high', 'not of it');
select pg_temp.set_clock('2026-01-15 12:01+00');
select monitoring.finish_etl_execution('told', 'COMPLETED', 10, 10, 8, 2);
select results_eq(
    $$
        select source, happened_at, details ->> 'status', details #>> '{counters,failed_fixtures}',
            details ->> 'message'
        from pg_temp.explained('item_error_rate_high', '{"task_type": "etl", "task_id": "told"}')
    $$,
    $$
        values
        ('processing_metrics', '2026-01-15 12:01+00'::timestamptz, 'completed'::text, '2', null),
        ('error_tracking', '2026-01-15 12:00+00', null, null, 'broken row')
    $$,
    'the rows behind it are the execution with its counters and the errors of its chunks'
);
select is(
    (
        select details ->> 'status'
        from pg_temp.explained('item_success_rate_low', '{"task_id": "under way"}')
    ),
    'running',
    'of one that runs, how far it is'
);

-- Consecutive failures of executions

select pg_temp.loaded('in a row ' || n, 10, 0, '2026-01-15 11:5' || n || '+00', 'FAILED')
from generate_series(6, 8) as n;
select pg_temp.set_clock('2026-01-15 11:59+00');
select is(
    (
        select value >= 3 from pg_temp.findings_of('consecutive_failures') where fingerprint = 'etl'
    ),
    true,
    'three failures in a row are found by the rule that is there for all tasks'
);

select * from finish(); -- noqa: AM04
rollback;
