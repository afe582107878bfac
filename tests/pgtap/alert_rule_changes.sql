-- Who changed which rule when and why: one row a rule and transaction, as people set it.

begin;
select plan(12);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- All in this file is one transaction: what is noted is taken for one of another from here on.
create function pg_temp.in_another_transaction() returns void
language sql
as $$
    update monitoring.alert_rule_changes
    set recorded_xid = (recorded_xid::text::bigint - 1)::text::xid8;
$$;
create temporary view changes as
select
    rule_name,
    change,
    old_settings,
    new_settings,
    changed_by,
    changed_at,
    note
from monitoring.v_alert_rule_changes;
select pg_temp.in_another_transaction();
delete from monitoring.alert_rule_changes;

-- Behaviour

select monitoring.set_alert_thresholds(
    'queue_backlog', '{"high": 7}', p_by => 'Ann', p_note => 'too many false alarms'
);
select results_eq(
    $$select * from changes$$,
    $$
        values (
            'queue_backlog', 'changed',
            (
                select jsonb_build_object('thresholds', jsonb_build_object(
                    'low', shipped -> 'low', 'medium', shipped -> 'medium',
                    'high', shipped -> 'high', 'critical', shipped -> 'critical'
                ))
                from monitoring.alert_thresholds
                where rule_name = 'queue_backlog' and labels = '{}'
            ),
            '{"thresholds": {"low": null, "medium": null, "high": 7, "critical": null}}'::jsonb,
            'Ann', '2026-01-15 12:00+00'::timestamptz, 'too many false alarms'
        )
    $$,
    'thresholds are noted as they were and are, with who set them when and why'
);
select is(
    (select changed_by from monitoring.v_alert_rules where rule_name = 'queue_backlog'), 'Ann',
    'the rule names whoever changed it last'
);
select monitoring.change_alert_rule('queue_backlog', '{"for_seconds": 60}');
select results_eq(
    $$select new_settings, changed_by, note from changes$$,
    $$
        values (
            '{"for_seconds": 60,
                "thresholds": {"low": null, "medium": null, "high": 7, "critical": null}}'::jsonb,
            session_user::text collate "default", 'too many false alarms'
        )
    $$,
    'what one transaction does to a rule is one change'
);
select monitoring.reset_alert_rule('queue_backlog', 'Bob');
select is_empty($$select * from changes$$, 'and none where the rule is as it was before');
select monitoring.set_alert_thresholds('queue_backlog', '{"high": 7}', '{"queue": "mail"}');
select pg_temp.in_another_transaction();
select monitoring.reset_alert_rule('queue_backlog', 'Bob', 'as before');
select results_eq(
    $$select old_settings, new_settings, changed_by from changes order by changed_by = 'Bob'$$,
    $$
        values
        (
            '{"overrides": []}'::jsonb,
            '{"overrides": [{"labels": {"queue": "mail"}, "thresholds": {"high": 7}}]}'::jsonb,
            session_user::text collate "default"
        ),
        (
            '{"overrides": [{"labels": {"queue": "mail"}, "thresholds": {"high": 7}}]}',
            '{"overrides": []}', 'Bob'
        )
    $$,
    'a later transaction is a change of its own'
);
delete from monitoring.alert_rule_changes;

select monitoring.disable_alert_rule('task_failed', 'Ann', 'holidays');
select pg_temp.in_another_transaction();
select monitoring.enable_alert_rule('task_failed', 'Ann');
select results_eq(
    $$select old_settings, new_settings, note from changes order by note$$,
    $$
        values
        ('{"is_enabled": true}'::jsonb, '{"is_enabled": false}'::jsonb, 'holidays'),
        ('{"is_enabled": false}', '{"is_enabled": true}', null)
    $$,
    'switching a rule off and on is noted'
);
delete from monitoring.alert_rule_changes;

select monitoring.create_alert_rule(
    'mine', 'select 1 as fingerprint, 2 as value', '{"low": 1}', 'What for.'
);
select results_eq(
    $$
        select change, old_settings, new_settings ->> 'query', new_settings -> 'thresholds' -> 'low'
        from changes
    $$,
    $$values ('created', null::jsonb, 'select 1 as fingerprint, 2 as value', '1'::jsonb)$$,
    'a new rule is noted with all that it is'
);
select pg_temp.in_another_transaction();
select monitoring.apply_config(
    '{"rules": {"mine": {"query": "select 2 as fingerprint, 3 as value"}}}'
);
select pg_temp.in_another_transaction();
select monitoring.remove_alert_rule('mine');
select results_eq(
    $$
        select change, old_settings ->> 'query', new_settings ->> 'query', new_settings is null
        from changes order by new_settings is null, old_settings is not null
    $$,
    $$
        values
        ('created', null, 'select 1 as fingerprint, 2 as value', false),
        (
            'changed', 'select 1 as fingerprint, 2 as value', 'select 2 as fingerprint, 3 as value',
            false
        ),
        ('removed', 'select 2 as fingerprint, 3 as value', null, true)
    $$,
    'so are a configuration that changes it, and its end'
);
delete from monitoring.alert_rule_changes;

select monitoring.apply_config(
    '{"rules": {"errors_per_hour": {"comparison": ">", "for_seconds": 5}}}'
);
select results_eq(
    $$select old_settings, new_settings from changes$$,
    $$values (
        '{"comparison": ">=", "for_seconds": 0}'::jsonb, '{"comparison": ">", "for_seconds": 5}'::jsonb
    )$$,
    'a configuration is one change of a rule, without what it does on its way'
);
delete from monitoring.alert_rule_changes;

-- Boundaries

select monitoring.change_alert_rule('queue_backlog', '{}');
select monitoring.set_alert_thresholds('queue_backlog', null, '{"queue": "none"}');
select is_empty($$select * from changes$$, 'what changes nothing is no change');
select throws_ok(
    $$
        select monitoring.set_alert_thresholds(
            'queue_backlog', '{"low": 1}', p_by => repeat('x', 256)
        )
    $$,
    'PV002', null, 'a name of whoever changes something that is none is refused'
);
select throws_ok(
    $$select monitoring.disable_alert_rule('none of ours', 'Ann')$$, 'PV007', null,
    'a rule that is not there is not switched off'
);

select * from finish(); -- noqa: AM04
