-- get_dashboard_cards: the few figures at the top of a page.

begin;
select plan(11);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/batch.psql

create temporary view cards as
select monitoring.get_dashboard_cards() - array['freshness', 'severities'] as document;

select is(
    monitoring.get_dashboard_cards() -> 'freshness' -> 'alerts' ->> 'detail',
    'no alert rule has ever run',
    'with the alerts it says whether anybody looked'
);

select is(
    (select document from cards),
    '{
        "ended_7_days": 0, "success_percent_7_days": null, "failed_24_hours": 0,
        "records_per_second_today": null,
        "active_alerts": {"critical": 0, "high": 0, "medium": 0, "low": 0},
        "active_alerts_by_kind": {}
    }'::jsonb,
    'with nothing recorded there is no rate, and no alert of any severity'
);

select is(
    monitoring.get_dashboard_cards() -> 'severities',
    '["low", "medium", "high", "critical"]'::jsonb,
    'they say which severity is worse than which'
);

select monitoring.record_finished_tasks(
    '[
        {"task_id": "a", "task_type": "load", "end_time": "2026-01-15T10:00:00Z"},
        {"task_id": "b", "task_type": "load", "status": "failed",
            "end_time": "2026-01-15T10:00:00Z"},
        {"task_id": "c", "task_type": "load", "status": "timeout",
            "end_time": "2026-01-14T13:00:00Z"},
        {"task_id": "d", "task_type": "load", "status": "cancelled",
            "end_time": "2026-01-15T10:00:00Z"},
        {"task_id": "e", "task_type": "load", "status": "failed",
            "end_time": "2026-01-14T12:59:59Z"},
        {"task_id": "f", "task_type": "load", "end_time": "2026-01-08T13:00:00Z"},
        {"task_id": "g", "task_type": "load", "end_time": "2026-01-08T12:59:59Z"}
    ]'
);

select is(
    (select document ->> 'ended_7_days' from cards), '6',
    'what ended counts for 7 days: this hour and the 167 before it'
);
select is(
    (select document ->> 'success_percent_7_days' from cards), '33.33',
    'success is what completed of all that ended'
);
select is(
    (select document ->> 'failed_24_hours' from cards), '2',
    'failed and timed out count for 24 hours; what was cancelled does not'
);
select pg_temp.roll_up_own('tasks');
select is(
    (
        select
            document
            - array['active_alerts', 'active_alerts_by_kind', 'records_per_second_today']
        from cards
    ),
    '{"ended_7_days": 6, "success_percent_7_days": 33.33, "failed_24_hours": 2}'::jsonb,
    'the same once it is rolled up'
);

select pg_temp.forget_roll_ups();

-- The rate of today

select pg_temp.set_clock('2026-01-12 05:00+01');
select pg_temp.apply_billing();
select pg_temp.begin_step('CM-DMRU', '2026-01-14 18:00+01', 100);
select pg_temp.progress_step('CM-DMRU', '2026-01-14 18:10+01', 900);
select pg_temp.end_step('CM-DMRU', '2026-01-14 18:10+01');
select pg_temp.begin_step('D1-IMD', '2026-01-14 18:10+01', 100, null, 'imd');
select pg_temp.progress_step('imd', '2026-01-14 18:15+01', 300);
select pg_temp.end_step('imd', '2026-01-14 18:15+01');
select pg_temp.begin_step('C1-PPBTR', '2026-01-14 18:20+01');
select pg_temp.end_step('C1-PPBTR', '2026-01-14 23:20+01');
select is(
    (select document -> 'records_per_second_today' from cards), to_jsonb(1200 / 900.0::float8),
    'the rate is records by seconds of all steps that told of records'
);
select pg_temp.set_clock('2026-01-15 06:00+01');
select is(
    (select document ->> 'records_per_second_today' from cards), null,
    'a new business day has none yet'
);

-- Alerts

update monitoring.alert_rules
set decided = decided || jsonb_build_object('is_enabled', rule_name = 'component_unhealthy');
select monitoring.update_system_health('service', 'mail', 'unhealthy');
select monitoring.update_system_health('service', 'web', 'degraded');
select monitoring.evaluate_alerts();
select is(
    (select document -> 'active_alerts' from cards),
    '{"critical": 1, "high": 0, "medium": 1, "low": 0}'::jsonb,
    'alerts that fire count by severity'
);
select monitoring.acknowledge_alert(a.alert_id)
from monitoring.v_active_alerts as a where a.severity = 'medium';
select is(
    (select document #>> '{active_alerts, medium}' from cards), '1',
    'acknowledged ones still do'
);

select * from finish(); -- noqa: AM04
rollback;
