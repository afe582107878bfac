-- The rules about invalid records: too many of a kind, and open for too long.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/findings.psql

select set_config('timezone', 'UTC', true);

-- Interface

select results_eq(
    $$
        select r.rule_name, r.family, r.unit, r.comparison, t.medium, t.high
        from monitoring.alert_rules as r
        inner join monitoring.alert_thresholds as t on r.rule_name = t.rule_name
        where r.rule_name ~ '^invalid_records' order by 1
    $$,
    $$
        values ('invalid_records_many', 'records', 'records', '>=', 50::float8, 200::float8),
            ('invalid_records_old', 'records', 'hours', '>=', 48, 168)
    $$,
    'fifty invalid records of a kind are many, and two days are long'
);
select is_empty(
    $$
        select * from pg_temp.findings_of('invalid_records_many')
        union all
        select * from pg_temp.findings_of('invalid_records_old')
    $$,
    'where nothing is invalid there is nothing to find'
);

-- Behaviour

select monitoring.log_invalid_records('apr', jsonb_agg('k' || n), 'DUPLICATA')
from generate_series(1, 60) as n;
select monitoring.log_invalid_records(
    'apr', '["k1", "k2"]', 'SEUNO', p_detected_at => '2026-01-13 10:00+00'
);
select results_eq(
    $$select fingerprint, value, labels, summary from pg_temp.findings_of('invalid_records_many')
        order by 1$$,
    $$
        values
        ('apr/DUPLICATA', 60::float8, '{"dataset": "apr", "validation_type": "DUPLICATA"}'::jsonb,
            'apr: 60 records are invalid by DUPLICATA'),
        ('apr/SEUNO', 2, '{"dataset": "apr", "validation_type": "SEUNO"}',
            'apr: 2 records are invalid by SEUNO')
    $$,
    'open records are counted by dataset and type'
);
select results_eq(
    $$
        select fingerprint, value, summary from pg_temp.findings_of('invalid_records_old')
        order by 1
    $$,
    $$
        values
        ('apr/DUPLICATA', 0::float8, 'apr: a record has been invalid by DUPLICATA for 0 s'),
        ('apr/SEUNO', 50, 'apr: a record has been invalid by SEUNO for 2 d 2 h')
    $$,
    'and the oldest of them tells for how long'
);
select is(
    (monitoring.evaluate_alerts() ->> 'opened')::integer >= 2, true, 'the rules are evaluated'
);
select results_eq(
    $$
        select rule_name, fingerprint, severity from monitoring.v_active_alerts
        where rule_name ~ '^invalid_records' order by 1
    $$,
    $$
        values ('invalid_records_many', 'apr/DUPLICATA', 'medium'),
            ('invalid_records_old', 'apr/SEUNO', 'medium')
    $$,
    'and raise alerts'
);
select monitoring.set_alert_thresholds(
    'invalid_records_many', '{"critical": 2}', '{"dataset": "apr", "validation_type": "SEUNO"}'
);
select monitoring.evaluate_alerts();
select is(
    (
        select severity from monitoring.v_active_alerts
        where rule_name = 'invalid_records_many' and fingerprint = 'apr/SEUNO'
    ),
    'critical',
    'a type may have a limit of its own'
);
select results_eq(
    $$
        select source, happened_at, details ->> 'record_key'
        from pg_temp.explained(
            'invalid_records_old', '{"dataset": "apr", "validation_type": "SEUNO"}', 1
        )
    $$,
    $$values ('invalid_records', '2026-01-13 10:00+00'::timestamptz, 'k1')$$,
    'the rows behind an alert are the records, the oldest first'
);

-- Looking back

select pg_temp.set_clock('2026-01-15 14:00+00');
select monitoring.sync_invalid_records('apr', 'DUPLICATA', '{"all": true}', '["k1"]');
select pg_temp.set_clock('2026-01-15 15:00+00');
select monitoring.log_invalid_records('apr', '["k2", "k3"]', 'DUPLICATA');
select results_eq(
    $$
        select t.at, v.value
        from (
            values ('2026-01-15 11:59+00'::timestamptz), ('2026-01-15 12:00+00'),
                ('2026-01-15 13:59+00'), ('2026-01-15 14:00+00'), ('2026-01-15 15:00+00')
        ) as t (at)
        left join lateral pg_temp.values_of('invalid_records_many', t.at) as v
            on v.fingerprint = 'apr/DUPLICATA'
        order by 1
    $$,
    $$
        values ('2026-01-15 11:59+00'::timestamptz, null::numeric), ('2026-01-15 12:00+00', 60),
            ('2026-01-15 13:59+00', 60), ('2026-01-15 14:00+00', 1), ('2026-01-15 15:00+00', 3)
    $$,
    'as of a moment it counts what was open then, whatever came after'
);
select is(
    (
        select value from pg_temp.values_of('invalid_records_old', '2026-01-15 13:00+00')
        where fingerprint = 'apr/DUPLICATA'
    ),
    1.000,
    'so it does for how long'
);
select monitoring.evaluate_alerts();
select is_empty(
    $$
        select * from monitoring.v_active_alerts
        where rule_name = 'invalid_records_many' and fingerprint = 'apr/DUPLICATA'
    $$,
    'the alert resolves when few are left'
);
select is(
    (
        select firing_evaluations from (
            select count(*) as firing_evaluations
            from monitoring.backtest_alert_rule(
                    'invalid_records_many', '2026-01-15 11:00+00', '2026-01-15 15:00+00', '1 hour'
                ) as b
            where b.fingerprint = 'apr/DUPLICATA'
        ) as f
    ),
    1::bigint,
    'and a backtest finds it where it was'
);

-- Boundaries

select monitoring.log_invalid_records(repeat('ä', 255), '["k"]', repeat('ß', 255));
select is(
    (
        select count(*) from pg_temp.findings_of('invalid_records_many') as f
        where f.labels ->> 'dataset' = repeat('ä', 255) and octet_length(f.fingerprint) <= 512
            and length(f.summary) <= 500
    ),
    1::bigint,
    'names of any length fit'
);
select is(
    (select no_data from monitoring.alert_rules where rule_name = 'invalid_records_many'), 'ok',
    'that nothing is invalid is no lack of data'
);

select * from finish(); -- noqa: AM04
rollback;
