-- The outbox: claims, leases, attempts and what becomes of a message.

begin;
select plan(56);
\ir helpers/fixed_clock.psql
\ir helpers/alerts.psql
\ir helpers/refusals.psql

select monitoring.define_notification_channel('ops', '{MAIL}', p_max_attempts => 3);
select pg_temp.fire('a');
select pg_temp.told_at('12:00');

-- What is claimed at a time: "attempt queue target" of each message.
create function pg_temp.claim_at(
    p_time text, p_at_most integer default 10, p_lease float8 default 60, p_runner text default 'r'
)
returns text[]
language plpgsql
as $$
begin
    perform set_config('monitoring.now', '2026-01-15 ' || p_time || '+00', true);
    return array(
        select concat_ws(' ', c.attempt, c.payload -> 'alerts' -> 0 ->> 'fingerprint', c.target)
        from monitoring.claim_notifications(p_runner, p_at_most, p_lease) c
    );
end
$$;

create function pg_temp.first() returns bigint
language sql
as $$ select min(notification_id) from monitoring.v_notifications $$;

-- Interface

select results_eq(
    $$
        select notification_id, channel_name, target, kind, status, attempts, next_attempt_at,
            leased_by, last_error, finished_at
        from monitoring.v_notifications
    $$,
    $$
        values (pg_temp.first(), 'ops', 'MAIL', 'alerts', 'waiting', 0,
            '2026-01-15 12:00+00'::timestamptz, null::text, null::text, null::timestamptz)
    $$,
    'a message waits from the moment it is made'
);

select is(
    monitoring.next_notification_at(), '2026-01-15 12:00+00'::timestamptz,
    'a runner can ask when there is something to send'
);

select results_eq(
    $$
        select notification_id, channel_name, channel_kind, target, kind, subject, attempt,
            created_at, payload ->> 'key' = notification_key::text
        from monitoring.claim_notifications('r1', 10, 30)
    $$,
    $$
        values (pg_temp.first(), 'ops', 'apprise', 'MAIL', 'alerts', 'HIGH: queue a: 612 waiting', 1,
            '2026-01-15 12:00+00'::timestamptz, true)
    $$,
    'a claim gives all that is needed to send it'
);

select results_eq(
    'select status, attempts, next_attempt_at, leased_by from monitoring.v_notifications',
    $$values ('sending', 1, '2026-01-15 12:00:30+00'::timestamptz, 'r1')$$,
    'the row says who has it and until when'
);

-- Behaviour: sent

select is(pg_temp.claim_at('12:00:29'), '{}', 'as long as the lease runs nobody else gets it');
select ok(
    monitoring.note_notification_sent(pg_temp.first(), 1), 'who has it says that it was sent'
);

select results_eq(
    'select status, finished_at, next_attempt_at, last_error from monitoring.v_notifications',
    $$
        values ('sent', '2026-01-15 12:00:29+00'::timestamptz, null::timestamptz, null::text)
    $$,
    'then it is'
);

select is(pg_temp.claim_at('12:10'), '{}', 'and is not sent again');
select is(monitoring.next_notification_at(), null, 'nothing waits');
select ok(
    not monitoring.note_notification_sent(pg_temp.first(), 1), 'saying so again does nothing'
);

select is(
    monitoring.note_notification_failed(pg_temp.first(), 1, 'late'), null,
    'nor does saying that it failed'
);

delete from monitoring.queued_notifications;

-- Behaviour: leases that run out

select pg_temp.fire('b');
select pg_temp.told_at('13:00');
select pg_temp.claim_at('13:00', p_lease => 60);
select is(pg_temp.claim_at('13:00:59'), '{}', 'a lease holds to its end');

select is(
    monitoring.next_notification_at(), '2026-01-15 13:01+00'::timestamptz,
    'its end is when to look again'
);

select is(
    pg_temp.claim_at('13:01', p_lease => 60, p_runner => 'r2'), array['2 b MAIL'],
    'then another gets it, and that counts as an attempt'
);

select is(
    (select last_error from monitoring.v_notifications),
    'attempt 1 did not report back: the lease of r expired', 'what became of the first is noted'
);

select ok(
    not monitoring.note_notification_sent(pg_temp.first(), 1),
    'whoever had it before can no longer say that it was sent'
);

select is(
    monitoring.note_notification_failed(pg_temp.first(), 1, 'late'), null, 'nor that it failed'
);

select is(
    (select status from monitoring.v_notifications), 'sending', 'it belongs to the second'
);

select is(pg_temp.claim_at('13:02'), array['3 b MAIL'], 'a third attempt is the last');
select is(pg_temp.claim_at('13:03'), '{}', 'when its lease runs out as well');

select results_eq(
    'select status, attempts, last_error, finished_at from monitoring.v_notifications',
    $$
        values ('dead', 3, 'attempt 3 did not report back: the lease of r expired',
            '2026-01-15 13:03+00'::timestamptz)
    $$,
    'the message is given up, visibly'
);

select results_eq(
    'select waiting, dead, last_sent_at from monitoring.v_notification_channels',
    'values (0::bigint, 1::bigint, null::timestamptz)',
    'its channel shows that'
);

-- Behaviour: retrying

select ok(monitoring.retry_notification(pg_temp.first()), 'a dead message can be retried');
select ok(not monitoring.retry_notification(pg_temp.first()), 'once, as long as it lives');

select is(
    pg_temp.claim_at('13:04'), array['4 b MAIL'],
    'its attempts count on, so that none from before can be taken for one after'
);

select ok(not monitoring.note_notification_sent(pg_temp.first(), 1), 'the first cannot mark it');

select is(
    monitoring.note_notification_failed(pg_temp.first(), 4, 'refused'), 'waiting',
    'it has as many attempts as before'
);

select ok(
    (select next_attempt_at from monitoring.v_notifications)
    between '2026-01-15 13:04:07.4+00' and '2026-01-15 13:04:22.6+00',
    'and they begin with short waits again'
);

select pg_temp.claim_at('13:05');
select monitoring.note_notification_failed(pg_temp.first(), 5, 'refused');
select pg_temp.claim_at('13:10');

select is(
    monitoring.note_notification_failed(pg_temp.first(), 6, 'refused'), 'dead',
    'then it is dead again'
);

delete from monitoring.queued_notifications;

-- Behaviour: failed

select pg_temp.fire('c');
select pg_temp.told_at('14:00');
select pg_temp.claim_at('14:00');

select is(
    monitoring.note_notification_failed(pg_temp.first(), 1, 'connection refused'), 'waiting',
    'what failed is tried again'
);

select results_eq(
    'select status, attempts, last_error, finished_at from monitoring.v_notifications',
    $$values ('waiting', 1, 'connection refused', null::timestamptz)$$,
    'why it failed is shown'
);

select ok(
    (select next_attempt_at from monitoring.v_notifications)
    between '2026-01-15 14:00:07.4+00' and '2026-01-15 14:00:22.6+00',
    'in 15 seconds, half as much more or less'
);

select is(pg_temp.claim_at('14:00:07'), '{}', 'not before');
select is(pg_temp.claim_at('14:00:23'), array['2 c MAIL'], 'then it is claimed');

select is(
    monitoring.note_notification_failed(pg_temp.first(), 2, repeat('x', 9000)), 'waiting', 'again'
);

select ok(
    (select next_attempt_at - '2026-01-15 14:00:23+00' from monitoring.v_notifications)
    between interval '14.9 seconds' and interval '45.1 seconds',
    'after twice as long'
);

select is(
    (select length(last_error) < 8100 from monitoring.v_notifications), true,
    'an error is cut when it is long'
);

select is(pg_temp.claim_at('14:02'), array['3 c MAIL'], 'a third time');

select is(
    monitoring.note_notification_failed(pg_temp.first(), 3, null), 'dead', 'then it is given up'
);

select is(
    (select last_error from monitoring.v_notifications), 'no reason given', 'whatever is said'
);
delete from monitoring.queued_notifications;
select monitoring.define_notification_channel('ops', '{MAIL}');
select pg_temp.fire('d');
select pg_temp.told_at('14:10');
select pg_temp.claim_at('14:10');

select is(
    monitoring.note_notification_failed(pg_temp.first(), 1, 'no such address', true), 'dead',
    'what can never succeed is given up at once'
);

select monitoring.retry_notification(pg_temp.first());
delete from monitoring.queued_notifications;

select
    ok(
        bool_and(
            monitoring._next_attempt_at('2026-01-15 12:00+00', attempts) - '2026-01-15 12:00+00'
            between make_interval(secs => wait * 0.49) and make_interval(secs => wait * 1.51)
        ),
        'waits double up to an hour'
    )
from (
    values (1, 15), (2, 30), (3, 60), (8, 1920), (9, 3600), (12, 3600), (100, 3600)
) as waits (attempts, wait),
    generate_series(1, 20);

select cmp_ok(
    (
        select count(distinct monitoring._next_attempt_at('2026-01-15 12:00+00', 1))
        from generate_series(1, 20)
    ),
    '>', 10::bigint,
    'and are not all the same'
);

-- Behaviour: order

select pg_temp.fire('old');
select pg_temp.told_at('15:00');
select pg_temp.claim_at('15:00');
select monitoring.note_notification_failed(pg_temp.first(), 1, 'away');
select monitoring.define_notification_channel('ops', '{MAIL, CHAT}');
select pg_temp.fire('new');
select pg_temp.told_at('15:01');

select is(
    pg_temp.claim_at('15:02', 1), array['1 new MAIL'], 'at most as many as asked for are claimed'
);

select is(
    pg_temp.claim_at('15:02'), array['1 new CHAT'],
    'what is new goes before what has failed, and one message at a time to each target'
);

delete from monitoring.queued_notifications;

-- Boundaries: clocks that are set

select monitoring.define_notification_channel('ops', '{MAIL}');

select pg_temp.fire('e');
select pg_temp.told_at('20:00');
select pg_temp.claim_at('20:00', p_lease => 600);

select is(
    pg_temp.claim_at('18:30'), '{}', 'a clock that is put back a little lets a lease run longer'
);

select is(
    monitoring.next_notification_at(), '2026-01-15 20:10+00'::timestamptz, 'up to its end'
);

select is(
    pg_temp.claim_at('12:00'), array['2 e MAIL'],
    'one that is put back by hours does not keep a message for hours'
);

select monitoring.note_notification_sent(max(n.notification_id), 2)
from monitoring.v_notifications as n;
select pg_temp.fire('f');
select pg_temp.told_at('23:00');
select pg_temp.at_time('2026-01-15 12:00:30+00');

select is(
    monitoring.next_notification_at(), '2026-01-15 12:00:30+00'::timestamptz,
    'what was to be sent later than can be is to be sent now'
);

select is(pg_temp.claim_at('12:00:30'), array['1 f MAIL'], 'and is');

-- Refusals

select
    is(
        pg_temp.refusal_of(call),
        row(code, message, hint)::pg_temp.refusal,
        'refused: ' || call
    )
from (
    values
    (
        'monitoring.claim_notifications('''')', 'PV001', 'runner is empty: ""',
        'Give runner a name of 1 to 255 characters that are not all blank.'
    ),
    (
        'monitoring.claim_notifications(''r'', 0)', 'PV004', 'at_most is out of range: 0',
        'Give at_most as a number from 1 to 1000.'
    ),
    (
        'monitoring.claim_notifications(''r'', 1, 0.5)', 'PV004',
        'lease_seconds is out of range: 0.5', 'Give lease_seconds as a number from 1 to 3600.'
    ),
    (
        'monitoring.claim_notifications(''r'', 1, ''NaN'')', 'PV004',
        'lease_seconds is out of range: NaN', 'Give lease_seconds as a number from 1 to 3600.'
    ),
    (
        'monitoring.retry_notification(-1)', 'PV007', 'there is no notification -1',
        'Take the number from v_notifications.'
    ),
    (
        'monitoring.retry_notification(null)', 'PV007', 'there is no notification null',
        'Take the number from v_notifications.'
    )
) as refused (call, code, message, hint);

select * from finish(); -- noqa: AM04
rollback;
