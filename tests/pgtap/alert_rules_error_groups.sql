-- The built-in rules error_group_new and error_group_regressed.

begin;
select plan(22);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql
\ir helpers/rolled_up.psql

create function pg_temp.fail(
    p_group text, p_at text, p_severity text default 'low', p_component text default null
) returns bigint
language sql
as $$
    select monitoring.record_error(
        't', 'E', p_severity, 'cannot read ' || p_group, p_component, p_fingerprint => p_group,
        p_occurred_at => p_at::timestamptz
    )
$$;

-- As a roll-up of all there is; it cannot tell rows of this transaction apart.
create function pg_temp.roll_up_groups() returns void
language sql
as $$
    delete from monitoring.error_group_totals;
    update monitoring.rollup_progress set claimed_below = 0, still_open = '{}';
    select monitoring._merge_error_groups(9223372036854775807, '{}');
    select pg_temp.take_all()
$$;

create view pg_temp.found_new as
select
    j.fingerprint,
    j.value,
    j.labels,
    j.summary,
    j.severity
from pg_temp.judge('error_group_new') as j;

-- New groups

select is_empty('select * from pg_temp.found_new', 'without errors there is no new group');

select pg_temp.fail(g, at, severity, component)
from (
    values
    ('old', '2026-01-15 11:00+00', 'low', null),
    ('old', '2026-01-15 11:30+00', 'low', null),
    ('young', '2026-01-15 11:00:00.000001+00', 'medium', 'mail'),
    ('worse', '2026-01-15 11:30+00', 'low', null),
    ('worse', '2026-01-15 11:40+00', 'high', 'billing'),
    ('worse', '2026-01-15 12:00:00.000001+00', 'critical', 'billing'),
    ('to come', '2026-01-15 12:00:00.000001+00', 'critical', null)
) as told (g, at, severity, component);

prepare found as
select
    fingerprint,
    value,
    severity,
    labels,
    summary
from pg_temp.found_new
order by fingerprint;

create temporary table expected as
select *
from (
    values
    (
        'worse', 1::double precision, 'high',
        '{"error_group": "worse", "error_type": "E", "component": "billing"}'::jsonb,
        'new error group E in billing: cannot read worse'
    ),
    (
        'young', 1, 'medium',
        '{"error_group": "young", "error_type": "E", "component": "mail"}',
        'new error group E in mail: cannot read young'
    )
) as e (fingerprint, value, severity, labels, summary);

select results_eq(
    'execute found', 'select * from expected',
    'a group first seen less than an hour ago is new, with the worst severity it has had by now'
);

select pg_temp.roll_up_groups();

select results_eq(
    'execute found', 'select * from expected', 'the same once it is rolled up'
);

update monitoring.rollup_progress set claimed_below = 0 where table_name = 'errors';

select results_eq(
    'execute found', 'select * from expected', 'and where a part is rolled up and a part is not'
);

select results_eq(
    $$
        select at, array(
            select fingerprint from pg_temp.find('error_group_new', at) order by fingerprint
        )
        from unnest(array[
            '2026-01-15 10:59:59.999999+00', '2026-01-15 11:00+00',
            '2026-01-15 12:00:00.000001+00', '2026-01-15 12:30+00', '2026-01-15 13:00:00.000001+00'
        ]) as at
    $$,
    $$
        values
        ('2026-01-15 10:59:59.999999+00', array[]::text[]),
        ('2026-01-15 11:00+00', array['old']),
        ('2026-01-15 12:00:00.000001+00', array['to come', 'worse']),
        ('2026-01-15 12:30+00', array['to come']),
        ('2026-01-15 13:00:00.000001+00', array[]::text[])
    $$,
    'of a time gone by those are found that were new then'
);

-- A backfill tells that a group is older than it seemed.

select pg_temp.fail('young', '2026-01-14 10:30+00', 'critical');

select set_eq(
    'select fingerprint from pg_temp.found_new',
    $$values ('worse')$$,
    'a group is as old as its oldest part, of whatever severity'
);

-- Decisions

select monitoring.mute_error_group('worse', '2026-01-15 12:15+00');
select is_empty('select * from pg_temp.found_new', 'a muted group is not told of');

select set_eq(
    $$select fingerprint from pg_temp.find('error_group_new', '2026-01-15 12:15+00')$$,
    $$values ('to come'), ('worse')$$,
    'until the mute ends'
);

select set_eq(
    $$select fingerprint from pg_temp.find('error_group_new', '2026-01-15 11:45+00')$$,
    $$values ('worse'), ('old')$$,
    'nor was it muted before'
);

select monitoring.resolve_error_group('worse');
select is_empty('select * from pg_temp.found_new', 'one that was resolved is not told of either');

-- A flood

select pg_temp.fail('flood ' || n, ('2026-01-15 20:00+00'::timestamptz + n * interval '1 s')::text)
from generate_series(1, 25) as n;

select pg_temp.fail('worst of all', '2026-01-15 20:01+00', 'critical', 'mail');

select results_eq(
    $$
        select fingerprint <> 'all' as is_single, count(*), sum(value), max(severity)
        from pg_temp.judge('error_group_new', '2026-01-15 20:30+00') group by 1 order by 1
    $$,
    $$
        values
        (false, 1::bigint, 6::double precision, 'critical'),
        (true, 20, 20, 'low')
    $$,
    'the first twenty are told of singly, all others together, as severe as the worst'
);

select is(
    (
        select summary from pg_temp.find('error_group_new', '2026-01-15 20:30+00')
        where fingerprint = 'all'
    ),
    'more new error groups: 6, such as E in mail: cannot read worst of all',
    'with the worst as an example'
);

select results_eq(
    $$
        select fingerprint, value
        from pg_temp.find('error_group_new', '2026-01-15 21:00:21+00')
    $$,
    $$values ('all', 5::double precision)$$,
    'one of many stays one of many when the first are new no longer'
);

select results_eq(
    $$
        select details ->> 'fingerprint', details ->> 'severity'
        from pg_temp.explain('error_group_new', '{}', 2, '2026-01-15 20:30+00')
    $$,
    $$values ('worst of all', 'critical'), ('flood 25', 'low')$$,
    'the explainer shows those groups, newest first'
);

-- Names

select pg_temp.fail(repeat('ü', 255), '2026-01-16 02:00+00', 'low', repeat('Ä', 255));
select pg_temp.fail('it''s "a" %s', '2026-01-16 02:00+00');

select set_eq(
    $$
        select fingerprint, length(summary) <= 500
        from pg_temp.find('error_group_new', '2026-01-16 02:00+00')
    $$,
    $$values (repeat('ü', 255), true), ('it''s "a" %s', true)$$,
    'groups may have any names'
);

-- Regressed groups

select is_empty(
    $$select * from pg_temp.find('error_group_regressed')$$,
    'a resolved group that was not seen since is not found'
);

select results_eq(
    $$
        select fingerprint, severity, labels, summary
        from pg_temp.judge('error_group_regressed', '2026-01-15 12:00:00.000001+00')
    $$,
    $$
        values (
            'worse', 'high',
            '{"error_group": "worse", "error_type": "E", "component": "billing"}'::jsonb,
            'resolved error group is back: E in billing: cannot read worse'
        )
    $$,
    'one that was seen since has regressed'
);

select pg_temp.roll_up_groups();
delete from monitoring.error_group_states;
select monitoring.resolve_error_group(g)
from unnest(array['worse', 'to come', 'old']) as g;
select pg_temp.fail('worse', '2026-01-16 02:00+00');
select pg_temp.roll_up_groups();

select results_eq(
    $$
        select at, array(
            select fingerprint from pg_temp.find('error_group_regressed', at) order by fingerprint
        )
        from unnest(array[
            '2026-01-15 12:00+00', '2026-01-15 12:00:00.000001+00', '2026-01-16 01:59+00',
            '2026-01-16 12:00:00.000001+00', '2026-01-17 01:59:59.999999+00', '2026-01-17 02:00+00'
        ]) as at
    $$,
    $$
        values
        ('2026-01-15 12:00+00', array[]::text[]),
        ('2026-01-15 12:00:00.000001+00', array['to come', 'worse']),
        ('2026-01-16 01:59+00', array['to come', 'worse']),
        ('2026-01-16 12:00:00.000001+00', array['worse']),
        ('2026-01-17 01:59:59.999999+00', array['worse']),
        ('2026-01-17 02:00+00', array[]::text[])
    $$,
    'it is told of for a day after it was last seen, as of any time'
);

select results_eq(
    $$
        select happened_at, details ->> 'message'
        from pg_temp.explain(
            'error_group_regressed', '{"error_group": "worse"}', 2, '2026-01-15 12:30+00'
        )
    $$,
    $$
        values
        ('2026-01-15 12:00:00.000001+00'::timestamptz, 'cannot read worse'),
        ('2026-01-15 11:40+00', 'cannot read worse')
    $$,
    'the explainer shows the newest errors of the group'
);

select monitoring.mute_error_group('worse');

select is_empty(
    $$select * from pg_temp.find('error_group_regressed', '2026-01-16 12:01+00')$$,
    'one that is muted meanwhile has not regressed'
);

-- Plans

select pg_temp.set_clock('2026-01-15 12:00+00');

select is(
    (
        select i.indexdef from pg_indexes as i
        where i.indexname = 'error_group_totals_first_seen_ix'
    ),
    'CREATE INDEX error_group_totals_first_seen_ix ON monitoring.error_group_totals '
    'USING btree (first_seen_at)',
    'new groups are found by when they were first seen, not among all'
);

select is(
    (
        select count(*) from pg_temp.find('error_group_new', '2026-06-15 12:00+00')
    ),
    0::bigint,
    'long after, nothing is new'
);

select * from finish(); -- noqa: AM04
rollback;
