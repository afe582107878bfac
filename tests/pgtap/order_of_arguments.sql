-- Arguments in another order than that of the function: what was meant is recorded where a word
-- tells it, and a warning says so.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
set local client_min_messages = error;
select monitoring.ensure_partitions();

-- Errors

select monitoring.record_error('t', 'ValidationError', 'Invalid input', 'Medium', 'c');
select monitoring.record_error('t', 'high', 'KeyError', 'no such key', 'c');
select monitoring.record_errors(
    '[{"error_type": "OSError", "severity": "disk full", "message": "critical"},
      {"error_type": "critical", "severity": "IOError", "message": "torn page"},
      {"error_type": "Plain", "severity": "low", "message": "high"}]'::jsonb
);
select results_eq(
    $$
        select error_type, severity, message from monitoring.errors
        where component is distinct from 'pgvigil' order by error_type
    $$,
    $$
        values
        ('IOError', 'critical', 'torn page'), ('KeyError', 'high', 'no such key'),
        ('OSError', 'critical', 'disk full'), ('Plain', 'low', 'high'),
        ('ValidationError', 'medium', 'Invalid input')
    $$,
    'a severity in the place of type or message is taken as the severity'
);
select is(
    (select fingerprint from monitoring.errors where error_type = 'OSError'),
    monitoring.error_fingerprint('OSError', 'disk full'),
    'and the group is that of what was meant'
);
select is(
    (
        select message from monitoring.errors
        where fingerprint = 'pgvigil.repaired:order of error_type, severity, message'
    ),
    'severity is not known: "Invalid input", but message is one: "Medium"; taken as severity',
    'it is shown what was wrong'
);

-- What stays as it is

select monitoring.record_error('w', 'critical', 'fatal', 'high');
select monitoring.record_error('w', 'low', 'no such word', 'high');
select monitoring.record_error('w', 'A', null, 'high');
select monitoring.record_error('w', 'error', 'hihg', 'exception');
select results_eq(
    $$
        select error_type, severity, message from monitoring.errors
        where task_id = 'w' order by error_id
    $$,
    $$
        values
        ('critical', 'critical', 'high'), ('low', 'medium', 'high'), ('A', 'medium', 'high'),
        ('error', 'medium', 'exception')
    $$,
    'known words are in their place, two severities or none tell nothing, synonyms are no evidence'
);

-- Log lines

select monitoring.record_log('c', 'it begins', 'Info');
select monitoring.record_log('error', 'dd', 'it fails');
select monitoring.record_logs(
    '[{"component": "e", "level": "it goes on", "message": "DEBUG"},
      {"component": "f", "level": "warn", "message": "INFO"}]'::jsonb
);
select results_eq(
    $$select component, level, message from monitoring.v_application_logs order by component$$,
    $$
        values
        ('c', 'INFO', 'it begins'), ('dd', 'ERROR', 'it fails'), ('e', 'DEBUG', 'it goes on'),
        ('f', 'WARNING', 'INFO')
    $$,
    'a level in the place of component or message is taken as the level'
);

select monitoring.log_etl_event('loader', 'ERROR', 'no file', p_execution_id => 'x');
select monitoring.log_etl_event('loader', 'file found', 'info', p_execution_id => 'x');
select results_eq(
    $$select level, component, message from monitoring.etl_logs order by level$$,
    $$values ('ERROR', 'loader', 'no file'), ('INFO', 'loader', 'file found')$$,
    'so it is of events of ETL'
);
select is(
    (select message from monitoring.errors where error_type = 'etl.log_error'),
    'no file',
    'and of the errors that they are as well'
);

-- Checks of components

select monitoring.update_system_health('api', 'healthy', 'main', 12);
select monitoring.update_system_health('unhealthy', 'api', 'other');
select results_eq(
    $$
        select component_type, component_name, status, response_time_ms
        from monitoring.health_probes order by component_name
    $$,
    $$
        values
        ('api', 'main', 'healthy', 12::double precision), ('api', 'other', 'unhealthy', null)
    $$,
    'a state of health in the place of type or name is taken as the state'
);

-- Ends of tasks

select monitoring.start_task_tracking('task-1', 'x');
select ok(
    monitoring.complete_task_tracking('completed', 'task-1'), 'a task ends by its name and status'
);
select monitoring.start_task_tracking('task-2', 'x');
select ok(
    not monitoring.complete_task_tracking('task-1', 'task-2'),
    'where neither is a status, the first is the name'
);
select monitoring.start_etl_execution('run-1');
select ok(
    monitoring.finish_etl_execution('FAILED', 'run-1'),
    'so do executions of ETL'
);
select results_eq(
    $$select task_id, status from monitoring.finished_tasks where task_id <> 'task-1' order by 1$$,
    $$values ('run-1', 'failed')$$,
    'with the status that was meant'
);

-- Refusals

select set_config('monitoring.strict', 'on', true);
select throws_ok(
    $$select monitoring.record_error('t', 'E', 'Invalid input', 'medium')$$,
    'PV003',
    'severity is not known: "Invalid input", but message is one: "medium"',
    'strict sessions have another order of errors refused'
);
select throws_ok(
    $$select monitoring.record_log('c', 'it begins', 'INFO')$$, 'PV003', null,
    'of log lines'
);
select throws_ok(
    $$select monitoring.log_etl_event('c', 'INFO', 'm')$$, 'PV003', null, 'of events'
);
select throws_ok(
    $$select monitoring.update_system_health('api', 'healthy', 'main')$$, 'PV003', null,
    'of checks'
);
select throws_ok(
    $$select monitoring.complete_task_tracking('completed', 'task-2')$$, 'PV003', null,
    'and of ends'
);

select finish();
rollback;
