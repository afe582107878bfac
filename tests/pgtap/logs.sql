-- record_log: what is kept of a log line.

begin;
select plan(10);
\ir helpers/fixed_clock.psql

-- Interface

select ok(
    monitoring.record_log('loader', 'INFO', 'loaded 5 rows', '{"rows": 5}') > 0,
    'a log line is told by position: component, level, message, details'
);

select ok(
    monitoring.record_log(
        p_component => 'gateway',
        p_level => 'ERROR',
        p_message => 'no answer',
        p_details => '["a", 1]',
        p_task_id => 't-1',
        p_duration_ms => 30000.5,
        p_logged_at => '2026-01-14 23:00+00'
    ) > 0,
    'everything can be told by name'
);

-- Behaviour

select results_eq(
    $$
        select component, level, message, details, task_id, duration_ms, logged_at
        from monitoring.v_application_logs order by component
    $$,
    $$
        values
        ('gateway', 'ERROR', 'no answer', '["a", 1]'::jsonb, 't-1', 30000.5::double precision,
            '2026-01-14 23:00+00'::timestamptz),
        ('loader', 'INFO', 'loaded 5 rows', '{"rows": 5}', null, null, '2026-01-15 12:00+00')
    $$,
    'all that was told is kept, as logged now unless told otherwise'
);

select set_config('tests.id', monitoring.record_log('again', 'INFO', 'm')::text, true);

select is(
    (select log_id from monitoring.v_application_logs where component = 'again'),
    current_setting('tests.id')::bigint,
    'the number of the line is given back'
);

select monitoring.record_log('levels', given, kept)
from (
    values
    ('DEBUG', 'DEBUG'), ('debug', 'DEBUG'), ('Info', 'INFO'), ('WARNING', 'WARNING'),
    ('warning', 'WARNING'), ('WARN', 'WARNING'), ('warn', 'WARNING'), ('eRRor', 'ERROR'),
    ('CRITICAL', 'CRITICAL'), ('critical', 'CRITICAL'), ('FATAL', 'CRITICAL'), ('fatal', 'CRITICAL')
) as spelling (given, kept);

select is_empty(
    $$
        select level, message from monitoring.v_application_logs
        where component = 'levels' and level <> message
    $$,
    'a level is known in any case, WARN is WARNING and FATAL is CRITICAL'
);

select is(
    (select count(*) from monitoring.v_application_logs where component = 'levels'),
    12::bigint,
    'each spelling was recorded'
);

select is_empty(
    'select * from monitoring.error_tracking',
    'a line of level ERROR is not an error by itself'
);

-- Boundaries: twice each, for the first on a day takes another way than the rest

select monitoring.record_log('empty', 'INFO', message, p_task_id => '', p_logged_at => '2025-07-01')
from unnest(array['', null, '']) as message;

select results_eq(
    $$
        select distinct message, task_id from monitoring.v_application_logs
        where component = 'empty'
    $$,
    $$values ('', null)$$,
    'a missing message is an empty one, and an empty task is none'
);

select monitoring.record_log('slow', 'INFO', 'm', p_duration_ms => 1e100);

select is(
    (select duration_ms from monitoring.v_application_logs where component = 'slow'),
    1e100::double precision,
    'a duration may be anything up to 1e100'
);

select monitoring.record_log('  padded  ', 'INFO', '  m  ');

select results_eq(
    $$select component, message from monitoring.v_application_logs where component ~ 'padded'$$,
    $$values ('  padded  ', '  m  ')$$,
    'what was told is not trimmed'
);

select * from finish(); -- noqa: AM04
rollback;
