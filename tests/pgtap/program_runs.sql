-- Runs of programs are finished tasks, and are read as a log.

begin;
select plan(25);
\ir helpers/fixed_clock.psql
select set_config('monitoring.strict', 'on', true);

select set_config('timezone', 'UTC', true);

-- Interface: the execution time in each of its forms

select is(
    monitoring.log_program_execution(
        'apr', '2026-01-15',
        '{"total_records_queried": 100, "valid_records": 95, "invalid_duplicata": 3,
            "invalid_seuno": 2, "records_stored": 90, "alerts_sent_email": 1, "alerts_sent_chat": 4}',
        12.5, 'full'
    ),
    'apr/2026-01-15/full/20260115T120000000000',
    'a program tells of its run with a number of seconds'
);
select results_eq(
    $$select * from monitoring.processing_log$$,
    $$
        values (
            'apr', '2026-01-15'::date, 'full', 'completed', '2026-01-15 11:59:47.5+00'::timestamptz,
            '2026-01-15 12:00+00'::timestamptz, 12.5::float8, 100::bigint, 95::bigint, 5::bigint,
            90::bigint, 5::bigint,
            '{"total_records_queried": 100, "valid_records": 95, "invalid_duplicata": 3,
                "invalid_seuno": 2, "records_stored": 90, "alerts_sent_email": 1,
                "alerts_sent_chat": 4}'::jsonb,
            'apr/2026-01-15/full/20260115T120000000000', null::text
        )
    $$,
    'and the log has what it counted, by name and added up'
);
select results_eq(
    $$
        select task_type, status, duration_ms, counters ->> 'valid_records', metadata
        from monitoring.processing_metrics
    $$,
    $$
        values ('records.apr', 'completed', 12500::float8, '95',
            '{"dataset": "apr", "target_date": "2026-01-15", "run_mode": "full"}'::jsonb)
    $$,
    'it is a task like any other'
);
select monitoring.log_program_execution(
    'apr', '2026-01-15', '{}', interval '90 seconds', 'interval'
);
select monitoring.log_program_execution('apr', '2026-01-15', '{}', '90 seconds', 'text');
select monitoring.log_program_execution('apr', '2026-01-15', '{}', '1.5', 'seconds as text');
select monitoring.log_program_execution('apr', '2026-01-15', '{}', 90, 'integer');
select monitoring.log_program_execution('apr', '2026-01-15', '{}', null, 'unknown');
select results_eq(
    $$
        select run_mode, execution_seconds from monitoring.processing_log
        where run_mode <> 'full' order by 1
    $$,
    $$
        values ('integer', 90::float8), ('interval', 90), ('seconds as text', 1.5), ('text', 90),
            ('unknown', null)
    $$,
    'the time may be an interval, a text, a whole number or unknown'
);
select monitoring.log_program_execution('short', '2026-01-15', null);
select results_eq(
    $$select run_mode, statistics from monitoring.processing_log where dataset = 'short'$$,
    $$values ('full', null::jsonb)$$,
    'a dataset, a day and statistics are enough, and the mode is full'
);

-- Behaviour

select monitoring.start_task_tracking('monitor 7', 'hourly monitor');
select pg_temp.set_clock('2026-01-15 12:10+00');
select is(
    monitoring.log_program_execution(
        'apr', '2026-01-14', '{"invalid_records": 7, "invalid_x": 4}', 1, 'partial', 'monitor 7'
    ),
    'monitor 7',
    'the name of a running task completes that one'
);
select results_eq(
    $$
        select run_mode, status, execution_seconds, invalid_records
        from monitoring.processing_log where task_id = 'monitor 7'
    $$,
    $$values ('partial', 'completed', 600::float8, 7::bigint)$$,
    'it took from its start on, and a sum that the program gives is taken for the sum'
);
select is(
    (select count(*) from monitoring.processing_metrics where task_id = 'monitor 7'), 1::bigint,
    'and there is one task'
);
select is(
    (select task_type from monitoring.processing_metrics where task_id = 'monitor 7'),
    'hourly monitor',
    'which keeps its type'
);
select monitoring.log_program_execution(
    'apr', '2026-01-13', '{}', 60, 'full', null, '2026-01-13 18:00+00', 'failed', 'disk is full'
);
select results_eq(
    $$
        select status, started_at, finished_at, error_message
        from monitoring.processing_log where target_date = '2026-01-13'
    $$,
    $$
        values ('failed', '2026-01-13 17:59+00'::timestamptz, '2026-01-13 18:00+00'::timestamptz,
            'disk is full')
    $$,
    'a run may be told later, and may have failed'
);
select results_eq(
    $$select task_id, error_type, severity, message, component from monitoring.error_tracking$$,
    $$
        values ('apr/2026-01-13/full/20260113T180000000000', 'records.run_failed', 'high',
            'disk is full', 'records.apr')
    $$,
    'then its message is an error'
);
select monitoring.log_program_execution(
    'apr', '2026-01-13', '{}', 60, 'full', null, '2026-01-13 18:00+00', 'failed', 'disk is full'
);
select is(
    (select count(*) from monitoring.processing_log where target_date = '2026-01-13')
    + (select count(*) from monitoring.error_tracking),
    2::bigint,
    'told again it is the same run, and the same error'
);
select monitoring.log_program_execution(
    repeat('d', 255), '2026-01-15', '{}', 1, repeat('m', 255)
);
select is(
    (
        select count(*) from monitoring.processing_log as l
        inner join monitoring.processing_metrics as t on l.task_id = t.task_id
        where l.dataset = repeat('d', 255)
            and length(l.task_id) <= 255
            and length(t.task_type) <= 255
    ),
    1::bigint,
    'names of any length fit'
);

-- A dry run

create temporary table written_before as
select
    (select count(*) from monitoring.active_tasks) as running,
    (select count(*) from monitoring._all_finished_tasks) as finished,
    (select count(*) from monitoring.program_runs) as runs,
    (select count(*) from monitoring._all_errors) as errors;
select monitoring.start_task_tracking('monitor 8', 'hourly monitor');
select is(
    monitoring.log_program_execution(
        'apr', '2026-01-12', '{"invalid_x": 4}', 30, 'full', p_status => 'failed',
        p_error_message => 'disk is full', p_is_dry_run => true
    )::jsonb,
    '{
        "is_dry_run": true, "is_new": true, "dataset": "apr", "target_date": "2026-01-12",
        "run_mode": "full", "status": "failed", "started_at": "2026-01-15T12:09:30+00:00",
        "finished_at": "2026-01-15T12:10:00+00:00", "execution_seconds": 30,
        "total_records_queried": null, "valid_records": null, "invalid_records": 4,
        "records_stored": null, "alerts_sent": null, "statistics": {"invalid_x": 4},
        "task_id": "apr/2026-01-12/full/20260115T121000000000", "error_message": "disk is full"
    }'::jsonb,
    'a dry run shows the row that there would be'
);
select is(
    monitoring.log_program_execution(
        'apr', '2026-01-13', '{}', interval '1 minute', 'full', null, '2026-01-13 18:00+00',
        'failed', 'disk is full', true
    )::jsonb ->> 'is_new',
    'false',
    'and says when it is there already'
);
select pg_temp.set_clock('2026-01-15 12:11+00');
select is(
    monitoring.log_program_execution(
        'apr', '2026-01-12', '{}', '1 second', 'full', 'monitor 8', p_is_dry_run => true
    )::jsonb -> 'execution_seconds',
    '60',
    'of a running task it shows how that would end'
);
select throws_ok(
    $$
        select monitoring.log_program_execution(
            'apr', '2026-01-12', '{}', 1, p_finished_at => '2026-02-01', p_is_dry_run => true
        )
    $$,
    'PV006', null, 'what would be refused is refused'
);
select is(
    monitoring.log_program_execution(
        'apr', '2026-01-12', '{}', 1, p_finished_at => '2025-12-20 08:00+00', p_is_dry_run => true
    )::jsonb ->> 'finished_at',
    '2025-12-20T08:00:00+00:00',
    'a day without room for it is no obstacle'
);
select results_eq(
    $$
        select
            (select count(*) from monitoring.active_tasks) - 1 as running,
            (select count(*) from monitoring._all_finished_tasks) as finished,
            (select count(*) from monitoring.program_runs) as runs,
            (select count(*) from monitoring._all_errors) as errors
    $$,
    'select * from written_before',
    'and nothing was written'
);

-- Refusals

select throws_ok(
    $$select monitoring.log_program_execution('apr', null, '{}', 1)$$,
    'PV005', 'target_date has the wrong shape: null', 'a run is for a day'
);
select throws_ok(
    $$select monitoring.log_program_execution('apr', '2026-01-15', '{"x": -1}', 1)$$,
    'PV005', 'stats has the wrong shape: {"x": -1}', 'counts are not negative'
);
select throws_ok(
    $$select monitoring.log_program_execution('apr', '2026-01-15', '{}', -1)$$,
    'PV004', 'execution_time is out of range: -1', 'nor are seconds'
);
select throws_ok(
    $$select monitoring.log_program_execution('apr', '2026-01-15', '{}', interval '-1 s')$$,
    'PV004', 'execution_time is out of range: -00:00:01', 'nor are intervals'
);
select throws_ok(
    $$select monitoring.log_program_execution('apr', '2026-01-15', '{}', 'long')$$,
    'PV004', 'execution_time is out of range: long', 'a text must be a length of time'
);
select throws_ok(
    $$
        select monitoring.log_program_execution(
            'apr', '2026-01-15', '{}', 1, 'full', null, null, 'done'
        )
    $$,
    'PV003', 'status is not known: "done"', 'and the status one that a task can have'
);

select * from finish(); -- noqa: AM04
rollback;
