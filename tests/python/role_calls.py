"""Which role may make which call."""

READER, WRITER, OPERATOR = "monitoring_reader", "monitoring_writer", "monitoring_operator"
ADMIN = "monitoring_admin"
EVERYONE = (READER, WRITER, OPERATOR, ADMIN)
READING = (READER, OPERATOR, ADMIN)
WRITING = (WRITER, ADMIN)
DECIDING = (OPERATOR, ADMIN)
KEEPING = (ADMIN,)

# Every public function, a call that works, and who may make it. A role that is not named must be
# refused. A function that is missing here fails the test.
CALLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "clock": ("clock()", EVERYONE),
    "version": ("version()", EVERYONE),
    "fingerprint_version": ("fingerprint_version()", EVERYONE),
    "message_template": ("message_template('a 1')", EVERYONE),
    "error_fingerprint": ("error_fingerprint('E', 'a 1')", EVERYONE),
    "start_task_tracking": ("start_task_tracking('t', 'type')", WRITING),
    "update_task_progress": ("update_task_progress('t', 1)", WRITING),
    "complete_task_tracking": ("complete_task_tracking('t', 'completed')", WRITING),
    "record_finished_tasks": (
        """record_finished_tasks(
            '[{"task_id": "b", "task_type": "x", "end_time": "2026-03-01"}]')""",
        WRITING,
    ),
    "record_error": ("record_error('t', 'E', 'low', 'message')", WRITING),
    "record_errors": (
        """record_errors('[{"error_type": "E", "severity": "low", "message": "m"}]')""",
        WRITING,
    ),
    "record_performance_metric": ("record_performance_metric('m', 'gauge', 1)", WRITING),
    "record_metrics": ("""record_metrics('[{"metric_name": "m", "value": 1}]')""", WRITING),
    "record_log": ("record_log('component', 'INFO', 'message')", WRITING),
    "record_logs": (
        """record_logs('[{"component": "c", "level": "INFO", "message": "m"}]')""",
        WRITING,
    ),
    "load_invalid_records": (
        """load_invalid_records(
            '[{"dataset": "d", "record_key": "1", "validation_type": "V"}]')""",
        WRITING,
    ),
    "load_status_changes": (
        """load_status_changes('[{"dataset": "d", "record_key": "1", "to_status": "A"}]')""",
        WRITING,
    ),
    "update_system_health": ("update_system_health('service', 'api', 'healthy')", WRITING),
    "record_queue_metrics": ("record_queue_metrics('queue', 1)", WRITING),
    "get_dashboard_summary": ("get_dashboard_summary()", READING),
    "get_dashboard_cards": ("get_dashboard_cards()", READING),
    "get_ended_batch_runs": ("get_ended_batch_runs()", READING),
    "get_ended_tasks": ("get_ended_tasks()", READING),
    "get_daily_report": ("get_daily_report()", READING),
    "get_installation": ("get_installation()", READING),
    "histogram_cell": ("histogram_cell(1)", READING),
    "histogram_value": ("histogram_value(10000::smallint)", READING),
    "approx_percentile": ("approx_percentile(null, 0.5)", READING),
    "merge_histograms": ("merge_histograms(null)", READING),
    "get_task_statistics": ("get_task_statistics()", READING),
    "get_queue_trends": ("get_queue_trends(now(), now())", READING),
    "get_trend_points": ("get_trend_points('tasks', now(), now())", READING),
    "get_trend_resolution": ("get_trend_resolution(now(), now())", READING),
    "roll_up": ("roll_up()", DECIDING),
    "rebuild_rollups": ("rebuild_rollups('tasks', '2026-03-01', '2026-03-02')", DECIDING),
    "resolve_error_group": ("resolve_error_group('known')", DECIDING),
    "mute_error_group": ("mute_error_group('known')", DECIDING),
    "reopen_error_group": ("reopen_error_group('known')", DECIDING),
    "next_cron_time": ("next_cron_time('@daily', '2026-01-15 12:00+00')", READING),
    "self_check": ("self_check()", READING),
    "explain_alert": ("explain_alert(-2)", READING),
    "expect_runs": ("expect_runs('nightly', '02:30')", DECIDING),
    "forget_expected_runs": ("forget_expected_runs('nightly')", DECIDING),
    "request_job": ("request_job('make_partitions')", DECIDING),
    "enable_job": ("enable_job('make_partitions')", DECIDING),
    "confirm_clock": ("confirm_clock()", DECIDING),
    "schedule_job": ("schedule_job('j', '1 hour', 'monitoring.clock')", KEEPING),
    "unschedule_job": ("unschedule_job('j')", KEEPING),
    "schedule_with_pg_cron": ("schedule_with_pg_cron(0)", KEEPING),
    "unschedule_from_pg_cron": ("unschedule_from_pg_cron()", KEEPING),
    "purge_pg_cron_history": ("purge_pg_cron_history()", KEEPING),
    "import_pg_cron_runs": ("import_pg_cron_runs()", KEEPING),
    "cancel_overdue_jobs": ("cancel_overdue_jobs()", KEEPING),
    "evaluate_alerts": ("evaluate_alerts()", DECIDING),
    "check_error_rate_alerts": ("check_error_rate_alerts()", DECIDING),
    "check_processing_performance_alerts": ("check_processing_performance_alerts()", DECIDING),
    "check_system_health_alerts": ("check_system_health_alerts()", DECIDING),
    "check_queue_backlog_alerts": ("check_queue_backlog_alerts()", DECIDING),
    "resolve_resolved_alerts": ("resolve_resolved_alerts()", DECIDING),
    "acknowledge_alert": ("acknowledge_alert(-1)", DECIDING),
    "unacknowledge_alert": ("unacknowledge_alert(-1)", DECIDING),
    "resolve_alert": ("resolve_alert(-1)", DECIDING),
    "silence_alerts": ('silence_alerts(\'{"queue": "x"}\')', DECIDING),
    "unsilence_alerts": ("unsilence_alerts(-1)", DECIDING),
    "inhibit_alerts": ("inhibit_alerts('known', 'other')", DECIDING),
    "uninhibit_alerts": ("uninhibit_alerts('known', 'other')", DECIDING),
    "set_alert_thresholds": ("set_alert_thresholds('known', '{\"low\": 1}')", DECIDING),
    "set_alert_owner": ("set_alert_owner('ops', '{\"task_type\": \"t\"}')", DECIDING),
    "set_page_url": ("set_page_url('https://monitor.example')", DECIDING),
    "enable_alert_rule": ("enable_alert_rule('known', false)", DECIDING),
    "change_alert_rule": ("change_alert_rule('known', '{}')", DECIDING),
    "create_alert_rule": (
        "create_alert_rule('own', 'select 1 as fingerprint, 2 as value', '{\"low\": 3}')",
        DECIDING,
    ),
    "drop_alert_rule": ("drop_alert_rule('own')", DECIDING),
    "backtest_alert_rule": (
        "backtest_alert_rule('queue_backlog', '2026-03-01 00:00+00', '2026-03-01 00:01+00')",
        DECIDING,
    ),
    "cancel_overdue_rules": ("cancel_overdue_rules()", KEEPING),
    "start_etl_execution": ("start_etl_execution('e')", WRITING),
    "finish_etl_execution": ("finish_etl_execution('e')", WRITING),
    "log_etl_event": ("log_etl_event('ERROR', 'component', 'message')", WRITING),
    "record_etl_metric": ("record_etl_metric('e', 'metric', 1)", WRITING),
    "get_etl_execution_summary": ("get_etl_execution_summary('e')", READING),
    "get_etl_health_status": ("get_etl_health_status()", READING),
    "key_of_record": ("key_of_record('a', 'b')", EVERYONE),
    "log_invalid_records": ("log_invalid_records('d', '[\"k\"]', 'V')", WRITING),
    "sync_invalid_records": (
        """sync_invalid_records('d', 'V', '{"all": true}', '["k"]')""",
        WRITING,
    ),
    "auto_resolve_invalid_records": (
        "auto_resolve_invalid_records('d', '2026-01-15')",
        (WRITER, OPERATOR, ADMIN),
    ),
    "resolve_invalid_records": ("resolve_invalid_records('d', '{k}')", DECIDING),
    "track_record_products": (
        """track_record_products('d', '[{"record_key": "k", "products": ["p"]}]')""",
        WRITING,
    ),
    "log_program_execution": (
        """log_program_execution('d', '2026-01-15', '{"records_stored": 1}', 12.5)""",
        WRITING,
    ),
    "update_daily_summary": (
        "update_daily_summary('d', '2026-01-15')",
        (WRITER, OPERATOR, ADMIN),
    ),
    "get_config": ("get_config()", READING),
    "get_config_schema": ("get_config_schema()", READING),
    "apply_config": (
        """apply_config('{"alert_thresholds": {"queue_backlog": {"low": 40}}}')""",
        DECIDING,
    ),
    "get_workflow_schema": ("get_workflow_schema()", READING),
    "get_workflow": ("get_workflow('night')", READING),
    "business_date_of": ("business_date_of('2026-01-15', 'night')", READING),
    "get_batch_timeline": ("get_batch_timeline()", READING),
    "get_step_runs": ("get_step_runs()", READING),
    "get_batch_performance": ("get_batch_performance()", READING),
    "get_batch_health": ("get_batch_health()", READING),
    "apply_workflow": (
        """apply_workflow('{"workflow": "own", "steps": [{"step": "own"}]}')""",
        DECIDING,
    ),
    "remove_workflow": ("remove_workflow('none')", DECIDING),
    "register_run_source": (
        """register_run_source('s', 'monitoring.finished_tasks',
            '{"run_id": "task_id", "task_type": "task_type", "status": "status",
                "started_at": "started_at", "finished_at": "finished_at"}',
            '{"completed": "completed"}')""",
        KEEPING,
    ),
    "enable_run_source": ("enable_run_source('known')", DECIDING),
    "sync_run_source": ("sync_run_source('known')", DECIDING),
    "sync_run_sources": ("sync_run_sources()", DECIDING),
    "remove_run_source": ("remove_run_source('known')", KEEPING),
    "register_source_query": ("register_source_query('q', 'A', 'select 1', '{a}')", KEEPING),
    "enable_source_query": ("enable_source_query('known')", DECIDING),
    "remove_source_query": ("remove_source_query('other')", KEEPING),
    "begin_source_load": ("begin_source_load('known')", KEEPING),
    "note_source_progress": ("note_source_progress(-1, 1)", KEEPING),
    "finish_source_load": ("finish_source_load(-1)", KEEPING),
    "fail_source_load": ("fail_source_load('known', 'gone')", KEEPING),
    "register_record_source": (
        """register_record_source('r', 'd', 'query:known',
            '{"record_key": "a", "status": "a"}')""",
        KEEPING,
    ),
    "enable_record_source": ("enable_record_source('kept')", DECIDING),
    "sync_record_source": ("sync_record_source('kept')", DECIDING),
    "sync_record_sources": ("sync_record_sources()", DECIDING),
    "track_all_status_changes_from_source": (
        "track_all_status_changes_from_source('kept')",
        (WRITER, OPERATOR, ADMIN),
    ),
    "remove_record_source": ("remove_record_source('kept')", KEEPING),
    "track_status_changes": (
        """track_status_changes('d', '[{"record_key": "1", "status": "OPEN"}]')""",
        WRITING,
    ),
    "record_timeline": ("record_timeline('d', '1')", READING),
    "configure_dataset": ("""configure_dataset('d', '{"description": "d"}')""", DECIDING),
    "set_allowed_transitions": ("set_allowed_transitions('d', '{}')", DECIDING),
    "remove_dataset": ("remove_dataset('d')", DECIDING),
    "add_change_source": ("add_change_source('ERP', 'the ERP')", DECIDING),
    "attach_status_trigger": ("attach_status_trigger('audit.own', '{id}', 'state')", KEEPING),
    "detach_status_trigger": ("detach_status_trigger('audit.own')", KEEPING),
    "set_retention": ("set_retention('log_lines', '30 days')", DECIDING),
    "set_partitions_ahead": ("set_partitions_ahead(7)", DECIDING),
    "set_name_limit": ("set_name_limit('queues', 100)", DECIDING),
    "set_notification_channel": ("set_notification_channel('c', '{A}')", DECIDING),
    "enable_notification_channel": ("enable_notification_channel('known')", DECIDING),
    "remove_notification_channel": ("remove_notification_channel('known')", DECIDING),
    "send_test_notification": ("send_test_notification('known')", DECIDING),
    "retry_notification": ("retry_notification(1)", DECIDING),
    "release_notification": ("release_notification(0, 1)", KEEPING),
    "claim_notifications": ("claim_notifications('runner')", KEEPING),
    "note_notification_sent": ("note_notification_sent(1, 1)", KEEPING),
    "note_notification_failed": ("note_notification_failed(1, 1, 'gone')", KEEPING),
    "next_notification_at": ("next_notification_at()", KEEPING),
    "cleanup_old_monitoring_data": ("cleanup_old_monitoring_data()", KEEPING),
    "ensure_partitions": ("ensure_partitions(1)", KEEPING),
    "prepare_backfill": ("prepare_backfill('errors', '2020-01-01')", KEEPING),
    "place_late_rows": ("place_late_rows()", KEEPING),
    "note_code_checksum": ("note_code_checksum('x')", KEEPING),
}
# What those calls are about.
ALERTS = """
    insert into monitoring.alert_rules (rule_name, family, query, is_enabled)
    values ('known', 'own', 'select 1', false), ('other', 'own', 'select 1', false);
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
    insert into monitoring.run_sources (
        source_name, relation_name, columns, statuses, changed_by, changed_at
    )
    values ('known', 'monitoring.gone', '{}', '{}', 'test', now());
    insert into monitoring.source_queries (
        query_name, connection_name, query, columns, changed_by, changed_at, next_load_at
    )
    values
    ('known', 'A', 'select 1', '{a}', 'test', now(), now()),
    ('other', 'A', 'select 1', '{a}', 'test', now(), now());
    insert into monitoring.source_loads (load_id, query_name, status, started_at, heartbeat_at)
    values (-1, 'other', 'loading', now(), now());
    insert into monitoring.record_sources (
        source_name, dataset, relation_name, columns, changed_by, changed_at
    )
    values ('kept', 'd', 'query:known', '{"record_key": "a", "status": "a"}', 'test', now())
"""
TABLE = """
    create schema audit authorization monitoring_admin;
    create table audit.own (id integer, state text);
    alter table audit.own owner to monitoring_admin
"""
VIEWS = READING
TABLES = KEEPING
