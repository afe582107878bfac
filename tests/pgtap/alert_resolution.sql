-- What is gone for long enough resolves, by itself or by hand.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

-- Behaviour: at once

select pg_temp.see('{"a": 60}');
select pg_temp.evaluate_at('12:00');
select pg_temp.see('{"a": 1}');
select is(
    pg_temp.evaluate_at('12:01'), 'opened 0 raised 0 resolved 1', 'below all thresholds it resolves'
);
select results_eq(
    $$
        select status collate "default", resolved_at, resolved_by collate "default",
            resolution collate "default"
        from monitoring.alerts
    $$,
    $$
        values ('resolved', '2026-01-15 12:01+00'::timestamptz, 'pgvigil', 'the condition is gone')
    $$,
    'by whom and why is kept'
);

-- Behaviour: keep firing

select monitoring.change_alert_rule('load', '{"keep_firing_seconds": 300}');
select pg_temp.see('{"b": 60}');
select pg_temp.evaluate_at('12:10');
select pg_temp.see('{}');
select pg_temp.evaluate_at('12:11');
select is(pg_temp.open_alerts(), 'b high firing', 'a rule may keep it firing');
select is(
    (select cleared_at from monitoring.alerts where fingerprint = 'b'),
    '2026-01-15 12:11+00'::timestamptz,
    'since when it is gone is noted'
);
select pg_temp.evaluate_at('12:15:59');
select is(pg_temp.open_alerts(), 'b high firing', 'a second early it still fires');
select is(pg_temp.evaluate_at('12:16'), 'opened 0 raised 0 resolved 1', 'then it resolves');

select pg_temp.see('{"c": 60}');
select pg_temp.evaluate_at('12:20');
select pg_temp.see('{}');
select pg_temp.evaluate_at('12:24');
select pg_temp.see('{"c": 60}');
select pg_temp.evaluate_at('12:25');
select pg_temp.see('{}');
select pg_temp.evaluate_at('12:26');
select pg_temp.evaluate_at('12:30');
select is(pg_temp.open_alerts(), 'c high firing', 'seen again in between, the time begins anew');
select is(
    pg_temp.history_of('c'), 'firing high', 'and nothing has become of it meanwhile'
);

-- Behaviour: the named functions

select is(monitoring.resolve_resolved_alerts('2026-01-15 12:30:59+00'), 0, 'not yet');
select is(
    monitoring.resolve_resolved_alerts('2026-01-15 12:31+00'), 1,
    'resolve_resolved_alerts() says how many it resolved'
);

-- Behaviour: by hand

select pg_temp.see('{"d": 60}');
select pg_temp.evaluate_at('13:00');
select is(
    monitoring.resolve_alert(pg_temp.alert_about('d'), 'restarted it', 'ann'), true,
    'anyone may resolve one by hand'
);
select is(
    (select resolved_by || ': ' || resolution from monitoring.alerts where fingerprint = 'd'),
    'ann: restarted it',
    'which is kept'
);
select is(
    monitoring.resolve_alert((select max(alert_id) from monitoring.alerts)), false,
    'a second time there is nothing to do'
);
select is(
    pg_temp.evaluate_at('13:01'), 'opened 1 raised 0 resolved 0',
    'if it is still there, it opens again'
);

-- Behaviour: rules that are off

select monitoring.disable_alert_rule('load');
select
    is(
        pg_temp.evaluate_at('13:02'),
        'opened 0 raised 0 resolved 1',
        'a disabled rule''s alerts resolve'
    );
select is(
    (select resolution from monitoring.alerts order by alert_id desc limit 1), 'the rule is off',
    'for that reason'
);

-- Refusals

select is(
    (pg_temp.refusal_of('monitoring.resolve_alert(12345)')).message, 'there is no alert 12345',
    'an unknown number is refused'
);

select * from finish(); -- noqa: AM04
rollback;
