-- record_batch: many things of all kinds in one call, each batch once.

begin;
select plan(32);
set local timezone = 'UTC';
select set_config('monitoring.now', '2026-01-15 12:00+00', true);
set local client_min_messages = error;

create function pg_temp.sent(p_number bigint, p_batch jsonb) returns jsonb
language sql
as $$
    select monitoring.record_batch(
        p_batch
        || jsonb_build_object('sender', '00000000-0000-4000-8000-000000000001', 'number', p_number)
    ) - 'recorded_at'
$$;

-- All kinds

select is(
    pg_temp.sent(1, '{
        "calls": [
            {"function": "start_task_tracking", "run": 1,
             "arguments": {"task_id": "long", "task_type": "load", "input_size": 5}},
            {"function": "record_queue_metrics",
             "arguments": {"queue_name": "orders", "pending": 7}},
            {"function": "update_system_health",
             "arguments": {"component_type": "db", "component_name": "main", "status": "up"}}
        ],
        "runs": [{"task_id": "short", "task_type": "load", "output_size": 3,
                  "start_time": "2026-01-15T11:59:00Z", "end_time": "2026-01-15T11:59:30Z"}],
        "finished_tasks": [{"task_id": "old", "task_type": "load", "attempt": 4,
                            "end_time": "2026-01-15T11:00:00Z"}],
        "errors": [{"error_type": "E", "severity": "high", "message": "m", "task_id": "long"}],
        "metrics": [{"metric_name": "rows", "value": 1}, {"metric_name": "rows", "value": 2}],
        "logs": [{"level": "warn", "message": "hot", "component": "c"}]
    }'),
    '{"attempts": {"1": 1}, "not_running": [], "refused": [], "is_repeated": false}',
    'a batch says which attempts its runs are'
);
select results_eq(
    $$
        select task_id, status, attempt, input_size, output_size, duration_ms
        from monitoring.processing_metrics order by task_id
    $$,
    $$
        values
        ('long', 'running', 1, 5::bigint, null::bigint, null::double precision),
        ('old', 'completed', 4, null, null, null),
        ('short', 'completed', 1, null, 3, 30000)
    $$,
    'it begins tasks and records those that have ended'
);
select is((select count(*) from monitoring.error_tracking), 1::bigint, 'errors are recorded');
select is(
    (select sum(m.value) from monitoring.performance_monitoring as m), 3::double precision,
    'and metrics'
);
select is((select l.level from monitoring.v_application_logs as l), 'WARNING', 'and log lines');
select is((select q.pending from monitoring.queue_monitoring as q), 7::bigint, 'and queues');
select is((select h.status from monitoring.system_health as h), 'healthy', 'and health');

select is(
    (monitoring.record_batch('{}'::jsonb) ->> 'recorded_at')::timestamptz,
    monitoring.clock(),
    'an answer says what time it is here, so that a sender can compare its clock'
);

-- Once

select is(
    pg_temp.sent(1, '{"metrics": [{"metric_name": "rows", "value": 1}]}'), '{"is_repeated": true}',
    'a batch that was recorded is passed over'
);
select is(
    (select count(*) from monitoring.performance_monitoring), 2::bigint, 'and records nothing'
);
select is(
    pg_temp.sent(3, '{"metrics": [{"metric_name": "rows", "value": 1}]}') ->> 'is_repeated',
    'false', 'numbers may be left out'
);
select is(
    pg_temp.sent(2, '{"metrics": [{"metric_name": "rows", "value": 1}]}'), '{"is_repeated": true}',
    'but come in their order'
);
select is(
    monitoring.record_batch('{"metrics": [{"metric_name": "rows", "value": 9}]}'::jsonb)
    ->> 'is_repeated',
    'false', 'a batch without a sender is always recorded'
);

-- Runs that go on from batch to batch

select is(
    pg_temp.sent(4, '{"calls": [
        {"function": "update_task_progress", "run": 1,
         "arguments": {"task_id": "long", "items_done": 4}},
        {"function": "start_task_tracking", "run": 2,
         "arguments": {"task_id": "long", "task_type": "load"}},
        {"function": "update_task_progress", "run": 1, "arguments": {"task_id": "long"}}
    ]}'),
    '{"attempts": {"2": 2}, "not_running": ["1"], "refused": [], "is_repeated": false}',
    'what is said of a run is said of its attempt, in later batches as well'
);
select is(
    pg_temp.sent(5, '{"calls": [
        {"function": "complete_task_tracking", "run": 1,
         "arguments": {"task_id": "long", "status": "failed"}}
    ]}') -> 'not_running',
    '["1"]', 'the end of an attempt that was restarted does not end the other'
);
select is(
    (
        select p.status from monitoring.processing_metrics as p
        where p.task_id = 'long' and p.attempt = 2
    ),
    'running', 'which runs on'
);
select is(
    pg_temp.sent(6, '{"calls": [
        {"function": "complete_task_tracking", "run": 2, "arguments": {"task_id": "long"}}
    ]}') -> 'not_running',
    '[]', 'until its own end comes'
);
select is(
    (select s.attempts from monitoring.senders as s), '{}', 'runs that have ended are forgotten'
);
select is(
    pg_temp.sent(7, '{"calls": [
        {"function": "start_etl_execution", "run": 3, "arguments": {"execution_id": "e"}},
        {"function": "finish_etl_execution", "run": 3,
         "arguments": {"execution_id": "e", "status": "FAILED", "error_message": "gave up"}}
    ]}') -> 'attempts',
    '{"3": 1}', 'an ETL execution is a run as well'
);
select is(
    (select e.error_message from monitoring.etl_executions as e), 'gave up',
    'with all that its functions take'
);

-- Whole runs of names that others have

select lives_ok(
    $$
        select pg_temp.sent(8, '{"runs": [
            {"task_id": "twice", "task_type": "load", "status": "failed", "items_done": 2,
             "metadata": {"a": 1},
             "start_time": "2026-01-15T11:50:00Z", "end_time": "2026-01-15T11:51:00Z"},
            {"task_id": "twice", "task_type": "load",
             "start_time": "2026-01-15T11:52:00Z", "end_time": "2026-01-15T11:53:00Z"}
        ]}')
    $$,
    'a run that failed and was restarted within a batch'
);
select results_eq(
    $$
        select attempt, status, items_done, metadata from monitoring.processing_metrics
        where task_id = 'twice' order by attempt
    $$,
    $$
        values (1, 'failed', 2::bigint, '{"a": 1}'::jsonb), (2, 'completed', null, null)
    $$,
    'has the attempts that it would have had call by call'
);
select pg_temp.sent(9, '{"calls": [
    {"function": "start_task_tracking", "run": 9,
     "arguments": {"task_id": "busy", "task_type": "load", "started_at": "2026-01-15T11:40:00Z"}}
]}');
select pg_temp.sent(10, '{"runs": [
    {"task_id": "busy", "task_type": "load",
     "start_time": "2026-01-15T11:52:00Z", "end_time": "2026-01-15T11:53:00Z"}
]}');
select results_eq(
    $$
        select attempt, status from monitoring.processing_metrics
        where task_id = 'busy' order by attempt
    $$,
    $$values (1, 'lost'), (2, 'completed')$$,
    'a run of a name that is running closes that one as lost'
);

-- Clocks

select pg_temp.sent(11, '{"sent_at": "2026-01-15T14:00:00Z", "metrics": [
    {"metric_name": "clock", "value": 1, "recorded_at": "2026-01-15T13:50:00Z"}
], "calls": [
    {"function": "record_log",
     "arguments": {"component": "clock", "level": "info", "message": "m",
                   "logged_at": "2026-01-15T13:40:00Z"}}
]}');
select is(
    (
        select m.recorded_at from monitoring.performance_monitoring as m
        where m.metric_name = 'clock'
    ),
    '2026-01-15 11:50+00', 'times of a clock that is ahead are moved back by as much'
);
select is(
    (select l.logged_at from monitoring.v_application_logs as l where l.component = 'clock'),
    '2026-01-15 11:40+00', 'those of calls as well'
);

-- What cannot be recorded

select is(
    pg_temp.sent(12, '{"calls": [
        {"function": "roll_up", "arguments": {}},
        {"function": "start_task_tracking", "run": 12,
         "arguments": {"task_id": "t12", "task_type": "load", "started_at": "no time"}},
        {"function": "_complete_task", "arguments": {}},
        7,
        {"function": "record_log",
         "arguments": {"component": "last", "level": "info", "message": "m"}}
    ], "metrics": [{"metric_name": "kept", "value": 1}]}') #> '{refused}' @> '[
        {"call": 1, "function": "roll_up", "sqlstate": "PV007"},
        {"call": 2, "function": "start_task_tracking", "sqlstate": "22007"},
        {"call": 3, "function": "_complete_task", "sqlstate": "PV007"},
        {"call": 4}
    ]',
    true, 'calls that are refused are named'
);
select is(
    (
        select count(*) from monitoring.v_application_logs as l where l.component = 'last'
    )
    + (select count(*) from monitoring.performance_monitoring as m where m.metric_name = 'kept'),
    2::bigint, 'and cost nothing else of the batch'
);
select is(
    (
        select count(*) from monitoring.error_tracking as e
        where e.fingerprint = 'pgvigil.repaired:call of a batch'
    ),
    1::bigint, 'they can be seen'
);
create temporary table odd_batches (batch jsonb);
insert into odd_batches (batch)
values
(null), ('7'), ('[]'), ('"x"'), ('{"what": 1}'), ('{"metrics": 7}'),
('{"sender": "nobody", "number": 1}'),
('{"sender": "00000000-0000-4000-8000-000000000009"}'),
('{"sender": "00000000-0000-4000-8000-000000000009", "number": 0}'),
('{"number": 1e30, "runs": [null, 7, {}]}'),
('{"sent_at": "never", "calls": [null]}');
select is(
    (
        select count(*) from odd_batches as b
        where monitoring.record_batch(b.batch) ->> 'is_repeated' = 'false'
    ),
    11::bigint, 'no batch whatever raises'
);
select is(
    monitoring.record_batch(E'{"logs": [{"level": "info", "message": "a\\u0000b"}]}'::text)
    ->> 'is_repeated',
    'false', 'nor does a text that JSON cannot hold'
);
select set_config('monitoring.strict', 'on', true);
select throws_ok(
    $$select monitoring.record_batch('{"what": 1}'::jsonb)$$, 'PV005', null,
    'with monitoring.strict = on what is no part of a batch raises'
);
select throws_ok(
    $$select monitoring.record_batch('{"calls": [{"function": "roll_up"}]}'::jsonb)$$,
    'PV007',
    null,
    'and so does a call that is refused'
);

select * from finish(); -- noqa: AM04
rollback;
