-- The built-in rules about pgvigil itself.

begin;
select plan(19);
\ir helpers/fixed_clock.psql
-- Details tell times as the session's settings say.
set local timezone = 'UTC';
\ir helpers/jobs.psql
\ir helpers/judging.psql

-- The partitions of the days that the clock stands at.
select monitoring.ensure_partitions(9);

-- Finds at a time as an evaluation does, which sets the clock.
create function pg_temp.judge_at(p_rule_name text, p_now text) returns setof monitoring.finding
language sql
as $$
    select pg_temp.set_clock(p_now);
    select j.* from pg_temp.judge(p_rule_name, p_now) as j
$$;

-- All is well

select results_eq(
    $$
        select r.rule_name, count(j.fingerprint), count(j.severity)
        from monitoring.alert_rules as r
        left join lateral pg_temp.judge(r.rule_name) as j on true
        where r.family = 'self'
        group by r.rule_name order by r.rule_name collate "C"
    $$,
    $$
        values
        ('cleanup_late', 1::bigint, 0::bigint), ('fleet_member_silent', 0, 0), ('job_failed', 0, 0), ('job_late', 0, 0),
        ('names_over_limit', 0, 0), ('notification_dead', 0, 0), ('partitions_missing', 1, 0), ('rollups_late', 1, 0),
        ('rule_failed', 0, 0), ('scheduler_late', 1, 0)
    $$,
    'where nothing is to be done nothing is found, or only that all is well'
);

-- The scheduler and its jobs

select monitoring.define_job('count', '1 hour', 'errands.count_to_three');

select results_eq(
    $$
        select at, f.value, f.severity
        from unnest(array[
            '2026-01-15 12:03+00', '2026-01-15 12:03:01+00', '2026-01-15 12:30:01+00'
        ]) as at, pg_temp.judge_at('scheduler_late', at) as f
    $$,
    $$
        values
        ('2026-01-15 12:03+00', 180::double precision, null),
        ('2026-01-15 12:03:01+00', 181, 'high'),
        ('2026-01-15 12:30:01+00', 1801, 'critical')
    $$,
    'a scheduler that has not come for more than three minutes is late'
);

select results_eq(
    $$
        select fingerprint, labels, summary
        from pg_temp.judge_at('scheduler_late', '2026-01-15 12:05+00')
    $$,
    $$
        values ('scheduler', '{"check": "scheduler"}'::jsonb,
            'scheduler late by 5 min: nothing has run yet, jobs due: 1')
    $$,
    'the summary says what self_check() says'
);

select results_eq(
    $$
        select at, f.fingerprint, f.value, f.severity, f.summary
        from unnest(array['2026-01-15 12:03+00', '2026-01-15 12:03:01+00']) as at,
            pg_temp.judge_at('job_late', at) as f
    $$,
    $$
        values
        ('2026-01-15 12:03+00', 'count', 180::double precision, null, 'job count: due for 3 min'),
        ('2026-01-15 12:03:01+00', 'count', 181, 'medium', 'job count: due for 3 min 1 s')
    $$,
    'a job has the same three minutes'
);

select set_eq(
    $$
        select target_rule from monitoring.alert_inhibitions
        where source_rule = 'scheduler_late' and equal_labels = '{}'
    $$,
    array['job_late', 'rollups_late', 'partitions_missing', 'cleanup_late'],
    'a late scheduler explains what else is late, but no failure'
);

create function errands.fail() returns void
language plpgsql
as $$ begin raise E'no such "luck" 100 %%\nat all'; end $$;

select pg_temp.set_clock('2026-01-15 12:00+00');
select monitoring.define_job('it''s "Ü" %s', '1 hour', 'errands.fail');
select pg_temp.run_due();

select results_eq(
    $$
        select fingerprint, value, severity, labels, summary from pg_temp.judge('job_failed')
        where severity is not null
    $$,
    $$
        values ('it''s "Ü" %s', 1::double precision, 'high', '{"job": "it''s \"Ü\" %s"}'::jsonb,
            'job it''s "Ü" %s: 1 in a row did not complete, the last: failed: no such '
            || '"luck" 100 %')
    $$,
    'a job whose last run did not complete has failed, whatever it is called'
);

select results_eq(
    $$
        select source, details ->> 'last_status'
        from pg_temp.explain('job_failed', jsonb_build_object('job', 'it''s "Ü" %s'))
    $$,
    $$values ('job', 'failed')$$,
    'the explainer shows the job'
);

select monitoring.disable_job('it''s "Ü" %s');

select is_empty(
    $$select * from pg_temp.judge('job_failed') where severity is not null$$,
    'a disabled one is nobody''s concern'
);

-- Roll-ups, partitions, clean-up

update monitoring.rollup_progress set rolled_up_at = '2026-01-15 11:57+00';

select results_eq(
    $$
        select at, f.fingerprint, f.value, f.severity
        from unnest(array[
            '2026-01-15 12:00+00', '2026-01-15 12:00:01+00', '2026-01-15 12:57:01+00'
        ]) as at, pg_temp.judge_at('rollups_late', at) as f
    $$,
    $$
        values
        ('2026-01-15 12:00+00', 'roll-ups', 180::double precision, null),
        ('2026-01-15 12:00:01+00', 'roll-ups', 181, 'medium'),
        ('2026-01-15 12:57:01+00', 'roll-ups', 3601, 'high')
    $$,
    'roll-ups of more than three minutes ago are late'
);

select results_eq(
    $$
        select at, f.severity, f.summary
        from unnest(array[
            '2026-01-24 00:00+00', '2026-01-24 10:00+00', '2026-01-25 01:00+00'
        ]) as at,
            pg_temp.judge_at('partitions_missing', at) as f
    $$,
    format(
        $$
            values
            ('2026-01-24 00:00+00', 'medium', 'partitions in time: without tomorrow''s: %1$s'),
            ('2026-01-24 10:00+00', 'medium', 'partitions late by 10 h: without tomorrow''s: %1$s'),
            ('2026-01-25 01:00+00', 'high', 'partitions late by 1 h: without today''s: %1$s')
        $$,
        'errors, finished_tasks, health_probes, log_lines, metric_samples, queue_samples, '
        'status_changes'
    ),
    'partitions are missing the day before they are needed, and badly on the day'
);

select pg_temp.set_clock('2026-01-15 12:00+00');
select monitoring.prepare_backfill('errors', '2025-12-13');
select monitoring.set_retention('errors', '30 days');

select results_eq(
    $$
        select at, f.value, f.severity
        from unnest(array[
            '2026-01-14 00:00+00', '2026-01-14 00:00:01+00', '2026-01-16 00:00:01+00'
        ]) as at, pg_temp.judge_at('cleanup_late', at) as f
    $$,
    $$
        values
        ('2026-01-14 00:00+00', 86400::double precision, null),
        ('2026-01-14 00:00:01+00', 86401, 'medium'),
        ('2026-01-16 00:00:01+00', 259201, 'high')
    $$,
    'rows that are still there a day after they were due make clean-up late'
);

select pg_temp.set_clock('2026-01-16 12:00+00');

select results_eq(
    $$
        select source, details ->> 'check_name', details ->> 'status'
        from pg_temp.explain('cleanup_late', '{"check": "retention"}', 1)
    $$,
    $$values ('self_check', 'retention', 'late')$$,
    'the explainer shows self_check(), beginning with what the alert is about'
);

-- Rules

delete from monitoring.alert_rule_states;

insert into monitoring.alert_rule_states (
    rule_name, evaluated_at, duration_ms, findings, consecutive_failures, last_error,
    last_failed_at, paused_until_at
)
values
('queue_backlog', '2026-01-15 12:00+00', 5, 0, 0, null, '2026-01-15 11:00+00', null),
(
    'errors_per_hour', '2026-01-15 12:00+00', 5, 0, 3, E'division by "zero"\nin line 1',
    '2026-01-15 12:00+00', null
),
(
    'component_silent', '2026-01-15 12:00+00', 5, 0, 1, 'took 12 s, more than its limit of 10 s',
    '2026-01-15 11:59+00', '2026-01-15 12:30+00'
),
('component_unhealthy', '2026-01-15 12:00:01+00', 5, 0, 1, 'later', '2026-01-15 12:00:01+00', null),
('job_failed', '2026-01-15 12:00+00', 5, 0, 1, 'disabled', '2026-01-15 12:00+00', null),
('rule_failed', '2026-01-15 12:00+00', 5, 0, 1, 'itself', '2026-01-15 12:00+00', null),
('gone', '2026-01-15 12:00+00', 5, 0, 1, 'dropped', '2026-01-15 12:00+00', null);

select monitoring.disable_alert_rule('job_failed');

select results_eq(
    $$
        select fingerprint, value, severity, labels, summary from pg_temp.judge('rule_failed')
        order by fingerprint
    $$,
    $$
        values
        ('component_silent', 1::double precision, 'high', '{"rule": "component_silent"}'::jsonb,
            'rule component_silent: 1 in a row failed, the last: took 12 s, more than its limit '
            || 'of 10 s; paused until 2026-01-15 12:30:00+00'),
        ('errors_per_hour', 3, 'high', '{"rule": "errors_per_hour"}',
            'rule errors_per_hour: 3 in a row failed, the last: division by "zero"')
    $$,
    'each enabled rule whose last evaluation failed is found, but not the rule that finds them'
);

select results_eq(
    $$
        select source, happened_at, details ->> 'last_error'
        from pg_temp.explain('rule_failed', '{"rule": "component_silent"}')
    $$,
    $$
        values ('evaluation', '2026-01-15 12:00+00'::timestamptz,
            'took 12 s, more than its limit of 10 s')
    $$,
    'the explainer shows how its last evaluation went'
);

-- Notifications

insert into monitoring.queued_notifications (
    channel_name, target, kind, subject, body, payload, created_at, status, next_attempt_at,
    last_error, finished_at
)
select
    c.channel,
    c.target,
    'test' as kind,
    'subject ' || c.finished_at as subject,
    'b' as body,
    '{}' as payload,
    '2026-01-14 10:00+00' as created_at,
    c.status,
    '2026-01-14 10:00+00' as next_attempt_at,
    c.error,
    c.finished_at::timestamptz
from (
    values
    ('ops', 'MAIL', 'dead', 'too old', '2026-01-14 12:00+00'),
    ('ops', 'MAIL', 'dead', 'first', '2026-01-14 12:00:00.000001+00'),
    ('ops', 'MAIL', 'dead', 'last', '2026-01-15 12:00+00'),
    ('ops', 'MAIL', 'dead', 'to come', '2026-01-15 12:00:00.000001+00'),
    ('ops', 'MAIL', 'sent', null, '2026-01-15 11:00+00'),
    ('ops', 'CHAT', 'dead', repeat('x', 2000), '2026-01-15 11:00+00'),
    ('it''s "Ü"', 'MAIL', 'dead', null, '2026-01-15 11:00+00'),
    ('it''s "Ü"', 'CHAT', 'waiting', null, 'infinity')
) as c (channel, target, status, error, finished_at);

select results_eq(
    $$
        select fingerprint, value, severity, substring(summary from '.*because of: ')
        from pg_temp.judge('notification_dead') order by fingerprint collate "C"
    $$,
    $$
        values
        ('it''s "Ü"/MAIL', 1::double precision, 'high',
            'channel it''s "Ü": messages to MAIL given up: 1, the last because of: '),
        ('ops/CHAT', 1, 'high',
            'channel ops: messages to CHAT given up: 1, the last because of: '),
        ('ops/MAIL', 2, 'high',
            'channel ops: messages to MAIL given up: 2, the last because of: ')
    $$,
    'messages given up within the last day are found, by channel and target'
);

select is(
    (select labels from pg_temp.find('notification_dead') where fingerprint = 'ops/CHAT'),
    '{"channel": "ops", "target": "CHAT"}',
    'the labels name both, so that it is not told where it cannot be'
);

select ok(
    (select bool_and(length(summary) <= 500) from pg_temp.find('notification_dead')),
    'a long reason is shortened'
);

select results_eq(
    $$
        select happened_at, details ->> 'last_error'
        from pg_temp.explain('notification_dead', '{"channel": "ops", "target": "MAIL"}', 2)
    $$,
    $$
        values
        ('2026-01-15 12:00+00'::timestamptz, 'last'), ('2026-01-14 12:00:00.000001+00', 'first')
    $$,
    'the explainer shows the newest of them'
);

select is_empty(
    $$select * from pg_temp.judge('notification_dead', '2026-01-16 12:00:00.000001+00')$$,
    'after a day they are forgotten'
);

select * from finish(); -- noqa: AM04
rollback;
