-- Silences: what matches them is not told while they hold.

begin;
select plan(23);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

select pg_temp.see('{"a": 20, "b": 200}');
select pg_temp.evaluate_at('12:00');

-- What is suppressed, as "a: silence, b: silence".
create function pg_temp.suppressed() returns text
language sql
as $$
    select string_agg(
        fingerprint || ': ' || regexp_replace(suppressed_by, '\d+', 'n'), ', ' order by fingerprint
    )
    from monitoring.v_active_alerts where suppressed_by is not null
$$;

create temporary table numbers (silence_id bigint);

-- Behaviour: its time

insert into numbers
select monitoring.silence_alerts('{"queue": "a"}', '10 minutes', 'moving', 'ann');
select is(pg_temp.suppressed(), 'a: silence n', 'what it matches is silenced');
select results_eq(
    $$
        select starts_at, ends_at, is_active, is_until_resolved, note collate "default",
            created_by collate "default"
        from monitoring.v_silences
    $$,
    $$
        values ('2026-01-15 12:00+00'::timestamptz, '2026-01-15 12:10+00'::timestamptz, true, false,
            'moving', 'ann')
    $$,
    'who made it, why and for how long is shown'
);
select pg_temp.set_clock('2026-01-15 12:09:59+00');
select is(pg_temp.suppressed(), 'a: silence n', 'a second before its end it holds');
select pg_temp.set_clock('2026-01-15 12:10+00');
select is(pg_temp.suppressed(), null, 'at its end it does not');
select monitoring.silence_alerts('{"queue": "a"}', p_starts_at => '2026-01-15 13:00+00');
select is(pg_temp.suppressed(), null, 'one may begin later');
select pg_temp.set_clock('2026-01-15 13:00+00');
select is(pg_temp.suppressed(), 'a: silence n', 'then it holds');
select pg_temp.set_clock('2026-01-15 14:00+00');
select is(pg_temp.suppressed(), null, 'for an hour when nothing is said');

-- Behaviour: ended early

insert into numbers select monitoring.silence_alerts('{"queue": "b"}', '1 day');
select is(
    monitoring.unsilence_alerts((select max(silence_id) from numbers), 'bob'), true,
    'it can be ended before its time'
);
select is(pg_temp.suppressed(), null, 'it is over at once');
select is(
    monitoring.unsilence_alerts((select max(silence_id) from numbers)), false,
    'a second time there is nothing to end'
);

-- Behaviour: what matches

select is(
    (
        select string_agg(m.matchers::text, ' ' order by m.position)
        from (
            values
            (1, '{"queue": "a"}'::jsonb), (2, '{"queue": ["x", "a"]}'),
            (3, '{"queue": {"regex": "[a-c]"}}'), (4, '{"queue": {"not": "b"}}'),
            (5, '{"queue": {"not": {"regex": "b.*"}}, "rule": "load"}'),
            (6, '{"severity": "medium"}'),
            (7, '{"fingerprint": "a", "family": "self"}'), (8, '{"team": ""}'),
            (9, '{"queue": "b"}'), (10, '{"queue": ["x"]}'), (11, '{"queue": {"regex": "[b-c]"}}'),
            (12, '{"queue": {"not": "a"}}'), (13, '{"queue": "a", "rule": "other"}'),
            (14, '{"queue": {"regex": ""}}'), (15, '{"team": "x"}')
        ) as m (position, matchers)
        where monitoring._matches(
                (
                    select labels
                    from monitoring._open_alerts
                    where alert_id = pg_temp.alert_about('a')
                ),
                m.matchers
            )
    ),
    '{"queue": "a"} {"queue": ["x", "a"]} {"queue": {"regex": "[a-c]"}} {"queue": {"not": "b"}} '
    '{"rule": "load", "queue": {"not": {"regex": "b.*"}}} {"severity": "medium"} '
    '{"family": "self", "fingerprint": "a"} {"team": ""}',
    'labels match texts, lists, whole expressions and their opposites; missing ones are empty'
);

-- Behaviour: until resolved

select monitoring.silence_alerts('{"rule": "load"}', p_until_resolved => true);
select pg_temp.evaluate_at('15:00');
select is(pg_temp.suppressed(), 'a: silence n, b: silence n', 'it may hold until all has resolved');
select pg_temp.see('{"b": 200}');
select pg_temp.evaluate_at('23:00');
select is(pg_temp.suppressed(), 'b: silence n', 'however long that takes');
select pg_temp.see('{}');
select pg_temp.evaluate_at('23:01');
select is(
    (
        select ended_by || to_char(ends_at at time zone 'UTC', ' HH24:MI')
        from monitoring.v_silences
        where is_until_resolved
    ),
    'pgvigil 23:01',
    'then it ends by itself'
);
select pg_temp.see('{"b": 200}');
select pg_temp.evaluate_at('23:02');
select is(pg_temp.suppressed(), null, 'and the next alert is told');
select monitoring.silence_alerts('{"queue": "b"}', p_until_resolved => true);
select monitoring.resolve_alert(pg_temp.alert_about('b'));
select pg_temp.evaluate_at('23:03');
select is(pg_temp.suppressed(), null, 'nor does it outlast what was resolved by hand');
select monitoring.silence_alerts('{"rule": "load"}', '1 minute', p_until_resolved => true);
select pg_temp.evaluate_at('23:05');
select is(pg_temp.suppressed(), null, 'with a time given it ends at the earlier of both');

-- Refusals

select
    is(
        (pg_temp.refusal_of('monitoring.silence_alerts(' || arguments || ')')).message,
        message,
        arguments || ' is refused'
    )
from (
    values
    ('''{}''', 'matchers has the wrong shape: {}'),
    ('null', 'matchers has the wrong shape: null'),
    ('''{"queue": 5}''', 'matchers has the wrong shape: "queue": 5'),
    ('''{"queue": {"regex": "("}}''', 'matchers has the wrong shape: "queue": {"regex": "("}'),
    ('''{"queue": "a"}'', ''-1 hour''', 'for is out of range: -01:00:00')
) as bad (arguments, message);
select is(
    (pg_temp.refusal_of('monitoring.unsilence_alerts(4711)')).message, 'there is no silence 4711',
    'so is the number of a silence that does not exist'
);

select * from finish(); -- noqa: AM04
rollback;
