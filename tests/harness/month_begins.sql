-- What is set up once, before the days of tests/harness/month_day.sql.

set monitoring.now = '2026-01-23 12:00+00';
select monitoring.ensure_partitions();

select monitoring.set_retention(table_name, interval '60 days', category)
from monitoring.v_retention
where keep < interval '60 days' and table_name <> 'rollups';

select monitoring.apply_workflow($json${
    "workflow": "billing", "time_zone": "UTC", "cutover": "05:00",
    "steps": [
        {"step": "extract", "schedule": "06:00", "expected": "20 minutes"},
        {"step": "bill", "after": ["extract"], "expected": "30 minutes"},
        {"step": "print", "after": ["bill"], "expected": "10 minutes", "late_after": "1 minute"}
    ]
}$json$);
select monitoring.expect_runs('load', '0 * * * *');
select monitoring.set_notification_channel('ops', array['OPS_MAIL']);
-- Other systems, which are read as sources.
create table public.orders (id text primary key, state text, changed_at timestamptz);
create table public.night_runs (id text, began timestamptz, ended timestamptz, state text);
grant select on public.orders, public.night_runs to monitoring_admin, monitoring_reader;
select monitoring.register_run_source(
    'night', 'public.night_runs',
    '{"run_id": "id", "started_at": "began", "finished_at": "ended", "status": "state"}',
    '{"ok": "completed", "bad": "failed"}', 'night run'
);
select monitoring.register_record_source(
    'orders', 'orders', 'public.orders', '{"record_key": "id", "status": "state"}'
);
select monitoring.attach_status_trigger('public.orders', '{id}', 'state', 'orders as they change');
select monitoring.create_alert_rule(
    'many_open_orders', 'select ''orders'' as fingerprint, count(*) as value from public.orders where state = ''OPEN''',
    '{"high": 1000}'
);
