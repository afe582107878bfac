-- When a rule would have fired: what a backtest says is what evaluations at those times say.

begin;
select plan(34);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
-- Messages tell times as the session does.
set local timezone = 'UTC';

create schema shop;
grant usage on schema shop to monitoring_reader;
create table shop.depths (at timestamptz, queue text, depth integer);
grant select on shop.depths to monitoring_reader;

-- Minutes of the eleventh hour at which a queue is so deep.
insert into shop.depths
select
    '2026-01-15 11:00+00'::timestamptz + make_interval(mins => d.minute) as at,
    'mail' as queue,
    d.depth
from (
    values (1, 5), (2, 15), (3, 5), (5, 15), (6, 15), (7, 25), (8, 60), (9, 15), (10, 3), (11, 15),
    (12, 3), (13, 3), (14, 3), (15, 3), (57, 30), (58, 30), (59, 35), (60, 31)
) as d (minute, depth);

select monitoring.create_alert_rule(
    'deep queue',
    $$
        select queue as fingerprint, depth as value, queue
        from shop.depths where at = date_trunc('minute', clock())
    $$,
    '{"medium": 10, "critical": 50}', p_for => '1 minute', p_keep_firing_for => '2 minutes'
);
select monitoring.set_alert_thresholds('deep queue', '{"high": 10}', '{"queue": "letters"}');
-- No rules but these.
update monitoring.alert_rules
set decided = decided || jsonb_build_object('is_enabled', rule_name = 'deep queue');

-- Behaviour

select results_eq(
    $$select fingerprint, severity, summary, labels, worst_value, fired_at, resolved_at, occurrences
    from monitoring.backtest_alert_rule(
        'deep queue', '2026-01-15 11:00+00', '2026-01-15 12:00+00'
    )$$,
    $$values
        ('mail', 'critical', 'deep queue: mail: 15', '{"queue": "mail"}'::jsonb, 60::float8,
            '2026-01-15 11:06+00'::timestamptz, '2026-01-15 11:14+00'::timestamptz, 6::bigint),
        ('mail', 'medium', 'deep queue: mail: 31', '{"queue": "mail"}', 35,
            '2026-01-15 11:58+00', null, 4)$$,
    'an alert has fired when it was found for long enough, and not for less; one still fires'
);

select is_empty(
    $$
        select alert_id::text from monitoring.raised_alerts
        union all
        select transition_id::text from monitoring.alert_transitions
        union all
        select notification_id::text from monitoring.queued_notifications
        union all
        select rule_name from monitoring.alert_rule_states
        union all
        select rule_name from monitoring.alert_rules where rule_name ~ 'backtest'
        union all
        select rule_name from monitoring.alert_thresholds where rule_name ~ 'backtest'
    $$,
    'nothing of it stays'
);

select is(
    monitoring.clock(), '2026-01-15 12:00+00'::timestamptz, 'the clock is what it was before'
);

-- As it would be if it were changed

select results_eq(
    $$select severity, worst_value, fired_at
    from monitoring.backtest_alert_rule(
        'deep queue', '2026-01-15 11:00+00', '2026-01-15 12:00+00', p_thresholds => '{"high": 20}'
    )$$,
    $$values
        ('high', 60::float8, '2026-01-15 11:08+00'::timestamptz),
        ('high', 35, '2026-01-15 11:58+00')$$,
    'a backtest goes by other thresholds where they are given'
);

select results_eq(
    $$select severity, fired_at
    from monitoring.backtest_alert_rule(
        'deep queue', '2026-01-15 11:00+00', '2026-01-15 12:00+00',
        p_settings => '{"for_seconds": 180}'
    )$$,
    $$values ('critical', '2026-01-15 11:08+00'::timestamptz),
        ('medium', '2026-01-15 12:00+00')$$,
    'by other settings as well'
);

select results_eq(
    $$select severity, fired_at
    from monitoring.backtest_alert_rule(
        'deep queue', '2026-01-15 11:00+00', '2026-01-15 12:00+00', '1 minute',
        '{"for_seconds": 0}', '{"low": 50}', '{"queue": "mail"}'
    )$$,
    $$values ('low', '2026-01-15 11:08+00'::timestamptz)$$,
    'and by thresholds for certain labels'
);

select results_eq(
    $$select thresholds, overrides, for_seconds, changed_by
    from monitoring.v_alert_rules where rule_name = 'deep queue'$$,
    $$values (
        '{"medium": 10, "critical": 50}'::jsonb,
        '[{"labels": {"queue": "letters"}, "thresholds": {"high": 10}}]'::jsonb, 60::float8,
        session_user::text collate "default"
    )$$,
    'the rule is not changed by that'
);

select is(
    (select count(*) from monitoring.v_alert_rule_changes where rule_name ~ 'backtest'), 0::bigint,
    'and no change is noted'
);

select throws_ok(
    $$select * from monitoring.backtest_alert_rule(
        'deep queue', '2026-01-15 11:00+00', '2026-01-15 12:00+00',
        p_thresholds => '{"medium": 10, "critical": 5}'
    )$$,
    'PV004', null, 'what the rule could not be changed to cannot be tried'
);

select throws_ok(
    $$select * from monitoring.backtest_alert_rule(
        'job_late', '2026-01-15 11:00+00', '2026-01-15 12:00+00'
    )$$,
    'PV003', 'rule "job_late" cannot be tried over the past',
    'nor can a rule that knows the present only'
);

select is(
    (
        select count(*) from monitoring.backtest_alert_rule(
                'deep queue', '2026-01-15 11:00+00', '2026-01-15 11:05+00'
            )
    ),
    0::bigint,
    'what was only pending has not fired'
);

select results_eq(
    $$select fired_at, resolved_at, occurrences from monitoring.backtest_alert_rule(
        'deep queue', '2026-01-15 11:00+00', '2026-01-15 11:20+00', '2 minutes'
    )$$,
    $$values ('2026-01-15 11:08+00'::timestamptz, '2026-01-15 11:12+00'::timestamptz, 2::bigint)$$,
    'with another step it looks at other times'
);

select results_eq(
    $$select worst_value, fired_at, resolved_at, occurrences from monitoring.backtest_alert_rule(
        'deep queue', '2026-01-15 11:55+00', '2026-01-15 12:00+00', '1 second'
    )$$,
    $$values (35::float8, '2026-01-15 11:58+00'::timestamptz, null::timestamptz, 181::bigint)$$,
    'also when there are many of them'
);

select monitoring.disable_alert_rule('deep queue');

select is(
    (
        select count(*) from monitoring.backtest_alert_rule(
                'deep queue', '2026-01-15 11:00+00', '2026-01-15 12:00+00'
            )
    ),
    2::bigint,
    'a disabled rule can be tested'
);

select monitoring.enable_alert_rule('deep queue');

-- The same as live

create temporary table tested as
select
    b.fingerprint,
    b.severity,
    b.summary,
    b.labels,
    b.fired_at,
    b.resolved_at,
    b.occurrences
from monitoring.backtest_alert_rule(
        'deep queue', '2026-01-15 11:00+00', '2026-01-15 12:00+00'
    ) as b;

do $$
begin
    for v_minute in 0..60 loop
        perform monitoring.evaluate_alerts(
            '2026-01-15 11:00+00'::timestamptz + make_interval(mins => v_minute)
        );
    end loop;
end
$$;

select results_eq(
    'select fingerprint, severity, summary, labels, fired_at, resolved_at, occurrences from tested',
    $$
        select fingerprint, worst_severity, summary, labels, fired_at, resolved_at, occurrences
        from monitoring.alerts where rule_name = 'deep queue' and fired_at is not null
        order by fired_at
    $$,
    'what a backtest says is what evaluations at these times give'
);

select results_eq(
    $$select fingerprint, fired_at, resolved_at from monitoring.backtest_alert_rule(
        'deep queue', '2026-01-15 11:00+00', '2026-01-15 12:00+00'
    )$$,
    'select fingerprint, fired_at, resolved_at from tested',
    'open alerts of the rule itself make no difference to it'
);

select is(
    (
        select count(*)
        from monitoring.alerts
        where rule_name = 'deep queue' and fired_at is not null
    ),
    2::bigint,
    'nor it to them'
);

-- A built-in rule

select pg_temp.set_clock('2026-01-15 10:00+00');
select
    monitoring.record_queue_metrics(
        'letters', d.depth, p_recorded_at => '2026-01-15 10:00+00'::timestamptz
        + make_interval(mins => d.minute)
    )
from (values (1, 20), (5, 120), (10, 700), (20, 60), (30, 0)) as d (minute, depth);
select pg_temp.set_clock('2026-01-15 12:00+00');

create temporary table tested_built_in as
select
    b.fingerprint,
    b.severity,
    b.worst_value,
    b.fired_at,
    b.resolved_at,
    b.occurrences
from monitoring.backtest_alert_rule(
        'queue_backlog', '2026-01-15 10:00+00', '2026-01-15 11:00+00'
    ) as b;

select results_eq(
    'select severity, worst_value, fired_at, resolved_at from tested_built_in',
    $$values ('critical', 700::float8, '2026-01-15 10:05+00'::timestamptz,
        '2026-01-15 10:30+00'::timestamptz)$$,
    'a built-in rule is tested over what was recorded'
);

select monitoring.enable_alert_rule('queue_backlog');

do $$
begin
    for v_minute in 0..60 loop
        perform monitoring.evaluate_alerts(
            '2026-01-15 10:00+00'::timestamptz + make_interval(mins => v_minute)
        );
    end loop;
end
$$;

select results_eq(
    'select fingerprint, severity, fired_at, resolved_at, occurrences from tested_built_in',
    $$
        select fingerprint, worst_severity, fired_at, resolved_at, occurrences
        from monitoring.alerts where rule_name = 'queue_backlog'
    $$,
    'which is what evaluations at these times give, too'
);

-- Settings of the rule

select monitoring.set_alert_thresholds('deep queue', '{"low": 4}');
select monitoring.change_alert_rule(
    'deep queue', '{"comparison": "<", "for_seconds": 0, "keep_firing_seconds": 0}'
);
select results_eq(
    $$select severity, worst_value, fired_at, resolved_at from monitoring.backtest_alert_rule(
        'deep queue', '2026-01-15 11:00+00', '2026-01-15 11:30+00'
    )$$,
    $$values
        ('low', 3::float8, '2026-01-15 11:10+00'::timestamptz, '2026-01-15 11:11+00'::timestamptz),
        ('low', 3, '2026-01-15 11:12+00', '2026-01-15 11:16+00')$$,
    'the settings of the rule are those of now'
);

select monitoring.set_alert_thresholds('deep queue', '{"high": 100}', '{"queue": "mail"}');

select is(
    (
        select count(*)
        from monitoring.backtest_alert_rule(
                'deep queue', '2026-01-15 11:57+00', '2026-01-15 12:00+00'
            )
        where severity = 'high'
    ),
    1::bigint,
    'and so are thresholds for certain labels'
);

-- A rule that fails

select monitoring.create_alert_rule(
    'fails early',
    $$select 'x' as fingerprint, 1 / date_part('hour', clock())::integer as value$$, '{"low": 1}'
);

select throws_ok(
    $$select monitoring.backtest_alert_rule(
        'fails early', '2026-01-14 23:59+00', '2026-01-15 00:01+00'
    )$$,
    'PV008',
    'the rule fails as of 2026-01-15 00:00:00+00: division by zero',
    'a rule that fails at some time says so'
);

select is(
    (select count(*) from monitoring.alert_rules where rule_name ~ 'backtest'), 0::bigint,
    'which leaves nothing either'
);

-- Boundaries

select is(
    (
        select count(*) from monitoring.backtest_alert_rule(
                'deep queue', '2026-01-15 12:00+00', '2026-01-15 12:00+00'
            )
    ),
    1::bigint,
    'a span may be a moment'
);

-- Refusals

select
    results_eq(
        format(
            'select code, message, hint from pg_temp.refusal_of(%L)',
            format('monitoring.backtest_alert_rule(%s)', arguments)
        ),
        format('select %L, %L, %L', code, message, hint),
        'refused: ' || arguments
    )
from (
    values
    (
        $$'none', '2026-01-15', '2026-01-15'$$, 'PV007', 'there is no alert rule "none"',
        'Take the name from v_alert_rules, or create the rule first.'
    ),
    (
        $$'deep queue', '2026-01-15 11:00+00', '2026-01-15 10:00+00'$$, 'PV006',
        'span is impossible: from 2026-01-15 11:00:00+00 to 2026-01-15 10:00:00+00',
        'Give two times from 1970-01-01 up to now, the earlier one first.'
    ),
    (
        $$'deep queue', '2026-01-15 11:00+00', '2026-01-15 13:00+00'$$, 'PV006',
        'span is impossible: from 2026-01-15 11:00:00+00 to 2026-01-15 13:00:00+00',
        'Give two times from 1970-01-01 up to now, the earlier one first.'
    ),
    (
        $$'deep queue', null, '2026-01-15 11:00+00'$$, 'PV006',
        'span is impossible: from null to 2026-01-15 11:00:00+00',
        'Give two times from 1970-01-01 up to now, the earlier one first.'
    ),
    (
        $$'deep queue', '-infinity', '2026-01-15 11:00+00'$$, 'PV006',
        'span is impossible: from -infinity to 2026-01-15 11:00:00+00',
        'Give two times from 1970-01-01 up to now, the earlier one first.'
    ),
    (
        $$'deep queue', '2026-01-15 10:00+00', '2026-01-15 11:00+00', '0'$$, 'PV004',
        'step is out of range: 00:00:00', 'Give step as an interval from 1 second to 10 years.'
    ),
    (
        $$'deep queue', '2026-01-15 10:00+00', '2026-01-15 11:00+00', '-1 minute'$$, 'PV004',
        'step is out of range: -00:01:00', 'Give step as an interval from 1 second to 10 years.'
    ),
    (
        $$'deep queue', '2026-01-15 10:00+00', '2026-01-15 11:00+00', null$$, 'PV004',
        'step is out of range: null', 'Give step as an interval from 1 second to 10 years.'
    ),
    (
        $$'deep queue', '2026-01-01 12:00+00', '2026-01-15 12:00+00'$$, 'PV004',
        'span has too many steps: 20161',
        'At most 20000 are taken: give a step of at least 1 min 1 s, or a shorter span.'
    )
) as bad (arguments, code, message, hint);

select lives_ok(
    $$select monitoring._check_backtest(
        '2026-01-01 12:00+00', '2026-01-15 12:00+00', '00:01:01'
    )$$,
    'what the hint says is accepted'
);

select * from finish(); -- noqa: AM04
rollback;
