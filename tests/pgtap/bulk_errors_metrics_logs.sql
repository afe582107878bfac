-- record_errors, record_metrics, record_logs: by the thousand, and each row once.

begin;
select plan(20);
-- Days and times are written here as they are in UTC.
set local timezone = 'UTC';
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- Interface

select is(
    monitoring.record_errors(
        '[
            {"task_id": "t", "error_type": "E", "severity": "high", "message": "row 5 is bad",
                "component": "c", "details": [1], "stack": "s", "fingerprint": "f",
                "occurred_at": "2026-01-15T11:00:00Z", "error_id": -7},
            {"error_type": "E", "severity": "low", "message": "row 6 is bad"}
        ]'
    ),
    2::bigint,
    'an array of errors is recorded'
);

select is(
    monitoring.record_metrics(
        '[
            {"metric_name": "m", "metric_type": "timer", "value": -1.5, "unit": "ms",
                "component": "c", "tags": {"a": "b"}, "task_id": "t",
                "recorded_at": "2026-01-15T11:00:00Z", "sample_id": -7},
            {"metric_name": "n", "value": 2}
        ]'
    ),
    2::bigint,
    'so is one of measured values'
);

select is(
    monitoring.record_logs(
        '[
            {"component": "c", "level": "warn", "message": "m", "details": {"a": 1},
                "task_id": "t", "duration_ms": 0.5, "logged_at": "2026-01-15T11:00:00Z",
                "log_id": -7},
            {"component": "d", "level": "INFO", "message": "n"}
        ]'
    ),
    2::bigint,
    'so is one of log lines'
);

-- Behaviour

select results_eq(
    $$
        select error_id < 0, task_id, error_type, severity, message, component, fingerprint,
            details, occurred_at, stack
        from monitoring.error_tracking order by occurred_at
    $$,
    $$
        values
        (true, 't', 'E', 'high', 'row 5 is bad', 'c', 'f', '[1]'::jsonb,
            '2026-01-15 11:00+00'::timestamptz, 's'),
        (false, '', 'E', 'low', 'row 6 is bad', null,
            monitoring.error_fingerprint('E', 'row 7 is bad'), null, '2026-01-15 12:00+00', null)
    $$,
    'errors are kept as when told singly'
);

select results_eq(
    $$
        select sample_id < 0, metric_name, metric_type, value, unit, component, tags, task_id,
            recorded_at
        from monitoring.performance_monitoring order by metric_name
    $$,
    $$
        values
        (true, 'm', 'timer', -1.5::double precision, 'ms', 'c', '{"a": "b"}'::jsonb, 't',
            '2026-01-15 11:00+00'::timestamptz),
        (false, 'n', 'gauge', 2, null, null, null, null, '2026-01-15 12:00+00')
    $$,
    'so are measured values'
);

select results_eq(
    $$
        select log_id < 0, component, level, message, details, task_id, duration_ms, logged_at
        from monitoring.v_application_logs order by component
    $$,
    $$
        values
        (true, 'c', 'WARNING', 'm', '{"a": 1}'::jsonb, 't', 0.5::double precision,
            '2026-01-15 11:00+00'::timestamptz),
        (false, 'd', 'INFO', 'n', null, null, null, '2026-01-15 12:00+00')
    $$,
    'so are log lines'
);

-- Behaviour: sent again

-- How many rows are new of one error, one value and one log line that carry an id of their own.
create function pg_temp.record_with_id(p_id bigint) returns bigint[]
language sql
as $$
    select array[
        monitoring.record_errors(jsonb_build_array(jsonb_build_object(
            'error_id', p_id, 'error_type', 'own', 'severity', 'low', 'message', 'm',
            'occurred_at', '2026-01-15T11:00:00Z'
        ))),
        monitoring.record_metrics(jsonb_build_array(jsonb_build_object(
            'sample_id', p_id, 'metric_name', 'own', 'value', 1,
            'recorded_at', '2026-01-15T11:00:00Z'
        ))),
        monitoring.record_logs(jsonb_build_array(jsonb_build_object(
            'log_id', p_id, 'component', 'own', 'level', 'INFO', 'message', 'm',
            'logged_at', '2026-01-15T11:00:00Z'
        )))
    ]
$$;

select
    is(
        pg_temp.record_with_id(id),
        array_fill(new_rows, array[3]),
        about
    )
from (
    values
    (-1::bigint, 1::bigint, 'a row with an id of its own is new'),
    (-1, 0, 'when it is sent again it is not'),
    (-9223372036854775808, 1, 'another id is another row'),
    (-9223372036854775808, 0, 'which is written once as well')
) as sent (id, new_rows, about);

select is(
    array[
        (select count(*) from monitoring.error_tracking where error_type = 'own'),
        (select count(*) from monitoring.performance_monitoring where metric_name = 'own'),
        (select count(*) from monitoring.v_application_logs where component = 'own')
    ],
    array[2, 2, 2]::bigint[],
    'and that is what is there'
);

select monitoring.record_logs('[{"component": "again", "level": "INFO", "message": "m"}]')
from generate_series(1, 3);

select is(
    (select count(*) from monitoring.v_application_logs where component = 'again'),
    3::bigint,
    'rows without an id are written as often as they are sent'
);

-- Boundaries

select is(
    array[
        monitoring.record_errors('[]'),
        monitoring.record_metrics('[]'),
        monitoring.record_logs('[]')
    ],
    array[0, 0, 0]::bigint[],
    'no rows are fine'
);

-- A thousand times the same row, five minutes apart.
create function pg_temp.thousand_rows(p_time_column text, p_row jsonb) returns jsonb
language sql
as $$
    select jsonb_agg(
        p_row || jsonb_build_object(
            p_time_column, timestamptz '2025-04-01 00:00+00' + n * interval '5 minutes'
        )
    )
    from generate_series(1, 1000) as n
$$;

select is(
    array[
        monitoring.record_errors(
            pg_temp.thousand_rows(
                'occurred_at', '{"error_type": "many", "severity": "low", "message": "row 5"}'
            )
        ),
        monitoring.record_metrics(
            pg_temp.thousand_rows('recorded_at', '{"metric_name": "many", "value": 2.5}')
        ),
        monitoring.record_logs(
            pg_temp.thousand_rows(
                'logged_at', '{"component": "many", "level": "INFO", "message": "m"}'
            )
        )
    ],
    array[1000, 1000, 1000]::bigint[],
    'a thousand rows over four days without partitions are recorded in one call each'
);

select results_eq(
    $$
        select date_trunc('day', logged_at), count(*)
        from monitoring.late_log_lines where component = 'many' group by 1 order by 1
    $$,
    $$
        values ('2025-04-01 00:00+00'::timestamptz, 287::bigint), ('2025-04-02 00:00+00', 288),
            ('2025-04-03 00:00+00', 288), ('2025-04-04 00:00+00', 137)
    $$,
    'and wait to be placed in their days'
);

select is(
    (select count(distinct fingerprint) from monitoring.error_tracking where error_type = 'many'),
    1::bigint,
    'a thousand errors of one kind are one group'
);

select results_eq(
    $$
        select count(*), sum(value)
        from monitoring.performance_monitoring where metric_name = 'many'
    $$,
    'values (1000::bigint, 2500::double precision)',
    'and every value is there'
);

select monitoring.record_metrics('[{"metric_name": "text", "value": "1.5", "sample_id": "-4"}]');

select is(
    (select value from monitoring.performance_monitoring where metric_name = 'text'),
    1.5::double precision,
    'a number may be given as a text, as tables of text have it'
);

select monitoring.record_log('null', 'INFO', 'm', 'null');
select monitoring.record_logs(
    '[{"component": "null", "level": "INFO", "message": "m", "details": null}]'
);

select is(
    (
        select count(*) from monitoring.v_application_logs
        where component = 'null' and details is null
    ),
    2::bigint,
    'details that are a JSON null are none, singly and in bulk'
);

-- Whether ids that we might give are accepted or refused, they must not get in our way.
select set_config('tests.id', monitoring.record_log('ours', 'INFO', 'm')::text, true);
select
    pg_temp.refusal_of(
        format(
            'record_logs(''[{"component": "ours", "level": "INFO", "log_id": %s}]'')',
            n + current_setting('tests.id')::bigint
        )
    )
from generate_series(1, 5) as n;

select lives_ok(
    $$select monitoring.record_log('ours', 'INFO', 'm') from generate_series(1, 10)$$,
    'an id that a caller chose never meets one of ours'
);

select * from finish(); -- noqa: AM04
rollback;
