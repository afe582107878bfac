-- Statuses, severities, levels and states of health that there are not: PV003.

begin;
select plan(15);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

select monitoring.start_task_tracking('t', 'load');

select pg_temp.remember_state();

-- Refusals

select
    results_eq(
        format('select * from pg_temp.refusal_of(%L)', call),
        format('values (''PV003'', %L, %L)', message, 'Use one of: ' || choices || '.'),
        'is refused: ' || call
    )
from (
    values
    (
        'complete_task_tracking(''t'', ''done'')', 'status is not known: "done"',
        'completed, failed, cancelled, timeout, lost'
    ),
    (
        'complete_task_tracking(''t'', ''running'')', 'status is not known: "running"',
        'completed, failed, cancelled, timeout, lost'
    ),
    (
        'complete_task_tracking(''t'', ''Completed'')', 'status is not known: "Completed"',
        'completed, failed, cancelled, timeout, lost'
    ),
    (
        'complete_task_tracking(''t'', null)', 'status is not known: null',
        'completed, failed, cancelled, timeout, lost'
    ),
    (
        'record_error(''t'', ''E'', ''fatal'', ''m'')', 'severity is not known: "fatal"',
        'low, medium, high, critical'
    ),
    (
        'record_error(''t'', ''E'', '''', ''m'')', 'severity is not known: ""',
        'low, medium, high, critical'
    ),
    (
        'record_error(''t'', ''E'', null, ''m'')', 'severity is not known: null',
        'low, medium, high, critical'
    ),
    (
        'record_log(''c'', ''TRACE'', ''m'')', 'level is not known: "TRACE"',
        'DEBUG, INFO, WARNING, ERROR, CRITICAL'
    ),
    (
        'record_log(''c'', '' INFO'', ''m'')', 'level is not known: " INFO"',
        'DEBUG, INFO, WARNING, ERROR, CRITICAL'
    ),
    (
        'record_log(''c'', null, ''m'')', 'level is not known: null',
        'DEBUG, INFO, WARNING, ERROR, CRITICAL'
    ),
    (
        'update_system_health(''s'', ''api'', ''up'')', 'health status is not known: "up"',
        'healthy, degraded, unhealthy, unknown'
    ),
    (
        'update_system_health(''s'', ''api'', null)', 'health status is not known: null',
        'healthy, degraded, unhealthy, unknown'
    )
) as bad (call, message, choices);

-- Boundaries

select is(
    (pg_temp.refusal_of(format('record_log(''c'', %L, ''m'')', repeat('x', 9999)))).message,
    format('level is not known: "%s"', repeat('x', 100)),
    'of a very long value the message shows the beginning'
);

-- Afterwards

select is(
    pg_temp.state(),
    pg_temp.remembered_state(),
    'none of the refused calls wrote anything or made a partition'
);

select is(
    (select status from monitoring.processing_metrics where task_id = 't'),
    'running',
    'a task whose end was refused goes on running'
);

select * from finish(); -- noqa: AM04
rollback;
