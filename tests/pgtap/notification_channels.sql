-- Channels: what may be set, and what is refused.

begin;
select plan(50);
\ir helpers/fixed_clock.psql
\ir helpers/alerts.psql
\ir helpers/refusals.psql

-- Interface

select monitoring.define_notification_channel('ops', '{OPS_MAIL}');

select results_eq(
    $$
        select channel_name, kind, targets, matchers, minimum_severity, has_resolved_notices,
            repeat_seconds, max_per_hour, max_attempts, summary_time, time_zone, is_enabled,
            changed_by, changed_at, held_back, held_back_at, summarized_at, waiting, dead,
            last_sent_at
        from monitoring.v_notification_channels
    $$,
    $$
        values ('ops', 'apprise', array['OPS_MAIL'], jsonb '{}', 'low', true, 14400::float8, 60, 12,
            null::text, 'UTC', true, session_user::text collate "default", '2026-01-15 12:00+00'::timestamptz,
            0::bigint, null::timestamptz, null::timestamptz, 0::bigint, 0::bigint,
            null::timestamptz)
    $$,
    'a channel is told everything, every four hours, with sixty messages an hour at most'
);

-- Behaviour: setting

select monitoring.define_notification_channel(
    p_channel_name => 'ops', p_targets => '{b.2, OPS_MAIL, b.2}', p_kind => 'apprise',
    p_matchers => '{"queue": {"regex": "bill.*"}}', p_minimum_severity => 'high',
    p_has_resolved_notices => false, p_repeat => null, p_max_per_hour => null,
    p_summary_time => '12:00', p_time_zone => 'Europe/Berlin', p_max_attempts => 3
);

select results_eq(
    $$
        select targets, matchers, minimum_severity, has_resolved_notices, repeat_seconds,
            max_per_hour, max_attempts, summary_time, time_zone, summarized_at
        from monitoring.v_notification_channels
    $$,
    $$
        values (array['b.2', 'OPS_MAIL'], jsonb '{"queue": {"regex": "bill.*"}}', 'high', false,
            null::float8, null::integer, 3, '12:00', 'Europe/Berlin',
            '2026-01-15 12:00+00'::timestamptz)
    $$,
    'set again it is changed; of a daily summary whose time has passed the first is tomorrow''s'
);

select monitoring.disable_notification_channel('ops');
select monitoring.define_notification_channel('ops', '{OPS_MAIL}');

select is(
    (select is_enabled from monitoring.v_notification_channels), false,
    'a disabled channel stays disabled when it is set'
);

select monitoring._switch_notification_channel('ops', null);
select is(
    (select is_enabled from monitoring.v_notification_channels), true, 'it can be enabled again'
);

-- Behaviour: what belongs into a channel

select monitoring.define_notification_channel('high', '{A}', p_minimum_severity => 'high');
select monitoring.define_notification_channel(
    'billing', '{A}', p_matchers => '{"queue": "billing"}'
);

select monitoring.define_notification_channel(
    'critical', '{A}', p_matchers => '{"severity": "critical", "rule": "too_deep"}'
);

select monitoring.define_notification_channel(
    'others', '{A}', p_matchers => '{"queue": {"not": ["billing", "mail"]}, "family": "own"}'
);

select monitoring.remove_notification_channel('ops');
select pg_temp.fire('billing', 'medium');
select pg_temp.fire('mail', 'high');
select pg_temp.fire('x', 'low');

select is(
    pg_temp.told_at('12:01'),
    array[
        'billing A alerts: firing billing', 'high A alerts: firing mail',
        'others A alerts: firing x'
    ],
    'each channel is told what fits its matchers and has its least severity'
);

select pg_temp.set_severity('billing', 'critical');

select is(
    pg_temp.told_at('12:02'),
    array[
        'billing A alerts: escalated billing', 'critical A alerts: firing billing',
        'high A alerts: firing billing'
    ],
    'an alert that rises comes to channels that it did not belong into before'
);

select pg_temp.set_severity('billing', 'low');
select pg_temp.resolve('billing');

select is(
    pg_temp.told_at('12:03'),
    array[
        'billing A alerts: resolved billing', 'critical A alerts: resolved billing',
        'high A alerts: resolved billing'
    ],
    'its end is told to all that knew of it, though it no longer belonged there'
);

-- Behaviour: quiet channels

select monitoring.define_notification_channel(
    'high', '{A}', p_minimum_severity => 'high', p_has_resolved_notices => false
);

select pg_temp.resolve('mail');
select is(pg_temp.told_at('12:04'), '{}', 'a quiet channel is not told what has resolved');
select monitoring.define_notification_channel('high', '{A}', p_minimum_severity => 'high');

select is(
    pg_temp.told_at('12:05'), '{}', 'nor afterwards, when it is no longer quiet'
);

-- Behaviour: that messages do not arrive

select pg_temp.fire('billing/A', 'high', 'notification_dead', '{"channel": "billing"}');
select pg_temp.fire('high/A', 'high', 'notification_dead', '{"channel": "high"}');
select monitoring.define_notification_channel('billing', '{A}');

select is(
    pg_temp.told_at('12:06'),
    array[
        'billing A alerts: firing high/A, firing x', 'high A alerts: firing billing/A'
    ],
    'that a channel does not work is told through the others alone'
);

-- Behaviour: testing

select is(
    (select monitoring.send_test_notification('billing')), 1::bigint,
    'a test is one message a target'
);

select results_eq(
    $$
        select kind, subject, replace(body, notification_key::text, '<key>'), status
        from monitoring.v_notifications order by notification_id desc limit 1
    $$,
    format(
        $$
            values ('test', 'Test of channel billing', 'If you read this, channel billing works. '
                'Nothing is wrong; %s asked for this test.' || E'\n\n'
                'As of 2026-01-15 12:06 UTC\nNotification <key>', 'waiting')
        $$,
        session_user
    ),
    'it says who asked for it'
);

select monitoring.disable_notification_channel('billing');

select is(
    (select monitoring.send_test_notification('billing')), 1::bigint,
    'a disabled channel can be tested'
);

-- Behaviour: removing

select ok(monitoring.remove_notification_channel('billing'), 'a channel can be removed');
select ok(not monitoring.remove_notification_channel('billing'), 'but not twice');

select is(
    (
        select count(*) from monitoring.claim_notifications('r', 1000)
        where channel_name = 'billing' and channel_kind = 'apprise'
    ),
    1::bigint,
    'what waits for it is sent all the same, one message after the other to each target'
);

-- Boundaries

select
    lives_ok(
        format('select monitoring.define_notification_channel(%s)', arguments),
        'allowed: ' || arguments
    )
from (
    values
    ('''c'', array[''_''], p_repeat => ''1 minute'', p_max_per_hour => 1, p_max_attempts => 1'),
    ('''c'', array[repeat(''a'', 255)], p_repeat => ''1 year'', p_max_attempts => 100'),
    ('''c'', ''{A}'', p_summary_time => ''00:00'''),
    ('''c'', ''{A}'', p_summary_time => ''23:59'', p_time_zone => ''Asia/Kathmandu'''),
    ('''c'', ''{A}'', ''alertmanager''')
) as allowed (arguments);

-- Refusals

select
    is(
        pg_temp.refusal_of(format('monitoring.define_notification_channel(%s)', arguments)),
        row(code, message, hint)::pg_temp.refusal,
        'refused: ' || arguments
    )
from (
    values
    (
        ''' '', ''{A}''', 'PV001', 'channel_name is empty: " "',
        'Give channel_name a name of 1 to 255 characters that are not all blank.'
    ),
    (
        '''c'', ''{}''', 'PV001', 'target is missing: null',
        'Give target a name of 1 to 255 characters that are not all blank.'
    ),
    (
        '''c'', null', 'PV001', 'target is missing: null',
        'Give target a name of 1 to 255 characters that are not all blank.'
    ),
    (
        '''c'', ''{A}'', ''mail''', 'PV003', 'kind is not known: "mail"',
        'Use one of: apprise, alertmanager.'
    ),
    (
        '''c'', ''{A}'', null', 'PV003', 'kind is not known: null',
        'Use one of: apprise, alertmanager.'
    ),
    (
        '''c'', ''{A}'', p_minimum_severity => ''warning''', 'PV003',
        'severity is not known: "warning"', 'Use one of: low, medium, high, critical.'
    ),
    (
        '''c'', ''{A}'', p_repeat => ''59 seconds''', 'PV004',
        'repeat is out of range: 00:00:59',
        'Give repeat as an interval from 1 minute to 1 year, or null for no reminders.'
    ),
    (
        '''c'', ''{A}'', ''alertmanager'', p_repeat => null', 'PV004',
        'repeat is out of range: null',
        'Give repeat as an interval from 1 minute to 1 year; an Alertmanager forgets what is not '
        'repeated.'
    ),
    (
        '''c'', ''{A}'', p_max_per_hour => 0', 'PV004', 'max_per_hour is out of range: 0',
        'Give max_per_hour as a number from 1 up, or null for any number of messages.'
    ),
    (
        '''c'', ''{A}'', p_max_attempts => 0', 'PV004', 'max_attempts is out of range: 0',
        'Give max_attempts as a number from 1 to 100.'
    ),
    (
        '''c'', ''{A}'', p_max_attempts => null', 'PV004', 'max_attempts is out of range: null',
        'Give max_attempts as a number from 1 to 100.'
    ),
    (
        '''c'', ''{A}'', p_summary_time => ''24:00''', 'PV006',
        'time of day is impossible: "24:00"',
        'Give hours and minutes from 00:00 to 23:59, or null for no daily summary.'
    ),
    (
        '''c'', ''{A}'', ''alertmanager'', p_summary_time => ''07:30''', 'PV003',
        'summary_time is not known: "07:30"',
        'Use one of: null, since an Alertmanager takes alerts and no summary.'
    ),
    (
        '''c'', ''{A}'', p_time_zone => ''Berlin''', 'PV007', 'there is no time zone "Berlin"',
        'Use UTC or a name of pg_timezone_names, such as Europe/Berlin.'
    )
) as refused (arguments, code, message, hint);

select
    is(
        pg_temp.refusal_of(
            format('monitoring.define_notification_channel(%L, array[%L])', 'c', target)
        ),
        row(
            'PV003', message,
            'Secrets do not belong in the database: give the name of an environment variable of '
            'the runner, or of a key in its file, such as OPS_MAIL; the address goes there.'
        )::pg_temp.refusal,
        'refused as a target: ' || coalesce(target, 'null')
    )
from (
    values
    ('mailtos://user:secret@example.com', 'target looks like an address: "mailtos:..."'),
    ('https://hooks.example.com/T0/secret', 'target looks like an address: "https:..."'),
    ('ops@example.com', 'target is not a name: "ops@example.com"'),
    ('+49 170 1234567', 'target is not a name: "+49 170 1234567"'),
    ('A B', 'target is not a name: "A B"'),
    ('1A', 'target is not a name: "1A"'),
    ('', 'target is not a name: ""'),
    (null, 'target is not a name: null')
) as refused (target, message);

select
    is(
        (pg_temp.refusal_of(call)).code, code, 'refused: ' || call
    )
from (
    values
    ('monitoring.define_notification_channel(''c'', ''{A}'', p_matchers => ''[]'')', 'PV005'),
    ('monitoring.define_notification_channel(''c'', ''{A}'', p_matchers => null)', 'PV005'),
    ('monitoring.define_notification_channel(''c'', array[repeat(''a'', 256)])', 'PV002'),
    ('monitoring.enable_notification_channel(''nowhere'')', 'PV007'),
    ('monitoring.send_test_notification(null)', 'PV007'),
    ('monitoring.send_test_notification(''nowhere'')', 'PV007')
) as refused (call, code);

select is(
    pg_temp.refusal_of('monitoring.enable_notification_channel(''nowhere'')'),
    row(
        'PV007', 'there is no channel "nowhere"',
        'Take the name from v_notification_channels, or define the channel first.'
    )::pg_temp.refusal,
    'an unknown channel is named'
);

select * from finish(); -- noqa: AM04
rollback;
