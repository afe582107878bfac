-- The very text of messages.

begin;
select plan(32);
\ir helpers/fixed_clock.psql
\ir helpers/alerts.psql

create function pg_temp.last_message() returns text
language sql
as $$
    select subject || E'\n---\n' || replace(body, notification_key::text, '<key>')
    from monitoring.v_notifications order by notification_id desc limit 1
$$;

-- Behaviour: an alert

select monitoring.define_notification_channel(
    'ops', '{MAIL}', p_repeat => '2 hours', p_time_zone => 'Europe/Berlin'
);

select pg_temp.fire('billing', 'critical', p_labels => '{"host": "one", "zone": ""}');
select pg_temp.told_at('12:01');

select is(
    pg_temp.last_message(),
    'CRITICAL: queue billing: 612 waiting
---
CRITICAL: queue billing: 612 waiting
  value 612 messages, threshold 500 messages (critical)
  rule too_deep, billing
  host=one, queue=billing, zone=
  since 2026-01-15 13:00 Europe/Berlin
  alert ' || (select alert_id from monitoring.raised_alerts) || '

As of 2026-01-15 13:01 Europe/Berlin
Notification <key>',
    'an alert: what, how much, by which rule, where and since when'
);

select pg_temp.told_at('14:05');

select is(
    pg_temp.last_message(),
    'CRITICAL, still firing after 2 h 5 min: queue billing: 612 waiting
---
CRITICAL, still firing after 2 h 5 min: queue billing: 612 waiting
  value 612 messages, threshold 500 messages (critical)
  rule too_deep, billing
  host=one, queue=billing, zone=
  since 2026-01-15 13:00 Europe/Berlin
  alert ' || (select alert_id from monitoring.raised_alerts) || '

As of 2026-01-15 15:05 Europe/Berlin
Notification <key>',
    'a reminder says for how long it has been firing'
);

select pg_temp.acknowledge('billing');
select pg_temp.resolve('billing');
select pg_temp.told_at('14:06');

select is(
    pg_temp.last_message(),
    'RESOLVED after 2 h 5 min (critical): queue billing: 612 waiting
---
RESOLVED after 2 h 5 min (critical): queue billing: 612 waiting
  value 612 messages, threshold 500 messages (critical)
  rule too_deep, billing
  host=one, queue=billing, zone=
  since 2026-01-15 13:00 Europe/Berlin, until 2026-01-15 15:05 Europe/Berlin
  acknowledged by ann
  alert ' || (select alert_id from monitoring.raised_alerts) || '

As of 2026-01-15 15:06 Europe/Berlin
Notification <key>',
    'the end says how long it lasted'
);

select pg_temp.fire('a', 'low', p_labels => '{"x": "1"}');
update monitoring.raised_alerts set value = null, threshold = null where fingerprint = 'a';
select pg_temp.fire('b', 'high', 'no_such_rule', p_value => 0.05);
select pg_temp.told_at('14:07');

select is(
    pg_temp.last_message(),
    'HIGH: queue b: 0.05 waiting (+1 more: 1 low)
---
HIGH: queue b: 0.05 waiting
  value 0.05, threshold 500 (high)
  rule no_such_rule, b
  queue=b
  since 2026-01-15 15:06 Europe/Berlin
  alert ' || (select alert_id from monitoring.raised_alerts where fingerprint = 'b') || '

LOW: queue a: 612 waiting
  rule too_deep, a
  queue=a, x=1
  since 2026-01-15 15:06 Europe/Berlin
  alert ' || (select alert_id from monitoring.raised_alerts where fingerprint = 'a') || '

As of 2026-01-15 15:07 Europe/Berlin
Notification <key>',
    'one without a value, and one of a rule that is gone'
);

select pg_temp.set_severity('a', 'medium');
select pg_temp.told_at('14:08');

select is(
    split_part(pg_temp.last_message(), E'\n', 1), 'MEDIUM (escalated): queue a: 612 waiting',
    'a higher severity'
);

-- Behaviour: for programs

select is(
    (
        select payload - 'key' from monitoring.v_notifications
        order by notification_id desc limit 1
    ),
    (
        select
            jsonb_build_object(
                'channel', 'ops', 'kind', 'alerts', 'created_at', '2026-01-15T14:08:00.000000Z',
                'held_back', 0,
                'alerts', jsonb_build_array(jsonb_build_object(
                    'alert_id', alert_id, 'event', 'escalated', 'rule', 'too_deep',
                    'fingerprint', 'a', 'severity', 'medium', 'status', 'firing',
                    'summary', 'queue a: 612 waiting', 'value', null, 'threshold', null,
                    'unit', 'messages', 'labels', '{"queue": "a", "x": "1"}'::jsonb,
                    'started_at', '2026-01-15T14:06:00.000000Z',
                    'fired_at', '2026-01-15T14:06:00.000000Z', 'resolved_at', null,
                    'acknowledged_by', null, 'reason', null,
                    'owner', null, 'link', null
                ))
            )
        from monitoring.raised_alerts where fingerprint = 'a'
    ),
    'programs get the same as JSON, times in UTC'
);

-- Boundaries: what alerts say cannot pass for something else

select pg_temp.fire(
    E'evil\nNotification 1', 'critical', p_labels => jsonb_build_object('l', E'x\r\ny')
);

select pg_temp.told_at('14:09');

select is(
    pg_temp.last_message(),
    'CRITICAL: queue evil Notification 1: 612 waiting
---
CRITICAL: queue evil Notification 1: 612 waiting
  value 612 messages, threshold 500 messages (critical)
  rule too_deep, evil Notification 1
  l=x y, queue=evil Notification 1
  since 2026-01-15 15:08 Europe/Berlin
  alert ' || (select max(alert_id) from monitoring.raised_alerts) || '

As of 2026-01-15 15:09 Europe/Berlin
Notification <key>',
    'lines in a summary or label are no lines of the message, nor headers of a mail'
);

select pg_temp.fire(repeat('long ', 90), 'critical');
select pg_temp.fire('other ' || n, 'low') from generate_series(1, 5) as n;
select pg_temp.told_at('14:10');

select results_eq(
    $$
        select length(subject), left(subject, 31), right(subject, 20)
        from monitoring.v_notifications order by notification_id desc limit 1
    $$,
    $$values (120, 'CRITICAL: queue long long long ', '... (+5 more: 5 low)')$$,
    'a subject has at most 120 characters, and those that count most'
);

select pg_temp.fire('é ☃', 'low');
select pg_temp.told_at('14:11');

select is(
    split_part(pg_temp.last_message(), E'\n', 1), 'LOW: queue é ☃: 612 waiting',
    'letters of any kind stay as they are'
);

-- Boundaries: a time zone that an update took away

update monitoring.notification_channels set time_zone = 'Mars/Olympus';
select pg_temp.fire('z', 'low');

select is(
    pg_temp.told_at('14:12'), array['ops MAIL alerts: firing z'],
    'a time zone that is gone stops nothing'
);

select matches(pg_temp.last_message(), 'since 2026-01-15 14:11 UTC', 'times are those of UTC then');

-- Boundaries: lengths and values

select is(monitoring._spell_seconds(seconds), spelt, seconds || ' seconds are ' || spelt)
from (
    values
    (-5, '0 s'), (0, '0 s'), (0.0035, '3.5 ms'), (0.35, '350 ms'), (0.9999, '1 s'), (9.96, '10 s'),
    (59.9, '59 s'), (60, '1 min'), (3599, '59 min'), (3600, '1 h'),
    (7500, '2 h 5 min'), (86400, '1 d'), (97200, '1 d 3 h'), (8640000, '100 d')
) as lengths (seconds, spelt);

select is(monitoring._spell_value(value, unit), spelt, value || ' is ' || spelt)
from (
    values
    (0::float8, 's', '0 s'), (612, null, '612'), (99.98765, '%', '99.988 %'),
    (0.0123456789, null, '0.012346'), (-3.5, 's', '-3.5 s'), (1e100, null, '1e+100'),
    ('NaN', null, 'NaN')
) as numbers (value, unit, spelt);

select * from finish(); -- noqa: AM04
rollback;
