-- Bad rows in bulk: the whole call is refused, and the message names the row.

begin;
select plan(43);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

select set_config('timezone', 'UTC', true);
select set_config('datestyle', 'ISO', true);
select pg_temp.remember_state();

-- Refusals: no array

select
    is(
        pg_temp.refusal_of(format('%s(%s)', function_name, argument)),
        row(
            'PV005',
            'rows has the wrong shape: ' || shown,
            'Give rows as a JSON array of objects, one a row.'
        )::pg_temp.refusal,
        format('%s refuses %s', function_name, shown)
    )
from
    (
        values ('record_finished_tasks'), ('record_errors'), ('record_metrics'), ('record_logs')
    ) as bulk (function_name)
cross join (
    values ('''{"component": "c"}''', '{"component": "c"}'), ('null', 'null')
) as given (argument, shown);

select
    is(
        pg_temp.refusal_of(format('record_logs(%L)', array['{"component": "c"}']::text)),
        row(
            'PV005', E'rows has the wrong shape: {"{\\"component\\": \\"c\\"}"}',
            'Give rows as JSON in a text, as JSON.stringify() or json.dumps() make it.'
        )::pg_temp.refusal,
        'an array of PostgreSQL is no JSON'
    );

-- Refusals: no object

select
    is(
        pg_temp.refusal_of(format('record_logs(%L)', given)),
        row(
            'PV005',
            format('row %s: row has the wrong shape: %s', row_number, shown),
            'Give row as a JSON object.'
        )::pg_temp.refusal,
        format('record_logs refuses %s', given)
    )
from (
    values
    ('[7]', 1, '7'),
    ('[{"component": "c", "level": "INFO", "message": "m"}, null]', 2, 'null'),
    ('[{"component": "c", "level": "INFO", "message": "m"}, []]', 2, '[]')
) as bad (given, row_number, shown);

-- Refusals: keys that are no columns

select
    results_eq(
        format('select code, message from pg_temp.refusal_of(%L)', call),
        format('values (''PV005'', ''row %s: there is no column "colour"'')', row_number),
        'is refused: ' || call
    )
from (
    values
    (1, 'record_finished_tasks(''[{"task_id": "t", "colour": 1}]'')'),
    (2, 'record_errors(''[{"error_type": "E"}, {"message": "m", "colour": null}]'')'),
    (1, 'record_metrics(''[{"colour": {}}]'')'),
    (2, 'record_logs(''[{"component": "c", "level": "INFO", "message": "m"}, {"colour": 1}]'')')
) as bad (row_number, call);

select is(
    (pg_temp.refusal_of('record_logs(''[{"severity": "low"}]'')')).hint,
    'Use the columns of v_application_logs: log_id, logged_at, level, component, message, details, '
    'task_id, duration_ms.',
    'and the hint tells which columns there are'
);

-- Refusals: one bad row after a good one

create function pg_temp.refusal_of_row(p_function text, p_good text, p_bad text)
returns pg_temp.refusal
language sql
as $$
    select pg_temp.refusal_of(
        format('%s(%L)', p_function, format('[{%s}, {%s}, {%s}]', p_good, p_bad, p_good))
    )
$$;

select
    is(
        pg_temp.refusal_of_row(
            'record_finished_tasks',
            '"task_id": "t", "task_type": "l", "end_time": "2025-01-05"',
            bad
        ),
        row(code, 'row 2: ' || message, hint)::pg_temp.refusal,
        'record_finished_tasks refuses ' || bad
    )
from (
    values
    (
        '"task_type": "l"', 'PV001', 'task_id is missing: null',
        'Give task_id a name of 1 to 255 characters that are not all blank.'
    ),
    (
        '"task_id": "t"', 'PV001', 'task_type is missing: null',
        'Give task_type a name of 1 to 255 characters that are not all blank.'
    ),
    (
        '"task_id": "t", "task_type": "l", "attempt": 0', 'PV004',
        'attempt is out of range: 0', 'Give attempt as a number from 1 up.'
    ),
    (
        '"task_id": "t", "task_type": "l", "status": "running"', 'PV003',
        'status is not known: "running"',
        'Use one of: completed, failed, cancelled, timeout, lost.'
    ),
    (
        '"task_id": "t", "task_type": "l", "end_time": "2025-01-01", "input_size": -5', 'PV004',
        'input_size is out of range: -5', 'Give input_size as a number from 0 up.'
    ),
    (
        '"task_id": "t", "task_type": "l", "end_time": "2025-01-01", "counters": {"a": "b"}',
        'PV005',
        'counters has the wrong shape: {"a": "b"}',
        'Give counters as a JSON object of numbers that are not negative, such as {"done": 12}.'
    ),
    (
        '"task_id": "t", "task_type": "l", "end_time": "1969-01-01"', 'PV006',
        'time is impossible: 1969-01-01 00:00:00+00',
        'Give a time from 1970-01-01 up to a day from now, or leave it out to mean now.'
    ),
    (
        '"task_id": "t", "task_type": "l", "start_time": "2025-01-02"', 'PV006',
        'end_time is missing', 'Give the time at which the task ended.'
    ),
    (
        '"task_id": "t", "task_type": "l", "start_time": "2025-01-02", "end_time": "2025-01-01"',
        'PV006',
        'task ends before it starts: start_time 2025-01-02 00:00:00+00, '
        'end_time 2025-01-01 00:00:00+00',
        'Give an end_time that is not before start_time.'
    ),
    (
        '"task_id": "t", "task_type": "l", "input_size": "big"', 'PV005',
        'invalid input syntax for type bigint: "big"',
        'Give every field the type of the column of that name.'
    ),
    (
        '"task_id": "t", "task_type": "l", "attempt": 2147483648', 'PV004',
        'attempt is out of range: 2147483648', 'Give attempt as a number from 1 up.'
    )
) as refused (bad, code, message, hint);

select
    results_eq(
        format(
            'select code, message from pg_temp.refusal_of_row(%L, %L, %L)', function_name, good, bad
        ),
        format('values (%L, %L)', code, 'row 2: ' || message),
        format('%s refuses %s', function_name, bad)
    )
from
    (
        values
        (
            'record_errors', '"error_type": "E", "severity": "low", "message": "m"',
            '"error_type": "E", "severity": "bad", "message": "m"', 'PV003',
            'severity is not known: "bad"'
        ),
        (
            'record_errors', '"error_type": "E", "severity": "low", "message": "m"',
            '"error_type": "E", "severity": "low", "message": "m", "occurred_at": "soon"', 'PV005',
            'invalid input syntax for type timestamp with time zone: "soon"'
        ),
        (
            'record_errors', '"error_type": "E", "severity": "low", "message": "m"',
            '"error_type": "E", "severity": "low", "message": "m", "error_id": 1.5', 'PV005',
            'invalid input syntax for type bigint: "1.5"'
        ),
        (
            'record_metrics', '"metric_name": "m", "value": 1', '"metric_name": "m"', 'PV004',
            'value is out of range: null'
        ),
        (
            'record_metrics',
            '"metric_name": "m", "value": 1',
            '"metric_name": "m", "value": "NaN"',
            'PV004', 'value is out of range: NaN'
        ),
        (
            'record_metrics', '"metric_name": "m", "value": 1',
            '"metric_name": "m", "value": 1, "tags": ["a"]', 'PV005',
            'tags has the wrong shape: ["a"]'
        ),
        (
            'record_logs', '"component": "c", "level": "INFO", "message": "m"',
            '"component": "c", "level": "loud", "message": "m"', 'PV003',
            'level is not known: "loud"'
        ),
        (
            'record_logs', '"component": "c", "level": "INFO", "message": "m"',
            '"component": "c", "level": "INFO", "message": "m", "duration_ms": -1', 'PV004',
            'duration_ms is out of range: -1'
        ),
        (
            'record_logs', '"component": "c", "level": "INFO", "message": "m"',
            '"component": "c", "level": "INFO", "message": "m", "logged_at": "2026-01-17"', 'PV006',
            'time is impossible: 2026-01-17 00:00:00+00'
        ),
        (
            'record_logs', '"component": "c", "level": "INFO", "message": "m"',
            '"component": "c", "level": "INFO", "message": "m", "logged_at": "2026-02-30"', 'PV006',
            'date/time field value out of range: "2026-02-30"'
        )
    ) as refused (function_name, good, bad, code, message);

select
    is(
        pg_temp.refusal_of(
            format('%s(%L)', function_name, format('[{%s, "%s": %s}]', fields, id, n))
        ),
        row(
            'PV004',
            format('row 1: %s is out of range: %s', id, n),
            format('Give %s as a number below 0; ours count up from 1.', id)
        )::pg_temp.refusal,
        format('%s refuses an id of the caller''s that may be one of ours: %s', function_name, n)
    )
from (
    values
    ('record_errors', 'error_id', '"error_type": "E", "severity": "low", "message": "m"', 7),
    ('record_metrics', 'sample_id', '"metric_name": "m", "value": 1', 1),
    ('record_logs', 'log_id', '"component": "c", "level": "INFO", "message": "m"', 0)
) as positive (function_name, id, fields, n);

-- Boundaries

select is(
    (
        pg_temp.refusal_of(format(
            'record_metrics(%L)',
            (
                select
                    jsonb_agg(
                        jsonb_build_object(
                            'metric_name', case when n < 1000 then 'm' end, 'value', n
                        )
                        order by n
                    )
                from generate_series(1, 1000) as n
            )
        ))
    ).message,
    'row 1000: metric_name is missing: null',
    'the last of a thousand rows is found as well'
);

-- Afterwards

select is(
    pg_temp.state(),
    pg_temp.remembered_state(),
    'none of the refused calls wrote a row, not even the good ones, or made a partition'
);

select * from finish(); -- noqa: AM04
rollback;
