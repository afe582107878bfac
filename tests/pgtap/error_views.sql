-- error_groups and v_error_summary: what goes wrong, and how often.

begin;
select plan(11);
\ir helpers/fixed_clock.psql

select monitoring.record_error(task, type, severity, message, component, p_occurred_at => at)
from (
    values
    ('t-1', 'E', 'low', 'row 1 is bad', 'loader', '2025-12-01 00:00+00'::timestamptz),
    ('t-1', 'E', 'high', 'row 2 is bad', 'loader', '2026-01-15 10:00+00'),
    ('t-2', 'E', 'high', 'row 3 is bad', 'loader', '2026-01-15 11:00+00'),
    (null, 'E', 'high', 'row 4 is bad', 'checker', '2026-01-15 10:30+00'),
    ('t-2', 'E', 'high', 'no row', 'loader', '2026-01-15 09:00+00'),
    ('t-3', 'F', 'critical', 'row 5 is bad', null, '2026-01-15 11:30+00')
) as told (task, type, severity, message, component, at);

-- Groups

select results_eq(
    $$
        select error_type, severity, example, template, status, occurrences, components,
            first_seen_at, last_seen_at
        from monitoring.error_groups order by occurrences desc, error_type
    $$,
    $$
        values
        ('E', 'high', 'row 3 is bad', 'row <*> is bad', 'open', 4::bigint,
            array['checker', 'loader'], '2025-12-01 00:00+00'::timestamptz,
            '2026-01-15 11:00+00'::timestamptz),
        ('E', 'high', 'no row', 'no row', 'open', 1, array['loader'], '2026-01-15 09:00+00',
            '2026-01-15 09:00+00'),
        ('F', 'critical', 'row 5 is bad', 'row <*> is bad', 'open', 1, null,
            '2026-01-15 11:30+00', '2026-01-15 11:30+00')
    $$,
    'a group is of one type and template, over all time, and its newest error speaks for it'
);

select monitoring.record_error('t', type, severity, message, null, null, null, 'mine')
from (
    values ('A', 'low', 'first'), ('B', 'critical', 'second')
) as told (type, severity, message);

select results_eq(
    $$
        select error_type, severity, example, occurrences from monitoring.error_groups
        where fingerprint = 'mine'
    $$,
    $$values ('B', 'critical', 'second', 2::bigint)$$,
    'of errors at the same instant the one told last is the newest'
);

select is(
    (select count(*) from monitoring.error_groups),
    (select count(distinct fingerprint) from monitoring.error_tracking),
    'each group has one row'
);

-- The last day

delete from monitoring.errors
where fingerprint = 'mine';
delete from monitoring.late_errors
where fingerprint = 'mine';

select results_eq(
    $$
        select error_type, severity, component, occurrences, groups, last_seen_at, last_message
        from monitoring.v_error_summary order by last_seen_at
    $$,
    $$
        values
        ('E', 'high', 'checker', 1::bigint, 1::bigint, '2026-01-15 10:30+00'::timestamptz,
            'row 4 is bad'),
        ('E', 'high', 'loader', 3, 2, '2026-01-15 11:00+00', 'row 3 is bad'),
        ('F', 'critical', null, 1, 1, '2026-01-15 11:30+00', 'row 5 is bad')
    $$,
    'the summary counts the errors of the last day by type, severity and component'
);

select monitoring.record_error('t', 'W', 'low', at, p_occurred_at => at::timestamptz)
from unnest(
        array[
            '2026-01-14 12:00:00+00', '2026-01-14 12:59:59.999999+00',
            '2026-01-14 13:00:00+00', '2026-01-15 12:00:00+00',
            '2026-01-15 13:00:00+00', '2026-01-16 12:00:00+00'
        ]
    ) as at;

select results_eq(
    $$
        select occurrences from monitoring.v_error_summary where error_type = 'W'
    $$,
    $$values (2::bigint)$$,
    'the last day is this hour and the 23 before it, and does not reach into the future'
);

select is(
    (select sum(occurrences) from monitoring.error_groups where error_type = 'W'),
    6::numeric,
    'while groups count all there is'
);

select monitoring.record_error('t', 'S', severity, 'm', 'c')
from unnest(array['low', 'medium', 'high', 'critical']) as severity;

select set_eq(
    $$select severity, occurrences from monitoring.v_error_summary where error_type = 'S'$$,
    $$values ('low', 1::bigint), ('medium', 1), ('high', 1), ('critical', 1)$$,
    'errors of different severities are counted apart'
);

select results_eq(
    $$select severity, occurrences from monitoring.error_groups where error_type = 'S'$$,
    $$values ('critical', 4::bigint)$$,
    'but are one group'
);

select pg_temp.set_clock('2026-03-01 12:00+00');

select is_empty('select * from monitoring.v_error_summary', 'after a day of peace it is empty');

select is(
    (select count(*) from monitoring.error_groups),
    5::bigint,
    'while groups stay'
);

-- Boundaries

select monitoring.record_error('t', 'N', 'low', null);

select results_eq(
    $$select example, template from monitoring.error_groups where error_type = 'N'$$,
    $$values ('', '')$$,
    'errors without a message are a group as well'
);

select * from finish(); -- noqa: AM04
rollback;
