"""What is asked of how everything is at present."""

NOW = "select monitoring.clock()"
SUMMARY = "select monitoring.get_dashboard_summary()"
CARDS = "select monitoring.get_dashboard_cards()"
QUEUES = "select * from monitoring.v_queue_performance order by queue_name"
HEALTH = """
select *
from monitoring.v_system_health_summary
order by
    array_position(array['unhealthy', 'degraded', 'unknown', 'healthy'], status),
    component_type, component_name
"""
ERRORS = "select * from monitoring.v_error_summary"
CHECKS = """
select check_name, status, extract(epoch from lateness) as seconds_late, detail
from monitoring.self_check()
"""
FRESHNESS = "select * from monitoring.v_freshness"
FRESHNESS_OF_ALERTS = "select * from monitoring.v_freshness where subject = 'alerts'"
FRESHNESS_AS_FIGURES = "select *, is_known::integer as known from monitoring.v_freshness"
HEALTH_AS_FIGURES = """
select *, nullif(status, 'unknown') in ('healthy', 'degraded') as is_up
from monitoring.v_system_health_summary
"""
CHANNELS = "select * from monitoring.v_notification_channels"
WORKFLOW_ZONES = """
select distinct time_zone, workflow_name
from monitoring.batch_workflow_config
order by workflow_name
"""
DATABASE_ZONE = "select current_setting('TimeZone')"
DAILY_REPORT = """
select monitoring.get_daily_report(
    p_business_date => %(business_date)s, p_time_zone => %(time_zone)s
)
"""
