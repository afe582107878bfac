-- Late rows: what is not of today or yesterday, or finds no partition, waits in a table of its own
-- and is seen like all others.

begin;
select plan(32);
-- Days and times are written here as they are in UTC.
set local timezone = 'UTC';
\ir helpers/fixed_clock.psql

select monitoring.ensure_partitions(1);
select monitoring._make_partition(table_name, '2026-01-14') from monitoring.partitioned_tables;
-- There, and yet not for those who record today.
select monitoring._make_partition(table_name, '2026-01-13') from monitoring.partitioned_tables;

-- How many rows of a name are in the partitions and how many wait.
create function pg_temp.found(p_table text, p_column text, p_name text) returns text
language plpgsql
as $$
declare
    v_placed bigint;
    v_late bigint;
begin
    execute format('select count(*) from monitoring.%I where %I = $1', p_table, p_column)
    into v_placed using p_name;
    execute format('select count(*) from monitoring.%I where %I = $1', 'late_' || p_table, p_column)
    into v_late using p_name;
    return format('%s placed, %s late', v_placed, v_late);
end
$$;

create function pg_temp.record_all(p_name text, p_at timestamptz) returns void
language plpgsql
as $$
begin
    perform monitoring.record_error('t', p_name, 'low', 'm', p_occurred_at => p_at);
    perform monitoring.record_performance_metric(p_name, 'gauge', 1, p_recorded_at => p_at);
    perform monitoring.record_log(p_name, 'INFO', 'm', p_logged_at => p_at);
    perform monitoring.update_system_health('service', p_name, 'healthy', p_checked_at => p_at);
    perform monitoring.record_queue_metrics(p_name, 1, p_recorded_at => p_at);
    perform monitoring.start_task_tracking(p_name, 'load', p_started_at => p_at);
    perform monitoring.complete_task_tracking(p_name, p_finished_at => p_at);
    perform monitoring.finish_etl_execution(p_name || ' etl', p_finished_at => p_at);
    perform monitoring.complete_task_tracking(p_name || ' unknown', p_finished_at => p_at);
end
$$;

create function pg_temp.found_all(p_name text) returns text
language sql
as $$
    select string_agg(distinct pg_temp.found(f.table_name, f.column_name, p_name || f.suffix), '; ')
    from (
        values
        ('errors', 'error_type', ''), ('metric_samples', 'metric_name', ''),
        ('log_lines', 'component', ''), ('health_probes', 'component_name', ''),
        ('queue_samples', 'queue_name', ''), ('finished_tasks', 'task_id', ''),
        ('finished_tasks', 'task_id', ' etl'), ('finished_tasks', 'task_id', ' unknown')
    ) as f (table_name, column_name, suffix)
$$;

-- Behaviour: which rows

select pg_temp.record_all('now', null);
select is(pg_temp.found_all('now'), '1 placed, 0 late', 'what happens now goes into its partition');

select pg_temp.record_all('begin', '2026-01-14 00:00+00');
select is(pg_temp.found_all('begin'), '1 placed, 0 late', 'so does what was yesterday');

select pg_temp.record_all('before', '2026-01-13 23:59:59.999999+00');
select is(pg_temp.found_all('before'), '0 placed, 1 late', 'what was before that waits');

select pg_temp.record_all('long ago', '1999-01-01 00:00+00');
select is(pg_temp.found_all('long ago'), '0 placed, 1 late', 'so does what was long ago');

select pg_temp.record_all('ahead', '2026-01-16 11:00+00');
select is(pg_temp.found_all('ahead'), '1 placed, 0 late', 'a day ahead is there');

select pg_temp.set_clock('2026-01-16 12:00+00');
select pg_temp.record_all('far ahead', '2026-01-17 11:00+00');
select is(
    pg_temp.found_all('far ahead'), '0 placed, 1 late; 1 placed, 0 late',
    'one that is not is waited for, but by checks, which count as of their arrival'
);
select pg_temp.set_clock('2026-01-15 12:00+00');

-- Behaviour: nobody makes days any more, and nobody may

drop table monitoring.errors_20260115, monitoring.metric_samples_20260115,
monitoring.log_lines_20260115, monitoring.health_probes_20260115,
monitoring.queue_samples_20260115, monitoring.finished_tasks_20260115,
monitoring.status_changes_20260115;
create function pg_temp.freeze() returns event_trigger
language plpgsql
as $$
begin
    raise exception 'nothing may be changed here' using errcode = 'XX001';
end
$$;
do $$
begin
    create event trigger frozen on ddl_command_start execute function pg_temp.freeze();
end
$$;

select lives_ok(
    $$select pg_temp.record_all('frozen', null)$$,
    'recording without a day, where nothing may be made, raises nothing'
);
select is(pg_temp.found_all('frozen'), '0 placed, 1 late', 'and loses nothing');

select lives_ok(
    $$
        select
            monitoring.record_errors('[{"error_type": "bulk", "severity": "low"}]'),
            monitoring.record_metrics('[{"metric_name": "bulk", "value": 1}]'),
            monitoring.record_logs('[{"component": "bulk", "level": "INFO"}]'),
            monitoring.record_finished_tasks(
                '[{"task_id": "bulk", "task_type": "load", "end_time": "2026-01-15 11:00+00"}]'
            )
    $$,
    'nor in bulk'
);
select is(
    array[
        pg_temp.found('errors', 'error_type', 'bulk'),
        pg_temp.found('metric_samples', 'metric_name', 'bulk'),
        pg_temp.found('log_lines', 'component', 'bulk'),
        pg_temp.found('finished_tasks', 'task_id', 'bulk')
    ],
    array_fill('0 placed, 1 late'::text, array[4]),
    'where it is the same'
);

select lives_ok(
    $$
        select
            monitoring.track_status_changes('orders', '[{"record_key": "a", "status": "NEW"}]'),
            monitoring.log_invalid_records('orders', '["a"]', 'V'),
            monitoring.resolve_invalid_records('orders', '{a}', 'gone')
    $$,
    'nor where statuses are told, or validations resolved'
);
select is(
    pg_temp.found('status_changes', 'dataset', 'orders'), '0 placed, 2 late',
    'where it is the same'
);
do $$
begin
    drop event trigger frozen;
end
$$;

-- Behaviour: seen like all others

select is(
    (
        select count(*) from monitoring.error_tracking
        where error_type in ('now', 'begin', 'before', 'long ago', 'ahead', 'far ahead', 'frozen')
    ),
    6::bigint,
    'errors are seen at once, but for those of the day that was dropped'
);
select set_eq(
    $$select metric_name from monitoring.performance_monitoring where recorded_at < '2026-01-14'$$,
    array['before', 'long ago'],
    'so are metrics'
);
select set_eq(
    $$select component from monitoring.v_application_logs where logged_at < '2026-01-14'$$,
    array['before', 'long ago'],
    'log lines'
);
select set_eq(
    $$
        select task_id from monitoring.processing_metrics
        where end_time < '2026-01-14' and task_type = 'load'
    $$,
    array['before', 'long ago'],
    'tasks'
);
select set_eq(
    $$select queue_name from monitoring.queue_monitoring where recorded_at < '2026-01-14'$$,
    array['before', 'long ago'],
    'and samples of queues'
);
select results_eq(
    $$
        select component_name, last_check_at from monitoring.system_health
        where component_name in ('before', 'frozen') order by 1
    $$,
    $$
        values ('before', '2026-01-13 23:59:59.999999+00'::timestamptz),
        ('frozen', '2026-01-15 12:00+00')
    $$,
    'a late check is the state of its component when there is no newer one'
);
select results_eq(
    $$
        select resolution, bucket_at, n from (
            select resolution, bucket_at, sum(samples) as n
            from monitoring.v_performance_trends
            where metric_name = 'before' group by 1, 2
        ) t where resolution = 'day'
    $$,
    $$values ('day', '2026-01-13 00:00+00'::timestamptz, 1::numeric)$$,
    'trends have late rows before they are rolled up'
);
select is(
    (select occurrences from monitoring.error_groups where error_type = 'long ago'), 1::bigint,
    'and so do groups of errors'
);
select is(
    (select count(*) from monitoring.status_history where dataset = 'orders'), 2::bigint,
    'and the history of statuses'
);

-- Behaviour: written once

create function pg_temp.record_own() returns bigint[]
language sql
as $$
    select array[
        monitoring.record_errors('[
            {"error_type": "own", "severity": "low", "error_id": -5, "occurred_at": "2026-01-10 10:00+00"},
            {"error_type": "own", "severity": "low", "error_id": -6, "occurred_at": "2026-01-14 10:00+00"}
        ]'),
        monitoring.record_metrics('[
            {"metric_name": "own", "value": 1, "sample_id": -5, "recorded_at": "2026-01-10 10:00+00"},
            {"metric_name": "own", "value": 1, "sample_id": -6, "recorded_at": "2026-01-14 10:00+00"}
        ]'),
        monitoring.record_logs('[
            {"component": "own", "level": "INFO", "log_id": -5, "logged_at": "2026-01-10 10:00+00"},
            {"component": "own", "level": "INFO", "log_id": -6, "logged_at": "2026-01-14 10:00+00"}
        ]'),
        monitoring.record_finished_tasks('[
            {"task_id": "own", "task_type": "own", "attempt": 1, "end_time": "2026-01-10 10:00+00"},
            {"task_id": "own", "task_type": "own", "attempt": 2, "end_time": "2026-01-14 10:00+00"}
        ]'),
        monitoring.load_status_changes('[
            {"dataset": "own", "record_key": "k", "to_status": "A", "change_id": -5,
                "effective_at": "2026-01-10 10:00+00"},
            {"dataset": "own", "record_key": "k", "to_status": "B", "change_id": -6,
                "effective_at": "2026-01-14 10:00+00"}
        ]')
    ]
$$;
select is(pg_temp.record_own(), '{2,2,2,2,2}', 'one call may tell of late rows and others');
select is(
    array[
        pg_temp.found('errors', 'error_type', 'own'),
        pg_temp.found('metric_samples', 'metric_name', 'own'),
        pg_temp.found('log_lines', 'component', 'own'),
        pg_temp.found('finished_tasks', 'task_id', 'own'),
        pg_temp.found('status_changes', 'dataset', 'own')
    ],
    array_fill('1 placed, 1 late'::text, array[5]),
    'each goes where it belongs'
);
select is(pg_temp.record_own(), '{0,0,0,0,0}', 'rows told again are written once');

select pg_temp.set_clock('2026-01-17 12:00+00');
select is(pg_temp.record_own(), '{0,0,0,0,0}', 'also days later, when the placed ones are late');
select is(
    monitoring.complete_task_tracking('own', p_finished_at => '2026-01-14 10:00+00'), false,
    'an end that was told is known wherever it is'
);
select is(
    pg_temp.found('finished_tasks', 'task_id', 'own'), '1 placed, 1 late', 'and not told twice'
);

-- Boundaries: what is no row's time counts as now, and is told

select set_config('client_min_messages', 'error', true);
select monitoring.record_metrics('[
    {"metric_name": "far", "value": 1, "recorded_at": "-infinity"},
    {"metric_name": "far", "value": 1, "recorded_at": "4713-01-01 BC"},
    {"metric_name": "far", "value": 1, "recorded_at": "20000-01-01"}
]');
select monitoring.record_performance_metric('far', 'gauge', 1, p_recorded_at => 'infinity');
select results_eq(
    $$
        select recorded_at, count(*) from monitoring.performance_monitoring
        where metric_name = 'far' group by 1
    $$,
    $$values ('2026-01-17 12:00+00'::timestamptz, 4::bigint)$$,
    'far times are no row''s time'
);

-- Refusals

select set_config('monitoring.strict', 'on', true);

select throws_ok(
    $$
        select monitoring.record_errors('[
            {"error_type": "e", "severity": "low", "occurred_at": "1999-01-01 00:00+00"},
            {"error_type": "", "severity": "low", "occurred_at": "1999-01-01 00:00+00"}
        ]')
    $$,
    'PV001', null, 'a bad row among late ones is named'
);
select throws_ok(
    $$select monitoring.record_log('c', 'INFO', 'm', p_logged_at => '1969-12-31 23:59+00')$$,
    'PV006', null, 'what lies before 1970 is no row''s time'
);
select throws_ok(
    $$
        select monitoring.record_metrics(
            '[{"metric_name": "m", "value": 1, "recorded_at": "-infinity"}]'
        )
    $$,
    'PV006', null, 'nor is a time without an end'
);
select throws_ok(
    $$
        select monitoring.record_finished_tasks(
            '[{"task_id": "t", "task_type": "t", "end_time": "20000-01-01 00:00+00"}]'
        )
    $$,
    'PV006', null, 'nor the year 20000'
);

select * from finish(); -- noqa: AM04
rollback;
