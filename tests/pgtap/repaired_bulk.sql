-- A bad row of a bulk call is repaired or left out, and the good ones are recorded.

begin;
select plan(20);
\ir helpers/fixed_clock.psql
set local client_min_messages = error;
select set_config('timezone', 'UTC', true);
select monitoring.ensure_partitions();

-- Told as what was told: "{kind}: {message}"
create function pg_temp.told() returns setof text
language sql
as $$
    select e.details ->> 'what' || ': ' || e.message
    from monitoring.errors as e
    where e.component = 'pgvigil'
    order by e.error_id
$$;

select is(
    monitoring.record_metrics('[
        {"metric_name": "a", "value": 1},
        {"metric_name": "b", "value": "NaN"},
        {"metric_name": "c", "value": 1e200, "tags": []},
        {"metric_name": "d", "value": "12 MB"},
        {"metric_name": "e", "value": "2.5", "recorded_at": 1768474800},
        {"metric_name": "f", "value": 3, "recorded_at": "2026-02-30", "colour": "red"},
        "[1]",
        "{\"metric_name\": \"g\", \"value\": 7}"
    ]'::jsonb),
    5::bigint, 'of eight rows five could be recorded'
);
select results_eq(
    $$select metric_name, value, recorded_at, tags from monitoring.metric_samples order by 1$$,
    $$
        values
        ('a', 1::double precision, timestamptz '2026-01-15 12:00+00', null::jsonb),
        ('c', 1e100, '2026-01-15 12:00+00', '{}'), ('e', 2.5, '2026-01-15 11:00+00', null),
        ('f', 3, '2026-01-15 12:00+00', null), ('g', 7, '2026-01-15 12:00+00', null)
    $$,
    'with what can be read of them'
);
select results_eq(
    'select told from pg_temp.told() as t (told)',
    array[
        'column of performance_monitoring: row 6: there is no column "colour"; left out',
        'value: row 2: value has the wrong shape: "NaN"; left out',
        'recorded_at: row 6: recorded_at has the wrong shape: "2026-02-30"; left out',
        'row: row 7 has the wrong shape: "[1]"; left out'
    ],
    'and each kind of fault is told with the number of a row'
);

delete from monitoring.errors;
select is(
    monitoring.record_finished_tasks('[
        {"task_id": "a", "task_type": "l", "end_time": "2026-01-15T11:00:00Z", "items_done": 3.0},
        {"task_id": "b", "task_type": "l", "status": "SUCCESS", "start_time": "2026-01-15T10:00:00Z",
         "duration_ms": 60000, "counters": {"a": 1, "b": "x"}},
        {"task_id": "c", "task_type": "l"},
        {"task_id": "d", "task_type": "l", "end_time": "2026-01-15T11:00:00Z", "input_size": 1e30,
         "start_time": "2026-01-15T11:30:00Z", "attempt": 0, "duration_ms": -1},
        {"task_type": "l", "end_time": "infinity", "status": "no idea", "duration_ms": 1e99}
    ]'::jsonb),
    4::bigint, 'a task whose end is not known is left out'
);
select results_eq(
    $$
        select task_id, attempt, status, started_at, finished_at, duration_ms, items_done, counters
        from monitoring.finished_tasks order by task_id collate "C"
    $$,
    $$
        values
        ('(unnamed)', 1, 'failed', null, timestamptz '2026-01-15 12:00+00', null, null, null),
        ('a', 1, 'completed', null, '2026-01-15 11:00+00', null, 3::bigint, null),
        ('b', 1, 'completed', '2026-01-15 10:00+00', '2026-01-15 10:01+00', 60000, null, '{"a": 1}'),
        ('d', 1, 'completed', null::timestamptz, '2026-01-15 11:00+00', null::double precision, null,
            null::jsonb)
    $$,
    'the others are recorded with what can be'
);

delete from monitoring.errors;
select is(
    monitoring.record_errors(
        to_jsonb('[{"error_type": "A", "severity": "ERROR"}, {"error_type": "B"}]'::text)
    ),
    2::bigint, 'an array that was encoded twice is one'
);
select is(
    monitoring.record_errors('{"error_type": "C", "severity": "P1", "error_id": 5}'::jsonb),
    1::bigint, 'a single row is an array of one'
);
select is(
    (monitoring.record_errors('7'::jsonb), monitoring.record_errors(null::jsonb)),
    (0::bigint, 0::bigint),
    'what is no row at all records none'
);
select results_eq(
    $$
        select error_type, severity from monitoring.errors
        where component is distinct from 'pgvigil' order by error_type
    $$,
    $$values ('A', 'high'), ('B', 'medium'), ('C', 'critical')$$,
    'with what their words mean'
);

-- Text, as a literal or a driver's text is

select is(
    monitoring.record_logs(
        $$[{"component": "a", "level": "info", 
            "message": "nul\u0000l \\u0000 \ud83d \ud83d\ude00"}]$$
    ),
    1::bigint, 'what JSON has and a text cannot hold costs nothing but itself'
);
select is(
    (select message from monitoring.log_lines),
    U&'null \005cu0000  \+01f600', 'and nothing else is changed'
);
select is(
    monitoring.record_metrics(
        '[{"metric_name": "n", "value": NaN}, {"metric_name": "o", "value": 1}]'
    ),
    1::bigint, 'numbers that JSON does not have are none'
);
select is(monitoring.record_finished_tasks('{no json}'), 0::bigint, 'what is no JSON has no rows');

delete from monitoring.errors;
delete from monitoring.metric_samples;
select is(
    monitoring.record_metrics(
        array[
            $${"metric_name": "it's \"p\" \\ ", "value": 1.5}$$,
            $${"metric_name": "q", "value": 2}$$
        ]::text
    ),
    2::bigint, 'a list of objects that a driver sent as an array of PostgreSQL is an array of rows'
);
select results_eq(
    'select metric_name, value from monitoring.metric_samples order by value',
    $$values ($v$it's "p" \ $v$, 1.5::double precision), ('q', 2)$$,
    'with all that is in them'
);
select is(
    monitoring.record_metrics(array['{"metric_name": "r", "value": 3}', '{no json}']::text),
    1::bigint, 'and one that cannot be read costs no other'
);
select is(
    monitoring.record_metrics('[object Object],[object Object]'),
    0::bigint, 'what a driver made no JSON of is lost'
);
select results_eq(
    $$
        select e.message, e.details ->> 'hint' from monitoring.errors as e
        where e.component = 'pgvigil' order by e.error_id
    $$,
    $$
        values
        ('row 2 has the wrong shape: "{no json}"; left out',
            'Give every row as a JSON object.'),
        ('rows has the wrong shape: [object Object],[object Object]; left out',
            'Give rows as JSON in a text, as JSON.stringify() or json.dumps() make it.')
    $$,
    'which is told once, with what would be right'
);

-- Many

select is(
    monitoring.record_metrics((
        select
            jsonb_agg(jsonb_build_object(
                'metric_name', case when n % 10 > 0 then 'm' end, 'value', n, 'tags', '[]'::jsonb
            ))
        from generate_series(1, 2000) as n
    )),
    2000::bigint, 'of two thousand rows none is lost'
);
select is(
    (select count(*) from pg_temp.told() as told where told like 'metric_name:%'),
    1::bigint, 'and what was wrong is told once'
);

select * from finish(); -- noqa: AM04
rollback;
