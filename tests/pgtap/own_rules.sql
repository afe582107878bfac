-- Rules that users make of a query: what becomes of what the query returns, and with whose rights.

begin;
select plan(26);
\ir helpers/fixed_clock.psql
\ir helpers/own_rules.psql

-- Making

set local role monitoring_operator;

select lives_ok(
    $$
        select monitoring.create_alert_rule(
            'late orders',
            'select customer as fingerprint, count(*) as value, max(city) as city
            from shop.orders where not delivered group by customer -- as of now',
            '{"medium": 1, "critical": 5}', 'Ring the courier.', '>=', '10 minutes', '1 hour', 2,
            'keep', 'ok', '20 seconds', 'orders'
        )
    $$,
    'an operator makes a rule that reads a table which the readers may read'
);

reset role;

select results_eq(
    $$
        select family, description, unit, comparison, for_seconds, for_evaluations,
            keep_firing_seconds, no_data, on_error, time_limit_seconds, is_enabled, changed_by,
            changed_at
        from monitoring.alert_rules where rule_name = 'late orders'
    $$,
    format(
        $$values (
            'own', 'Ring the courier.', 'orders', '>=', 600::float8, 2, 3600::float8, 'keep', 'ok',
            20::float8, true, %L, '2026-01-15 12:00+00'::timestamptz
        )$$, session_user::text
    ),
    'all that was said of it is kept, with who made it when'
);

select results_eq(
    $$select low, medium, high, critical, labels from monitoring.alert_thresholds
    where rule_name = 'late orders'$$,
    $$values (null::float8, 1::float8, null::float8, 5::float8, '{}'::jsonb)$$,
    'and so are its thresholds'
);

select results_eq(
    'select * from pg_temp.found_by(''late orders'')',
    $$values
        ('acme', 2::float8, '{"city": "Oslo"}'::jsonb, 'late orders: acme: 2 orders', null::text,
            null::float8),
        ('zeta', 1::float8, '{"city": "Rome"}'::jsonb, 'late orders: zeta: 1 orders', null, null)$$,
    'each row is a finding; a column that means nothing else is a label'
);

-- What a query may return

select lives_ok(
    $$select monitoring.create_alert_rule('all of it', $q$
        select 7 as fingerprint, 1.5 as value, 'high' as severity, 3.0 as threshold,
            'seven' as summary, '{"a": "A", "n": 1, "gone": null}'::jsonb as labels, 'B' as b
        union all
        select 8, null, null, null, null, null, null
        union all
        select 9, 'NaN', 'low', 'NaN', null, '{"b": "of labels"}', 'of a column'
    $q$)$$,
    'a rule without thresholds returns severities'
);

select results_eq(
    'select * from pg_temp.found_by(''all of it'')',
    $$values
        ('7', 1.5::float8, '{"a": "A", "b": "B", "n": "1"}'::jsonb, 'seven', 'high', 3::float8),
        ('8', null, '{}', 'all of it: 8', null, null),
        ('9', null, '{"b": "of labels"}', 'all of it: 9', 'low', null)$$,
    'labels are texts, what is null is left out, and not a number is no value'
);

select monitoring.create_alert_rule(
    'long', $$select repeat(x, 300) as fingerprint, 1 as value, repeat('s', 900) as summary
    from unnest(array['ab', 'ba']) as x$$, '{"low": 0}'
);

select results_eq(
    $$select count(distinct fingerprint), max(length(fingerprint)), max(length(summary)) <= 500
    from pg_temp.found_by('long')$$,
    'values (2::bigint, 136, true)',
    'long fingerprints are shortened and stay different, a long summary is cut'
);

select lives_ok(
    $$select monitoring.create_alert_rule(
        'nothing now', 'select ''x'' as fingerprint, 1 as value where false; ', '{"low": 1}')$$,
    'a query that returns no row now is as good as another, and a semicolon at its end is none'
);

select lives_ok(
    $$select monitoring.create_alert_rule(
        'percent', $q$select 'a%s%%' as fingerprint, 5 % 3 as value$q$, '{"low": 1}')$$,
    'a query may have percent signs'
);

select results_eq(
    $$select fingerprint, value from pg_temp.found_by('percent')$$,
    $$values ('a%s%%', 2::float8)$$,
    'which stay what they are'
);

-- Time

select monitoring.create_alert_rule(
    'clock', $$select 'now' as fingerprint, extract(hour from clock()) as value,
    date_trunc('day', clock()) as day, current_setting('search_path') as path$$, '{"low": 1}'
);
set local timezone = 'Asia/Tokyo';
set local datestyle = 'SQL, DMY';

select results_eq(
    $$select value, labels from pg_temp.found_by('clock', '2026-01-10 23:30+00')$$,
    $$values (
        23::float8,
        '{"day": "2026-01-10T00:00:00+00:00", "path": "pg_catalog, monitoring, pg_temp"}'::jsonb
    )$$,
    'a query is run as of the time asked for, in UTC, and finds our names without their schema'
);

select is(
    monitoring.clock(),
    '2026-01-15 12:00+00'::timestamptz,
    'after it the clock is what it was'
);

set local timezone = 'UTC';
set local datestyle = 'ISO, MDY';

select is(
    array[current_setting('transaction_read_only'), current_setting('search_path')],
    array['off', 'monitoring, tap, public'],
    'and so are the other settings'
);

-- Rows behind an alert

select results_eq(
    $$select source, happened_at, details from pg_temp.behind('all of it', '7', 10)$$,
    $$values (
        'query', '2026-01-15 11:00+00'::timestamptz,
        '{"fingerprint": 7, "value": 1.5, "severity": "high", "threshold": 3.0, "summary": "seven",
        "labels": {"a": "A", "n": 1, "gone": null}, "b": "B"}'::jsonb
    )$$,
    'the rows behind an alert are what the query returns for it'
);

select is_empty(
    $$select * from pg_temp.behind('no such rule', '7', 10)$$,
    'there are none when the rule is gone'
);

select monitoring.create_alert_rule(
    'many', 'select ''all'' as fingerprint, i as value from generate_series(1, 1000) as i',
    '{"low": 1}'
);

select is(
    (select array_agg(details ->> 'value') from pg_temp.behind('many', 'all', 3)),
    array['1', '2', '3'],
    'at most as many as asked for'
);

-- Rights

select is(
    (select proowner::regrole::text from pg_proc where proname = '_run_rule_query'),
    'monitoring_reader',
    'queries are run with the rights of the readers'
);

select monitoring.create_alert_rule(
    'who', 'select current_user as fingerprint, 1 as value', '{"low": 1}'
);

select results_eq(
    $$select fingerprint from pg_temp.found_by('who')$$,
    $$values ('monitoring_reader')$$,
    'as the query itself sees'
);

-- What it does besides is undone

select monitoring.create_alert_rule(
    'setting', $$select set_config('work_mem', '1MB', false) as fingerprint, 1 as value$$,
    '{"low": 1}'
);

select isnt(current_setting('work_mem'), '1MB', 'a setting that a query makes is undone with it');

select lives_ok(
    'select nextval(''monitoring.raised_alerts_alert_id_seq'')',
    'whoever ran one may write after it'
);

-- Dropping

set local role monitoring_operator;

select is(monitoring.remove_alert_rule('late orders'), true, 'an operator drops a rule');
select is(monitoring.remove_alert_rule('late orders'), false, 'which can be done once');

reset role;

select is_empty(
    $$
        select rule_name from monitoring.alert_rules where rule_name = 'late orders'
        union all
        select rule_name from monitoring.alert_thresholds where rule_name = 'late orders'
    $$,
    'its thresholds go with it'
);

select lives_ok(
    $$select monitoring.create_alert_rule('late orders', 'select 1 as fingerprint, 1 as value',
        '{"low": 1}')$$,
    'the name is free again'
);

-- The time limit

select monitoring._begin_time_limit('rule_query', 1);

select is(
    monitoring._cancel_overdue_rules(), 0, 'a session does not cancel itself'
);

select monitoring._end_time_limit('rule_query_1');

select cmp_ok(
    monitoring._deadline(10) - monitoring._seconds_since_epoch(),
    '>', 9::float8,
    'they go by the real time, whatever the clock says'
);

select * from finish(); -- noqa: AM04
rollback;
