-- Rules slow_processing and task_too_fast: how long the attempts of the last hour took.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

-- Interface

select results_eq(
    $$
        select t.low, t.medium, t.high, t.critical, r.comparison, r.unit, r.is_enabled
        from monitoring.alert_rules as r
        inner join monitoring.alert_thresholds as t on r.rule_name = t.rule_name
        where r.rule_name = 'slow_processing' and t.labels = '{}'
    $$,
    $$values (180::float8, 300::float8, 600::float8, 900::float8, '>', 'seconds', true)$$,
    'more than three, five, ten and fifteen minutes are the thresholds'
);
select is_empty(
    $$select * from pg_temp.findings_of('slow_processing')$$,
    'where nothing was recorded nothing is found'
);

-- Behaviour

select pg_temp.ended('etl', 'completed', '2026-01-15 11:10+00', 100);
select pg_temp.ended('etl', 'failed', '2026-01-15 11:20+00', 500);
select pg_temp.ended('ocr', 'completed', '2026-01-15 11:30+00', 180);
select pg_temp.ended('silent', 'completed', '2026-01-15 11:30+00');

select results_eq(
    $$select * from pg_temp.values_of('slow_processing')$$,
    $$values ('etl', 300.000), ('ocr', 180.000)$$,
    'the mean is that of all attempts that ended, by type; without a start there is none'
);
select is(
    (select labels from pg_temp.findings_of('slow_processing') where fingerprint = 'etl'),
    '{"task_type": "etl"}',
    'the type is a label'
);
select is(
    (select summary from pg_temp.findings_of('slow_processing') where fingerprint = 'etl'),
    'task type etl: 5 min on average, 8 min 20 s at most, over 2 attempts in 1 h',
    'the summary has the figures'
);

select pg_temp.roll_up_own('tasks');

select results_eq(
    $$select * from pg_temp.values_of('slow_processing')$$,
    $$values ('etl', 300.000), ('ocr', 180.000)$$,
    'rolled up it is the same'
);
select pg_temp.forget_roll_ups();

-- Boundaries

select pg_temp.ended('edge', 'completed', '2026-01-15 11:00:00+00', 7);
select is_empty(
    $$select * from pg_temp.values_of('slow_processing') where fingerprint = 'edge'$$,
    'what ended exactly an hour ago is out of the window'
);
select pg_temp.ended('edge', 'completed', '2026-01-15 11:00:00.000001+00', 7);
select pg_temp.ended('edge', 'completed', '2026-01-15 12:00:00+00', 9);
select pg_temp.ended('edge', 'completed', '2026-01-15 12:00:00.000001+00', 100);
select results_eq(
    $$select * from pg_temp.values_of('slow_processing') where fingerprint = 'edge'$$,
    $$values ('edge', 8.000)$$,
    'what ended after that, and until now, is in it'
);
select results_eq(
    $$select * from pg_temp.values_of('slow_processing', '2026-01-15 11:15+00')$$,
    $$values ('edge', 7.000), ('etl', 100.000)$$,
    'looking back, only what had ended by then counts'
);

select pg_temp.set_parameter('slow_processing', 'min_tasks', '2');
select pg_temp.set_parameter('slow_processing', 'window_minutes', '45');
select is_empty(
    $$select * from pg_temp.values_of('slow_processing')$$,
    'the window can be shorter, and ask for more attempts'
);
select pg_temp.set_parameter('slow_processing', 'min_tasks', '1');
select results_eq(
    $$select * from pg_temp.values_of('slow_processing')$$,
    $$values ('edge', 9.000), ('etl', 500.000), ('ocr', 180.000)$$,
    'of the types with enough attempts in it'
);

select pg_temp.ended(n.name, 'completed', '2026-01-15 11:59+00', 1000)
from (values ('it''s "größer" \ %s'), (repeat('ä', 255)), (repeat('😀', 255))) as n (name);

select results_eq(
    $$
        select length(f.fingerprint), f.labels ->> 'task_type', length(f.summary) <= 500
        from pg_temp.findings_of('slow_processing') as f where f.value = 1000
        order by 1, 2
    $$,
    $$
        values (18, 'it''s "größer" \ %s', true), (136, repeat('😀', 255), true),
            (255, repeat('ä', 255), true)
    $$,
    'any name will do, of any length'
);

-- Too fast

select is_empty(
    $$select * from pg_temp.findings_of('task_too_fast')$$,
    'nothing is too fast until somebody says what is'
);

select monitoring.set_alert_thresholds('task_too_fast', '{"medium": 200}', '{"task_type": "etl"}');
select pg_temp.ended('etl', 'cancelled', '2026-01-15 11:40+00', 1);
select pg_temp.ended('etl', 'completed', '2026-01-15 11:40+00', 150);
select pg_temp.ended('etl', 'completed', '2026-01-15 10:40+00', 2);

select results_eq(
    $$
        select value, summary from pg_temp.findings_of('task_too_fast')
        where labels = '{"task_type": "etl"}'
    $$,
    $$values (100::float8, 'task type etl: an attempt completed within 1 min 40 s')$$,
    'the quickest of those that completed in the hour counts'
);
select is_empty(
    $$select * from pg_temp.findings_of('task_too_fast') where labels = '{"task_type": "silent"}'$$,
    'not one without a start'
);
select results_eq(
    $$
        select value from pg_temp.findings_of('task_too_fast', '2026-01-15 10:45+00')
        where labels = '{"task_type": "etl"}'
    $$,
    $$values (2::float8)$$,
    'looking back it is that of the hour before'
);
select is(
    (select comparison from monitoring.alert_rules where rule_name = 'task_too_fast'), '<',
    'less than the threshold is too fast'
);

select * from finish(); -- noqa: AM04
rollback;
