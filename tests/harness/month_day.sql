-- A day of everything that can be recorded, up to monitoring.now; few rows, but of every kind.

select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
    'task_id', 'task-' || to_char(at, 'MMDDHH24') || n, 'task_type', 'type-' || n,
    'status', case when hour % 17 = n then 'failed' when hour % 11 = n then 'lost' else 'completed' end,
    'start_time', at - make_interval(secs => 5 * n), 'end_time', at,
    'metadata', jsonb_build_object('error_message', 'no paper')
)))
from (
    select h.hour, n, monitoring.clock() - make_interval(hours => h.hour, mins => n) as at
    from generate_series(0, 23) as h (hour) cross join generate_series(1, 9) as n
) as t;

-- ETL, with items, log lines and metrics; and runs of the steps of a workflow
select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
    'task_id', 'etl-' || to_char(at, 'MMDDHH24'), 'task_type', 'etl',
    'start_time', at - interval '9 minutes', 'end_time', at,
    'counters', '{"total_fixtures": 50, "processed_fixtures": 50, "successful_fixtures": 48,
        "failed_fixtures": 2}'::jsonb
)))
from (
    select monitoring.clock() - make_interval(hours => h * 6, mins => 1) as at
    from generate_series(0, 3) as h
) as t;
select
    monitoring.log_etl_event(
        case when h % 6 = 0 then 'ERROR' else 'INFO' end, 'loader', 'chunk read', '{"rows": 25}',
        'etl-' || to_char(monitoring.clock(), 'MMDDHH24'), h::text, 'match-1', 12,
        monitoring.clock() - make_interval(hours => h)
    ),
    monitoring.record_etl_metric(
        'etl-' || to_char(monitoring.clock(), 'MMDDHH24'), 'parse_rate', 12.5, 'rows/s',
        p_recorded_at => monitoring.clock() - make_interval(hours => h)
    )
from generate_series(0, 23) as h;
select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
    'task_id', step || to_char(monitoring.clock(), 'MMDD'), 'task_type', step,
    'items_done', 1000, 'items_total', 1000,
    'start_time', monitoring.clock() - ago, 'end_time', monitoring.clock() - ago + interval '15 minutes',
    'status', case when step = 'bill' and extract(day from monitoring.clock()) = 20 then 'failed'
        else 'completed' end
)))
from (values ('extract', interval '6 hours'), ('bill', interval '5 hours')) as s (step, ago);
select monitoring.start_task_tracking('print-' || to_char(monitoring.clock(), 'MMDD'), 'print');
select monitoring.complete_task_tracking(
    'print-' || to_char(monitoring.clock() - interval '1 day', 'MMDD'), 'cancelled'
);

select monitoring.record_errors(jsonb_agg(jsonb_build_object(
    'task_id', 'task-' || n, 'error_type', 'Kind' || n,
    'severity', (array['low', 'medium', 'high', 'critical'])[1 + n % 4],
    'message', 'page ' || n || ' is blank', 'component', 'component-' || n,
    'occurred_at', monitoring.clock() - make_interval(hours => h)
)))
from generate_series(0, 23, 2) as h cross join generate_series(1, 5) as n;

select monitoring.record_metrics(jsonb_agg(jsonb_build_object(
    'metric_name', 'metric-' || n, 'value', h, 'unit', 'ms', 'component', 'api',
    'recorded_at', monitoring.clock() - make_interval(hours => h)
)))
from generate_series(0, 23) as h cross join generate_series(1, 5) as n;

select monitoring.record_logs(jsonb_agg(jsonb_build_object(
    'component', 'component-' || n, 'level', (array['INFO', 'WARNING', 'ERROR'])[1 + n % 3],
    'message', 'line ' || h, 'logged_at', monitoring.clock() - make_interval(hours => h)
)))
from generate_series(0, 23) as h cross join generate_series(1, 3) as n;

select monitoring.update_system_health(
    'service', 'component-' || n, case when (h + n) % 23 = 0 then 'unhealthy' else 'healthy' end, n,
    p_checked_at => monitoring.clock() - make_interval(mins => h * 30)
)
from generate_series(47, 0, -1) as h cross join generate_series(1, 9) as n;

select monitoring.record_queue_metrics(
    'queue-' || n, h * n, 2, 1000 - h, h, h::float, monitoring.clock() - make_interval(hours => h)
)
from generate_series(23, 0, -1) as h cross join generate_series(1, 4) as n;

-- Records: invalid ones, products, runs of a program, statuses told, watched and read
select monitoring.log_invalid_records('proposals', jsonb_build_array(
    jsonb_build_object('record_key', 'r' || to_char(monitoring.clock(), 'MMDD'), 'group', 'north'),
    jsonb_build_object('record_key', 'r' || to_char(monitoring.clock(), 'DD'), 'value', 'x')
), 'DUPLICATE', 1);
select monitoring.resolve_invalid_records(
    'proposals', array['r' || to_char(monitoring.clock() - interval '1 day', 'MMDD')], 'manual', 'seen'
);
select monitoring.track_status_changes('proposals', jsonb_build_array(
    jsonb_build_object('record_key', 'r' || to_char(monitoring.clock(), 'MMDD'), 'status', 'OPEN'),
    jsonb_build_object(
        'record_key', 'r' || to_char(monitoring.clock() - interval '1 day', 'MMDD'), 'status', 'DONE'
    )
));
select monitoring.track_status_changes('proposals', jsonb_build_array(jsonb_build_object(
    'record_key', 'r' || to_char(monitoring.clock() - interval '2 days', 'MMDD'), 'status', 'SENT'
)), 'BOT');
select monitoring.track_record_products('proposals', jsonb_build_array(jsonb_build_object(
    'record_key', 'r' || to_char(monitoring.clock(), 'MMDD'),
    'products', '[{"product": "loan", "quantity": 2}]'::jsonb
)));
select monitoring.log_program_execution(
    'proposals', (monitoring.clock() at time zone 'UTC')::date,
    '{"total_records_queried": 100, "valid_records": 98, "invalid_seuno": 2, "records_stored": 2}', 12.5
);
select monitoring.update_daily_summary('proposals', (monitoring.clock() at time zone 'UTC')::date);
insert into public.orders
select 'o' || to_char(monitoring.clock(), 'MMDD') || n, 'OPEN', monitoring.clock()
from generate_series(1, 3) as n;
update public.orders set state = 'PAID' where id like '%2' and state = 'OPEN';
insert into public.night_runs values (
    to_char(monitoring.clock(), 'MMDD'), monitoring.clock() - interval '10 hours',
    monitoring.clock() - interval '9 hours', 'ok'
);
