-- One message for each channel and target, with all that is to be told there, worst first.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/alerts.psql

select monitoring.define_notification_channel('ops', '{MAIL, CHAT}', p_repeat => '1 hour');

-- Behaviour: one message

select pg_temp.fire('old', 'critical');
select pg_temp.fire('over', 'high');
select pg_temp.told_at('12:00');
select pg_temp.resolve('over');
select pg_temp.fire('low', 'low');
select pg_temp.fire('high', 'high');
select pg_temp.fire('medium', 'medium');
select pg_temp.fire('worst', 'critical');

select is(
    pg_temp.told_at('13:00'),
    array[
        'ops MAIL alerts: firing worst, reminder old, firing high, firing medium, firing low, '
        'resolved over',
        'ops CHAT alerts: firing worst, reminder old, firing high, firing medium, firing low, '
        'resolved over'
    ],
    'what is to be told at one time is one message: worst first, what is new before reminders, '
    'what has resolved last'
);

select is(
    (select subject from monitoring.v_notifications order by notification_id desc limit 1),
    'CRITICAL: queue worst: 612 waiting (+5 more: 1 critical, 1 high, 1 medium, 1 low, 1 resolved)',
    'the subject names the worst and counts the others'
);

select results_eq(
    $$
        select target, count(distinct notification_key), bool_and(payload ->> 'key' = notification_key::text),
            bool_and(body ~ (E'\n\nAs of .* UTC\nNotification ' || notification_key || '$'))
        from monitoring.v_notifications group by target order by target
    $$,
    $$values ('CHAT', 2::bigint, true, true), ('MAIL', 2, true, true)$$,
    'each message has a key of its own, which its text ends with'
);

select is(
    (select count(*) from monitoring.v_notifications where body ~ '^CRITICAL: queue worst'),
    2::bigint, 'the text begins with the worst'
);

-- Behaviour: a flood

select pg_temp.fire('flood ' || to_char(n, 'FM0000'), 'high') from generate_series(1, 1500) as n;

select is(
    (select count(*) from pg_temp.plan_at('2026-01-15 13:01+00')), 2::bigint,
    'fifteen hundred alerts are one message to each target'
);

select results_eq(
    $$
        select subject, jsonb_array_length(payload -> 'alerts'),
            (regexp_match(body, E'\n\nand (\\d+) more\n\n'))[1],
            (select count(*) from regexp_matches(body, '^HIGH: ', 'gn'))
        from monitoring.v_notifications order by notification_id desc limit 1
    $$,
    $$
        values ('HIGH: queue flood 0001: 612 waiting (+1499 more: 1499 high)', 1000, '1480',
            20::bigint)
    $$,
    'which spells out twenty and counts the rest; programs get a thousand'
);

select is(
    (
        select count(*) from monitoring.raised_alerts
        where fingerprint ~ '^flood' and told -> 'ops' ->> 'event' = 'firing'
    ),
    1500::bigint,
    'all of them count as told'
);

select is(pg_temp.told_at('13:02'), '{}', 'so that they are not told again');

-- Behaviour: waking the runner

select is(
    (select monitoring._plan_notifications('2026-01-15 13:59+00')), 0,
    'planning returns how many messages it queued: none'
);

select pg_temp.fire('another');

select is(
    (select monitoring._plan_notifications('2026-01-15 13:59+00')), 2, 'one for each target'
);

-- Boundaries: the plans

select is(
    (
        select string_agg(plan_line, E'\n')
        from pg_temp.plan_at('2026-01-15 13:59:30+00') as plan_line
    ),
    null,
    'nothing is left'
);

set local enable_seqscan = off;

create function pg_temp.uses_untold_index() returns boolean
language plpgsql
as $$
declare
    v_line text;
begin
    for v_line in explain
        select a.alert_id from monitoring.raised_alerts a
        where a.resolved_at < 'infinity'
            and a.told @? '$.* ? (@.event != "resolved")'
            and a.told -> 'ops' ->> 'event' <> 'resolved'
    loop
        if v_line ~ 'raised_alerts_untold_ix' then
            return true;
        end if;
    end loop;
    return false;
end
$$;

select ok(
    pg_temp.uses_untold_index(),
    'resolved alerts of which nothing is left to tell are not looked through'
);

select is(
    (
        select count(*) from pg_proc
        where proname in ('_due_notices', '_due_hand_overs', '_close_told')
            and pronamespace = 'monitoring'::regnamespace
            and prosrc ~ 'a\.told @\? ''\$\.\* \? \(@\.event != "resolved"\)'''
            and prosrc ~ 'a\.resolved_at < ''infinity'''
    ),
    3::bigint,
    'all that look for them do so in these words'
);

-- Boundaries: nobody to tell

select monitoring.remove_notification_channel('ops');
select pg_temp.fire('unheard', 'critical');
select is(pg_temp.told_at('14:30'), '{}', 'without a channel nothing is queued');

select * from finish(); -- noqa: AM04
rollback;
