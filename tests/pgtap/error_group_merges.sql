-- Error groups that people make one, and take apart again.

begin;
select plan(21);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

create function pg_temp.fail(p_group text, p_at text, p_severity text default 'high') returns bigint
language sql
as $$
    select monitoring.record_error(
        't', 'E', p_severity, 'cannot read ' || p_group, p_group, p_fingerprint => p_group,
        p_occurred_at => p_at::timestamptz
    )
$$;

create view pg_temp.shown as
select
    g.fingerprint,
    g.occurrences,
    g.components,
    g.merged_from,
    g.status
from monitoring.error_groups as g
order by g.fingerprint;

create view pg_temp.open_alerts as
select
    a.fingerprint,
    a.labels ->> 'error_group' as error_group,
    a.status
from monitoring.alerts as a
where a.rule_name = 'error_group_new'
order by a.fingerprint, a.alert_id;

select pg_temp.fail(g, at)
from (
    values
    ('one', '2026-01-15 11:05+00'), ('one', '2026-01-15 11:30+00'),
    ('two', '2026-01-15 11:10+00'), ('three', '2026-01-15 11:20+00'),
    ('four', '2026-01-15 11:25+00')
) as told (g, at);
select monitoring.evaluate_alerts();

-- Interface

select is(
    monitoring.merge_error_groups('one', array['two', 'three'], 'one disk', 'ann'), 2::bigint,
    'groups are merged into another, and how many is told'
);

select results_eq(
    'select fingerprint, occurrences, components, merged_from from pg_temp.shown',
    $$
        values
        ('four', 1::bigint, array['four'], null::text[]),
        ('one', 4, array['one', 'three', 'two'], array['three', 'two'])
    $$,
    'the group has what occurred in all of them, and says what was merged'
);

select is(
    monitoring.merge_error_groups('one', array['two', 'one']), 0::bigint,
    'what is merged already, or is the group itself, is no change'
);

select ok(monitoring.split_error_group('three'), 'a fingerprint is taken out of a group');

select results_eq(
    'select fingerprint, occurrences, merged_from from pg_temp.shown',
    $$
        values
        ('four', 1::bigint, null::text[]), ('one', 3, array['two']), ('three', 1, null)
    $$,
    'it is a group of its own again'
);

select is(monitoring.split_error_group('three'), false, 'what is in no group is told of');

-- Behaviour

select pg_temp.fail('two', '2026-01-15 11:50+00', 'low');

select results_eq(
    $$select occurrences, merged_from from pg_temp.shown where fingerprint = 'one'$$,
    $$values (4::bigint, array['two'])$$,
    'what occurs later counts for the group as well'
);

select results_eq(
    $$select message from monitoring.get_error_occurrences('one', p_limit => 2)$$,
    $$values ('cannot read two'), ('cannot read one')$$,
    'its occurrences are those of all its fingerprints'
);

select results_eq(
    $$select message from monitoring.get_error_occurrences('two', p_limit => 2)$$,
    $$values ('cannot read two'), ('cannot read one')$$,
    'a fingerprint that was merged leads to the group'
);

select results_eq(
    $$
        select error_group, count(*) from monitoring.error_tracking
        group by error_group order by error_group
    $$,
    $$values ('four', 1::bigint), ('one', 4), ('three', 1)$$,
    'errors say which group they belong to'
);

select is(
    (select groups from monitoring.v_error_summary where component = 'two' and severity = 'low'),
    1::bigint,
    'the summary counts groups as they are now'
);

select ok(monitoring.mute_error_group('two'), 'a decision about a fingerprint that was merged...');

select results_eq(
    $$select fingerprint, status from pg_temp.shown$$,
    $$values ('four', 'open'), ('one', 'muted'), ('three', 'open')$$,
    '... is one about the group'
);

select ok(monitoring.reopen_error_group('two'), 'and is taken back in the same way');

-- Alerts

select results_eq(
    'select fingerprint, error_group, status from pg_temp.open_alerts',
    $$
        values
        ('four', 'four', 'firing'), ('one', 'one', 'firing'), ('three', 'three', 'resolved'),
        ('two', 'two', 'resolved')
    $$,
    'one alert speaks for groups that each had one'
);

update monitoring.raised_alerts
set status = 'resolved', resolved_at = monitoring.clock()
where rule_name = 'error_group_new' and fingerprint = 'one';
select monitoring.merge_error_groups('one', array['four']);

select results_eq(
    $$
        select error_group, status from pg_temp.open_alerts
        where fingerprint = 'one' order by status desc
    $$,
    $$values ('one', 'resolved'), ('one', 'firing')$$,
    'where only one had an alert, that is about the group from then on'
);

select monitoring.evaluate_alerts('2026-01-15 12:01+00');

select is(
    (
        select array_agg(a.error_group order by a.error_group)
        from pg_temp.open_alerts as a
        where a.status = 'firing'
    ),
    array['one', 'three'],
    'and the next evaluation finds it so, and what was taken out as new'
);

-- Boundaries

select monitoring.merge_error_groups('three', array['two']);

select results_eq(
    'select fingerprint, merged_from from pg_temp.shown',
    $$values ('one', array['four']), ('three', array['two'])$$,
    'a fingerprint goes from one group to another'
);

select monitoring.merge_error_groups('two', array['one']);

select results_eq(
    'select fingerprint, occurrences, merged_from from pg_temp.shown',
    $$values ('three', 6::bigint, array['four', 'one', 'two'])$$,
    'a group goes with all that was merged into it, and never into what is in another itself'
);

-- Refusals

select is(
    (pg_temp.refusal_of($$monitoring.merge_error_groups('one', array['nowhere'])$$)).code,
    'PV007',
    'a group that never occurred is refused'
);

select is(
    (pg_temp.refusal_of($$monitoring.split_error_group('nowhere')$$)).code, 'PV007',
    'and so it is when taken out'
);

select * from finish(); -- noqa: AM04
rollback;
