-- explain_alert(): what is behind an alert, as it was last found.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- An alert about a queue, which rises and is then gone.

select monitoring.record_queue_metrics('a "b"', 100, p_recorded_at => '2026-01-15 11:58+00');
select monitoring.record_queue_metrics('a "b"', 600, p_recorded_at => '2026-01-15 11:59+00');
select monitoring.evaluate_alerts('2026-01-15 12:00+00');
select monitoring.record_queue_metrics('a "b"', 1, p_recorded_at => '2026-01-15 12:01+00');

create function pg_temp.alert_of(p_rule_name text) returns bigint
language sql
as $$ select alert_id from monitoring.raised_alerts where rule_name = p_rule_name $$;

prepare explained as
select
    source,
    happened_at,
    details ->> 'pending' as pending
from monitoring.explain_alert(pg_temp.alert_of('queue_backlog'));

create temporary table as_found as
select *
from (
    values
    ('alert', '2026-01-15 12:00+00'::timestamptz, null),
    ('rule', null, null),
    ('queue sample', '2026-01-15 11:59+00', '600'),
    ('queue sample', '2026-01-15 11:58+00', '100')
) as e (source, happened_at, pending);

-- Interface

select results_eq(
    'execute explained', 'select * from as_found',
    'first comes the alert, then its rule, then the rows that it saw, newest first'
);

select pg_temp.set_clock('2026-01-15 12:02+00');
select monitoring.evaluate_alerts('2026-01-15 12:02+00');

select is(
    (
        select a.status from monitoring.raised_alerts as a
        where a.alert_id = pg_temp.alert_of('queue_backlog')
    ),
    'resolved',
    'when the queue is short again the alert resolves'
);

select results_eq(
    'execute explained', 'select * from as_found',
    'and is explained as it was last found all the same'
);

select results_eq(
    $$
        select source from monitoring.explain_alert(
            p_alert_id => pg_temp.alert_of('queue_backlog'), p_limit => 1
        )
    $$,
    $$values ('alert'), ('rule'), ('queue sample')$$,
    'no more rows are shown than asked for'
);

-- Behaviour

select results_eq(
    $$
        select
            details ->> 'severity', details ->> 'summary', details -> 'labels',
            (details ->> 'value')::double precision, details ? 'told'
        from monitoring.explain_alert(pg_temp.alert_of('queue_backlog')) where source = 'alert'
    $$,
    $$
        values ('critical', 'queue a "b": 600 waiting', '{"queue": "a \"b\""}'::jsonb,
            600::double precision, false)
    $$,
    'the row of the alert says what was found'
);

select results_eq(
    $$
        select details ->> 'rule_name', details ->> 'comparison', details -> 'thresholds'
        from monitoring.explain_alert(pg_temp.alert_of('queue_backlog')) where source = 'rule'
    $$,
    $$
        values ('queue_backlog', '>=',
            '{"low": 50, "medium": 100, "high": 200, "critical": 500}'::jsonb)
    $$,
    'the row of the rule has its thresholds'
);

select monitoring.set_alert_thresholds(
    'queue_backlog', '{"critical": 550}', '{"queue": "a \"b\""}'
);

select is(
    (
        select details -> 'thresholds'
        from monitoring.explain_alert(pg_temp.alert_of('queue_backlog')) where source = 'rule'
    ),
    '{"critical": 550}',
    'those that count for the alert, when there are some for its labels'
);

select is_empty(
    $$
        select r.rule_name, r.explainer_name
        from monitoring.alert_rules as r
        where r.query is null
            and to_regprocedure(format(
                'monitoring.%I(monitoring.raised_alerts, timestamptz, integer)', r.explainer_name
            )) is null
    $$,
    'every built-in rule has an explainer'
);

-- Every explainer can be called.

insert into monitoring.raised_alerts (
    rule_name, fingerprint, status, severity, worst_severity, summary, labels, started_at,
    fired_at, last_seen_at
)
select
    r.rule_name,
    'x' as fingerprint,
    'firing' as status,
    'low' as severity,
    'low' as worst_severity,
    's' as summary,
    '{}' as labels,
    '2026-01-15 12:00+00' as started_at,
    '2026-01-15 12:00+00' as fired_at,
    '2026-01-15 12:00+00' as last_seen_at
from monitoring.alert_rules as r
where r.query is null;

select lives_ok(
    $$
        select e.source
        from monitoring.raised_alerts as a
        cross join lateral monitoring.explain_alert(a.alert_id) as e
    $$,
    'alerts of all rules can be explained, even without a label'
);

update monitoring.raised_alerts set rule_name = 'dropped' where rule_name = 'queue_backlog';

select results_eq(
    $$
        select e.source
        from monitoring.raised_alerts as a
        cross join lateral monitoring.explain_alert(a.alert_id) as e
        where a.rule_name = 'dropped' and a.status = 'resolved'
    $$,
    $$values ('alert')$$,
    'of a rule that is gone there is only the alert left'
);

-- Own rules

delete from monitoring.raised_alerts;
select monitoring.create_alert_rule(
    'own',
    'select queue_name as fingerprint, pending as value from monitoring.queue_monitoring '
    'where pending > 500',
    '{"high": 500}'
);
select monitoring.evaluate_alerts('2026-01-15 12:03+00');

select results_eq(
    $$
        select source, details ->> 'query' like 'select queue%', details -> 'value'
        from monitoring.explain_alert(pg_temp.alert_of('own'))
    $$,
    $$
        values ('alert', null, '600'::jsonb), ('rule', true, null), ('query', null, '600')
    $$,
    'of an own rule the query is shown, and what it returned'
);

-- Rights and refusals

set local role monitoring_reader;
select throws_ok(
    $$select monitoring.explain_alert(-1)$$,
    'PV007', 'there is no alert -1',
    'readers may ask, but not for an alert that does not exist'
);
reset role;

select throws_ok(
    $$select monitoring.explain_alert(null)$$,
    'PV007', 'there is no alert null',
    'nor for none'
);

select throws_ok(
    $$select monitoring.explain_alert(1, -1)$$,
    'PV004', 'limit is out of range: -1',
    'nor for fewer rows than none'
);

select * from finish(); -- noqa: AM04
rollback;
