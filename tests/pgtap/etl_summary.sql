-- One ETL execution at a glance, and ETL as a whole.

begin;
select plan(23);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql

-- Times in documents are those of the session.
select set_config('timezone', 'UTC', true);

-- Interface

select is(
    monitoring.get_etl_execution_summary('unheard'), null, 'of an unknown execution there is none'
);
select is(
    monitoring.get_etl_health_status(),
    '{
        "generated_at": "2026-01-15T12:00:00+00:00",
        "executions": {"RUNNING": 0, "COMPLETED": 0, "FAILED": 0, "CANCELLED": 0},
        "mean_duration_seconds": null, "mean_success_percent": null, "last_execution": null,
        "logs": {"DEBUG": 0, "INFO": 0, "WARNING": 0, "ERROR": 0, "CRITICAL": 0}, "errors": 0
    }'::jsonb,
    'where nothing was recorded every figure is there'
);
select monitoring.start_etl_execution('load-1', '{"source": "feed"}', 400, 4);
select is(
    monitoring.get_etl_execution_summary('load-1'),
    '{
        "execution_id": "load-1", "status": "RUNNING", "attempt": 1,
        "started_at": "2026-01-15T12:00:00+00:00", "finished_at": null, "duration_seconds": 0,
        "statistics": {
            "total_fixtures": 400, "processed_fixtures": null, "successful_fixtures": null,
            "failed_fixtures": null
        },
        "progress_percent": null, "success_percent": null, "items_per_second": null,
        "chunks": {
            "total_chunks": 4, "processed_chunks": null, "running": 0, "completed": 0, "failed": 0,
            "cancelled": 0, "mean_duration_seconds": null, "max_duration_seconds": null
        },
        "errors": 0, "step_durations": null, "error_message": null, "config": {"source": "feed"}
    }'::jsonb,
    'so it is of an execution that has just begun'
);

-- Behaviour

select pg_temp.set_clock('2026-01-15 12:00:10+00');
select monitoring.start_task_tracking('load-1/1', 'etl.chunk', null, null, 'load-1');
select monitoring.start_task_tracking('load-1/2', 'etl.chunk', null, null, 'load-1');
select monitoring.start_task_tracking('load-1/other', 'other', null, null, 'load-1');
select monitoring.start_task_tracking('load-2/1', 'etl.chunk', null, null, 'load-2');
select pg_temp.set_clock('2026-01-15 12:00:20+00');
select monitoring.complete_task_tracking('load-1/1', 'completed');
select pg_temp.set_clock('2026-01-15 12:00:40+00');
select monitoring.complete_task_tracking('load-1/2', 'failed');
select monitoring.start_task_tracking('load-1/3', 'etl.chunk', null, null, 'load-1');
select monitoring.record_error('load-1/2', 'ValueError', 'high', 'broken row');
select monitoring.log_etl_event('ERROR', 'loader', 'chunk 2 failed', null, 'load-1', '2');
select monitoring.record_error('load-10', 'ValueError', 'high', 'another execution');
select monitoring.update_task_progress(
    'load-1', 100, null,
    '{"processed_fixtures": 100, "successful_fixtures": 90, "failed_fixtures": 10,
    "processed_chunks": 2}'
);

select is(
    monitoring.get_etl_execution_summary('load-1') -> 'chunks',
    '{
        "total_chunks": 4, "processed_chunks": 2, "running": 1, "completed": 1, "failed": 1,
        "cancelled": 0, "mean_duration_seconds": 20, "max_duration_seconds": 30
    }'::jsonb,
    'its chunks are counted as they ended, and timed'
);
select
    is(
        monitoring.get_etl_execution_summary('load-1') -> wanted.key, wanted.value, wanted.told
    )
from (
    values
    ('duration_seconds', '40'::jsonb, 'a running one has taken as long as it runs'),
    ('items_per_second', '2.5', 'its rate is that of what is processed'),
    ('success_percent', '90', 'success is of what is processed'),
    ('progress_percent', '25', 'progress is of what is expected'),
    ('errors', '2', 'errors are its own and those of its chunks')
) as wanted (key, value, told);

select pg_temp.set_clock('2026-01-15 12:01:40+00');
select monitoring.finish_etl_execution(
    'load-1', 'FAILED', 400, 200, 180, 20, 4, 3, 'gave up'
);
select is(
    monitoring.get_etl_execution_summary('load-1') - '{chunks,statistics}'::text[],
    '{
        "execution_id": "load-1", "status": "FAILED", "attempt": 1,
        "started_at": "2026-01-15T12:00:00+00:00", "finished_at": "2026-01-15T12:01:40+00:00",
        "duration_seconds": 100, "progress_percent": 50, "success_percent": 90,
        "items_per_second": 2, "errors": 3, "step_durations": null, "error_message": "gave up",
        "config": {"source": "feed"}
    }'::jsonb,
    'of an ended one the figures are final'
);
select is(
    monitoring.get_etl_execution_summary('load-1') -> 'statistics',
    '{
        "total_fixtures": 400, "processed_fixtures": 200, "successful_fixtures": 180,
        "failed_fixtures": 20
    }'::jsonb,
    'and so are its items'
);

-- All together

select monitoring.start_etl_execution('load-2');
select pg_temp.set_clock('2026-01-15 12:06:40+00');
select monitoring.finish_etl_execution('load-2', 'COMPLETED', null, null, 50, 0);
select monitoring.start_etl_execution('load-3');
select pg_temp.set_clock('2026-01-15 12:06:41+00');
select monitoring.log_etl_event('WARNING', 'loader', 'slow');
select monitoring.record_log('other', 'ERROR', 'not ETL');
select is(
    monitoring.get_etl_health_status(),
    '{
        "generated_at": "2026-01-15T12:06:41+00:00",
        "executions": {"RUNNING": 1, "COMPLETED": 1, "FAILED": 1, "CANCELLED": 0},
        "mean_duration_seconds": 200, "mean_success_percent": 95,
        "last_execution": {
            "execution_id": "load-3", "status": "RUNNING",
            "started_at": "2026-01-15T12:06:40+00:00", "finished_at": null
        },
        "logs": {"DEBUG": 0, "INFO": 0, "WARNING": 1, "ERROR": 1, "CRITICAL": 0}, "errors": 2
    }'::jsonb,
    'executions by status, mean duration and success, the last one, lines and errors of a day'
);
select pg_temp.roll_up_own('tasks');
select is(
    monitoring.get_etl_health_status() -> 'executions',
    '{"RUNNING": 1, "COMPLETED": 1, "FAILED": 1, "CANCELLED": 0}'::jsonb,
    'rolled up it is the same'
);
select monitoring.finish_etl_execution('load-3', 'CANCELLED');
select is(
    monitoring.get_etl_health_status() -> 'last_execution' ->> 'status', 'CANCELLED',
    'the last one may have ended'
);

-- Boundaries

select pg_temp.set_clock('2026-01-16 12:06:40+00');
select is(
    monitoring.get_etl_health_status() -> 'executions',
    '{"RUNNING": 0, "COMPLETED": 0, "FAILED": 0, "CANCELLED": 1}'::jsonb,
    'what ended exactly a day ago is out'
);
select is(
    monitoring.get_etl_health_status() -> 'logs',
    '{"DEBUG": 0, "INFO": 0, "WARNING": 1, "ERROR": 0, "CRITICAL": 0}'::jsonb,
    'so are lines'
);
select is(monitoring.get_etl_health_status() -> 'errors', '0'::jsonb, 'and errors');
select pg_temp.set_clock('2026-02-16 12:00+00');
select is(
    monitoring.get_etl_health_status() -> 'last_execution' ->> 'execution_id', 'load-3',
    'the last execution is known for longer'
);
select monitoring.finish_etl_execution('no-start', 'COMPLETED', null, 10, 10);
select results_eq(
    $$
        select s.document ->> 'duration_seconds', s.document ->> 'items_per_second',
            s.document ->> 'success_percent'
        from monitoring.get_etl_execution_summary('no-start') as s (document)
    $$,
    $$values (null, null, '100')$$,
    'an execution without a start has no duration and no rate'
);
select is(
    (select i.success_percent from monitoring._item_counts('{"failed_fixtures": 2}', 8, null) as i),
    75::float8,
    'who tells of failed items only has told of the others too'
);
select is(
    (select i.success_percent from monitoring._item_counts(null, 8, 10) as i), null,
    'who tells of neither has told of neither'
);
select is(
    (select i.success_percent from monitoring._item_counts('{"failed_fixtures": 9}', 8, null) as i),
    null,
    'figures that contradict each other have no rate'
);
select is(
    (
        select i.total from monitoring._item_counts('{"total_fixtures": 1e30}', null, null) as i
    ),
    9223372036854775807,
    'a counter that is too large for a count is as large as can be'
);

select * from finish(); -- noqa: AM04
rollback;
