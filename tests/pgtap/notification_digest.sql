-- What waited while a target was away comes as one digest.

begin;
select plan(33);
\ir helpers/fixed_clock.psql
\ir helpers/alerts.psql

create function pg_temp.claim_at(p_time text) returns text[]
language plpgsql
as $$
begin
    perform set_config('monitoring.now', '2026-01-15 ' || p_time || '+00', true);
    return array(
        select format('%s %s: %s', c.kind, c.attempt, c.subject)
        from monitoring.claim_notifications('r', 10, 60) as c
        order by c.notification_id
    );
end
$$;

create function pg_temp.fails_at(p_time text) returns text[]
language plpgsql
as $$
declare
    v_claimed text[] := pg_temp.claim_at(p_time);
begin
    perform monitoring.note_notification_failed(n.notification_id, n.attempts, 'away')
    from monitoring.v_notifications as n where n.status = 'sending';
    return v_claimed;
end
$$;

create function pg_temp.arrives_at(p_time text) returns text[]
language plpgsql
as $$
declare
    v_claimed text[] := pg_temp.claim_at(p_time);
begin
    perform monitoring.note_notification_sent(n.notification_id, n.attempts)
    from monitoring.v_notifications as n where n.status = 'sending';
    return v_claimed;
end
$$;

create function pg_temp.unsent() returns text
language sql
as $$
    select string_agg(
        format('%s %s for %s', n.kind, n.attempts, n.folded), ', ' order by n.notification_id
    )
    from monitoring.v_notifications as n where n.finished_at is null
$$;

select monitoring.define_notification_channel(
    'ops', '{MAIL}', p_time_zone => 'UTC', p_max_attempts => 3,
    p_repeat => null
);

-- Folding

select pg_temp.fire('a', 'critical');
select pg_temp.told_at('12:00');
select is(
    pg_temp.fails_at('12:00'), array['alerts 1: CRITICAL: queue a: 612 waiting'], 'a message fails'
);
select is(pg_temp.unsent(), 'alerts 1 for 0', 'alone it waits as it is');
select pg_temp.fire('b');
select pg_temp.told_at('12:00:01');
select is(
    pg_temp.fails_at('12:00:01'), array['alerts 1: HIGH: queue b: 612 waiting'],
    'what is new is tried by itself'
);
select is(pg_temp.unsent(), 'digest 1 for 2', 'when it fails as well both are one');
select pg_temp.fire('c', 'low');
select pg_temp.resolve('b');
select pg_temp.told_at('12:00:02');
select pg_temp.fails_at('12:00:02');
select is(pg_temp.unsent(), 'digest 1 for 3', 'however many there are');
select is(
    pg_temp.fails_at('12:01'),
    array['digest 2: 3 messages late: CRITICAL: queue a: 612 waiting (+2 more: 1 low, 1 resolved)'],
    'it is tried again when the first would have been, and says what is so by then'
);
select is(pg_temp.unsent(), 'digest 2 for 3', 'and may fail');
select pg_temp.fire('d', 'medium');
select pg_temp.told_at('12:01:01');
select pg_temp.fails_at('12:01:01');
select is(
    pg_temp.unsent(), 'digest 2 for 4', 'what is new spends none of its attempts'
);

-- The target is back

select pg_temp.fire('e', 'critical');
select pg_temp.resolve('c');
select pg_temp.told_at('12:01:02');
select is(
    pg_temp.arrives_at('12:01:02'),
    array['alerts 1: CRITICAL: queue e: 612 waiting (+1 more: 1 resolved)'],
    'the first message that gets through'
);
select is(
    pg_temp.arrives_at('12:01:03'),
    array[
        'digest 3: 4 messages late: CRITICAL: queue a: 612 waiting (+3 more: 1 medium, 2 resolved)'
    ],
    'has the digest follow at once, as it is by then'
);
select is(pg_temp.unsent(), null, 'and nothing else');
select matches(
    (select body from monitoring.v_notifications where kind = 'digest'),
    '^4 messages could not be sent since 2026-01-15 12:00 UTC[.] This is how what they '
    'reported stands now[.]\n\nCRITICAL: queue a: 612 waiting\n  value 612 messages.*\n\n'
    'MEDIUM: queue d.*\n\n'
    'RESOLVED after 1 s [(]high[)]: queue b.*\n\nRESOLVED after .*: queue c.*\n\n'
    'As of 2026-01-15 12:01 UTC',
    'how many, since when, what fires and what has resolved'
);
select results_eq(
    $$
        select n.folded, n.payload ->> 'messages', n.payload ->> 'kind',
            jsonb_array_length(n.payload -> 'alerts')
        from monitoring.v_notifications n where n.kind = 'digest'
    $$,
    $$values (4, '4', 'digest', 4)$$, 'programs get the same'
);

-- Given up

select pg_temp.fire('f', 'critical');
select pg_temp.told_at('13:00');
select pg_temp.fails_at('13:00');
select pg_temp.fails_at('13:10');
select pg_temp.fails_at('13:20');
select is(
    (
        select array_agg(status)
        from monitoring.v_notifications
        where created_at >= '2026-01-15 13:00+00'
    ),
    array['dead'], 'what fails too often is given up'
);
select is(
    (
        select value from monitoring.alert_rules as r,
            monitoring._find_dead_notifications(r, monitoring.clock())
        where r.rule_name = 'notification_dead'
    ),
    1::float8, 'and told so'
);
select pg_temp.resolve('a');
select pg_temp.fire('g', 'low');
select pg_temp.told_at('13:30');
select pg_temp.arrives_at('13:30');
select is(
    pg_temp.fails_at('13:30:01'),
    array['digest 1: 1 message late: CRITICAL: queue f: 612 waiting'],
    'once the target is back a digest tells that it still fires'
);
select is(
    (select count(folded_into) from monitoring.v_notifications), 0::bigint,
    'until it has got through'
);
select pg_temp.arrives_at('13:40');
select is(
    (select count(folded_into) from monitoring.v_notifications where status = 'dead'), 1::bigint,
    'what was given up is told then'
);
select is_empty(
    $$
        select * from monitoring.alert_rules r,
            monitoring._find_dead_notifications(r, monitoring.clock())
        where r.rule_name = 'notification_dead'
    $$,
    'and an alert no longer'
);
select pg_temp.fire('h', 'low');
select pg_temp.told_at('13:50');
select pg_temp.arrives_at('13:50');
select is(pg_temp.unsent(), null, 'nor told again');

-- No runner

select pg_temp.fire('i' || n, 'medium') from generate_series(1, 3) as n;
select pg_temp.told_at('14:00');
select pg_temp.fire('j', 'high');
select pg_temp.told_at('14:05');
select pg_temp.resolve('i1');
select pg_temp.told_at('14:11');
select is(
    pg_temp.arrives_at('14:11'),
    array['digest 1: 3 messages late: HIGH: queue j: 612 waiting (+3 more: 2 medium, 1 resolved)'],
    'what nobody sent for ten minutes is one digest'
);
select pg_temp.fire('k', 'low');
select pg_temp.told_at('14:12');
select pg_temp.fire('l', 'low');
select pg_temp.told_at('14:13');
select is(
    pg_temp.arrives_at('14:14'), array['alerts 1: LOW: queue k: 612 waiting'],
    'what is younger goes as it is'
);
select pg_temp.arrives_at('14:15');

-- What cannot be folded

select pg_temp.at_time('2026-01-15 15:00+00');
select monitoring.send_test_notification('ops');
select pg_temp.fails_at('15:00');
select monitoring.send_test_notification('ops');
select pg_temp.fails_at('15:00:01');
select is(pg_temp.unsent(), 'test 1 for 0, test 1 for 0', 'a test stays a test');
delete from monitoring.queued_notifications;

-- A flood while a target is away stays small

delete from monitoring.raised_alerts;

do $$
begin
    for v_minute in 0..59 loop
        perform pg_temp.fire('m' || v_minute);
        perform pg_temp.told_at(to_char(time '16:00' + make_interval(mins => v_minute), 'HH24:MI'));
        perform pg_temp.fails_at(to_char(time '16:00' + make_interval(mins => v_minute), 'HH24:MI'));
    end loop;
end
$$;
select ok(
    (select count(*) from monitoring.v_notifications where status = 'waiting') <= 2,
    'an hour of failures is two messages at most'
);
select pg_temp.fire('last', 'critical');
select pg_temp.told_at('17:00');
select pg_temp.arrives_at('17:00');
select pg_temp.arrives_at('17:00:01');
select is(
    (
        select count(distinct a ->> 'fingerprint')
        from monitoring.v_notifications as n, jsonb_array_elements(n.payload -> 'alerts') as a
        where n.status = 'sent'
    ),
    61::bigint, 'and none of what still fires is lost'
);
select is(
    (select count(*) from monitoring.v_notifications where status = 'sent'), 2::bigint,
    'in two messages'
);
select matches(
    (select body from monitoring.v_notifications where kind = 'digest' and status = 'sent'),
    'and 40 more', 'of which twenty are spelt out'
);

-- Gone alerts and channels

delete from monitoring.queued_notifications;
delete from monitoring.raised_alerts;
select pg_temp.fire('gone');
select pg_temp.told_at('18:00');
select pg_temp.fails_at('18:00');
select pg_temp.fire('gone too');
select pg_temp.told_at('18:00:01');
select pg_temp.fails_at('18:00:01');
delete from monitoring.raised_alerts where fingerprint like 'gone%';
select monitoring.remove_notification_channel('ops');
select is(
    pg_temp.arrives_at('18:05'),
    array['digest 2: 2 messages could not be sent since 2026-01-15 18:00 UTC.'],
    'alerts that are kept no longer, and a channel that was removed, stop nothing'
);
select matches(
    (select body from monitoring.v_notifications where kind = 'digest'),
    '^2 messages could not be sent since 2026-01-15 18:00 UTC[.] Nothing that they '
    'reported is still open[.]\n\nAs of',
    'and the digest says so'
);

-- Giving back

select monitoring.define_notification_channel('ops', '{MAIL}');
select pg_temp.fire('n');
select pg_temp.told_at('19:00');
select is(pg_temp.claim_at('19:00'), array['alerts 1: HIGH: queue n: 612 waiting'], 'a claim');
select ok(
    (
        select monitoring.release_notification(notification_id, attempts)
        from monitoring.v_notifications
        where status = 'sending'
    ),
    'can be given back'
);
select is(
    pg_temp.claim_at('19:00:01'), array['alerts 1: HIGH: queue n: 612 waiting'],
    'and has spent no attempt'
);
select is(
    (
        select monitoring.release_notification(notification_id, 7) from monitoring.v_notifications
        where status = 'sending'
    ),
    false, 'by who has it'
);

select * from finish(); -- noqa: AM04
rollback;
