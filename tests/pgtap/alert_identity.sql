-- One open alert for each rule and fingerprint: found again, it is the same.

begin;
select plan(12);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

-- Behaviour

select pg_temp.see('{"a": 60, "b": 9}');
select
    is(
        pg_temp.evaluate_at('12:00'),
        'opened 1 raised 0 resolved 0',
        'what passes a threshold opens'
    );
select pg_temp.see('{"a": 70, "b": 12}');
select is(pg_temp.evaluate_at('12:01'), 'opened 1 raised 0 resolved 0', 'found again it does not');

select results_eq(
    $$
        select
            fingerprint collate "default", severity collate "default", status collate "default",
            value, threshold, occurrences, started_at, fired_at, last_seen_at,
            summary collate "default"
        from monitoring.v_active_alerts
    $$,
    $$
        values
        ('a', 'high', 'firing', 70::double precision, 50::double precision, 2::bigint,
            '2026-01-15 12:00+00'::timestamptz, '2026-01-15 12:00+00'::timestamptz,
            '2026-01-15 12:01+00'::timestamptz, 'load of a is 70'),
        ('b', 'medium', 'firing', 12, 10, 1, '2026-01-15 12:01+00', '2026-01-15 12:01+00',
            '2026-01-15 12:01+00', 'load of b is 12')
    $$,
    'it counts on, and shows what was found last, worst first'
);

select is(pg_temp.history_of('a'), 'firing high', 'history has each transition once');

-- Behaviour: the same fingerprint of another rule

insert into monitoring.alert_rules (rule_name, family, finder_name)
values ('other', 'queues', '_find_scratch');
select monitoring.set_alert_thresholds('other', '{"low": 1}');
select pg_temp.see('{"a": 5}', 'other');
select is(pg_temp.evaluate_at('12:02'), 'opened 1 raised 0 resolved 0', 'another rule has its own');
select is(
    (select count(*) from monitoring.v_active_alerts where fingerprint = 'a'), 2::bigint,
    'so one thing may have several alerts'
);

-- Boundaries

insert into scratch.findings (rule_name, finding)
values ('other', row('a', 9, '{}', 'again', 'critical', null));
select pg_temp.evaluate_at('12:03');
select is(
    (
        select severity || ' ' || summary from monitoring.alerts
        where rule_name = 'other' and fingerprint = 'a'
    ),
    'critical again',
    'what a rule finds twice at once is the worse of the two'
);

select pg_temp.see(jsonb_build_object(repeat('ü', 600), 20));
select is(pg_temp.evaluate_at('12:04'), 'opened 1 raised 0 resolved 2', 'a long one is cut');
select pg_temp.evaluate_at('12:05');
select is(
    (select max(occurrences) from monitoring.v_active_alerts where rule_name = 'load'), 2::bigint,
    'and stays the same'
);

select pg_temp.see('{"a": 60}');
select pg_temp.evaluate_at('12:06');
select
    is(
        pg_temp.open_alerts(), 'a critical firing, a high firing', 'after it resolved it opens anew'
    );
select is(
    (select count(*) from monitoring.alerts where fingerprint = 'a' and rule_name = 'load'),
    2::bigint,
    'as another alert'
);

select throws_ok(
    $$
        insert into monitoring.raised_alerts (
            rule_name, fingerprint, status, severity, worst_severity, summary, labels, started_at,
            fired_at, last_seen_at
        )
        select
            rule_name, fingerprint, status, severity, worst_severity, summary, labels, started_at,
            fired_at, last_seen_at
        from monitoring.raised_alerts where alert_id = pg_temp.alert_about('b')
            or rule_name = 'other' and resolved_at = 'infinity'
    $$,
    '23505',
    null,
    'the table itself refuses a second open one'
);

select * from finish(); -- noqa: AM04
rollback;
