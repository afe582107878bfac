"""Something of everything, for the web service to show."""

import json
from typing import Any

import psycopg

from tests import ROOT

_BILLING = ROOT / "examples" / "batch" / "billing.json"
_WORDS = ("<script>alert(1)</script>", "Überweisung 漢字 🚚", "a" * 255)

_CALLS = """
select set_config('search_path', 'monitoring, public', false);

-- Tasks, some of which end within the same microsecond.
select record_finished_tasks(jsonb_agg(jsonb_build_object(
    'task_id', 'load-' || n,
    'task_type', case when n % 3 = 0 then 'load' else 'send' end,
    'status', case when n % 10 = 0 then 'failed' else 'completed' end,
    'start_time', now() - make_interval(mins => n),
    'end_time', now() - make_interval(mins => n / 4),
    'counters', '{"succeeded": 1}'::jsonb
)))
from generate_series(1, 60) n;
select start_task_tracking('now-' || n, 'load') from generate_series(1, 7) n;
select update_task_progress('now-1', 30, 120);

-- Errors in several groups.
select record_error('load-10', 'Kind' || n, (array['low', 'medium', 'high', 'critical'])[1 + n % 4],
    'it went wrong at ' || n || ' of ' || chr(64 + n), 'loader')
from generate_series(1, 12) n;

select record_queue_metrics('mail', 5, 1, 100, 2, 40);
select record_queue_metrics('parcels', 0, 0, 0, 0);
select update_system_health('database', 'main', 'healthy', 3.5);
select update_system_health('service', 'rates', 'unhealthy', null, 'no answer');
select update_system_health('service', 'mail', 'degraded', 900, 'slow');
select record_release('loader', '1.' || n, p_released_at => now() - make_interval(hours => 9 - n))
from generate_series(1, 7) n;
select record_performance_metric('throughput', 'gauge', 12.5, 'rows/s', 'loader');

select record_log('loader', 'WARNING', 'line ' || n) from generate_series(1, 5) n;

-- Runs of the workflow's steps, today and before.
select record_finished_tasks(jsonb_agg(jsonb_build_object(
    'task_id', s.step || '-' || d,
    'task_type', s.step,
    'status', case when d = 3 and s.step = 'CM_BSGGN' then 'failed' else 'completed' end,
    'start_time', now() - make_interval(days => d, mins => 30),
    'end_time', now() - make_interval(days => d, mins => 10),
    'items_done', 1200, 'items_total', 1200,
    'metadata', jsonb_build_object('error_message', 'because')
)))
from generate_series(0, 5) d, unnest(array['CM-DMRU', 'D1-IMD', 'CM_BSGGN']) s (step);
select start_task_tracking('CM_BSGGN-today', 'CM_BSGGN');
select update_task_progress('CM_BSGGN-today', 40, 100);

-- Records: some invalid, one of which is resolved, and some that changed.
select log_invalid_records('orders', '["o-1", "o-2", "o-3"]', 'DUPLICATE');
select log_invalid_records(
    'orders', '[{"record_key": "o/4 ü", "value": "x", "group": "north", "message": "no such"}]',
    'UNKNOWN'
);
select resolve_invalid_records('orders', array['o-2'], 'manual', 'known');
select track_status_changes('orders', '[
    {"record_key": "o-1", "status": "OPEN"}, {"record_key": "o-2", "status": "OPEN"}
]'::jsonb);
select track_status_changes('orders', '[{"record_key": "o-1", "status": "DONE"}]'::jsonb, 'BOT');

select evaluate_alerts();
select reset_all from (select set_config('search_path', '', false) as reset_all) r;
"""


def fill(connection: psycopg.Connection[Any]) -> None:
    """Record something of everything; `connection` commits by itself."""
    document = json.loads(_BILLING.read_text())
    connection.execute("select monitoring.apply_workflow(p_workflow => %s)", [json.dumps(document)])
    for word in _WORDS:
        connection.execute(
            "select monitoring.record_error(null, %s, 'high', %s, %s)", [word, word, word]
        )
        connection.execute("select monitoring.start_task_tracking(%s, %s)", [word, word])
    connection.execute(_CALLS.encode())
