-- A severity that rises updates the same alert, and ends its acknowledgement.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

-- Behaviour: thresholds

select pg_temp.see('{"a": 10, "b": 10.5, "c": 100, "d": 101, "e": 50}');
select pg_temp.evaluate_at('12:00');
select is(
    pg_temp.open_alerts(), 'b medium firing, c high firing, d critical firing, e medium firing',
    'a value has the severity of the highest threshold that it is above'
);

select monitoring.change_alert_rule('load', '{"comparison": ">="}');
select pg_temp.evaluate_at('12:01');
select is(
    pg_temp.open_alerts(),
    'a medium firing, b medium firing, c critical firing, d critical firing, e high firing',
    'or that it reaches, where the rule compares so'
);

select monitoring.set_alert_thresholds('load', '{"low": 200}', '{"queue": "c"}');
select pg_temp.see('{"c": 199, "d": 199}');
select pg_temp.evaluate_at('12:02');
select
    is(
        pg_temp.open_alerts(),
        'd critical firing',
        'thresholds for a label count instead of the others'
    );
select monitoring.set_alert_thresholds('load', null, '{"queue": "c"}');
select pg_temp.evaluate_at('12:03');
select is(pg_temp.open_alerts(), 'c critical firing, d critical firing', 'until they are removed');

-- Behaviour: rising

select pg_temp.see('{"r": 20}');
select pg_temp.evaluate_at('13:00');
select monitoring.acknowledge_alert(pg_temp.alert_about('r'), 'looking at it', 'ann');
select pg_temp.see('{"r": 60}');
select is(pg_temp.evaluate_at('13:01'), 'opened 0 raised 1 resolved 0', 'a higher severity raises');
select is(pg_temp.open_alerts(), 'r high firing', 'and ends the acknowledgement');
select is(
    pg_temp.history_of('r'),
    'firing medium, acknowledged medium, escalated high, unacknowledged high',
    'history tells it'
);
select is(
    (select note from monitoring.alert_history where transition = 'unacknowledged'),
    'severity rose to high',
    'and why'
);

-- Behaviour: falling and rising again

select monitoring.acknowledge_alert(pg_temp.alert_about('r'), null, 'ann');
select pg_temp.see('{"r": 20}');
select is(pg_temp.evaluate_at('13:02'), 'opened 0 raised 0 resolved 0', 'a lower one does not');
select is(pg_temp.open_alerts(), 'r medium acknowledged', 'it is shown, and stays acknowledged');
select pg_temp.see('{"r": 60}');
select pg_temp.evaluate_at('13:03');
select is(
    pg_temp.open_alerts(), 'r high acknowledged',
    'the severity that was acknowledged does not end the acknowledgement when it is back'
);
select pg_temp.see('{"r": 600}');
select pg_temp.evaluate_at('13:04');
select is(pg_temp.open_alerts(), 'r critical firing', 'one above it does');
select pg_temp.see('{"r": 20}');
select pg_temp.evaluate_at('13:05');
select is(
    (select worst_severity from monitoring.alerts where fingerprint = 'r'), 'critical',
    'the worst is remembered'
);
select is(
    (select count(*) from monitoring.alerts where fingerprint = 'r'), 1::bigint,
    'all the time it was one alert'
);

select * from finish(); -- noqa: AM04
rollback;
