-- An ETL execution is a task: beginning, progress, end, and how it is read.

begin;
select plan(24);
\ir helpers/fixed_clock.psql

-- Interface

select is(
    monitoring.start_etl_execution('load-1', '{"source": "feed"}'), 1,
    'a name and a configuration start an execution'
);
select is(
    (
        select t::text from (
            select
                task_type,
                metadata,
                counters,
                items_total
            from monitoring.processing_metrics
        ) as t
    ),
    '(etl,"{""config"": {""source"": ""feed""}}",,)',
    'it is a task of type etl with its configuration in the metadata'
);
select is(
    (select e::text from monitoring.etl_executions as e),
    '(load-1,"2026-01-15 12:00:00+00",,RUNNING,,,,,,,,,"{""source"": ""feed""}")',
    'that runs, and of which nothing else is known'
) from set_config('timezone', 'UTC', true);

-- Behaviour

select monitoring.start_etl_execution('load-2', null, 200, 4);
select is(
    (
        select
            format(
                '%s of %s, chunks %s of %s', e.processed_fixtures, e.total_fixtures,
                e.processed_chunks, e.total_chunks
            )
        from monitoring.etl_executions as e where e.execution_id = 'load-2'
    ),
    ' of 200, chunks  of 4',
    'what is expected may be told at the start'
);
select monitoring.update_task_progress('load-2', 50, null, '{"processed_fixtures": 50}');
select is(
    (
        select format('%s %s', e.processed_fixtures, s.progress_percent)
        from monitoring.etl_executions as e
        inner join monitoring.v_realtime_processing_status as s on e.execution_id = s.task_id
        where e.execution_id = 'load-2'
    ),
    '50 25.0',
    'progress is that of the task'
);
select monitoring.start_task_tracking('load-3', 'etl');
select monitoring.update_task_progress('load-3', 7, 9);
select is(
    (
        select format('%s of %s', e.processed_fixtures, e.total_fixtures)
        from monitoring.etl_executions as e where e.execution_id = 'load-3'
    ),
    '7 of 9',
    'where there are no counters the items of the task count'
);
select pg_temp.set_clock('2026-01-15 12:10+00');
select ok(
    monitoring.finish_etl_execution('load-2', 'COMPLETED', 200, 190, 180, 10, 4, 4),
    'an execution ends with its figures'
);
select is(
    (
        select e::text from monitoring.etl_executions as e where e.execution_id = 'load-2'
    ),
    '(load-2,"2026-01-15 12:00:00+00","2026-01-15 12:10:00+00",COMPLETED,200,190,180,10,4,4,600,,)',
    'and the view has them all'
);
select is(
    (select t.items_done from monitoring.processing_metrics as t where t.task_id = 'load-2'),
    190::bigint,
    'items done follow the fixtures'
);
select is_empty(
    $$select * from monitoring.error_tracking$$, 'where nothing went wrong there is no error'
);
select ok(
    monitoring.finish_etl_execution(
        'load-1', 'FAILED', 10, 5, 4, 1, null, null, 'feed is away'
    ),
    'a failure comes with a message'
);
select is(
    (
        select format('%s: %s', e.status, e.error_message)
        from monitoring.etl_executions as e where e.execution_id = 'load-1'
    ),
    'FAILED: feed is away',
    'which the execution keeps'
);
select results_eq(
    $$
        select task_id, error_type, severity, message, component, details
        from monitoring.error_tracking
    $$,
    $$
        values (
            'load-1', 'etl.execution_failed', 'high', 'feed is away', 'etl',
            '{"execution_id": "load-1"}'::jsonb
        )
    $$,
    'and which is an error of it'
);
select is(
    (select config from monitoring.etl_executions where execution_id = 'load-1'),
    '{"source": "feed"}'::jsonb,
    'the configuration stays'
);
select is(
    monitoring.finish_etl_execution('load-1', 'FAILED'), false,
    'what is told twice is told once'
);
select is(
    (select count(*) from monitoring.error_tracking), 1::bigint, 'and is one error'
);
select is(monitoring.start_etl_execution('load-1'), 2, 'a failed one may be started again');
select ok(monitoring.finish_etl_execution('load-1'), 'it completes where nothing is said');
select results_eq(
    $$
        select status from monitoring.etl_executions
        where execution_id = 'load-1' order by finished_at, status desc
    $$,
    array['FAILED', 'COMPLETED'],
    'each attempt is a row'
);
select monitoring.finish_etl_execution('load-3', 'cancelled', p_error_message => 'stopped by hand');
select is(
    (
        select
            format('%s: %s, %s errors', e.status, e.error_message, (
                select count(*) from monitoring.error_tracking as t where t.task_id = 'load-3'
            ))
        from monitoring.etl_executions as e where e.execution_id = 'load-3'
    ),
    'CANCELLED: stopped by hand, 0 errors',
    'a cancellation is told in any case of letters, and is no error'
);

-- Boundaries

select is(
    monitoring.finish_etl_execution('unheard', 'FAILED', 3, 3, 0, 3, null, null, 'lost its start'),
    false,
    'an execution that never began was not running'
);
select is(
    (
        select format('%s %s %s', e.status, e.failed_fixtures, e.error_message)
        from monitoring.etl_executions as e where e.execution_id = 'unheard'
    ),
    'FAILED 3 lost its start',
    'what is known of it is kept'
);
select monitoring.start_etl_execution('late');
select monitoring.finish_etl_execution('late', 'TIMEOUT');
select monitoring.start_etl_execution('restarted');
select monitoring.start_etl_execution('restarted');
select results_eq(
    $$
        select execution_id, status from monitoring.etl_executions
        where execution_id in ('late', 'restarted') order by 1, 2
    $$,
    $$values ('late', 'FAILED'), ('restarted', 'FAILED'), ('restarted', 'RUNNING')$$,
    'what timed out or was restarted has failed'
);
select monitoring.start_etl_execution(
    'large', jsonb_build_object('text', repeat('x', 70000)), 1
);
select monitoring.finish_etl_execution(
    'large', 'FAILED', 1, 9000000000000, 0, 1, null, null, repeat('ä', 9000)
);
select is(
    (
        select
            format(
                '%s %s %s',
                e.config ->> 'cut',
                length(e.error_message) <= 4000,
                e.processed_fixtures
            )
        from monitoring.etl_executions as e where e.execution_id = 'large'
    ),
    'true t 9000000000000',
    'large documents and messages are cut, and fit together'
);

select * from finish(); -- noqa: AM04
rollback;
