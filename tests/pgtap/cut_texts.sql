-- Texts and documents that are too long: cut so that one can see it, never refused.

begin;
select plan(16);
\ir helpers/fixed_clock.psql

-- Each is recorded twice: the first on a day takes another way than the rest.

-- Texts

select monitoring.record_error('fits', 'E', 'low', repeat('m', 8000), p_stack => repeat('s', 65536))
from generate_series(1, 2);

select results_eq(
    $$select distinct message, stack from monitoring.error_tracking where task_id = 'fits'$$,
    $$values (repeat('m', 8000), repeat('s', 65536))$$,
    'a message of 8,000 and a stack of 65,536 characters are kept whole'
);

select monitoring.record_error('long', 'E', 'low', repeat('m', 8001), p_stack => repeat('s', 65537))
from generate_series(1, 2);

select results_eq(
    $$select distinct message, stack from monitoring.error_tracking where task_id = 'long'$$,
    $$
        values (
            repeat('m', 7950) || ' ... [cut: 8001 characters in all]',
            repeat('s', 65486) || ' ... [cut: 65537 characters in all]'
        )
    $$,
    'of longer ones the beginning is kept, and how long they were'
);

select monitoring.record_error('wide', 'E', 'low', repeat('ü', 8000))
from generate_series(1, 2);

select results_eq(
    $$select distinct message from monitoring.error_tracking where task_id = 'wide'$$,
    $$values (repeat('ü', 8000))$$,
    'length is counted in characters, not in bytes'
);

select monitoring.record_error('huge', 'E', 'low', repeat('m', 5000000));

select ok(
    (
        select length(message) <= 8000 and message ~ ' \.\.\. \[cut: 5000000 characters in all\]$'
        from monitoring.error_tracking where task_id = 'huge'
    ),
    'what is kept is never longer than what fits'
);

select is(
    (select count(distinct fingerprint) from monitoring.error_tracking where task_id <> 'wide'),
    1::bigint,
    'a cut message belongs to the group of the whole one'
);

select monitoring.record_log('c', 'INFO', repeat('m', 8001))
from generate_series(1, 2);

select results_eq(
    'select distinct message from monitoring.v_application_logs',
    $$values (repeat('m', 7950) || ' ... [cut: 8001 characters in all]')$$,
    'the message of a log line is cut like that of an error'
);

select monitoring.update_system_health('s', 'c', 'unhealthy', null, repeat('r', 8001))
from generate_series(1, 2);

select results_eq(
    'select distinct failure_reason from monitoring.v_health_history',
    $$values (repeat('r', 7950) || ' ... [cut: 8001 characters in all]')$$,
    'so is a failure reason'
);

select monitoring.resolve_error_group(
    (select fingerprint from monitoring.error_tracking where task_id = 'huge'), repeat('n', 8001)
);

select is(
    (select note from monitoring.error_groups where status = 'resolved'),
    repeat('n', 7950) || ' ... [cut: 8001 characters in all]',
    'so is the note of a decision'
);

-- Documents

select monitoring.record_log('json', 'INFO', 'm', jsonb_build_object('k', repeat('v', 65000)))
from generate_series(1, 2);

select is(
    (
        select array_agg(length(details ->> 'k')) from monitoring.v_application_logs
        where component = 'json'
    ),
    array[65000, 65000],
    'a document of up to 64 KiB is kept whole'
);

select monitoring.record_log('big', 'INFO', 'm', jsonb_build_object('k', repeat('v', 65537)))
from generate_series(1, 2);

select results_eq(
    $$
        select distinct details - 'bytes', (details ->> 'bytes')::integer between 65537 and 65700
        from monitoring.v_application_logs where component = 'big'
    $$,
    $$
        values (
            jsonb_build_object('cut', true, 'start', left('{"k": "' || repeat('v', 1000), 1000)),
            true
        )
    $$,
    'of a larger one the beginning is kept, its size, and that it was cut'
);

select monitoring.start_task_tracking(
    'big', 'load', p_metadata => jsonb_build_object('k', repeat('v', 65537))
);
select monitoring.record_performance_metric(
    'm', 'gauge', 1, p_tags => jsonb_build_object('k', repeat('v', 65537))
);
select monitoring.update_system_health(
    's', 'big', 'healthy', p_details => jsonb_build_object('k', repeat('v', 65537))
);
select monitoring.record_error(
    'big', 'E', 'low', 'm', p_details => jsonb_build_object('k', repeat('v', 65537))
);

select is(
    array[
        (select metadata ->> 'cut' from monitoring.processing_metrics),
        (select tags ->> 'cut' from monitoring.performance_monitoring),
        (select details ->> 'cut' from monitoring.v_health_history where component_name = 'big'),
        (select details ->> 'cut' from monitoring.error_tracking where task_id = 'big')
    ],
    array_fill('true'::text, array[4]),
    'metadata, tags and details are all cut alike'
);

-- In bulk

select monitoring.record_errors(
    jsonb_build_array(
        jsonb_build_object(
            'task_id', 'bulk', 'error_type', 'E', 'severity', 'low', 'message', repeat('m', 8001),
            'stack', repeat('s', 65537), 'details', jsonb_build_object('k', repeat('v', 65537))
        )
    )
);

select results_eq(
    $$
        select b.message = l.message, b.stack = l.stack, b.fingerprint = l.fingerprint,
            b.details ->> 'cut'
        from monitoring.error_tracking as b, monitoring.error_tracking as l
        where b.task_id = 'bulk' and l.task_id = 'long' limit 1
    $$,
    $$values (true, true, true, 'true')$$,
    'errors recorded in bulk are cut like those recorded singly'
);

-- Running totals

select monitoring.start_task_tracking('counts', 'load');
select monitoring.update_task_progress('counts', p_counters => counters)
from (
    select jsonb_object_agg(format('counter %s', n), n) as counters
    from generate_series(1, 20000) as n
    group by n / 1000
) as part;

select cmp_ok(
    (select pg_column_size(counters) from monitoring.active_tasks where task_id = 'counts'),
    '<=',
    65536,
    'counters do not grow beyond what fits, however often they are told'
);

select lives_ok(
    $$select monitoring.update_task_progress('counts', 1, 2, '{"last": 1}')$$,
    'progress can still be told of such a task'
);

select lives_ok(
    $$select monitoring.complete_task_tracking('counts', p_counters => '{"last": 2}')$$,
    'and its end'
);

select monitoring.start_task_tracking('full', 'load');
select monitoring.update_task_progress('full', p_counters => most.counters)
from (
    select jsonb_object_agg('counter ' || n, n) as counters from generate_series(1, 2200) as n
) as most;
select pg_temp.set_clock('2026-01-15 12:30+00');
select monitoring.update_task_progress('full', p_counters => more.counters)
from (
    select jsonb_object_agg('other ' || n, n) as counters from generate_series(1, 2200) as n
) as more;
select pg_temp.set_clock('2026-01-15 12:40+00');
select monitoring.update_task_progress('full', p_counters => more.counters)
from (
    select jsonb_object_agg('other ' || n, n) as counters from generate_series(1, 2200) as n
) as more;

select cmp_ok(
    (select progress_at from monitoring.active_tasks where task_id = 'full'),
    '<',
    '2026-01-15 12:40+00'::timestamptz,
    'counters for which there was no room are no progress'
);

select * from finish(); -- noqa: AM04
rollback;
