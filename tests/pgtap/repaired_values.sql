-- What a program says in its own words, or wrongly, is recorded as well as it can be; the call
-- never costs the program its transaction.

begin;
select plan(39);
\ir helpers/fixed_clock.psql
set local client_min_messages = error;
select monitoring.ensure_partitions();

-- Words that others use

select
    is(
        monitoring._meaning(kind, word),
        meaning,
        format('%s %s means %s', kind, word, meaning)
    )
from (
    values
    ('severity', 'ERROR', 'high'), ('severity', ' Fatal', 'critical'),
    ('severity', 'warn', 'medium'),
    ('severity', 'LOG_EMERG', null), ('severity', 'debug5', 'low'), ('severity', 'P1', 'critical'),
    ('status', 'success', 'completed'), ('status', 'TaskStatus.SUCCESS', 'completed'),
    ('status', 'CANCELLED by 1000', 'cancelled'), ('status', 'timed out', 'timeout'),
    ('status', 'TimedOut', 'timeout'), ('status', 'OOMKilled', 'failed'),
    ('status', 'NODE_FAIL', 'lost'), ('status', 'completed with errors', null),
    ('status', '0', null), ('health', 'up', 'healthy'), ('health', 'OUT_OF_SERVICE', 'unhealthy'),
    ('health', 'degraded_performance', 'degraded'), ('health', 'not ok', 'unhealthy'),
    ('health', '', null), ('level', '[NOTICE]', 'INFO'), ('level', '40', 'ERROR'),
    ('level', 'FINEST', 'DEBUG'), ('level', null, null)
) as known (kind, word, meaning);

-- Single calls

select monitoring.record_error('t', 'A', 'ERROR', 'm');
select monitoring.record_error('t', 'B', 'quite bad', 'm');
select monitoring.record_error('t', E'C\nD', null, 'm');
select monitoring.record_error(null, null, 'low', null);
select monitoring.record_error('t', repeat('x', 300), 'low', 'm');
select results_eq(
    $$
        select error_type, severity, message from monitoring.errors
        where component is distinct from 'pgvigil' order by error_id
    $$,
    $$
        values
        ('A', 'high', 'm'), ('B', 'medium', 'm'), ('C D', 'medium', 'm'), ('(unnamed)', 'low', ''),
        (repeat('x', 200) || '... ' || md5(repeat('x', 300)), 'low', 'm')
    $$,
    'errors are recorded whatever their words and names'
);

select monitoring.start_task_tracking(E'a\u00a0b', E'\u200b', -1, p_metadata => '"{\"k\": 1}"');
select monitoring.update_task_progress(E'a\u00a0b', -3, 7, '{"good": 1, "bad": -1, "text": "2"}');
select monitoring.complete_task_tracking(
    E'a\u00a0b', 'who knows', 10, '[]', '{"ok": true}', '[1]', '20000-01-01'
);
select results_eq(
    $$
        select
            task_id, task_type, status, finished_at, input_size, output_size, items_done,
            items_total, step_durations, counters, metadata
        from monitoring.finished_tasks
    $$,
    $$
        values (
            'a b', '(unnamed)', 'failed', timestamptz '2026-01-15 12:00+00', null::bigint, 10::bigint,
            null::bigint, 7::bigint, null::jsonb, '{"good": 1, "text": 2}'::jsonb,
            '{"k": 1, "value": [1]}'::jsonb
        )
    $$,
    'a task goes its way from a name with a no-break space to an end that nobody understands'
);

select is(
    array[
        monitoring.record_performance_metric('m', 'gauge', 'NaN'),
        monitoring.record_performance_metric('m', 'gauge', '-Infinity'),
        monitoring.record_performance_metric('m', 'gauge', null),
        monitoring.record_queue_metrics('q', -1)
    ],
    array[null, null, null, null]::bigint[],
    'what was not measured has no sample'
);
select monitoring.record_performance_metric('m', ' ', '-1e200', p_tags => '[]');
select results_eq(
    $$select metric_type, value, tags from monitoring.metric_samples$$,
    $$values ('(unnamed)', -1e100::double precision, '{}'::jsonb)$$,
    'a value that is too large is recorded as the largest'
);
select monitoring.record_queue_metrics('q', 5, -1, p_oldest_ready_seconds => 'NaN');
select results_eq(
    $$select pending, processing, oldest_ready_seconds from monitoring.queue_samples$$,
    $$values (5::bigint, 0::bigint, null::double precision)$$,
    'one bad figure does not take the others of a queue with it'
);
select monitoring.update_system_health('s', 'a', 'UP');
select monitoring.update_system_health('s', 'b', 'hm', -5);
select monitoring.update_system_health('s', 'c', null);
select results_eq(
    $$select component_name, status, response_time_ms from monitoring.health_probes order by 1$$,
    $$
        values
        ('a', 'healthy', null::double precision), ('b', 'unknown', null), ('c', 'unknown', null)
    $$,
    'an unclear state of health is unknown'
);
select monitoring.record_log('c', 'notice', 'm');
select monitoring.record_log('', 'loud', 'm', p_duration_ms => -1);
select results_eq(
    $$select component, level, duration_ms from monitoring.log_lines order by log_id$$,
    $$values ('c', 'INFO', null::double precision), ('(unnamed)', 'WARNING', null)$$,
    'an unclear level is a warning'
);

select monitoring.start_task_tracking('f', 'l', 1024.0, p_items_total => 2.5::float8);
select monitoring.update_task_progress('f', 1::float8, 3.0);
select monitoring.complete_task_tracking('f', p_output_size => 9223372036854775807, p_attempt => 1);
select monitoring.record_queue_metrics('f', 3.0, 2::float8, 1::smallint, 4);
select monitoring.finish_etl_execution('e', 'done', 7.0, 7.0::float8);
select results_eq(
    $$
        select t.task_id, t.input_size, t.items_done, t.items_total, t.output_size
        from monitoring.finished_tasks as t where t.task_id in ('e', 'f') order by 1
    $$,
    $$
        values
        ('e', null::bigint, 7::bigint, 7::bigint, null::bigint),
        ('f', 1024, 1, 3, 9223372036854775807)
    $$,
    'a count may be a float'
);
select results_eq(
    $$select pending, processing from monitoring.queue_samples where queue_name = 'f'$$,
    $$values (3::bigint, 2::bigint)$$, 'of a queue as well'
);

select monitoring.start_task_tracking(E'two\nlines', 'l');
select monitoring.record_log(E'two\u00a0\u200blines', 'INFO', E'stay\nas they are');
select monitoring.record_metrics('[{"metric_name": "two\tlines", "value": 1}]');
select monitoring.record_performance_metric(E'two\tlines', 'gauge', 2);
select is(
    (
        select array_agg(n.name order by n.name)
        from (
            select a.task_id as name from monitoring.active_tasks as a
            union all
            select l.component from monitoring.log_lines as l
            where l.level = 'INFO' and l.component <> 'c'
            union all
            select m.metric_name from monitoring.metric_samples as m where m.value > 0
        ) as n
    ),
    array['two lines', 'two lines', 'two lines', 'two lines'],
    'a name is the same however it is told'
);
select ok(
    monitoring.complete_task_tracking(E'two\nlines'), 'and is found by what was told'
);

-- Told

select results_eq(
    $$
        select e.details ->> 'what', count(*)
        from monitoring.errors as e where e.component = 'pgvigil' group by 1
        order by (e.details ->> 'what') collate "C"
    $$,
    $$
        values
        ('component', 1::bigint), ('counters', 1), ('duration_ms', 1), ('error_type', 1),
        ('health status', 1), ('input_size', 1), ('items_done', 1), ('level', 1), ('metadata', 1),
        ('metric_name', 1), ('metric_type', 1), ('oldest_ready_seconds', 1), ('pending', 1), ('processing', 1),
        ('response_time_ms', 1), ('severity', 1), ('status', 1), ('task_id', 1), ('task_type', 1),
        ('time', 1), ('value', 1)
    $$,
    'each kind of repair is an error of pgvigil, once a minute'
);
select is(
    (
        select array[e.message, e.details ->> 'hint', e.severity]
        from monitoring.errors as e
        where e.fingerprint = 'pgvigil.repaired:severity'
    ),
    array[
        'severity is not known: "quite bad"; recorded as medium',
        'Use one of: low, medium, high, critical.', 'low'
    ],
    'and says which value, what became of it and what would be right'
);
select set_config('monitoring.now', '2026-01-15 12:01+00', true);
select monitoring.record_error('t', 'B', 'quite bad', 'm');
select is(
    (select count(*) from monitoring.errors where fingerprint = 'pgvigil.repaired:severity'),
    2::bigint, 'a minute later it is told again'
);

-- Strict

select set_config('monitoring.strict', 'on', true);
select throws_ok(
    $$select monitoring.record_error('t', 'E', 'quite bad', 'm')$$, 'PV003',
    'severity is not known: "quite bad"', 'a strict session is refused'
);

select * from finish(); -- noqa: AM04
rollback;
