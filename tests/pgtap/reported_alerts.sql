-- Alerts that others raise and clear.

begin;
select plan(25);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql
\ir helpers/alert_engine.psql
select monitoring.enable_alert_rule('reported_alert');

select set_config('monitoring.strict', 'off', true);

-- What the rule finds

select is_empty(
    $$select * from pg_temp.find('reported_alert')$$,
    'while nobody has raised anything there is none'
);
select is(
    monitoring.raise_alert(
        'backup', 'disk /', 'high', 'the disk is full', '{"host": "db1"}', '{"free": "0 %"}'
    ),
    true, 'what was not raised before is new'
);
select results_eq(
    $$
        select fingerprint, value, labels, summary, severity
        from pg_temp.judge('reported_alert')
    $$,
    $$
        values (
            'backup/disk /', 3::double precision, '{"host": "db1", "source": "backup"}'::jsonb,
            'the disk is full', 'high'
        )
    $$,
    'it is found with its severity, and its source among the labels'
);
select is_empty(
    $$select * from pg_temp.find('reported_alert', '2026-01-15 11:59:59+00')$$,
    'at a moment before it is not'
);

-- The life of an alert

select is(pg_temp.evaluate_at('12:00'), 'opened 1 raised 0 resolved 0', 'an evaluation opens it');
select is(
    (
        select e.details #>> '{details,free}'
        from monitoring.v_active_alerts as a
        cross join lateral monitoring.explain_alert(a.alert_id) as e
        where a.rule_name = 'reported_alert' and e.source = 'reported alert'
    ),
    '0 %', 'what was told of it explains it'
);
select pg_temp.set_clock('2026-01-15 12:01+00');
select is(
    monitoring.raise_alert('backup', 'disk /', 'CRITICAL', 'the disk is still full'), false,
    'told again it is not new'
);
select is(
    pg_temp.evaluate_at('12:01'), 'opened 0 raised 1 resolved 0',
    'its severity rises, in whatever case the word is'
);
select is(
    (select count(*) from monitoring.alerts as a where a.rule_name = 'reported_alert'), 1::bigint,
    'it stays one alert'
);
select is(monitoring.clear_alert('backup', 'disk /home'), false, 'another one was not raised');
select is(monitoring.clear_alert('backup', 'disk /'), true, 'this one was');
select is(monitoring.clear_alert('backup', 'disk /'), false, 'and is no more');
select is(pg_temp.evaluate_at('12:02'), 'opened 0 raised 0 resolved 1', 'then it resolves');

-- By hand

select monitoring.raise_alert('backup', 'tape', 'low', 'no tape');
select pg_temp.evaluate_at('12:03');
select is(
    (
        select monitoring.resolve_alert(a.alert_id)
        from monitoring.v_active_alerts as a
        where a.labels ->> 'source' = 'backup'
    ),
    true, 'people may resolve it as well'
);
select is(
    pg_temp.evaluate_at('12:04'), 'opened 0 raised 0 resolved 0', 'and it does not come back'
);
select is(monitoring.clear_alert('backup', 'tape'), false, 'for it is no longer raised');

-- Its end

select pg_temp.set_clock('2026-01-15 12:05+00');
select monitoring.raise_alert(
    'cron', 'late', 'medium', ' ', p_expires_at => '2026-01-15 12:10+00'
);
select is(
    (select j.summary from pg_temp.judge('reported_alert', '2026-01-15 12:09:59+00') as j),
    'cron: late', 'one without words names its source'
);
select is_empty(
    $$select * from pg_temp.find('reported_alert', '2026-01-15 12:10+00')$$,
    'it lasts until it expires'
);
select pg_temp.set_clock('2026-01-15 12:11+00');
select is(monitoring.clear_alert('cron', 'late'), false, 'what has expired is not raised');
select monitoring.raise_alert(
    'cron', 'later', 'medium', 'm', p_expires_at => '2026-01-13 12:10+00'
);
select is(
    monitoring.raise_alert('cron', 'later', 'medium', 'm'), true,
    'raised again after that it is new'
);

-- Thresholds

select monitoring.set_alert_thresholds(
    'reported_alert', '{"low": null, "medium": 3, "high": 4, "critical": null}',
    '{"source": "cron"}'
);
select monitoring.raise_alert('cron', 'loud', 'high', 'm');
select results_eq(
    $$
        select fingerprint, severity from pg_temp.judge('reported_alert', '2026-01-15 12:11+00')
        order by fingerprint
    $$,
    $$values ('cron/later', null), ('cron/loud', 'medium')$$,
    'what a source calls high may count as less'
);

-- What cannot be told

select is(
    monitoring.raise_alert(null, ' ', 'worst', null, '7'::jsonb), true, 'nothing whatever raises'
);
select is(
    (
        select array[r.source_name, r.fingerprint, r.severity, r.summary, r.labels::text]
        from monitoring.reported_alerts as r
        where r.source_name = '(unnamed)'
    ),
    array['(unnamed)', '(unnamed)', 'medium', '(unnamed): (unnamed)', '{"value": 7}'],
    'and all of it is kept as far as it can be'
);
select set_config('monitoring.strict', 'on', true);
select throws_ok(
    $$select monitoring.raise_alert('s', 'f', 'worst', 'm')$$, 'PV003', null,
    'with monitoring.strict = on it is refused'
);
select set_config('monitoring.strict', 'off', true);
insert into monitoring.reported_alerts (
    source_name, fingerprint, severity, summary, labels, raised_at, told_at, expires_at, login_name
)
select
    'loop' as source_name,
    i::text as fingerprint,
    'low' as severity,
    'm' as summary,
    '{}'::jsonb as labels,
    now() as raised_at,
    now() as told_at,
    'infinity'::timestamptz as expires_at,
    'x' as login_name
from generate_series(1, 10000) as i;
select is(
    monitoring.raise_alert('loop', 'one more', 'low', 'm'), false,
    'a script that clears nothing fills no disk'
);

select * from finish(); -- noqa: AM04
rollback;
