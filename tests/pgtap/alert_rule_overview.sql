-- How rules, silences and channels are doing, as one looks over all of them.

begin;
select plan(6);
\ir helpers/fixed_clock.psql

-- Rules

update monitoring.alert_rules set decided = '{"is_enabled": false}';
select monitoring.create_alert_rule(
    'firing', 'select 1 as fingerprint, 2 as value', '{"low": 1}'
);
select monitoring.create_alert_rule(
    'quiet', 'select 1 as fingerprint, 2 as value', '{"low": 10}'
);
select monitoring.create_alert_rule(
    'failing',
    $$select 1 as fingerprint, 1 / extract(epoch from clock() - '2026-01-15 11:00+00') as value$$,
    '{"low": 10}'
);
select monitoring.create_alert_rule('off', 'select 1 as fingerprint, 2 as value', '{"low": 1}');
select monitoring.disable_alert_rule('off');
select set_config('monitoring.now', '2025-12-20 11:00+00', true);
select monitoring.evaluate_alerts();
select monitoring.resolve_alert(alert_id) from monitoring.v_active_alerts;
select set_config('monitoring.now', '2026-01-15 11:00+00', true);
select monitoring.evaluate_alerts();

select results_eq(
    $$
        select rule_name, state, fired_7_days, fired_30_days, last_fired_at
        from monitoring.v_alert_rules where family = 'own' order by rule_name
    $$,
    $$
        values
        ('failing', 'failing', 0::bigint, 0::bigint, null::timestamptz),
        ('firing', 'firing', 1, 2, '2026-01-15 11:00+00'),
        ('off', 'off', 0, 0, null),
        ('quiet', 'on', 0, 0, null)
    $$,
    'a rule fails, fires, is on or off, and has fired so often'
);
select set_config('monitoring.now', '2026-01-23 11:00+00', true);
select results_eq(
    $$
        select fired_7_days, fired_30_days from monitoring.v_alert_rules
        where rule_name = 'firing'
    $$,
    $$values (0::bigint, 1::bigint)$$,
    'what was long ago counts no more'
);
select results_eq(
    $$
        select has_past, unknown_past is null
        from monitoring.v_alert_rules
        where rule_name in ('firing', 'job_late', 'queue_backlog', 'task_stuck')
        order by rule_name
    $$,
    $$values (true, false), (false, true), (true, true), (true, false)$$,
    'it says whether it can be tried over the past, and what of that is not known'
);

-- Silences

select monitoring.silence_alerts('{"rule": "a"}', '1 hour', p_starts_at => '2026-01-24 11:00+00');
select monitoring.silence_alerts('{"rule": "b"}', '1 hour');
select monitoring.silence_alerts('{"rule": "c"}', p_until_resolved => true);
select monitoring.unsilence_alerts(monitoring.silence_alerts('{"rule": "d"}', '1 hour'));
select results_eq(
    $$select matchers ->> 'rule', state from monitoring.v_silences order by silence_id$$,
    $$values ('a', 'coming'), ('b', 'active'), ('c', 'active'), ('d', 'ended')$$,
    'a silence is to come, holds or has ended'
);

-- Channels

select monitoring.define_notification_channel('mail', array['A']);
insert into monitoring.queued_notifications (
    channel_name, target, kind, subject, body, payload, created_at, status, next_attempt_at,
    last_error, finished_at
)
select
    'mail' as channel_name,
    'A' as target,
    'test' as kind,
    's' as subject,
    'b' as body,
    '{}' as payload,
    m.made_at as created_at,
    m.status,
    m.made_at as next_attempt_at,
    m.error as last_error,
    case when m.status in ('sent', 'dead') then m.made_at else 'infinity' end as finished_at
from (
    values
    ('2026-01-23 10:00+00'::timestamptz, 'sent', null),
    ('2026-01-20 10:00+00', 'sent', null),
    ('2026-01-01 10:00+00', 'sent', null),
    ('2026-01-20 10:00+00', 'dead', 'no such host'),
    ('2026-01-23 10:30+00', 'waiting', 'refused'),
    ('2026-01-23 10:31+00', 'waiting', null)
) as m (made_at, status, error);
select results_eq(
    $$
        select sent_1_day, dead_1_day, sent_7_days, dead_7_days, waiting, failing, last_error
        from monitoring.v_notification_channels
    $$,
    $$values (1::bigint, 0::bigint, 2::bigint, 1::bigint, 2::bigint, 1::bigint, 'refused')$$,
    'a channel tells what it sent and gave up lately, what waits, and why the newest failed'
);
delete from monitoring.queued_notifications;
select results_eq(
    $$
        select sent_7_days, dead_7_days, failing, last_error
        from monitoring.v_notification_channels
    $$,
    $$values (0::bigint, 0::bigint, 0::bigint, null::text)$$,
    'so does one that has sent nothing'
);

select * from finish(); -- noqa: AM04
