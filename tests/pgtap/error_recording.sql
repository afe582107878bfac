-- record_error: what is kept of an error.

begin;
select plan(15);
\ir helpers/fixed_clock.psql

-- Interface

select ok(
    monitoring.record_error('t-1', 'TimeoutError', 'high', 'no answer in 30 s', 'gateway') > 0,
    'an error is told by position: task, type, severity, message, component'
);

select ok(
    monitoring.record_error(
        p_task_id => 't-2',
        p_error_type => 'ValueError',
        p_severity => 'low',
        p_message => 'bad row 5',
        p_component => 'loader',
        p_details => '[{"row": 5}]',
        p_stack => E'line 1\nline 2',
        p_fingerprint => 'bad-rows',
        p_occurred_at => '2026-01-14 23:59:59+00'
    ) > 0,
    'everything can be told by name'
);

select ok(
    monitoring.record_error(null, 'OSError', 'critical', 'disk full') > 0,
    'an error may happen outside any task'
);

-- Behaviour

select results_eq(
    $$
        select task_id, error_type, severity, message, component, fingerprint, details,
            occurred_at, stack
        from monitoring.error_tracking order by error_type
    $$,
    $$
        values
        ('', 'OSError', 'critical', 'disk full', null,
            monitoring.error_fingerprint('OSError', 'disk full'), null::jsonb,
            '2026-01-15 12:00+00'::timestamptz, null),
        ('t-1', 'TimeoutError', 'high', 'no answer in 30 s', 'gateway',
            monitoring.error_fingerprint('TimeoutError', 'no answer in 30 s'), null,
            '2026-01-15 12:00+00', null),
        ('t-2', 'ValueError', 'low', 'bad row 5', 'loader', 'bad-rows', '[{"row": 5}]',
            '2026-01-14 23:59:59+00', E'line 1\nline 2')
    $$,
    'all that was told is kept; it happened now, and has a computed fingerprint, unless told'
);

select set_config('tests.id', monitoring.record_error('t-1', 'E', 'low', 'm')::text, true);

select is(
    (select error_id from monitoring.error_tracking where error_type = 'E'),
    current_setting('tests.id')::bigint,
    'the number of the error is given back'
);

select is(
    (select count(distinct error_id) from monitoring.error_tracking),
    4::bigint,
    'and is another one each time'
);

select monitoring.record_error('t-3', 'TimeoutError', 'high', 'no answer in 45 s');

select is(
    (
        select count(distinct fingerprint) from monitoring.error_tracking
        where error_type = 'TimeoutError'
    ),
    1::bigint,
    'errors that differ in the variable parts of their messages share a fingerprint'
);

select is_empty(
    $$select * from monitoring.processing_metrics$$,
    'an error does not make a task of the name it gives'
);

-- Boundaries: twice each, for the first on a day takes another way than the rest

select monitoring.record_error('', 'Empty', 'low', 'm', '', null, '', '', at)
from unnest(array['2025-07-01 10:00+00', '2025-07-01 10:00+00']::timestamptz[]) as at;

select results_eq(
    $$
        select distinct task_id, component, fingerprint from monitoring.error_tracking
        where error_type = 'Empty'
    $$,
    $$values ('', null, monitoring.error_fingerprint('Empty', 'm'))$$,
    'an empty component or fingerprint is none, and an empty task is shown as such'
);

select monitoring.record_error('t', 'Silent', 'low', null, p_occurred_at => at)
from unnest(array['2025-07-02 10:00+00', '2025-07-02 10:00+00']::timestamptz[]) as at;

select results_eq(
    $$
        select distinct message, fingerprint from monitoring.error_tracking
        where error_type = 'Silent'
    $$,
    $$values ('', monitoring.error_fingerprint('Silent', ''))$$,
    'an error that says nothing is kept with an empty message'
);

select
    monitoring.record_error(
        't', 'Json', 'low', 'm', p_details => document::jsonb, p_occurred_at => '2025-07-03'
    )
from unnest(array['7', '"text"', '[]', 'true']) as document;

select results_eq(
    $$
        select details from monitoring.error_tracking where error_type = 'Json' order by error_id
    $$,
    $$values ('7'::jsonb), ('"text"'), ('[]'), ('true')$$,
    'details may be any JSON'
);

select monitoring.record_error(
    repeat('t', 255), repeat('e', 255), 'low', '', repeat('c', 255),
    p_fingerprint => repeat('f', 255)
);

select is(
    (
        select length(fingerprint) from monitoring.error_tracking
        where error_type = repeat('e', 255)
    ),
    255,
    'names of 255 characters are fine'
);

select monitoring.record_error('t', 'Odd', 'low', E'a\tb\n"c" ''d'' \\ % $1 ü 文 😀');

select is(
    (select message from monitoring.error_tracking where error_type = 'Odd'),
    E'a\tb\n"c" ''d'' \\ % $1 ü 文 😀',
    'no character of a message is changed'
);

select is(
    (
        select count(*) from (
            select monitoring.record_error('t', 'Many', 'low', 'm')
            from generate_series(1, 500)
        ) as recorded
    ),
    500::bigint,
    'hundreds at the same instant in the same task are kept apart'
);

select is(
    (
        select occurrences from monitoring.error_groups
        where fingerprint = monitoring.error_fingerprint('Many', 'm')
    ),
    500::bigint,
    'and counted in one group'
);

select * from finish(); -- noqa: AM04
rollback;
