-- Somebody looks after an alert: who, when, what they said.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

select pg_temp.see('{"a": 20, "b": 20}');
select pg_temp.evaluate_at('12:00');
create temporary table numbers as select pg_temp.alert_about('a') as a;

-- Behaviour

select is(
    monitoring.acknowledge_alert((select a from numbers), 'on it', 'ann'),
    true,
    'it can be acknowledged'
);
select results_eq(
    $$
        select status collate "default", acknowledged_at, acknowledged_by collate "default",
            acknowledged_note collate "default"
        from monitoring.v_active_alerts where fingerprint = 'a'
    $$,
    $$values ('acknowledged', '2026-01-15 12:00+00'::timestamptz, 'ann', 'on it')$$,
    'who, when and what they said are shown'
);
select is(
    (select string_agg(fingerprint, ', ') from monitoring.v_active_alerts), 'b, a',
    'those that nobody looks after come before the others'
);
select pg_temp.evaluate_at('12:01');
select is(pg_temp.open_alerts(), 'a medium acknowledged, b medium firing', 'it lasts');
select is(
    monitoring.acknowledge_alert((select a from numbers), 'taking over', 'bob'), true,
    'somebody else may take over'
);
select is(
    (select acknowledged_by from monitoring.v_active_alerts where fingerprint = 'a'), 'bob',
    'and is shown then'
);
select is(
    monitoring.unacknowledge_alert((select a from numbers), 'not mine', 'bob'), true,
    'it can be taken back'
);
select is(pg_temp.open_alerts(), 'a medium firing, b medium firing', 'then it fires as before');
select is(
    monitoring.unacknowledge_alert((select a from numbers)), false,
    'a second time there is nothing to take back'
);
select is(
    pg_temp.history_of('a'),
    'firing medium, acknowledged medium, acknowledged medium, unacknowledged medium',
    'history has all of it'
);

-- Behaviour: its end

select monitoring.acknowledge_alert((select a from numbers));
select pg_temp.see('{}');
select pg_temp.evaluate_at('12:02');
select pg_temp.see('{"a": 20}');
select pg_temp.evaluate_at('12:03');
select is(pg_temp.open_alerts(), 'a medium firing', 'it ends when the alert resolves');
select is(
    monitoring.acknowledge_alert((select a from numbers)), false,
    'what has resolved cannot be acknowledged'
);

-- Refusals

select is(
    (pg_temp.refusal_of('monitoring.acknowledge_alert(null)')).code, 'PV007',
    'an unknown number is refused'
);
select is(
    (pg_temp.refusal_of(format(
        'monitoring.acknowledge_alert(%s, null, %L)', pg_temp.alert_about('a'), repeat('x', 300)
    ))).code,
    'PV002',
    'so is a name that is no name'
);

select * from finish(); -- noqa: AM04
rollback;
