-- Reminders, hourly limits, and clocks that are set.

begin;
select plan(34);
\ir helpers/fixed_clock.psql
\ir helpers/alerts.psql

-- Behaviour: reminders

select monitoring.define_notification_channel('ops', '{MAIL}', p_repeat => '1 hour');
select monitoring.define_notification_channel('quiet', '{CHAT}', p_repeat => null);
select pg_temp.fire('a', 'medium');
select pg_temp.told_at('12:00');
select is(pg_temp.told_at('12:59'), '{}', 'before the hour is over nobody is reminded');

select is(
    pg_temp.told_at('13:00'), array['ops MAIL alerts: reminder a'],
    'then they are, where reminders are wanted'
);

select is(
    (
        select subject from monitoring.v_notifications where channel_name = 'ops'
        order by notification_id desc limit 1
    ),
    'MEDIUM, still firing after 1 h: queue a: 612 waiting',
    'a reminder says for how long it has been firing'
);

select is(pg_temp.told_at('13:59'), '{}', 'once an hour');
select pg_temp.set_severity('a', 'high');

select is(
    pg_temp.told_at('13:59:30'),
    array['ops MAIL alerts: escalated a', 'quiet CHAT alerts: escalated a'],
    'a higher severity is told at once'
);

select is(pg_temp.told_at('14:59'), '{}', 'and the hour counts from there');
select pg_temp.acknowledge('a');
select is(pg_temp.told_at('16:00'), '{}', 'of what is acknowledged nobody is reminded');
select pg_temp.unacknowledge('a');

select is(
    pg_temp.told_at('16:01'), array['ops MAIL alerts: reminder a'],
    'but when the acknowledgement is taken back'
);

select pg_temp.silence('{"queue": "a"}', '2026-01-15 18:00+00');
select is(pg_temp.told_at('17:30'), '{}', 'nor of what is silenced');

select is(
    pg_temp.told_at('18:00'), array['ops MAIL alerts: reminder a'],
    'but when the silence has ended'
);

-- Behaviour: clocks that are set

select is(
    pg_temp.told_at('23:00'), array['ops MAIL alerts: reminder a'],
    'a clock that leaps ahead brings one reminder, not those of all hours between'
);

select is(pg_temp.told_at('19:00'), '{}', 'one that is put back brings none at once');
select is(pg_temp.told_at('19:59'), '{}', 'nor before the hour is over');

select is(
    pg_temp.told_at('20:00'), array['ops MAIL alerts: reminder a'],
    'and does not keep them until it is as late as it was'
);

select pg_temp.plan_at('2036-01-15 12:00+00');

select is(
    array(select pg_temp.plan_at('2026-01-15 20:30+00')), '{}',
    'a clock that was years ahead'
);

select is(
    pg_temp.told_at('21:30'), array['ops MAIL alerts: reminder a'],
    'does not silence for years'
);

select pg_temp.resolve('a');
select pg_temp.told_at('21:31');

-- Behaviour: the hourly limit

select monitoring.remove_notification_channel('quiet');
select monitoring.define_notification_channel('ops', '{MAIL, SMS}', p_max_per_hour => 2);
delete from monitoring.queued_notifications;
select pg_temp.plan_at('2026-01-16 08:00+00');
select pg_temp.fire('b');
select pg_temp.plan_at('2026-01-16 09:00+00');
select pg_temp.fire('c');

select is(
    array(select pg_temp.plan_at('2026-01-16 09:01+00')),
    array['ops MAIL alerts: firing c', 'ops SMS alerts: firing c'],
    'the limit is one of messages to each target'
);

select pg_temp.fire('d', 'critical');
select pg_temp.fire('e', 'low');
select is(array(select pg_temp.plan_at('2026-01-16 09:02+00')), '{}', 'beyond it nothing is told');
select is(array(select pg_temp.plan_at('2026-01-16 09:03+00')), '{}', 'nor a minute later');

select results_eq(
    'select held_back, held_back_at from monitoring.v_notification_channels',
    $$values (2::bigint, '2026-01-16 09:02+00'::timestamptz)$$,
    'what is held back is counted once'
);

select pg_temp.resolve('d');
select pg_temp.set_severity('e', 'high');
select pg_temp.resolve('b');
select is(array(select pg_temp.plan_at('2026-01-16 09:30+00')), '{}', 'as long as it holds');

select is(
    array(select pg_temp.plan_at('2026-01-16 10:00:01+00')),
    array['ops MAIL alerts: firing e, resolved b', 'ops SMS alerts: firing e, resolved b'],
    'then what is still so is told'
);

select matches(
    (select body from monitoring.v_notifications order by notification_id desc limit 1),
    E'\n\n3 notices were held back since 2026-01-16 09:02 UTC by the limit of 2 messages an '
    'hour\\. What is still to be reported is above\\.\n\nAs of',
    'with how many were held back, what has come and gone included'
);

select is(
    (
        select (payload -> 'held_back')::integer from monitoring.v_notifications
        order by notification_id desc limit 1
    ),
    3,
    'programs get the number'
);

select results_eq(
    'select held_back, held_back_at from monitoring.v_notification_channels',
    $$values (0::bigint, null::timestamptz)$$,
    'and it counts from nothing again'
);

select pg_temp.fire('f');
select pg_temp.plan_at('2026-01-16 10:01:30+00');
select pg_temp.fire('f-too');
select pg_temp.plan_at('2026-01-16 10:02:30+00');
select pg_temp.resolve('f-too');

select is(
    array(select pg_temp.plan_at('2026-01-16 11:30+00')),
    array['ops MAIL held_back:', 'ops SMS held_back:'],
    'where all that was held back has come to nothing, that is told'
);

select is(
    (
        select subject from monitoring.v_notifications order by notification_id desc limit 1
    ),
    '1 notice was held back since 2026-01-16 10:02 UTC by the limit of 2 messages an hour.',
    'in so many words'
);

select is(array(select pg_temp.plan_at('2026-01-16 11:31+00')), '{}', 'once');

select is(
    (select count(*) from monitoring.raised_alerts where told::text ~ 'held_back'), 0::bigint,
    'and no alert says any more that it is held back'
);

-- Boundaries

select monitoring.send_test_notification('ops') from generate_series(1, 5);
select pg_temp.fire('g');

select is(
    array(select pg_temp.plan_at('2026-01-16 11:32+00')),
    array['ops MAIL alerts: firing g', 'ops SMS alerts: firing g'],
    'test messages do not count'
);

select pg_temp.fire('h');
select is(array(select pg_temp.plan_at('2026-01-16 11:33+00')), '{}', 'the limit is reached');

select is(
    array(select pg_temp.plan_at('2026-01-16 07:00+00')),
    array['ops MAIL alerts: firing h', 'ops SMS alerts: firing h'],
    'a clock that is put back does not make it hold until it is as late as it was'
);

select pg_temp.fire('i');
select monitoring.define_notification_channel('ops', '{MAIL, SMS}', p_max_per_hour => null);

select is(
    array(select pg_temp.plan_at('2026-01-16 07:01+00')),
    array['ops MAIL alerts: firing i', 'ops SMS alerts: firing i'],
    'there need not be a limit'
);

select pg_temp.fire('j');
select monitoring.define_notification_channel('ops', '{MAIL, PAGER}', p_max_per_hour => 3);

select is(
    array(select pg_temp.plan_at('2026-01-16 07:01:30+00')),
    array['ops MAIL alerts: firing j', 'ops PAGER alerts: firing j'],
    'a target that is new has had nothing, and the fullest counts'
);

select * from finish(); -- noqa: AM04
rollback;
