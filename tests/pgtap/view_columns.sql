-- The columns of the views that people read, in their order.

begin;
select plan(63);

-- Types in short, as in a column list.
create function pg_temp.columns_of(p_view text) returns text
language sql
as $$
    select string_agg(
        a.attname || case format_type(a.atttypid, a.atttypmod)
            when 'text' then ''
            when 'timestamp with time zone' then ' at'
            when 'double precision' then ' float'
            else ' ' || format_type(a.atttypid, a.atttypmod)
        end,
        ', ' order by a.attnum
    )
    from pg_attribute as a
    where a.attrelid = to_regclass('monitoring.' || p_view) and a.attnum > 0
$$;

select
    is(
        pg_temp.columns_of(view_name),
        columns,
        view_name || ' has its columns, a text where nothing else is said'
    )
from (
    values
    (
        'processing_metrics',
        'task_id, task_type, status, start_time at, end_time at, duration_ms float, '
        'input_size bigint, output_size bigint, worker_id, step_durations jsonb, counters jsonb, '
        'metadata jsonb, attempt integer, parent_task_id, items_done bigint, items_total bigint, '
        'heartbeat_at at, progress_at at, backend_pid integer'
    ),
    (
        'v_realtime_processing_status',
        'task_id, task_type, attempt integer, worker_id, parent_task_id, start_time at, '
        'running_ms float, items_done bigint, items_total bigint, progress_percent numeric, '
        'counters jsonb, heartbeat_at at, progress_at at, seconds_without_progress float, '
        'backend_pid integer, is_backend_alive boolean'
    ),
    (
        'v_task_statistics',
        'task_type, tasks bigint, completed bigint, failed bigint, ended_otherwise bigint, '
        'success_percent numeric, avg_duration_ms float, p50_duration_ms float, '
        'p95_duration_ms float, p99_duration_ms float, max_duration_ms float'
    ),
    (
        'v_unsuccessful_tasks',
        'task_id, task_type, status, attempt integer, worker_id, parent_task_id, start_time at, '
        'end_time at, duration_ms float, error_message, is_failure boolean'
    ),
    (
        'v_task_trends',
        'resolution, bucket_at at, task_type, tasks bigint, completed bigint, failed bigint, '
        'ended_otherwise bigint, success_percent numeric, tasks_per_hour float, '
        'avg_duration_ms float, p50_duration_ms float, p95_duration_ms float, '
        'p99_duration_ms float, min_duration_ms float, max_duration_ms float'
    ),
    (
        'v_error_trends',
        'resolution, bucket_at at, error_type, severity, component, occurrences bigint'
    ),
    (
        'v_queue_trends',
        'resolution, bucket_at at, queue_name, samples bigint, avg_pending float, '
        'max_pending float, p95_pending float, avg_processing float, '
        'max_oldest_ready_seconds float, completed float, failed float'
    ),
    (
        'v_health_trends',
        'resolution, bucket_at at, component_type, component_name, checks bigint, '
        'unhealthy_checks bigint, uptime_percent numeric, up_seconds float, known_seconds float, '
        'avg_response_time_ms float, p95_response_time_ms float, max_response_time_ms float'
    ),
    (
        'etl_executions',
        'execution_id, started_at at, finished_at at, status, total_fixtures bigint, '
        'processed_fixtures bigint, successful_fixtures bigint, failed_fixtures bigint, '
        'total_chunks bigint, processed_chunks bigint, duration_seconds float, error_message, '
        'config jsonb'
    ),
    (
        'etl_logs',
        'log_id bigint, timestamp at, level, component, message, details jsonb, execution_id, '
        'chunk_id, fixture_id, duration_ms float'
    ),
    (
        'etl_metrics',
        'metric_id bigint, timestamp at, execution_id, metric_name, metric_value float, '
        'metric_unit, tags jsonb'
    ),
    (
        'v_expected_runs',
        'task_type, schedule, time_zone, grace_seconds float, early_seconds float, '
        'is_enabled boolean, next_due_at at, last_due_at at, last_start_at at, '
        'is_missed boolean, changed_by, changed_at at, counts'
    ),
    (
        'v_sources',
        'source_name, kind, relation_name, columns jsonb, statuses jsonb, time_zone, '
        'settings jsonb, every_seconds float, timeout_seconds float, is_enabled boolean, '
        'next_sync_at at, synced_at at, succeeded_at at, last_error, '
        'consecutive_failures bigint, last_result jsonb, changed_by, changed_at at'
    ),
    (
        'v_source_queries',
        'query_name, connection_name, query, columns text[], resume_column, every_seconds float, '
        'timeout_seconds float, is_enabled boolean, next_load_at at, is_due boolean, last_status, '
        'last_rows_read bigint, last_error, loaded_at at, changed_by, changed_at at'
    ),
    (
        'v_source_loads',
        'load_id bigint, query_name, status, started_at at, heartbeat_at at, ended_at at, '
        'rows_read bigint, attempts integer, last_error'
    ),
    (
        'v_datasets',
        'dataset, description, time_zone, pending_statuses text[], bot_task_type, '
        'allowed_transitions jsonb, changed_by, changed_at at, login_name'
    ),
    ('v_change_sources', 'change_source, description, changed_by, changed_at at'),
    (
        'v_status_triggers',
        'table_name, dataset, key_columns text[], status_column, change_source, attached_by, '
        'attached_at at, tables bigint, without_trigger text[]'
    ),
    (
        'status_history',
        'change_id bigint, dataset, record_key, recorded_at at, effective_at at, validation_type, '
        'from_status, to_status, change_source, actor, source_name, task_id, details jsonb, '
        'login_name'
    ),
    (
        'v_record_status',
        'dataset, record_key, status, previous_status, effective_at at, recorded_at at, '
        'change_source, actor'
    ),
    (
        'v_time_in_status',
        'dataset, status, records_now bigint, oldest_since_at at, ended_stays bigint, '
        'avg_seconds float, p50_seconds float, p95_seconds float'
    ),
    (
        'v_bot_performance',
        'dataset, day date, actor, changes bigint, share_of_changes float, '
        'avg_wait_seconds float, runs bigint, runs_without_effect bigint'
    ),
    (
        'v_source_troubles',
        'source_name, trouble, subject, message, begun_at at, ended_at at'
    ),
    (
        'error_tracking',
        'error_id bigint, task_id, error_type, severity, message, component, fingerprint, '
        'details jsonb, occurred_at at, stack, error_group'
    ),
    (
        'error_groups',
        'fingerprint, error_type, severity, example, template, status, occurrences bigint, '
        'components text[], first_seen_at at, last_seen_at at, muted_until at, note, '
        'changed_by, changed_at at, login_name, merged_from text[]'
    ),
    (
        'v_error_summary',
        'error_type, severity, component, occurrences bigint, groups bigint, '
        'last_seen_at at, last_message'
    ),
    (
        'performance_monitoring',
        'metric_name, metric_type, value float, unit, component, tags jsonb, recorded_at at, '
        'task_id, sample_id bigint'
    ),
    (
        'v_performance_trends',
        'resolution, bucket_at at, metric_name, component, unit, samples bigint, avg_value float, '
        'min_value float, max_value float, stddev_value float, p50_value float, '
        'p95_value float, p99_value float'
    ),
    (
        'v_application_logs',
        'log_id bigint, logged_at at, level, component, message, details jsonb, task_id, '
        'duration_ms float'
    ),
    (
        'v_health_history',
        'probe_id bigint, component_type, component_name, status, response_time_ms float, '
        'failure_reason, details jsonb, checked_at at'
    ),
    (
        'system_health',
        'component_type, component_name, status, response_time_ms float, failure_reason, '
        'last_check_at at, details jsonb'
    ),
    (
        'v_system_health_summary',
        'component_type, component_name, status, response_time_ms float, failure_reason, '
        'last_check_at at, seconds_since_check float, checks bigint, avg_response_time_ms float, '
        'uptime_percent numeric, last_unhealthy_at at, last_status'
    ),
    (
        'queue_monitoring',
        'queue_name, pending bigint, processing bigint, completed bigint, failed bigint, '
        'oldest_ready_seconds float, recorded_at at, sample_id bigint'
    ),
    (
        'v_queue_performance',
        'queue_name, pending bigint, processing bigint, completed bigint, failed bigint, '
        'oldest_ready_seconds float, recorded_at at, samples bigint, avg_pending numeric, '
        'max_pending bigint, pending_change bigint, completed_per_minute float, '
        'failed_percent numeric'
    ),
    (
        'v_active_alerts',
        'alert_id bigint, rule_name, fingerprint, severity, status, summary, value float, '
        'threshold float, unit, labels jsonb, occurrences bigint, started_at at, fired_at at, '
        'last_seen_at at, acknowledged_at at, acknowledged_by, acknowledged_note, suppressed_by, '
        'reason, owner, business_date date, link, kind'
    ),
    (
        'alerts',
        'alert_id bigint, rule_name, fingerprint, severity, worst_severity, status, summary, '
        'value float, threshold float, unit, labels jsonb, family, occurrences bigint, '
        'started_at at, fired_at at, last_seen_at at, cleared_at at, acknowledged_at at, '
        'acknowledged_by, acknowledged_note, resolved_at at, resolved_by, resolution, told jsonb, '
        'reason, owner, kind'
    ),
    (
        'alert_history',
        'transition_id bigint, alert_id bigint, rule_name, fingerprint, changed_at at, transition, '
        'severity, value float, threshold float, labels jsonb, summary, changed_by, note, '
        'login_name'
    ),
    (
        'v_alert_rules',
        'rule_name, family, description, query, unit, comparison, thresholds jsonb, '
        'overrides jsonb, parameters jsonb, for_seconds float, for_evaluations integer, '
        'keep_firing_seconds float, no_data, on_error, time_limit_seconds float, '
        'is_enabled boolean, changed_by, changed_at at, evaluated_at at, duration_ms float, '
        'findings integer, evaluations bigint, failures bigint, consecutive_failures bigint, '
        'last_error, last_failed_at at, paused_until_at at, pending bigint, firing bigint, '
        'has_past boolean, unknown_past, state, fired_7_days bigint, fired_30_days bigint, '
        'last_fired_at at'
    ),
    (
        'v_alert_rule_changes',
        'change_id bigint, rule_name, change, old_settings jsonb, new_settings jsonb, changed_by, '
        'login_name, changed_at at, note'
    ),
    ('monitoring_config', 'section, name, settings jsonb, decided jsonb'),
    (
        'v_silences',
        'silence_id bigint, matchers jsonb, starts_at at, ends_at at, is_active boolean, '
        'is_until_resolved boolean, note, created_by, created_at at, ended_by, login_name, '
        'ended_login_name, state'
    ),
    (
        'v_inhibitions',
        'source_rule, target_rule, equal_labels text[], is_enabled boolean, changed_by, '
        'changed_at at'
    ),
    (
        'v_notifications',
        'notification_id bigint, notification_key uuid, channel_name, target, kind, status, '
        'subject, body, payload jsonb, created_at at, attempts integer, next_attempt_at at, '
        'leased_by, last_error, finished_at at, folded integer, folded_into bigint'
    ),
    (
        'v_notification_channels',
        'channel_name, kind, targets text[], matchers jsonb, minimum_severity, '
        'has_resolved_notices boolean, repeat_seconds float, max_per_hour integer, '
        'max_attempts integer, summary_time, time_zone, is_enabled boolean, changed_by, '
        'changed_at at, held_back bigint, held_back_at at, summarized_at at, waiting bigint, '
        'dead bigint, last_sent_at at, sent_1_day bigint, dead_1_day bigint, sent_7_days bigint, '
        'dead_7_days bigint, failing bigint, last_error'
    ),
    (
        'v_jobs',
        'job_name, description, schedule, time_zone, procedure_name, timeout_seconds float, '
        'is_enabled boolean, next_run_at at, is_requested boolean, seconds_late float, '
        'is_running boolean, running_pid integer, running_seconds float, last_started_at at, '
        'last_finished_at at, last_status, last_error, runs bigint, failures bigint, '
        'consecutive_failures bigint, missed_runs bigint, changed_by, changed_at at'
    ),
    (
        'v_pg_cron_runs',
        'task_id, job_name, status, start_time at, end_time at, duration_ms float, message, '
        'database_name, user_name, is_own boolean'
    ),
    (
        'v_task_totals',
        'task_type, status, tasks bigint, items numeric, durations bigint, '
        'duration_seconds float, bucket_seconds double precision[], bucket_counts bigint[], '
        'since_at at, counted_at at'
    ),
    (
        'v_error_totals',
        'error_type, severity, component, errors bigint, since_at at, counted_at at'
    ),
    (
        'v_notification_totals',
        'channel_name, result, notifications bigint, since_at at, counted_at at'
    ),
    (
        'v_retention',
        'table_name, category, keep interval, kept_from_at at, removed_before at, '
        'seconds_behind float, partitions bigint, oldest_day_at at, days_ahead integer, '
        'changed_by, changed_at at, days_ahead_changed_by, days_ahead_changed_at at'
    ),
    (
        'invalid_records',
        'dataset, record_key, validation_type, status, group_name, reported_value, message, '
        'details jsonb, target_date date, first_detected_at at, opened_at at, last_detected_at at, '
        'times_detected bigint, times_reopened integer, is_alerted boolean, alerted_at at, '
        'task_id, resolved_at at, resolution, resolved_by, resolution_reason, seconds_open float'
    ),
    (
        'record_products',
        'dataset, record_key, product, quantity float, amount numeric, details jsonb, '
        'first_seen_at at, changed_at at, task_id'
    ),
    (
        'processing_log',
        'dataset, target_date date, run_mode, status, started_at at, finished_at at, '
        'execution_seconds float, total_records_queried bigint, valid_records bigint, '
        'invalid_records bigint, records_stored bigint, alerts_sent bigint, statistics jsonb, '
        'task_id, error_message'
    ),
    (
        'daily_summary',
        'dataset, target_date date, runs bigint, records_queried bigint, valid_records bigint, '
        'invalid_records bigint, records_stored bigint, alerts_sent bigint, invalid_opened bigint, '
        'invalid_resolved bigint, invalid_open bigint, invalid_by_type jsonb, '
        'status_changes bigint, status_changes_by_source jsonb, products bigint, updated_at at'
    ),
    (
        'v_top_issues',
        'dataset, validation_type, group_name, open_records bigint, alerted_records bigint, '
        'oldest_opened_at at, last_detected_at at'
    ),
    (
        'v_resolution_times',
        'dataset, validation_type, resolution, resolved_records bigint, avg_seconds float, '
        'p50_seconds float, p95_seconds float, open_records bigint, oldest_opened_at at'
    ),
    (
        'batch_execution_logs',
        'workflow_name, step_name, business_date date, task_id, attempt integer, status, '
        'started_at at, finished_at at, duration_seconds float, records_processed bigint, '
        'records_total bigint, records_remaining bigint, threads integer, records_per_second '
        'float, error_message, worker_id, counters jsonb, metadata jsonb, created_at at'
    ),
    (
        'batch_monitoring_alerts',
        'workflow_name, step_name, alert_id bigint, rule_name, severity, status, summary, value '
        'float, threshold float, unit, labels jsonb, occurrences bigint, started_at at, fired_at '
        'at, last_seen_at at, acknowledged_by, resolved_at at, resolution, kind, reason, '
        'acknowledged boolean'
    ),
    (
        'v_batch_timeline',
        'workflow_name, business_date date, step_name, status, due_at at, started_at at, '
        'finished_at at, duration_seconds float, runs integer, records_processed bigint, '
        'records_total bigint, records_remaining bigint, threads integer, records_per_second '
        'float, progress_percent numeric, eta_at at, eta_from_at at, eta_to_at at, waits_for '
        'text[], is_optional boolean, task_id'
    ),
    (
        'batch_performance_summary',
        'workflow_name, business_date date, step_name, runs bigint, completed bigint, failed '
        'bigint, first_started_at at, last_finished_at at, duration_seconds float, '
        'avg_duration_seconds float, max_duration_seconds float, records_processed bigint, '
        'records_per_second float'
    ),
    (
        'v_batch_health',
        'workflow_name, business_date date, is_enabled boolean, steps bigint, complete bigint, '
        'running bigint, late bigint, failed bigint, success_percent numeric, failed_runs bigint,'
        ' records_per_second float, active_alerts bigint, recent_failures jsonb'
    ),
    (
        'batch_workflow_config',
        'workflow_name, workflow_description, time_zone, cutover_time, is_enabled boolean, '
        'position integer, step_name, description, after_steps text[], schedule, expected_seconds'
        ' float, late_after_seconds float, stuck_after_seconds float, long_after_seconds float, '
        'minimum_rate float, is_optional boolean, is_repeated boolean, expected_since_at at, '
        'changed_by, changed_at at'
    ),
    (
        'batch_monitoring_config',
        'workflow_name, step_name, rule_name, low float, medium float, high float, critical '
        'float, unit, comparison, is_own boolean, is_enabled boolean'
    )
) as expected (view_name, columns);

select * from finish(); -- noqa: AM04
rollback;
