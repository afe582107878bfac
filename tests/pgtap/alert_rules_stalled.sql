-- The built-in rule queue_stalled: work is waiting or being done, and nothing completes.

begin;
select plan(21);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql

-- Samples of a queue, each so long after the one before; completed grows by a step.
create function pg_temp.samples(
    p_queue text, p_from text, p_to text, p_pending bigint, p_processing bigint,
    p_completed bigint, p_step bigint default 0, p_every interval default '1 minute'
)
returns bigint
language sql
as $$
    select count(monitoring.record_queue_metrics(
        p_queue, p_pending, p_processing, p_completed + p_step * (s.number - 1),
        p_recorded_at => s.at
    ))
    from generate_series(p_from::timestamptz, p_to::timestamptz, p_every)
        with ordinality as s (at, number)
$$;

-- Value and severity of a queue as of a time of the day.
create function pg_temp.stalled(p_queue text, p_at text default '12:00') returns text
language sql
as $$
    select coalesce(round(j.value::numeric, 2)::text, 'unknown') || coalesce(' ' || j.severity, '')
    from pg_temp.judge('queue_stalled', '2026-01-15 ' || p_at || '+00') as j
    where j.fingerprint = p_queue
$$;

select is_empty(
    $$select * from pg_temp.find('queue_stalled')$$, 'without samples no queue is found'
);

-- A queue that completes something each minute until 11:30.
select pg_temp.samples('mail', '2026-01-15 10:00+00', '2026-01-15 11:30+00', 3, 1, 100, 1);
select pg_temp.samples('mail', '2026-01-15 11:31+00', '2026-01-15 13:00+00', 3, 1, 190);
select is(pg_temp.stalled('mail', '11:30'), '0.00', 'one that completes something is not stalled');
select is(pg_temp.stalled('mail', '11:33'), '0.60', 'nor a moment later');
select is(pg_temp.stalled('mail', '11:44'), '2.80', 'nor just below the threshold');
select is(pg_temp.stalled('mail', '11:45'), '3.00 high', 'at the threshold it is');
select is(pg_temp.stalled('mail', '12:29'), '11.80 high', 'for long');
select is(pg_temp.stalled('mail', '12:30'), '12.00 critical', 'and longer');
select results_eq(
    $$
        select labels, summary
        from pg_temp.find('queue_stalled', '2026-01-15 11:45+00') where fingerprint = 'mail'
    $$,
    $$
        values (
            '{"queue": "mail"}'::jsonb,
            'queue mail: nothing completed for 15 min, usually for no longer than 5 min; 3 '
            'waiting, 1 worked on'
        )
    $$,
    'a finding says how long, and what is usual'
);
select is(
    pg_temp.stalled('mail', '13:59'), '18.00 critical',
    'what is not measured does not grow'
);
select is(
    pg_temp.stalled('mail', '14:01'), 'unknown', 'and is not known after an hour, rather than fine'
);

-- Pace

-- Its jobs take half an hour each; once it stood for two hours.
select pg_temp.samples(
    'slow', '2026-01-14 12:00+00', '2026-01-15 06:00+00', 0, 1, 10, 1, '30 minutes'
);
select pg_temp.samples('slow', '2026-01-15 06:10+00', '2026-01-15 06:20+00', 0, 1, 46, 0, '10 min');
select pg_temp.samples('slow', '2026-01-15 06:30+00', '2026-01-15 06:50+00', 0, 1, 47, 0, '10 min');
select pg_temp.samples('slow', '2026-01-15 07:00+00', '2026-01-15 07:20+00', 0, 1, 48, 0, '10 min');
select pg_temp.samples('slow', '2026-01-15 07:30+00', '2026-01-15 09:30+00', 0, 1, 49, 0, '10 min');
select pg_temp.samples('slow', '2026-01-15 09:40+00', '2026-01-15 13:00+00', 0, 1, 50, 0, '10 min');
select is(pg_temp.stalled('slow', '10:30'), '2.50', 'a slow queue is given more time');
select is(
    pg_temp.stalled('slow', '10:40'), '3.00 high',
    'by the longest pause but one, as the longest may have been trouble'
);

-- Edges

select pg_temp.samples('idle', '2026-01-15 10:00+00', '2026-01-15 12:00+00', 0, 0, 7);
select is(pg_temp.stalled('idle'), '0.00', 'one without work may rest');
select pg_temp.samples('woken', '2026-01-15 10:00+00', '2026-01-15 11:50+00', 0, 0, 7);
select pg_temp.samples('woken', '2026-01-15 11:51+00', '2026-01-15 12:00+00', 1, 0, 7);
select is(
    pg_temp.stalled('woken'), '1.80', 'what counts is since when there was work'
);
select pg_temp.samples('silent', '2026-01-15 10:00+00', '2026-01-15 12:00+00', 5, 1, 0);
select is(
    pg_temp.stalled('silent'), 'unknown',
    'of one that does not tell what it completed nothing is known'
);
select pg_temp.samples('back', '2026-01-15 08:00+00', '2026-01-15 09:00+00', 1, 0, 500, 1);
select pg_temp.samples('back', '2026-01-15 11:40+00', '2026-01-15 12:00+00', 5, 0, 0);
select is(
    pg_temp.stalled('back'), '4.00 high', 'unless it told so before its total began anew'
);
select pg_temp.samples('reset', '2026-01-15 10:00+00', '2026-01-15 11:55+00', 5, 1, 900);
select pg_temp.samples('reset', '2026-01-15 11:56+00', '2026-01-15 12:00+00', 5, 1, 3);
select is(pg_temp.stalled('reset'), '0.80', 'a total that falls is a new beginning');
select is(
    pg_temp.stalled('mail', '11:20'), '0.00', 'what happened later does not count'
);
select monitoring.change_alert_rule('queue_stalled', '{"parameters": {"min_minutes": 30}}');
select is(pg_temp.stalled('mail', '11:45'), '0.50', 'the shortest pause that is long can be set');
select monitoring.set_alert_thresholds('queue_stalled', '{"medium": 0.4}', '{"queue": "mail"}');
select is(
    pg_temp.stalled('mail', '11:45'), '0.50 medium', 'and thresholds, for each queue'
);
select pg_temp.samples('(other)', '2026-01-15 11:00+00', '2026-01-15 12:00+00', 5, 1, 9);
select is(
    (select count(*) from pg_temp.find('queue_stalled') where fingerprint = '(other)'), 1::bigint,
    'one that is called like those beyond the limit of names is found once'
);

select * from finish(); -- noqa: AM04
rollback;
