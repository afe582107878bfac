-- _plan_notifications(): what is told follows from what fires and what has been told.

begin;
select plan(29);
\ir helpers/fixed_clock.psql
\ir helpers/alerts.psql

select monitoring.define_notification_channel('ops', '{MAIL}');

-- Behaviour: an alert from its beginning to its end

select is(pg_temp.told_at('12:00'), '{}', 'where nothing fires nothing is told');

select pg_temp.fire('billing', 'medium');

select is(
    pg_temp.told_at('12:01'), array['ops MAIL alerts: firing billing'],
    'an alert that fires is told'
);

select is(pg_temp.told_at('12:02'), '{}', 'once');
select pg_temp.set_severity('billing', 'critical');

select is(
    pg_temp.told_at('12:03'), array['ops MAIL alerts: escalated billing'],
    'a higher severity is told'
);

select pg_temp.set_severity('billing', 'low');
select is(pg_temp.told_at('12:04'), '{}', 'a lower one is not');
select pg_temp.set_severity('billing', 'high');
select is(pg_temp.told_at('12:05'), '{}', 'nor one that rises no higher than was told before');
select pg_temp.set_severity('billing', 'critical');
select is(pg_temp.told_at('12:06'), '{}', 'not even to that: what flaps is told once');

select results_eq(
    $$select told from monitoring.raised_alerts$$,
    $$
        values (jsonb '{"ops": {
            "severity": "critical", "at": "2026-01-15T12:03:00.000000Z", "times": 2,
            "event": "escalated"
        }}')
    $$,
    'the alert says what was told where'
);

select pg_temp.resolve('billing');

select is(
    pg_temp.told_at('12:07'), array['ops MAIL alerts: resolved billing'], 'its end is told'
);

select is(pg_temp.told_at('12:08'), '{}', 'once');
select pg_temp.fire('billing', 'medium');

select is(
    pg_temp.told_at('12:09'), array['ops MAIL alerts: firing billing'],
    'an alert of the same queue later is another one'
);

select pg_temp.resolve('billing');
select pg_temp.told_at('12:10');

-- Behaviour: pending and acknowledged alerts

select pg_temp.fire('pending');
update monitoring.raised_alerts set status = 'pending', fired_at = null
where fingerprint = 'pending';

select is(pg_temp.told_at('12:11'), '{}', 'a pending alert is not told');
delete from monitoring.raised_alerts where fingerprint = 'pending';
select pg_temp.fire('mail');
select pg_temp.acknowledge('mail');
select is(pg_temp.told_at('12:12'), '{}', 'nor is one that somebody has acknowledged before');
select pg_temp.unacknowledge('mail');

select is(
    pg_temp.told_at('12:13'), array['ops MAIL alerts: firing mail'],
    'it is when that is taken back'
);

select pg_temp.acknowledge('mail');
select pg_temp.set_severity('mail', 'critical');
select is(pg_temp.told_at('12:14'), '{}', 'as long as it is acknowledged nothing more is told');
select pg_temp.resolve('mail');

select is(
    pg_temp.told_at('12:15'), array['ops MAIL alerts: resolved mail'], 'but that it has resolved'
);

-- Behaviour: silences

select pg_temp.silence('{"queue": "a"}', '2026-01-15 13:00+00');
select pg_temp.fire('a');
select is(pg_temp.told_at('12:20'), '{}', 'a silenced alert is not told');

select is(
    pg_temp.told_at('13:00'), array['ops MAIL alerts: firing a'],
    'it is when the silence has ended and it still fires'
);

select pg_temp.silence('{"queue": "a"}', '2026-01-15 14:00+00');
select pg_temp.set_severity('a', 'critical');
select is(pg_temp.told_at('13:10'), '{}', 'a higher severity is not told while it is silenced');
select pg_temp.resolve('a');

select is(
    pg_temp.told_at('13:20'), array['ops MAIL alerts: resolved a'],
    'the end of an alert is told even then, to whom its beginning was'
);

select pg_temp.fire('a');
select pg_temp.told_at('13:30');
select pg_temp.resolve('a');

select is(
    pg_temp.told_at('14:10'), '{}', 'one that came and went in a silence was never there'
);

-- Behaviour: inhibitions

insert into monitoring.alert_inhibitions (source_rule, target_rule, shipped_labels)
values ('host_down', 'too_deep', '{host}');
select pg_temp.fire('h', 'low', 'host_down', '{"host": "one"}');
select pg_temp.fire('b', 'critical', 'too_deep', '{"host": "one"}');
select pg_temp.fire('c', 'critical', 'too_deep', '{"host": "two"}');

select is(
    pg_temp.told_at('14:20'), array['ops MAIL alerts: firing c, firing h'],
    'an inhibited alert is not told'
);

select pg_temp.resolve('h');

select is(
    pg_temp.told_at('14:21'), array['ops MAIL alerts: firing b, resolved h'],
    'it is when what inhibits it has resolved'
);

-- Behaviour: what came before the channel, or while it was away

select monitoring.define_notification_channel('late', '{CHAT}');

select is(
    pg_temp.told_at('14:30'), array['late CHAT alerts: firing b, firing c'],
    'a new channel is told of what fires, and of nothing that has resolved'
);

select monitoring.disable_notification_channel('late');
select pg_temp.fire('d');
select pg_temp.fire('e');
select pg_temp.told_at('14:31');
select pg_temp.resolve('b');
select pg_temp.resolve('d');

select is(
    pg_temp.told_at('14:32'), array['ops MAIL alerts: resolved b, resolved d'],
    'a disabled channel is told nothing'
);

select monitoring.enable_notification_channel('late');

select is(
    pg_temp.told_at('16:00'), array['late CHAT alerts: firing e, resolved b'],
    'enabled again it is told of what has begun and fires, and of what has ended that it knew of'
);

select ok(monitoring.remove_notification_channel('late'), 'a channel can be removed');
select monitoring.define_notification_channel('late', '{CHAT}');

select is(
    pg_temp.told_at('16:01'), array['late CHAT alerts: firing c, firing e'],
    'another of its name is told anew'
);

-- Boundaries

select is(
    (
        select count(*) from monitoring.raised_alerts
        where resolved_at < 'infinity' and told @? '$.* ? (@.event != "resolved")'
    ),
    0::bigint,
    'of what has resolved and been told nothing is left to look at'
);

select * from finish(); -- noqa: AM04
rollback;
