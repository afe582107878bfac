-- Writers write and readers read with no right to any table; days without partitions included.

begin;
select plan(37);
\ir helpers/fixed_clock.psql

-- As a writer

set local role monitoring_writer;

select ok(monitoring.start_task_tracking('t', 'load') = 1, 'a writer starts a task');
select ok(monitoring.start_task_tracking('t', 'load') = 2, 'starts it again');
select ok(monitoring.update_task_progress('t', 1), 'tells its progress');
select ok(monitoring.complete_task_tracking('t', 'failed'), 'ends it');
select ok(not monitoring.complete_task_tracking('unheard'), 'ends one that was never started');
select ok(monitoring.record_error('t', 'E', 'low', 'm') > 0, 'records an error');
select ok(monitoring.record_performance_metric('m', 'gauge', 1) > 0, 'a measured value');
select ok(monitoring.record_log('c', 'INFO', 'm') > 0, 'a log line');
select ok(monitoring.update_system_health('s', 'api', 'healthy') > 0, 'a check');
select ok(monitoring.record_queue_metrics('q', 1) > 0, 'and a queue sample');

select is(
    monitoring.record_finished_tasks(
        '[{"task_id": "t", "task_type": "load", "end_time": "2025-02-01T00:00:00Z"}]'
    ),
    1::bigint,
    'a writer records finished tasks in bulk'
);

select is(
    monitoring.record_errors(
        '[{"error_type": "E", "severity": "low", "message": "m",
            "occurred_at": "2025-02-01T00:00:00Z"}]'
    ),
    1::bigint,
    'errors'
);

select is(
    monitoring.record_metrics(
        '[{"metric_name": "m", "value": 1, "recorded_at": "2025-02-01T00:00:00Z"}]'
    ),
    1::bigint,
    'measured values'
);

select is(
    monitoring.record_logs(
        '[{"component": "c", "level": "INFO", "message": "m",
            "logged_at": "2025-02-01T00:00:00Z"}]'
    ),
    1::bigint,
    'and log lines'
);

select set_config('monitoring.strict', 'on', true);
select
    throws_ok(
        format('select monitoring.%s', call),
        code,
        null,
        'a writer is told what is wrong like anyone: ' || call
    )
from (
    values
    ('record_error('''', '''', ''low'', ''m'')', 'PV001'),
    ('record_log(''c'', ''loud'', ''m'')', 'PV003'),
    ('record_metrics(''[{"metric_name": "m"}]'')', 'PV004')
) as bad (call, code);

select set_config('monitoring.strict', 'off', true);
select lives_ok(
    $$select monitoring.record_error('', 'E', 'ERROR', 'm')$$, 'when it wants to be'
);

-- As a reader

set local role monitoring_reader;

select isnt_empty('select * from monitoring.' || view_name, 'a reader reads ' || view_name)
from unnest(
        array[
            'processing_metrics', 'v_task_statistics', 'error_tracking', 'error_groups',
            'v_error_summary', 'performance_monitoring', 'v_performance_trends',
            'v_application_logs', 'v_health_history', 'system_health', 'v_system_health_summary',
            'queue_monitoring', 'v_queue_performance'
        ]
    ) as view_name;

select is_empty('select * from monitoring.' || view_name, 'a reader reads ' || view_name)
from unnest(array['v_realtime_processing_status', 'v_active_alerts']) as view_name;

select is(
    monitoring.get_dashboard_summary() -> 'errors' ->> 'low',
    '1',
    'a reader reads the dashboard'
);

select ok(monitoring.get_installation() ? 'version', 'and what is installed');

-- As an operator

set local role monitoring_operator;

select lives_ok(
    format(
        'select monitoring.resolve_error_group(%L)', monitoring.error_fingerprint('E', 'm')
    ),
    'an operator decides about errors'
);

select is(
    (select changed_by from monitoring.error_groups),
    session_user::text,
    'and is named by the session user'
);

reset role;

select * from finish(); -- noqa: AM04
rollback;
