-- An ordinary moment for the page to show, beside the history: what runs, a business day under way,
-- records that are wrong, and components that are unwell.
-- All is told by the clock of the database, which stands still.

select monitoring.start_task_tracking('running-' || n, 'type-' || n % 8)
from generate_series(1, 200) n;

select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
    'task_id', s.step_name || '-' || d,
    'task_type', s.step_name,
    'status', case when d = 3 and s.step_name = 'CM_BSGGN' then 'failed' else 'completed' end,
    'start_time', monitoring.clock() - make_interval(days => d, mins => 30),
    'end_time', monitoring.clock() - make_interval(days => d, mins => 10),
    'items_done', 1200,
    'items_total', 1200
)))
from generate_series(0, 20) d
cross join monitoring.batch_workflow_config s;

select monitoring.start_task_tracking('CM_BSGGN-now', 'CM_BSGGN');
select monitoring.update_task_progress('CM_BSGGN-now', 40, 100);

select monitoring.log_invalid_records(
    'orders',
    (
        select jsonb_agg(jsonb_build_object('record_key', 'o-' || n, 'group', 'group-' || n % 20))
        from generate_series(1, 2000) n
    ),
    'UNKNOWN'
);

select monitoring.update_system_health('service', 'component-' || n, 'unhealthy', null, 'no answer')
from generate_series(1, 15) n;
