-- Forty days of work for the dashboards to show, up to noon of the second of March 2026.
-- The names hold what names may hold: quotes and spaces.

set monitoring.now = '2026-03-02 12:00+00';

-- tasks
select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
    'task_id', 'task-' || n,
    'task_type', (array['load', 'ocr', 'it''s "odd"', 'pgvigil.roll_up'])[1 + n % 4],
    'status', case when n % 17 = 0 then 'failed' when n % 41 = 0 then 'lost' else 'completed' end,
    'start_time', at - make_interval(secs => 5 + n % 50),
    'end_time', at,
    'metadata', jsonb_build_object('error_message', 'no paper')
)))
from (
    select row_number() over () as n, at
    from generate_series(timestamptz '2026-01-21 12:01+00', '2026-03-02 12:00+00', '10 minutes') as at
) as t;
select monitoring.start_task_tracking(
    'running-' || n, 'load', p_items_total => 10, p_started_at => '2026-03-02 11:00+00'
)
from generate_series(1, 3) as n;
select monitoring.update_task_progress('running-1', 4, 10);
select monitoring.record_finished_tasks('[{
    "task_id": "bare", "task_type": "load", "status": "failed",
    "start_time": "2026-03-02 09:00+00", "end_time": "2026-03-02 09:01+00"
}]');
select monitoring.record_error(
    'bare', 'IOError', 'low', message, p_occurred_at => '2026-03-02 09:00:30+00'::timestamptz + later
)
from (
    values ('slow', interval '0 seconds'), ('no ink', '1 second'), ('of another attempt', '1 hour')
) as e (message, later);

-- errors
select monitoring.record_errors(jsonb_agg(jsonb_build_object(
    'task_id', 'task-' || n,
    'error_type', (array['IOError', 'it''s "odd"'])[1 + n % 2],
    'severity', (array['low', 'medium', 'high', 'critical'])[1 + n % 4],
    'message', 'page ' || n || ' is blank',
    'component', 'scanner',
    'occurred_at', at
)))
from (
    select row_number() over () as n, at
    from generate_series(timestamptz '2026-01-21 12:01+00', '2026-03-02 12:00+00', '30 minutes') as at
) as t;
select monitoring.record_error('', 'NewError', 'low', 'unheard of', p_occurred_at => '2026-03-02 11:00+00');
select monitoring.resolve_error_group(fingerprint)
from monitoring.error_groups
where error_type = 'NewError';

-- metrics
select monitoring.record_metrics(jsonb_agg(jsonb_build_object(
    'metric_name', (array['latency', 'it''s "odd"'])[1 + n % 2],
    'value', n % 100, 'unit', 'ms', 'component', 'api', 'recorded_at', at
)))
from (
    select row_number() over () as n, at
    from generate_series(timestamptz '2026-01-21 12:01+00', '2026-03-02 12:00+00', '10 minutes') as at
) as t;

-- queues and components
select monitoring.record_queue_metrics(
    queue, n % 90, 2, n, n / 20, (n % 50)::float, at
)
from (
    select row_number() over () as n, at
    from generate_series(timestamptz '2026-01-21 12:01+00', '2026-03-02 12:00+00', '20 minutes') as at
) as t
cross join unnest(array['mail', 'it''s "odd"']) as queue;
select monitoring.update_system_health(
    'service', component, case when n % 50 < 5 then 'unhealthy' else 'healthy' end,
    n % 30, case when n % 50 < 5 then 'no answer' end, p_checked_at => at
)
from (
    select row_number() over () as n, at
    from generate_series(timestamptz '2026-01-21 12:01+00', '2026-03-02 12:00+00', '20 minutes') as at
) as t
cross join unnest(array['api', 'it''s "odd"']) as component;
select monitoring.update_system_health('service', 'api', 'degraded', 900, 'slow');

-- ETL: a load every six hours, and one that runs
select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
    'task_id', 'etl-' || to_char(at, 'MMDDHH24'), 'task_type', 'etl', 'start_time', at - interval '9 minutes',
    'end_time', at, 'counters', '{"total_fixtures": 50, "processed_fixtures": 50,
    "successful_fixtures": 48, "failed_fixtures": 2}'::jsonb
)))
from generate_series(timestamptz '2026-01-21 12:01+00', '2026-03-02 12:00+00', '6 hours') as at;
select monitoring.start_etl_execution('it''s running', '{}', 100, 4);
select
    monitoring.log_etl_event(
        case extract(hour from at) when 6 then 'ERROR' else 'INFO' end,
        'loader', 'chunk read', '{"rows": 25}', 'it''s running', '1', 'match-1', 12, at
    ),
    monitoring.record_etl_metric('it''s running', 'parse_rate', 12.5, 'rows/s', p_recorded_at => at)
from generate_series(timestamptz '2026-01-21 12:01+00', '2026-03-02 12:00+00', '1 hour') as at;

-- a workflow that runs every day
select monitoring.apply_workflow($json${
    "workflow": "it's billing", "time_zone": "UTC", "cutover": "05:00",
    "steps": [
        {"step": "extract", "schedule": "06:00", "expected": "20 minutes"},
        {"step": "bill", "after": ["extract"], "expected": "30 minutes"},
        {"step": "print", "after": ["bill"], "expected": "10 minutes", "late_after": "1 minute"},
        {"step": "archive", "schedule": "13:00", "expected": "20 minutes"}
    ]
}$json$);
select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
    'task_id', step || to_char(day, 'MMDD'), 'task_type', step, 'items_done', 1000, 'items_total', 1000,
    'start_time', day + start_at, 'end_time', day + start_at + interval '15 minutes',
    'status', case when step = 'bill' and extract(day from day) = 20 then 'failed' else 'completed' end
)))
from generate_series(timestamptz '2026-01-21 00:00+00', '2026-03-02 00:00+00', '1 day') as day
cross join (values ('extract', interval '6 hours'), ('bill', interval '7 hours')) as s (step, start_at);
select monitoring.start_task_tracking('print-0302', 'print', p_started_at => '2026-03-02 08:00+00');

-- a source in which a run is kept
create table public.night_runs (id text, began timestamptz, ended timestamptz, state text);
insert into public.night_runs values ('1', '2026-03-02 01:00+00', '2026-03-02 02:00+00', 'ok');
grant select on public.night_runs to monitoring_reader;
select monitoring.register_run_source(
    'night', 'public.night_runs',
    '{"run_id": "id", "started_at": "began", "finished_at": "ended", "status": "state"}',
    '{"ok": "completed"}', 'night run'
);
select monitoring.sync_sources();
select monitoring.register_record_source(
    'night records', 'night', 'public.night_runs', '{"record_key": "id", "status": "state"}'
);
select monitoring.sync_sources();
-- and one of which nobody can read a column any more
create table public.moved_runs (id text, began timestamptz, ended timestamptz, state text);
grant select on public.moved_runs to monitoring_reader;
select monitoring.register_run_source(
    'moved', 'public.moved_runs',
    '{"run_id": "id", "started_at": "began", "finished_at": "ended", "status": "state"}',
    '{"ok": "completed"}', 'moved run'
);
alter table public.moved_runs rename column ended to ended_at;
select monitoring.sync_sources();
select monitoring.register_source_query('mainframe', 'MAINFRAME', 'select id from runs', '{id}');

-- records: proposals that a program checks every day, and whose statuses change
do $$
declare
    v_day timestamptz;
    v_n integer := 0;
begin
    for v_day in
        select at from generate_series(
            timestamptz '2026-01-21 12:00+00', '2026-03-02 12:00+00', '1 day'
        ) as at
    loop
        v_n := v_n + 1;
        perform set_config('monitoring.now', v_day::text, true);
        perform monitoring.log_invalid_records(
            'it''s proposals',
            jsonb_build_array(
                jsonb_build_object('record_key', 'r' || v_n, 'group', 'branch ' || v_n % 3),
                jsonb_build_object('record_key', 'r' || v_n + 1, 'value', 'x')
            ),
            (array['DUPLICATA', 'SEUNO'])[1 + v_n % 2], 1
        );
        if v_n % 3 = 0 then
            perform monitoring.resolve_invalid_records(
                'it''s proposals', array['r' || v_n], 'manual', 'looked at it'
            );
        end if;
        perform monitoring.track_status_changes('it''s proposals', jsonb_build_array(
            jsonb_build_object('record_key', 'r' || v_n, 'status', 'OPEN'),
            jsonb_build_object('record_key', 'r' || greatest(v_n - 2, 1), 'status', 'DONE')
        ));
        perform monitoring.log_program_execution(
            'it''s proposals', v_day::date,
            '{"total_records_queried": 100, "valid_records": 98, "invalid_seuno": 2,
            "records_stored": 2, "alerts_sent_mail": 1}', 12.5
        );
        perform monitoring.update_daily_summary('it''s proposals', v_day::date);
    end loop;
end
$$;

select monitoring.set_page_url('https://monitor.example/pgvigil');

-- alerts: some that came and went, some that fire, one acknowledged, one silenced, all told
select monitoring.define_notification_channel('ops', array['OPS_MAIL']);
select monitoring.evaluate_alerts(at)
from unnest(array[
    timestamptz '2026-02-28 09:00+00', '2026-03-01 10:00+00', '2026-03-02 10:00+00', '2026-03-02 11:55+00'
]) as at;
select monitoring.evaluate_alerts('2026-03-02 11:59:59+00');
select monitoring.acknowledge_alert(alert_id, 'looking at it', 'ann')
from monitoring.v_active_alerts
where rule_name = 'component_unhealthy'
limit 1;
select monitoring.silence_alerts('{"rule": "error_group_new"}', '1 day', 'known');
select monitoring.roll_up();
-- All but the last two days came late: they go where they belong, as the job would have it.
select monitoring.place_late_rows();
select monitoring.place_late_rows();
select monitoring.place_late_rows();
analyze;
