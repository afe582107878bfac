"""A call of each public function, and what the roles are."""

READER, WRITER, OPERATOR = "monitoring_reader", "monitoring_writer", "monitoring_operator"
ADMIN = "monitoring_admin"
EVERYONE = (READER, WRITER, OPERATOR, ADMIN)
READING = (READER, OPERATOR, ADMIN)
KEEPING = (ADMIN,)

# A call of each public function, which works for whoever may make it. One that is missing fails.
_CALLS = """
clock();
version();
message_template('a 1');
error_fingerprint('E', 'a 1');
start_task_tracking('t', 'type');
update_task_progress('t', 1);
complete_task_tracking('t', 'completed');
record_finished_tasks(
    '[{"task_id": "b", "task_type": "x", "end_time": "2026-03-01"}]');
record_error('t', 'E', 'low', 'message');
record_batch('{"logs": [{"level": "info", "message": "m"}]}'::jsonb);
record_errors('[{"error_type": "E", "severity": "low", "message": "m"}]');
record_performance_metric('m', 'gauge', 1);
record_metrics('[{"metric_name": "m", "value": 1}]');
record_release('component', '1.0');
record_log('component', 'INFO', 'message');
record_logs('[{"component": "c", "level": "INFO", "message": "m"}]');
load_invalid_records(
    '[{"dataset": "d", "record_key": "1", "validation_type": "V"}]');
load_status_changes('[{"dataset": "d", "record_key": "1", "to_status": "A"}]');
update_system_health('service', 'api', 'healthy');
record_queue_metrics('queue', 1);
get_dashboard_summary();
get_dashboard_cards();
severities();
get_ended_batch_runs();
get_ended_tasks();
get_jobs();
get_job_runs('type');
get_queues();
get_components();
get_component_trends('service', 'api', now(), now());
get_datasets();
get_invalid_by_day('d');
get_daily_report();
get_workflow_verdicts();
get_job_verdicts();
get_news();
get_installation();
approx_percentile(null, 0.5);
merge_histograms(null);
get_task_statistics();
get_queue_trends(now(), now());
get_trend_points('tasks', now(), now());
get_trend_resolution(now(), now());
roll_up();
rebuild_rollups('tasks', '2026-03-01', '2026-03-02');
get_error_occurrences('known');
get_releases();
get_chart_marks(now(), now());
get_search_results('a');
resolve_error_group('known');
mute_error_group('known');
reopen_error_group('known');
merge_error_groups('known', array['known']);
split_error_group('known');
learn_error_groups();
next_cron_time('@daily', '2026-01-15 12:00+00');
self_check();
explain_alert(-2);
define_expected_runs('nightly', '02:30');
remove_expected_runs('nightly');
request_job('make_partitions');
request_urgent_evaluation();
enable_job('make_partitions');
disable_job('make_partitions');
reset_job('make_partitions');
reset_alert_rule('queue_backlog');
reset_inhibition('known', 'other');
reset_retention('log_lines');
confirm_clock();
define_job('j', '1 hour', 'monitoring.clock');
remove_job('j');
enable_pg_cron(0);
disable_pg_cron();
purge_pg_cron_history();
import_pg_cron_runs();
cancel_overdue_jobs();
evaluate_alerts();
check_error_rate_alerts();
check_processing_performance_alerts();
check_system_health_alerts();
check_queue_backlog_alerts();
resolve_resolved_alerts();
acknowledge_alert(-1);
unacknowledge_alert(-1);
resolve_alert(-1);
record_ping('backup');
record_expected_runs('backup', '1 day');
define_ping('backup');
remove_ping('backup');
raise_alert('script', 'disk', 'high', 'the disk is full');
clear_alert('script', 'disk');
silence_alerts('{"queue": "x"}');
unsilence_alerts(-1);
define_inhibition('known', 'other');
remove_inhibition('known', 'other');
set_alert_thresholds('known', '{"low": 1}');
set_alert_owner('ops', '{"task_type": "t"}');
set_page_url('https://monitor.example');
enable_alert_rule('known');
disable_alert_rule('known');
change_alert_rule('known', '{}');
create_alert_rule('own', 'select 1 as fingerprint, 2 as value', '{"low": 3}');
remove_alert_rule('own');
backtest_alert_rule('queue_backlog', '2026-03-01 00:00+00', '2026-03-01 00:01+00');
backtest_rule_change('queue_backlog', '2026-03-01 00:00+00', '2026-03-01 00:01+00');
start_etl_execution('e');
finish_etl_execution('e');
log_etl_event('ERROR', 'component', 'message');
record_etl_metric('e', 'metric', 1);
get_etl_execution_summary('e');
get_etl_health_status();
get_etl_metric_statistics();
key_of_record('a', 'b');
log_invalid_records('d', '["k"]', 'V');
sync_invalid_records('d', 'V', '{"all": true}', '["k"]');
auto_resolve_invalid_records('d', '2026-01-15');
resolve_invalid_records('d', '{k}');
track_record_products('d', '[{"record_key": "k", "products": ["p"]}]');
log_program_execution('d', '2026-01-15', '{"records_stored": 1}', 12.5);
update_daily_summary('d', '2026-01-15');
get_config();
get_config_schema();
apply_config('{"alert_thresholds": {"queue_backlog": {"low": 40}}}');
apply_config('{"alert_thresholds": {"queue_backlog": {"low": 41}}}'::jsonb);
get_workflow_schema();
get_workflow('night');
business_date_of('2026-01-15', 'night');
get_batch_timeline();
get_step_runs();
get_batch_performance();
get_batch_health();
apply_workflow('{"workflow": "own", "steps": [{"step": "own"}]}');
apply_workflow('{"workflow": "own", "steps": [{"step": "own"}]}'::jsonb);
remove_workflow('none');
register_run_source('s', 'monitoring.processing_metrics',
    '{"run_id": "task_id", "task_type": "task_type", "status": "status",
    "started_at": "start_time", "finished_at": "end_time"}',
    '{"completed": "completed"}');
enable_source('known');
disable_source('known');
sync_source('known');
sync_sources();
remove_source('known');
register_source_query('q', 'A', 'select 1', '{a}');
enable_source_query('known');
disable_source_query('known');
remove_source_query('other');
begin_source_load('known');
note_source_progress(-1, 1);
finish_source_load(-1);
fail_source_load('known', 'gone');
register_record_source('r', 'd', 'query:known',
    '{"record_key": "a", "status": "a"}');
track_all_status_changes_from_source('kept');
define_adapter('queue', 'a queue', '{"jobs": ["id"]}', p_depths => 'select 1');
adopt('known', p_is_dry_run => true);
remove_adoption('known');
register_queue_source('w', 'monitoring.queue_monitoring', '{"queue": "queue_name"}');
track_status_changes('d', '[{"record_key": "1", "status": "OPEN"}]');
get_record_timeline('d', '1');
change_dataset('d', '{"description": "d"}');
set_allowed_transitions('d', '{}');
remove_dataset('d');
define_change_source('ERP', 'the ERP');
attach_status_trigger('audit.own', '{id}', 'state');
remove_status_trigger('audit.own');
set_retention('log_lines', '30 days');
set_partitions_ahead(7);
set_name_limit('queues', 100);
define_notification_channel('c', '{A}');
enable_notification_channel('known');
disable_notification_channel('known');
remove_notification_channel('known');
send_test_notification('known');
retry_notification(1);
release_notification(0, 1);
claim_notifications('runner');
note_notification_sent(1, 1);
note_notification_failed(1, 1, 'gone');
next_notification_at();
cleanup_old_monitoring_data();
ensure_partitions(1);
prepare_backfill('errors', '2020-01-01');
load_history('queues', '[{"queue_name": "q", "pending": 1, "recorded_at": "2020-01-01 00:00Z"}]');
prepare_history('logs', '[{"component": "c", "logged_at": "2020-01-01 00:00Z"}]');
place_late_rows();
get_fleet_changes();
get_fleet_rollups('[]');
get_fleet_statistics();
register_fleet_member('m', 'A');
enable_fleet_member('known');
disable_fleet_member('known');
remove_fleet_member('other');
acknowledge_fleet_alert('known', 1);
begin_fleet_pull('known');
note_fleet_changes('known', -1, '{}');
note_fleet_rollups('known', -1, '[]');
note_fleet_decision(-1, 'acknowledged');
fail_fleet_pull('known', -1, 'gone');
note_code_checksum('x')
"""
CALLS = {call.partition("(")[0]: call for call in _CALLS.strip().split(";\n")}
# What those calls are about.
ALERTS = """
    insert into monitoring.alert_rules (rule_name, family, query, decided)
    select r.name, 'own', 'select 1', '{"is_enabled": false}'
    from unnest(array['known', 'other']) as r (name);
    insert into monitoring.alert_silences (
        silence_id, matchers, starts_at, ends_at, created_by, created_at
    )
    values (-1, '{"queue": "x"}', now(), 'infinity', 'test', now());
    insert into monitoring.raised_alerts (
        alert_id, rule_name, fingerprint, status, severity, worst_severity, summary, labels,
        started_at, fired_at, last_seen_at
    )
    values
    (-1, 'known', 'x', 'firing', 'low', 'low', 'known', '{}', now(), now(), now()),
    (-2, 'queue_backlog', 'x', 'firing', 'low', 'low', 'built in', '{}', now(), now(), now())
"""
SOURCE = """
    insert into monitoring.sources (
        source_name, kind, relation_name, columns, settings, every_seconds, timeout_seconds,
        changed_by, changed_at, next_sync_at
    )
    values
    (
        'known', 'run', 'monitoring.gone', '{}', '{"look_back_days": 7, "work": "type"}', 900, 600,
        'test', now(), now()
    ),
    (
        'kept', 'record', 'monitoring.processing_metrics',
        '{"record_key": "task_id", "status": "status"}',
        '{"dataset": "d", "change_source": "SYSTEM", "is_complete": false}', 3600, 600,
        'test', now(), now()
    );
    insert into monitoring.source_queries (
        query_name, connection_name, query, columns, changed_by, changed_at, next_load_at
    )
    values
    ('known', 'A', 'select 1', '{a}', 'test', now(), now()),
    ('other', 'A', 'select 1', '{a}', 'test', now(), now());
    insert into monitoring.source_loads (load_id, query_name, status, started_at, heartbeat_at)
    values (-1, 'other', 'loading', now(), now())
"""
ADOPTION = """
    insert into monitoring.adapters (
        adapter_name, description, relations, depths, work, changed_by, changed_at
    )
    values ('known', 'known', '{"own": ["id"]}', 'select 1', 'run', 'test', now());
    insert into monitoring.adoptions (
        adoption_name, adapter_name, schema_name, changed_by, changed_at
    )
    values ('known', 'known', 'audit', 'test', now())
"""
FLEET = """
    select monitoring.register_fleet_member('known', 'A'),
        monitoring.register_fleet_member('other', 'B')
"""
TABLE = """
    create schema audit authorization monitoring_admin;
    create table audit.own (id integer, state text);
    alter table audit.own owner to monitoring_admin
"""
VIEWS = READING
TABLES = KEEPING
