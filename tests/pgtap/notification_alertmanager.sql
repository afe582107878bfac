-- Handing alerts over to an Alertmanager.

begin;
select plan(41);
\ir helpers/fixed_clock.psql
\ir helpers/alerts.psql

select monitoring.define_notification_channel('am', '{AM}', 'alertmanager', p_repeat => '1 hour');

-- What is handed over at a time, one text an alert: its labels and when it starts and ends.
create function pg_temp.handed_at(p_time text) returns text[]
language plpgsql
as $$
declare
    v_last bigint := coalesce((select max(notification_id) from monitoring.queued_notifications), 0);
begin
    perform set_config('monitoring.now', '2026-01-15 ' || p_time || '+00', true);
    perform monitoring._plan_notifications(monitoring.clock());
    return array(
        select format('%s %s %s %s', a.value -> 'labels' ->> 'fingerprint',
            a.value -> 'labels' ->> 'severity', substr(a.value ->> 'startsAt', 12, 5),
            substr(a.value ->> 'endsAt', 12, 5))
        from monitoring.queued_notifications n, jsonb_array_elements(n.payload) with ordinality a
        where n.notification_id > v_last
        order by n.notification_id, a.ordinality
    );
end
$$;

-- Interface

select pg_temp.fire(
    'a', 'high', p_labels => '{"host-name": "one", "2nd": "x", "severity": "other", "empty": "",
        "alertname": "n"}'
);

select is(
    pg_temp.handed_at('12:01'), array['a high 12:00 15:01'],
    'an alert that fires is handed over, to end after three times the repeat interval'
);

select results_eq(
    $$select kind, subject, payload from monitoring.v_notifications$$,
    $$
        values ('alerts', 'Alertmanager: 1 firing, 0 ended', jsonb '[{
            "labels": {
                "alertname": "too_deep", "severity": "high", "fingerprint": "a", "queue": "a",
                "host_name": "one", "_2nd": "x", "exported_severity": "other",
                "exported_alertname": "n"
            },
            "annotations": {
                "summary": "queue a: 612 waiting", "description": "A queue is too deep: start workers.",
                "value": "612 messages", "threshold": "500 messages"
            },
            "startsAt": "2026-01-15T12:00:00.000000Z", "endsAt": "2026-01-15T15:01:00.000000Z"
        }]')
    $$,
    'the payload is what version 2 of its API takes, with names that Prometheus allows'
);

select is(
    (select channel_kind from monitoring.claim_notifications('r')), 'alertmanager',
    'whoever sends it is told how'
);

select monitoring.define_notification_channel('am', '{AM}', p_repeat => '1 hour');

select is(
    (select channel_kind from monitoring.claim_notifications('r')), null, 'it is claimed'
);

update monitoring.queued_notifications set status = 'waiting', next_attempt_at = created_at;

select is(
    (select channel_kind from monitoring.claim_notifications('r')), 'alertmanager',
    'and goes as it was made, though the channel is of another kind by then'
);

select monitoring.define_notification_channel('am', '{AM}', 'alertmanager', p_repeat => '1 hour');

-- Behaviour: again and again

select is(pg_temp.handed_at('13:00'), '{}', 'before the repeat interval is over nothing is sent');

select is(
    pg_temp.handed_at('13:01'), array['a high 12:00 16:01'],
    'then it is handed over again, to end later'
);

select pg_temp.acknowledge('a');

select is(
    pg_temp.handed_at('14:01'), array['a high 12:00 17:01'],
    'also when somebody has acknowledged it'
);

select is(
    (
        select payload -> 0 -> 'annotations' ->> 'acknowledged_by'
        from monitoring.v_notifications order by notification_id desc limit 1
    ),
    'ann', 'which it says'
);

select pg_temp.silence('{"queue": "a"}', '2026-01-15 16:00+00');

select is(
    pg_temp.handed_at('15:01'), array['a high 12:00 18:01'], 'or silenced it'
);

-- Behaviour: other labels

select pg_temp.set_severity('a', 'critical');

select is(
    pg_temp.handed_at('15:30'), '{}',
    'a new severity would be a new alert there, so it waits while it is silenced'
);

select is(
    pg_temp.handed_at('16:01'), array['a high 12:00 19:01'],
    'or acknowledged; the old one is kept alive'
);

select pg_temp.unacknowledge('a');

select is(
    pg_temp.handed_at('16:02'), array['a critical 12:00 19:02', 'a high 12:00 16:02'],
    'then it begins, and the old one ends'
);

select pg_temp.set_severity('a', 'low');

select is(
    pg_temp.handed_at('16:03'), array['a critical 12:00 16:03', 'a low 12:00 19:03'],
    'a lower severity as well'
);

select is(pg_temp.handed_at('16:04'), '{}', 'once');

-- Behaviour: the end

select pg_temp.resolve('a');
select pg_temp.set_severity('a', 'low');
update monitoring.raised_alerts set severity = 'medium', resolved_at = '2026-01-15 16:04:30+00';

select is(
    pg_temp.handed_at('16:05'), array['a low 12:00 16:04'],
    'what has resolved ends then, under the labels that it had there'
);

select is(pg_temp.handed_at('18:00'), '{}', 'and is handed over no more');

-- Behaviour: what is not begun

select pg_temp.silence('{"queue": "b"}', '2026-01-15 19:00+00');
select pg_temp.fire('b');
select pg_temp.fire('c');
select pg_temp.acknowledge('c');
select is(pg_temp.handed_at('18:01'), '{}', 'silenced and acknowledged alerts are not begun');
select is(pg_temp.handed_at('19:00'), array['b high 18:00 22:00'], 'until that ends');
select pg_temp.resolve('c');
select is(pg_temp.handed_at('19:01'), '{}', 'of what was never begun no end is told');

-- Behaviour: what no longer belongs there

select monitoring.define_notification_channel(
    'am', '{AM}', 'alertmanager', p_repeat => '1 hour', p_minimum_severity => 'medium'
);

select pg_temp.set_severity('b', 'low');

select is(
    pg_temp.handed_at('19:10'), array['b high 18:00 19:10'],
    'an alert that eases below the least severity ends there'
);

select is(pg_temp.handed_at('19:11'), '{}', 'once');
select pg_temp.resolve('b');
select is(pg_temp.handed_at('19:12'), '{}', 'and has no second end');

-- Boundaries: limits

select monitoring.define_notification_channel(
    'am', '{AM}', 'alertmanager', p_repeat => '1 hour', p_max_per_hour => 1
);

select pg_temp.fire('d');
select pg_temp.handed_at('20:00');
select pg_temp.fire('e');

select is(
    pg_temp.handed_at('20:01'), array['e high 20:00 23:01'],
    'the hourly limit is not for Alertmanagers, which have limits of their own'
);

select pg_temp.fire('flood ' || to_char(n, 'FM0000'), 'high') from generate_series(1, 1500) as n;
select is(cardinality(pg_temp.handed_at('20:02')), 1000, 'a thousand go at a time');
select is(cardinality(pg_temp.handed_at('20:03')), 500, 'the rest at the next');
select is(cardinality(pg_temp.handed_at('20:04')), 0, 'and that is all');
select pg_temp.resolve(fingerprint) from monitoring.raised_alerts where resolved_at = 'infinity';
select pg_temp.handed_at('20:05');
select pg_temp.handed_at('20:06');

-- Boundaries: clocks that are set

select pg_temp.at_time('2026-01-15 22:00+00');
select pg_temp.fire('f');
select pg_temp.handed_at('22:00');
select pg_temp.at_time('2026-01-15 21:00+00');
select pg_temp.resolve('f');

select is(
    pg_temp.handed_at('21:00'), array['f high 22:00 22:00'],
    'no alert ends before it starts, which an Alertmanager would refuse'
);

select pg_temp.fire('g');
select pg_temp.handed_at('21:01');
select pg_temp.handed_at('23:00');
select is(pg_temp.handed_at('21:30'), '{}', 'a clock that is put back sends nothing at once');

select is(
    pg_temp.handed_at('22:30'), array['g high 21:00 01:30'], 'but keeps alerts from running out'
);

-- Behaviour: order

-- What is claimed: attempt, and the alerts with their ends.
create function pg_temp.claim_at(p_time text) returns text[]
language plpgsql
as $$
begin
    perform set_config('monitoring.now', '2026-01-16 ' || p_time || '+00', true);
    return array(
        select concat_ws(' ', c.attempt || ':', (
            select string_agg(
                concat_ws(' ', a.value -> 'labels' ->> 'fingerprint',
                    case when a.value ->> 'endsAt' <= '2026-01-16T10:01' then 'ended' end),
                ', ' order by a.ordinality
            )
            from jsonb_array_elements(
                case c.channel_kind when 'alertmanager' then c.payload end
            ) with ordinality a
        ))
        from monitoring.claim_notifications('r', 10, 60) c
    );
end
$$;

delete from monitoring.raised_alerts;
delete from monitoring.queued_notifications;
select pg_temp.at_time('2026-01-16 10:00+00');
select pg_temp.fire('h');
select pg_temp.fire('i');
select pg_temp.plan_at('2026-01-16 10:00+00');
select pg_temp.resolve('h');
select pg_temp.plan_at('2026-01-16 10:00:01+00');
select monitoring.define_notification_channel('ops', '{AM}');
select monitoring.send_test_notification('ops');

select is(
    pg_temp.claim_at('10:00:02'), array['1: i', '1:'],
    'one message at a time goes to an Alertmanager, without what a later one says; others go along'
);

select is(pg_temp.claim_at('10:00:03'), '{}', 'the next waits for it to be noted');

select monitoring.note_notification_sent(max(notification_id), 1) from monitoring.v_notifications;

select is(
    monitoring.next_notification_at(), '2026-01-16 10:01:02+00'::timestamptz,
    'so that there is nothing to look for before its lease ends'
);

select is(
    monitoring.note_notification_failed(
        (select min(notification_id) from monitoring.v_notifications), 1, 'away'
    ),
    'waiting', 'when it has failed'
);

select is(
    monitoring.next_notification_at(), '2026-01-16 10:00:01+00'::timestamptz, 'the next may go'
);

select is(pg_temp.claim_at('10:00:03'), array['1: h ended'], 'and does');
select monitoring.note_notification_sent(n.notification_id, 1)
from monitoring.v_notifications as n
where n.status = 'sending' and n.channel_name = 'am';

select is(
    pg_temp.claim_at('10:00:30'), array['2: i'], 'the first is tried again when that is due'
);

select pg_temp.resolve('i');
select pg_temp.plan_at('2026-01-16 10:00:31+00');

select is(
    monitoring.note_notification_failed(
        (select min(notification_id) from monitoring.v_notifications), 2, 'away'
    ),
    'waiting', 'and fails again'
);

update monitoring.queued_notifications set next_attempt_at = '2026-01-16 10:05+00'
where status = 'waiting';

select is(
    pg_temp.claim_at('10:05'), array['3:'],
    'with nothing left to tell it tells nothing, rather than what was so before'
);

select is(
    (
        select count(*) from monitoring.v_notifications
        where channel_name = 'am' and status = 'waiting'
    ),
    1::bigint, 'and the last of the three still waits for it'
);

select monitoring.remove_notification_channel('ops');

-- Behaviour: testing

select monitoring.send_test_notification('am');

select is(
    (
        select payload -> 0 -> 'labels' from monitoring.v_notifications
        order by notification_id desc limit 1
    ),
    '{"alertname": "pgvigil_test", "severity": "low", "channel": "am"}'::jsonb,
    'a test is an alert of its own'
);

select * from finish(); -- noqa: AM04
rollback;
