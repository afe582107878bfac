-- Log lines and metrics of ETL are log lines and metrics, with execution, chunk and fixture.

begin;
select plan(26);
\ir helpers/fixed_clock.psql

-- Interface

select ok(
    monitoring.log_etl_event(
        'info', 'loader', 'chunk read', '{"rows": 12}', 'load-1', 'c-1', 'f-9', 34.5
    ) > 0,
    'a log line is told with all there is, in this order'
);
select results_eq(
    $$
        select "timestamp", level, component, message, details, execution_id, chunk_id, fixture_id,
            duration_ms
        from monitoring.etl_logs
    $$,
    $$
        values (
            '2026-01-15 12:00+00'::timestamptz, 'INFO', 'loader', 'chunk read', '{"rows": 12}'::jsonb,
            'load-1', 'c-1', 'f-9', 34.5::float8
        )
    $$,
    'and read as its user knows it'
);
select results_eq(
    $$select task_id, details from monitoring.v_application_logs$$,
    $$
        values (
            'load-1',
            '{"rows": 12, "execution_id": "load-1", "chunk_id": "c-1", "fixture_id": "f-9"}'::jsonb
        )
    $$,
    'it is a line of the application logs'
);
select ok(
    monitoring.record_etl_metric('load-1', 'rows', 1200, 'rows/s', '{"stage": "parse"}') > 0,
    'a metric is told with unit and tags'
);
select results_eq(
    $$
        select "timestamp", execution_id, metric_name, metric_value, metric_unit, tags
        from monitoring.etl_metrics
    $$,
    $$
        values (
            '2026-01-15 12:00+00'::timestamptz, 'load-1', 'rows', 1200::float8, 'rows/s',
            '{"stage": "parse"}'::jsonb
        )
    $$,
    'and read as its user knows it'
);
select results_eq(
    $$
        select metric_name, metric_type, component, task_id, tags
        from monitoring.performance_monitoring
    $$,
    $$
        values (
            'rows', 'gauge', 'etl', 'load-1',
            '{"stage": "parse", "execution_id": "load-1"}'::jsonb
        )
    $$,
    'it is a metric'
);
select is_empty('select * from monitoring.error_tracking', 'no line so far was an error');

-- Behaviour

select monitoring.log_etl_event('WARN', 'loader', 'slow');
select is_empty('select * from monitoring.error_tracking', 'nor is a warning');
select monitoring.log_etl_event(
    'ERROR', 'loader', 'row 17 is broken', '{"row": 17}', 'load-1', 'c-1'
);
select monitoring.log_etl_event('fatal', 'loader', 'disk full');
select results_eq(
    $$
        select task_id, error_type, severity, message, component, details
        from monitoring.error_tracking order by error_id
    $$,
    $$
        values
        (
            'load-1', 'etl.log_error', 'high', 'row 17 is broken', 'loader',
            '{"row": 17, "execution_id": "load-1", "chunk_id": "c-1"}'::jsonb
        ),
        ('', 'etl.log_critical', 'critical', 'disk full', 'loader', '{"execution_id": null}')
    $$,
    'errors and worse are errors too, once each'
);
select is(
    (select count(*) from monitoring.etl_logs where level in ('ERROR', 'CRITICAL')), 2::bigint,
    'and log lines'
);
select is(
    (
        select format('%s|%s|%s', execution_id, chunk_id, details)
        from monitoring.etl_logs where message = 'slow'
    ),
    '||',
    'a line outside of any execution is one of ETL'
);
select monitoring.record_log('other', 'ERROR', 'not ETL', '{"rows": 1}', 'load-1');
select monitoring.record_performance_metric('cpu', 'gauge', 1);
select is(
    (select count(*) from monitoring.etl_logs) + (select count(*) from monitoring.etl_metrics),
    5::bigint,
    'what others record is not'
);
select monitoring.record_logs(
    '[{"component": "loader", "level": "INFO", "message": "in bulk", "task_id": "load-1",
    "details": {"execution_id": "load-1", "chunk_id": "c-2"}}]'
);
select is(
    (select chunk_id from monitoring.etl_logs where message = 'in bulk'), 'c-2',
    'bulk calls tell of ETL by the same keys'
);
select monitoring.record_logs(
    '[{"component": "loader", "level": "INFO", "message": "of no task",
       "details": {"execution_id": "load-1", "chunk_id": "c-3", "rows": 2}},
      {"component": "loader", "level": "INFO", "message": "of a chunk", "task_id": "load-1/c-3",
       "details": {"execution_id": "load-1", "chunk_id": "c-3"}},
      {"component": "loader", "level": "INFO", "message": "of a number",
       "details": {"execution_id": 17}},
      {"component": "loader", "level": "INFO", "message": "of none",
       "details": {"execution_id": ""}}]'
);
select results_eq(
    $$
        select message, execution_id, details from monitoring.etl_logs
        where message like 'of %' order by log_id
    $$,
    $$
        values
        ('of no task', 'load-1', '{"rows": 2}'::jsonb),
        ('of a chunk', 'load-1', null),
        ('of a number', '17', null),
        ('of none', null, null)
    $$,
    'the execution is the one that is named, whatever the task'
);
select monitoring.record_metrics(
    '[{"metric_name": "bulk", "value": 1, "tags": {"execution_id": "load-1", "stage": "parse"}},
      {"metric_name": "bulk", "value": 2, "task_id": "load-1/c-3",
       "tags": {"execution_id": "load-1"}},
      {"metric_name": "bulk", "value": 3, "task_id": "load-1", "tags": {"execution_id": null}}]'
);
select monitoring.record_performance_metric(
    'bulk', 'gauge', 4, p_tags => '{"execution_id": "load-1"}'
);
select results_eq(
    $$
        select metric_value, execution_id, tags from monitoring.etl_metrics
        where metric_name = 'bulk' order by metric_value
    $$,
    $$
        values
        (1::float8, 'load-1', '{"stage": "parse"}'::jsonb),
        (2::float8, 'load-1', null),
        (3::float8, 'load-1', null),
        (4::float8, 'load-1', null)
    $$,
    'so is that of a metric, recorded in bulk or singly'
);
select monitoring.start_etl_execution('load-9');
select monitoring.record_errors(
    '[{"error_type": "Broken", "severity": "low", "message": "m",
       "details": {"execution_id": "load-9"}},
      {"error_type": "Broken", "severity": "low", "message": "m", "task_id": "load-9/1"},
      {"error_type": "Broken", "severity": "low", "message": "m", "task_id": "load-90",
       "details": [1]}]'
);
select is(
    monitoring.get_etl_execution_summary('load-9') -> 'errors', '2'::jsonb,
    'and that of an error, in the summary of the execution'
);
delete from monitoring.log_lines where message like 'of %';
delete from monitoring.metric_samples where metric_name = 'bulk';
select monitoring.log_etl_event(
    'INFO', 'loader', 'earlier', null, 'load-1', null, null, null, '2026-01-15 11:00+00'
);
select is(
    (select timestamp from monitoring.etl_logs where message = 'earlier'),
    '2026-01-15 11:00+00'::timestamptz,
    'a line may be of an earlier time'
);
select monitoring.record_etl_metric('load-1', 'done', 3, null, null, 'counter', 'writer');
select is(
    (
        select format('%s %s', metric_type, component)
        from monitoring.performance_monitoring where metric_name = 'done'
    ),
    'counter writer',
    'a metric may be a counter, of another component'
);
select monitoring.record_etl_metric(null, 'idle', 1);
select is(
    (select count(*) from monitoring.etl_metrics where execution_id is null), 1::bigint,
    'a metric of no execution is one of ETL'
);

-- Boundaries

select monitoring.log_etl_event('INFO', 'loader', 'a list', '[1, 2]', 'load-1');
select is(
    (select details from monitoring.etl_logs where message = 'a list'),
    '{"details": [1, 2]}'::jsonb,
    'details that are no object go under a key'
);
select monitoring.record_log('other', 'INFO', 'odd', '["execution_id"]');
select is_empty(
    $$select * from monitoring.etl_logs where message = 'odd'$$, 'a list of words is no ETL'
);
select monitoring.log_etl_event(
    'INFO', 'loader', 'large', jsonb_build_object('t', repeat('x', 70000)), repeat('😀', 255)
);
select is(
    (
        select format('%s %s', details ->> 'cut', length(execution_id))
        from monitoring.etl_logs where message = 'large'
    ),
    'true 255',
    'large details are cut, and the line stays one of its execution'
);
select monitoring.record_etl_metric(
    'load-1', 'tagged', 1, null, jsonb_build_object('t', repeat('x', 65000))
);
select is(
    (select tags ->> 'cut' from monitoring.etl_metrics where metric_name = 'tagged'), 'true',
    'so are large tags'
);
select monitoring.log_etl_event('INFO', 'loader', null, 'null', '', '', '');
select is(
    (
        select format('%s|%s|%s|%s', message, details, execution_id, chunk_id)
        from monitoring.etl_logs order by log_id desc limit 1
    ),
    '|||',
    'empty names and a missing message are none'
);
select is(
    monitoring.log_etl_event('INFO', 'loader', 'own key', '{"chunk_id": "mine"}', 'load-1', 'c-3')
    > 0,
    true,
    'details may have keys of these names'
);
select is(
    (select chunk_id from monitoring.etl_logs where message = 'own key'), 'c-3',
    'the argument counts'
);

select * from finish(); -- noqa: AM04
rollback;
