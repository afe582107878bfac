-- The daily summary of a channel.

begin;
select plan(22);
\ir helpers/fixed_clock.psql
\ir helpers/alerts.psql

create function pg_temp.last_body() returns text
language sql
as $$
    select replace(body, notification_key::text, '<key>')
    from monitoring.v_notifications order by notification_id desc limit 1
$$;

create function pg_temp.last_subject() returns text
language sql
as $$ select subject from monitoring.v_notifications order by notification_id desc limit 1 $$;

-- Behaviour: when

select monitoring.define_notification_channel(
    'ops', '{MAIL}', p_summary_time => '07:30', p_time_zone => 'Europe/Berlin', p_repeat => null
);

select is(
    pg_temp.told_at('12:30'), '{}', 'of the day whose time has passed when it is set none is made'
);

select is(array(select pg_temp.plan_at('2026-01-16 06:29:59+00')), '{}', 'nor before the time');

select is(
    array(select pg_temp.plan_at('2026-01-16 06:30+00')), array['ops MAIL summary:'],
    'at the time of day of the time zone it is made'
);

select is(
    pg_temp.last_subject(), 'Daily summary: 0 open, 0 tasks failed, 0 errors', 'on a quiet day'
);

select is(
    pg_temp.last_body(),
    'The 24 hours up to 2026-01-16 07:30 Europe/Berlin

Alerts open: 0

Alerts opened: 0

Alerts resolved: 0

Tasks: 0 ended, 0 failed

Errors: 0

As of 2026-01-16 07:30 Europe/Berlin
Notification <key>',
    'it says so'
);

select is(array(select pg_temp.plan_at('2026-01-16 06:31+00')), '{}', 'once a day');
select is(array(select pg_temp.plan_at('2026-01-16 22:59+00')), '{}', 'until it is over');

select is(
    array(select pg_temp.plan_at('2026-01-17 09:00+00')), array['ops MAIL summary:'],
    'late rather than never'
);

-- Behaviour: what

select pg_temp.at_time('2026-01-17 12:00+00');
select pg_temp.fire('old', 'medium');
select pg_temp.plan_at('2026-01-17 12:00+00');
select pg_temp.at_time('2026-01-18 01:00+00');
select pg_temp.fire('worst', 'critical');
select pg_temp.fire('known', 'high');
select pg_temp.acknowledge('known');
select pg_temp.fire('gone', 'high');
select pg_temp.fire('pending', 'critical');
update monitoring.raised_alerts set status = 'pending', fired_at = null
where fingerprint = 'pending';
select pg_temp.plan_at('2026-01-18 01:00+00');
select pg_temp.at_time('2026-01-18 01:45+00');
select pg_temp.resolve('gone');
select monitoring.start_task_tracking('t' || n, 'nightly') from generate_series(1, 3) as n;
select monitoring.complete_task_tracking('t1', 'failed');
select monitoring.complete_task_tracking('t2', 'failed');
select monitoring.complete_task_tracking('t3');
select monitoring.record_error('t1', 'ValueError', 'high', 'no', 'loader');
select monitoring.record_error('t1', E'Odd\nError', 'critical', 'no');
select pg_temp.plan_at('2026-01-18 01:45+00');
select pg_temp.fire('last', 'low');

select is(
    array(select pg_temp.plan_at('2026-01-18 06:30+00')),
    array[
        'ops MAIL alerts: firing last',
        'ops MAIL summary: firing worst, firing known, firing old, firing last'
    ],
    'it is a message of its own, with all that fires, worst first'
);

select is(
    pg_temp.last_subject(),
    'Daily summary: 4 open (1 critical, 1 high, 1 medium, 1 low), 2 tasks failed, 3 errors',
    'its subject counts'
);

select is(
    pg_temp.last_body(),
    'The 24 hours up to 2026-01-18 07:30 Europe/Berlin

Alerts open: 4 (1 critical, 1 high, 1 medium, 1 low)
  CRITICAL for 5 h 30 min: queue worst: 612 waiting
  HIGH for 5 h 30 min: queue known: 612 waiting, acknowledged by ann
  MEDIUM for 18 h 30 min: queue old: 612 waiting
  LOW for 4 h 45 min: queue last: 612 waiting

Alerts opened: 5

Alerts resolved: 1 (1 high)
  RESOLVED after 45 min (high): queue gone: 612 waiting

Tasks: 3 ended, 2 failed
  nightly: 2 of 3 failed

Errors: 3
  CRITICAL 1: Odd Error
  HIGH 1: ValueError in loader
  LOW 1: ValueRepaired in pgvigil

As of 2026-01-18 07:30 Europe/Berlin
Notification <key>',
    'its text tells what fires and for how long, what opened and resolved, what failed'
);

select results_eq(
    $$
        select payload - 'alerts' - 'key' from monitoring.v_notifications
        order by notification_id desc limit 1
    $$,
    $$
        values (jsonb '{"channel": "ops", "kind": "summary", "held_back": 0, "opened": 5,
            "created_at": "2026-01-18T06:30:00.000000Z", "resolved": 1, "tasks_ended": 3,
            "tasks_failed": 2, "errors": 3}')
    $$,
    'programs get the numbers'
);

select pg_temp.plan_at('2026-01-19 06:30+00');

select matches(
    pg_temp.last_body(), E'\n\nAlerts opened: 0\n\nAlerts resolved: 0\n\n',
    'what is older than a day is not counted'
);

-- Behaviour: what belongs into the channel

select monitoring.define_notification_channel(
    'ops', '{MAIL}', p_minimum_severity => 'medium', p_repeat => null, p_summary_time => '07:30',
    p_time_zone => 'Europe/Berlin', p_matchers => '{"queue": {"not": "worst"}}'
);

select is(
    array(select pg_temp.plan_at('2026-01-20 06:30+00')),
    array['ops MAIL summary: firing known, firing old'],
    'alerts that do not belong into the channel are not in its summary'
);

-- Boundaries: many alerts

select pg_temp.fire('flood ' || to_char(n, 'FM00'), 'high') from generate_series(1, 25) as n;
select pg_temp.plan_at('2026-01-20 06:31+00');
select pg_temp.plan_at('2026-01-21 06:30+00');

select results_eq(
    $$
        select (select count(*) from regexp_matches(pg_temp.last_body(), '^  HIGH', 'gn')),
            (regexp_match(pg_temp.last_body(), '\n  and (\d+) more\n'))[1],
            (regexp_match(pg_temp.last_body(), '^Alerts open: .*$', 'n'))[1]
    $$,
    $$values (20::bigint, '7', 'Alerts open: 27 (26 high, 1 medium)')$$,
    'it spells out twenty'
);

-- Boundaries: setting the time

select monitoring.define_notification_channel(
    'ops', '{MAIL}', p_summary_time => '12:00', p_time_zone => 'Europe/Berlin', p_repeat => null,
    p_minimum_severity => 'critical'
);

select is(
    array(select pg_temp.plan_at('2026-01-21 12:00+00')), '{}',
    'a later time of day is tomorrow''s when there was one today'
);

select is(
    array(select pg_temp.plan_at('2026-01-22 11:00+00')), array['ops MAIL summary: firing worst'],
    'and then holds'
);

-- Boundaries: clocks

select pg_temp.plan_at('2026-03-28 11:00+00');

select is(
    array(select pg_temp.plan_at('2026-03-29 09:59+00')), '{}', 'in summer the clocks are ahead'
);

select is(
    array(select pg_temp.plan_at('2026-03-29 10:00+00')), array['ops MAIL summary: firing worst'],
    'and the summary an hour earlier'
);

select is(
    array(select pg_temp.plan_at('2026-03-28 10:00+00')), '{}',
    'a clock that is put back by a day brings no second summary'
);

select is(
    array(select pg_temp.plan_at('2026-03-20 11:30+00')), array['ops MAIL summary: firing worst'],
    'one that is put back by more does not do without until it is as late as it was'
);

-- Boundaries: figures that cannot be had

alter view monitoring.v_error_summary rename to out_of_the_way;
select pg_temp.plan_at('2026-03-21 11:30+00');

select matches(
    pg_temp.last_body(),
    E'\n\nTasks and errors could not be counted: relation "monitoring.v_error_summary" does not '
    'exist\n',
    'a summary without figures says why, and alerts are told all the same'
);

select * from finish(); -- noqa: AM04
rollback;
