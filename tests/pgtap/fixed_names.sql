-- Names and call forms that users rely on: they may grow at the end, and never change.

begin;
select plan(154);

-- The arguments of a public function in order, those that must be given in capitals.
create function pg_temp.call_form(p_name text) returns text
language sql
as $$
    select distinct string_agg(
        case
            when a.position <= p.pronargs - p.pronargdefaults then upper(a.name) else a.name
        end,
        ' ' order by a.position
    )
    from pg_proc as p
    cross join unnest(p.proargnames, p.proargmodes) with ordinality as a (name, mode, position)
    where p.pronamespace = 'monitoring'::regnamespace and p.proname = p_name
        and coalesce(a.mode, 'i') <> 't'
    group by p.oid
$$;

-- Functions

select
    is(
        pg_temp.call_form(function_name),
        call_form,
        function_name || ' is called by these names, in this order'
    )
from (
    values
    (
        'start_task_tracking',
        'P_TASK_ID P_TASK_TYPE p_input_size p_worker_id p_parent_task_id p_metadata p_items_total '
        'p_started_at'
    ),
    ('update_task_progress', 'P_TASK_ID p_items_done p_items_total p_counters p_at p_attempt'),
    (
        'complete_task_tracking',
        'P_TASK_ID p_status p_output_size p_step_durations p_counters p_metadata p_finished_at '
        'p_attempt'
    ),
    ('record_finished_tasks', 'P_TASKS'),
    (
        'record_error',
        'P_TASK_ID P_ERROR_TYPE P_SEVERITY P_MESSAGE p_component p_details p_stack p_fingerprint '
        'p_occurred_at'
    ),
    ('record_batch', 'P_BATCH'),
    ('record_errors', 'P_ERRORS'),
    ('resolve_error_group', 'P_FINGERPRINT p_note p_by'),
    ('mute_error_group', 'P_FINGERPRINT p_until p_note p_by'),
    ('reopen_error_group', 'P_FINGERPRINT'),
    ('merge_error_groups', 'P_INTO P_FINGERPRINTS p_note p_by'),
    ('split_error_group', 'P_FINGERPRINT p_note p_by'),
    (
        'record_performance_metric',
        'P_METRIC_NAME P_METRIC_TYPE P_VALUE p_unit p_component p_tags p_task_id p_recorded_at'
    ),
    ('record_metrics', 'P_METRICS'),
    ('record_log', 'P_COMPONENT P_LEVEL P_MESSAGE p_details p_task_id p_duration_ms p_logged_at'),
    ('record_logs', 'P_LOGS'),
    ('load_invalid_records', 'P_RECORDS'),
    ('load_status_changes', 'P_CHANGES'),
    ('load_history', 'P_KIND P_ROWS'),
    ('prepare_history', 'P_KIND P_ROWS'),
    (
        'update_system_health',
        'P_COMPONENT_TYPE P_COMPONENT_NAME P_STATUS p_response_time_ms p_failure_reason p_details '
        'p_checked_at'
    ),
    (
        'record_queue_metrics',
        'P_QUEUE_NAME P_PENDING p_processing p_completed p_failed p_oldest_ready_seconds '
        'p_recorded_at'
    ),
    ('message_template', 'P_MESSAGE'),
    ('error_fingerprint', 'P_ERROR_TYPE P_MESSAGE'),
    ('ensure_partitions', 'p_days_ahead'),
    ('get_task_statistics', 'p_from p_to'),
    (
        'get_jobs',
        'p_search p_kind p_workflow_name p_is_troubled p_job_name p_days p_limit p_after_trouble '
        'p_after_name'
    ),
    (
        'get_job_runs',
        'P_JOB_NAME p_from p_to p_status p_limit p_before_time p_before_task_id p_before_attempt'
    ),
    (
        'get_components',
        'p_search p_component_type p_status p_is_troubled p_component_name p_days p_limit '
        'p_after_trouble p_after_standing p_after_type p_after_name'
    ),
    (
        'get_datasets',
        'p_search p_dataset p_limit p_after_trouble p_after_open p_after_dataset'
    ),
    ('get_invalid_by_day', 'P_DATASET p_days'),
    ('get_component_trends', 'P_COMPONENT_TYPE P_COMPONENT_NAME P_FROM P_TO p_resolution'),
    (
        'get_queues',
        'p_search p_is_troubled p_queue_name p_limit p_after_trouble p_after_pending p_after_name'
    ),
    (
        'get_error_occurrences',
        'P_FINGERPRINT p_from p_to p_limit p_before_time p_before_error_id'
    ),
    ('record_release', 'P_COMPONENT P_VERSION p_details p_released_at'),
    ('get_releases', 'p_component p_from p_to p_limit'),
    ('get_chart_marks', 'P_FROM P_TO p_component p_limit'),
    ('get_search_results', 'P_SEARCH p_limit'),
    ('get_step_runs', 'p_business_date p_workflow_name'),
    ('get_fleet_changes', 'p_asked'),
    ('get_fleet_rollups', 'P_BUCKETS p_at_most'),
    ('get_fleet_statistics', 'p_source p_from p_to p_member_name'),
    (
        'register_fleet_member',
        'P_MEMBER_NAME P_CONNECTION p_page_url p_every p_rollups_every p_timeout p_by'
    ),
    ('enable_fleet_member', 'P_MEMBER_NAME'),
    ('disable_fleet_member', 'P_MEMBER_NAME'),
    ('remove_fleet_member', 'P_MEMBER_NAME'),
    ('acknowledge_fleet_alert', 'P_MEMBER_NAME P_ALERT_ID p_note p_by'),
    ('begin_fleet_pull', 'P_MEMBER_NAME p_is_due_only'),
    ('note_fleet_changes', 'P_MEMBER_NAME P_PULL_ID P_CHANGES'),
    ('note_fleet_rollups', 'P_MEMBER_NAME P_PULL_ID P_ROLLUPS'),
    ('note_fleet_decision', 'P_DECISION_ID P_OUTCOME'),
    ('fail_fleet_pull', 'P_MEMBER_NAME P_PULL_ID P_ERROR'),
    ('set_alert_owner', 'P_OWNER p_labels'),
    ('set_page_url', 'P_URL'),
    ('get_trend_resolution', 'P_FROM P_TO p_resolution'),
    ('get_queue_trends', 'P_FROM P_TO p_resolution p_queue_name'),
    ('get_trend_points', 'P_WHAT P_FROM P_TO p_resolution'),
    ('rebuild_rollups', 'P_SOURCE P_FROM P_TO'),
    (
        'define_notification_channel',
        'P_CHANNEL_NAME P_TARGETS p_kind p_matchers p_minimum_severity p_has_resolved_notices '
        'p_repeat p_max_per_hour p_summary_time p_time_zone p_max_attempts'
    ),
    ('enable_notification_channel', 'P_CHANNEL_NAME'),
    ('disable_notification_channel', 'P_CHANNEL_NAME'),
    ('remove_notification_channel', 'P_CHANNEL_NAME'),
    ('send_test_notification', 'P_CHANNEL_NAME'),
    ('retry_notification', 'P_NOTIFICATION_ID'),
    ('note_notification_sent', 'P_NOTIFICATION_ID P_ATTEMPT'),
    ('note_notification_failed', 'P_NOTIFICATION_ID P_ATTEMPT P_ERROR p_is_permanent p_was_silent'),
    ('approx_percentile', 'P_HISTOGRAM P_FRACTION'),
    ('evaluate_alerts', 'p_now'),
    ('check_error_rate_alerts', 'p_now'),
    ('check_processing_performance_alerts', 'p_now'),
    ('check_system_health_alerts', 'p_now'),
    ('check_queue_backlog_alerts', 'p_now'),
    ('resolve_resolved_alerts', 'p_now'),
    ('acknowledge_alert', 'P_ALERT_ID p_note p_by'),
    ('unacknowledge_alert', 'P_ALERT_ID p_note p_by'),
    ('resolve_alert', 'P_ALERT_ID p_note p_by'),
    ('clear_alert', 'P_SOURCE P_FINGERPRINT'),
    ('record_ping', 'P_NAME p_action p_run_id p_body p_is_created p_duration'),
    ('record_expected_runs', 'P_TASK_TYPE P_SCHEDULE p_time_zone p_grace p_counts'),
    ('define_ping', 'P_NAME'),
    ('remove_ping', 'P_NAME'),
    (
        'raise_alert',
        'P_SOURCE P_FINGERPRINT P_SEVERITY P_SUMMARY p_labels p_details p_expires_at'
    ),
    (
        'create_alert_rule',
        'P_RULE_NAME P_QUERY p_thresholds p_description p_comparison p_for p_keep_firing_for '
        'p_for_evaluations p_no_data p_on_error p_time_limit p_unit'
    ),
    ('remove_alert_rule', 'P_RULE_NAME'),
    (
        'backtest_rule_change',
        'P_RULE_NAME P_FROM P_TO p_step p_settings p_thresholds p_labels p_at_most'
    ),
    ('backtest_alert_rule', 'P_RULE_NAME P_FROM P_TO p_step p_settings p_thresholds p_labels'),
    ('apply_config', 'P_CONFIG'),
    ('apply_workflow', 'P_WORKFLOW'),
    ('remove_workflow', 'P_WORKFLOW_NAME'),
    ('get_workflow', 'P_WORKFLOW_NAME'),
    ('business_date_of', 'P_AT P_WORKFLOW_NAME'),
    ('get_batch_timeline', 'p_business_date p_workflow_name'),
    ('get_batch_performance', 'p_from p_to p_workflow_name'),
    ('get_daily_report', 'p_business_date p_time_zone'),
    ('get_workflow_verdicts', 'p_business_date p_time_zone'),
    ('get_job_verdicts', 'p_from p_to p_time_zone p_limit'),
    ('get_news', 'p_from p_to'),
    ('silence_alerts', 'P_MATCHERS p_for p_note p_by p_starts_at p_until_resolved'),
    ('unsilence_alerts', 'P_SILENCE_ID p_by'),
    ('define_inhibition', 'P_SOURCE_RULE P_TARGET_RULE p_equal_labels'),
    ('remove_inhibition', 'P_SOURCE_RULE P_TARGET_RULE'),
    ('set_alert_thresholds', 'P_RULE_NAME P_THRESHOLDS p_labels p_by p_note'),
    ('enable_alert_rule', 'P_RULE_NAME p_by p_note'),
    ('disable_alert_rule', 'P_RULE_NAME p_by p_note'),
    ('change_alert_rule', 'P_RULE_NAME P_SETTINGS p_by p_note'),
    (
        'start_etl_execution',
        'P_EXECUTION_ID p_config p_total_fixtures p_total_chunks p_worker_id p_started_at'
    ),
    (
        'finish_etl_execution',
        'P_EXECUTION_ID p_status p_total_fixtures p_processed_fixtures p_successful_fixtures '
        'p_failed_fixtures p_total_chunks p_processed_chunks p_error_message p_finished_at '
        'p_attempt'
    ),
    (
        'log_etl_event',
        'P_LEVEL P_COMPONENT P_MESSAGE p_details p_execution_id p_chunk_id p_fixture_id '
        'p_duration_ms p_logged_at'
    ),
    (
        'record_etl_metric',
        'P_EXECUTION_ID P_METRIC_NAME P_VALUE p_unit p_tags p_metric_type p_component '
        'p_recorded_at'
    ),
    ('get_etl_execution_summary', 'P_EXECUTION_ID'),
    (
        'log_invalid_records',
        'P_DATASET P_RECORDS P_VALIDATION_TYPE p_alerted_count p_target_date p_task_id '
        'p_detected_at p_is_dry_run'
    ),
    (
        'sync_invalid_records',
        'P_DATASET P_VALIDATION_TYPE P_SCOPE P_FAILING_KEYS p_task_id p_at p_is_dry_run'
    ),
    (
        'auto_resolve_invalid_records',
        'P_DATASET P_TARGET_DATE p_checked_since p_validation_type p_is_dry_run'
    ),
    (
        'resolve_invalid_records',
        'P_DATASET P_RECORD_KEYS p_resolution p_reason p_validation_type p_by p_is_dry_run'
    ),
    ('track_record_products', 'P_DATASET P_RECORDS p_task_id p_is_dry_run'),
    ('update_daily_summary', 'P_DATASET P_TARGET_DATE p_is_dry_run'),
    (
        'register_run_source',
        'P_SOURCE_NAME P_RELATION P_COLUMNS P_STATUSES p_task_type p_time_zone p_look_back p_by '
        'p_work p_failed_severity p_every p_timeout'
    ),
    ('change_dataset', 'P_DATASET P_SETTINGS p_by'),
    ('set_allowed_transitions', 'P_DATASET P_TRANSITIONS'),
    ('remove_dataset', 'P_DATASET'),
    ('define_change_source', 'P_CHANGE_SOURCE P_DESCRIPTION'),
    (
        'attach_status_trigger',
        'P_TABLE P_KEY_COLUMNS P_STATUS_COLUMN p_dataset p_change_source p_by'
    ),
    ('remove_status_trigger', 'P_TABLE'),
    ('get_record_timeline', 'P_DATASET P_RECORD_KEY p_limit'),
    ('enable_source', 'P_SOURCE_NAME'),
    ('disable_source', 'P_SOURCE_NAME'),
    ('remove_source', 'P_SOURCE_NAME'),
    ('sync_source', 'P_SOURCE_NAME'),
    (
        'register_record_source',
        'P_SOURCE_NAME P_DATASET P_RELATION P_COLUMNS p_statuses p_change_source p_time_zone '
        'p_is_complete p_by p_every p_timeout'
    ),
    (
        'register_queue_source',
        'P_SOURCE_NAME P_RELATION p_columns p_statuses p_queue_name p_time_zone p_by p_every '
        'p_timeout'
    ),
    (
        'define_adapter',
        'P_ADAPTER_NAME P_DESCRIPTION P_RELATIONS p_runs p_statuses p_depths p_work '
        'p_further_grants p_by'
    ),
    (
        'adopt',
        'P_ADAPTER_NAME p_schema p_name p_has_runs p_failed_severity p_runs_every p_is_dry_run p_by'
    ),
    ('remove_adoption', 'P_NAME'),
    (
        'track_all_status_changes_from_source',
        'P_SOURCE_NAME p_target_date p_change_source p_task_id p_is_dry_run'
    ),
    (
        'register_source_query',
        'P_QUERY_NAME P_CONNECTION P_QUERY P_COLUMNS p_resume_column p_every p_timeout p_by'
    )
) as fixed (function_name, call_form);

select
    is(
        (
            select (p.pronargs - p.pronargdefaults)::integer from pg_proc as p
            where p.pronamespace = 'monitoring'::regnamespace and p.proname = function_name
        ),
        0,
        function_name || ' is called without arguments'
    )
from unnest(
        array[
            'get_batch_health',
            'get_config',
            'get_dashboard_summary',
            'get_installation',
            'clock',
            'version',
            'roll_up',
            'get_etl_health_status',
            'roll_up',
            'get_config', 'get_dashboard_summary', 'get_installation', 'clock', 'version',
            'roll_up', 'sync_sources'
        ]
    ) as function_name;

select set_eq(
    $$
        select pg_get_function_identity_arguments(p.oid) from pg_proc as p
        where p.pronamespace = 'monitoring'::regnamespace and p.proname = 'track_status_changes'
    $$,
    array[
        'p_dataset text, p_records jsonb, p_change_source text, p_actor text, p_task_id text, '
        'p_is_dry_run boolean',
        'p_dataset text, p_target_date date, p_change_source text, p_task_id text, '
        'p_is_dry_run boolean, p_without_queries boolean',
        'p_dataset text, p_records text, p_change_source text, p_actor text, p_task_id text, '
        'p_is_dry_run boolean'
    ],
    'statuses are tracked from records, from a date, and from a literal that is either'
);

select results_eq(
    $$
        select distinct p.proname::text collate "default", pg_get_function_result(p.oid)
        from pg_proc as p
        where p.pronamespace = 'monitoring'::regnamespace and p.proname !~ '^_'
            and p.proname ~ '^(start|update|complete|record|resolve|mute|reopen|get)_'
        order by 1
    $$,
    $$
        values
        ('complete_task_tracking', 'boolean'),
        ('get_batch_health', 'jsonb'),
        ('get_batch_performance',
            'TABLE(workflow_name text, business_date date, step_name text, runs bigint, '
            'completed bigint, failed bigint, first_started_at timestamp with time zone, '
            'last_finished_at timestamp with time zone, duration_seconds double precision, '
            'avg_duration_seconds double precision, max_duration_seconds double precision, '
            'records_processed bigint, records_per_second double precision)'),
        ('get_batch_timeline',
            'TABLE(workflow_name text, business_date date, step_name text, status text, '
            'due_at timestamp with time zone, started_at timestamp with time zone, '
            'finished_at timestamp with time zone, duration_seconds double precision, '
            'runs integer, records_processed bigint, records_total bigint, '
            'records_remaining bigint, threads integer, records_per_second double precision, '
            'progress_percent numeric, eta_at timestamp with time zone, '
            'eta_from_at timestamp with time zone, eta_to_at timestamp with time zone, '
            'waits_for text[], is_optional boolean, task_id text)'),
        ('get_chart_marks',
            'TABLE(marked_at timestamp with time zone, kind text, title text, component text, '
            'severity text, alert_id bigint)'),
        ('get_component_trends',
            'TABLE(resolution text, bucket_at timestamp with time zone, healthy_checks bigint, '
            'degraded_checks bigint, unhealthy_checks bigint, unknown_checks bigint, '
            'avg_response_time_ms double precision, p50_response_time_ms double precision, '
            'p95_response_time_ms double precision, p99_response_time_ms double precision, '
            'max_response_time_ms double precision)'),
        ('get_components',
            'TABLE(component_type text, component_name text, status text, last_status text, '
            'response_time_ms double precision, failure_reason text, '
            'last_check_at timestamp with time zone, last_unhealthy_at timestamp with time zone, '
            'checks bigint, uptime_percent numeric, p50_response_time_ms double precision, '
            'p95_response_time_ms double precision, p99_response_time_ms double precision, '
            'alerts bigint, worst_severity text, trouble integer, standing integer, days jsonb)'),
        ('get_config', 'jsonb'),
        ('get_config_schema', 'jsonb'),
        ('get_daily_report', 'jsonb'),
        ('get_dashboard_cards', 'jsonb'),
        ('get_dashboard_summary', 'jsonb'),
        ('get_datasets',
            'TABLE(dataset text, description text, time_zone text, bot_task_type text, '
            'open_records bigint, open_below_1_day bigint, open_1_to_7_days bigint, '
            'open_7_to_30_days bigint, open_above_30_days bigint, alerted_records bigint, '
            'oldest_opened_at timestamp with time zone, '
            'last_detected_at timestamp with time zone, alerts bigint, worst_severity text, '
            'trouble integer)'),
        ('get_ended_batch_runs',
            'TABLE(workflow_name text, step_name text, business_date date, task_id text, '
            'attempt integer, status text, started_at timestamp with time zone, '
            'finished_at timestamp with time zone, duration_seconds double precision, '
            'records_processed bigint, records_total bigint, records_remaining bigint, '
            'threads integer, records_per_second double precision, error_message text, '
            'worker_id text, counters jsonb, metadata jsonb, '
            'created_at timestamp with time zone)'),
        ('get_ended_tasks',
            'TABLE(task_id text, task_type text, status text, attempt integer, worker_id text, '
            'parent_task_id text, start_time timestamp with time zone, '
            'end_time timestamp with time zone, duration_ms double precision, items_done bigint, '
            'items_total bigint, input_size bigint, output_size bigint, counters jsonb, '
            'step_durations jsonb, metadata jsonb)'),
        ('get_error_occurrences',
            'TABLE(error_id bigint, occurred_at timestamp with time zone, task_id text, '
            'task_type text, severity text, component text, message text, details jsonb, '
            'stack text)'),
        ('get_etl_execution_summary', 'jsonb'),
        ('get_etl_health_status', 'jsonb'),
        ('get_etl_metric_statistics',
            'TABLE(metric_name text, metric_unit text, samples bigint, avg_value double precision, '
            'min_value double precision, max_value double precision, last_value double precision, '
            'last_at timestamp with time zone)'),
        ('get_fleet_changes', 'jsonb'),
        ('get_fleet_rollups', 'jsonb'),
        ('get_fleet_statistics',
            'TABLE(name text, label text, component text, members bigint, row_count bigint, '
            'value_count bigint, value_sum double precision, avg_value double precision, '
            'p50_value double precision, p95_value double precision, p99_value double precision, '
            'min_value double precision, max_value double precision)'),
        ('get_installation', 'jsonb'),
        ('get_invalid_by_day',
            'TABLE(day date, opened bigint, resolved bigint, open_records bigint)'),
        ('get_job_runs',
            'TABLE(task_id text, task_type text, status text, attempt integer, worker_id text, '
            'parent_task_id text, start_time timestamp with time zone, '
            'end_time timestamp with time zone, duration_ms double precision, items_done bigint, '
            'items_total bigint, error_message text)'),
        ('get_job_verdicts',
            'TABLE(job_name text, is_expected boolean, verdict text, is_good boolean, summary '
            'text, missing_since timestamp with time zone, runs bigint, completed bigint, '
            'failed bigint, missed bigint, last_status text, last_end_at timestamp with time '
            'zone, last_duration_ms double precision, p50_duration_ms double precision, days '
            'jsonb)'),
        ('get_jobs',
            'TABLE(job_name text, kind text, workflow_name text, state text, schedule text, '
            'time_zone text, next_due_at timestamp with time zone, '
            'missing_since timestamp with time zone, seconds_late double precision, '
            'running bigint, running_since timestamp with time zone, last_task_id text, '
            'last_attempt integer, last_status text, last_start_at timestamp with time zone, '
            'last_end_at timestamp with time zone, last_duration_ms double precision, '
            'ended bigint, completed bigint, failed bigint, success_percent numeric, '
            'p50_duration_ms double precision, p95_duration_ms double precision, '
            'recent_p50_duration_ms double precision, alerts bigint, worst_severity text, '
            'trouble integer, days jsonb)'),
        ('get_news',
            'TABLE(kind text, name text, severity text, happened_at timestamp with time zone, '
            'times bigint, detail text, fingerprint text)'),
        ('get_queue_trends',
            'TABLE(resolution text, bucket_at timestamp with time zone, queue_name text, '
            'samples bigint, avg_pending double precision, max_pending double precision, '
            'p95_pending double precision, avg_processing double precision, '
            'max_oldest_ready_seconds double precision, completed double precision, '
            'failed double precision)'),
        ('get_queues',
            'TABLE(queue_name text, pending bigint, processing bigint, completed bigint, '
            'failed bigint, oldest_ready_seconds double precision, '
            'recorded_at timestamp with time zone, rate_seconds double precision, '
            'pending_per_minute double precision, arrived_per_minute double precision, '
            'completed_per_minute double precision, failed_per_minute double precision, '
            'seconds_to_empty double precision, failed_percent numeric, '
            'depths double precision[], alerts bigint, worst_severity text, trouble integer)'),
        ('get_record_timeline',
            'TABLE(happened_at timestamp with time zone, kind text, summary text, '
            'details jsonb)'),
        ('get_releases',
            'TABLE(release_id bigint, component text, version text, previous_version text, '
            'released_at timestamp with time zone, details jsonb, recorded_by text)'),
        ('get_search_results',
            'TABLE(kind text, name text, title text, place text, '
            'seen_at timestamp with time zone, rank integer)'),
        (
            'get_step_runs',
            'TABLE(workflow_name text, business_date date, step_name text, task_id text, '
            'attempt integer, status text, started_at timestamp with time zone, '
            'finished_at timestamp with time zone, duration_seconds double precision)'
        ),
        ('get_task_statistics',
            'TABLE(task_type text, status text, tasks bigint, avg_duration_ms double precision, '
            'p50_duration_ms double precision, p95_duration_ms double precision, '
            'p99_duration_ms double precision, min_duration_ms double precision, '
            'max_duration_ms double precision)'),
        ('get_trend_points',
            'TABLE(bucket_at timestamp with time zone, series text, value double precision)'),
        ('get_trend_resolution', 'text'),
        ('get_workflow', 'jsonb'),
        ('get_workflow_schema', 'jsonb'),
        ('get_workflow_verdicts',
            'TABLE(workflow_name text, business_date date, time_zone text, verdict text, '
            'is_good boolean, summary text, troubled_steps text[], waiting_steps text[], '
            'steps integer, steps_complete integer, failed_runs bigint, finished_at timestamp '
            'with time zone, usual_from_at timestamp with time zone, usual_to_at timestamp '
            'with time zone, is_later_than_usual boolean, records jsonb, days jsonb)'),
        ('mute_error_group', 'boolean'),
        ('record_batch', 'jsonb'),
        ('record_error', 'bigint'),
        ('record_errors', 'bigint'),
        ('record_etl_metric', 'bigint'),
        ('record_expected_runs', 'boolean'),
        ('record_finished_tasks', 'bigint'),
        ('record_log', 'bigint'),
        ('record_logs', 'bigint'),
        ('record_metrics', 'bigint'),
        ('record_performance_metric', 'bigint'),
        ('record_ping', 'text'),
        ('record_queue_metrics', 'bigint'),
        ('record_release', 'bigint'),
        ('reopen_error_group', 'boolean'),
        ('resolve_alert', 'boolean'),
        ('resolve_error_group', 'boolean'),
        ('resolve_invalid_records', 'jsonb'),
        ('resolve_resolved_alerts', 'integer'),
        ('start_etl_execution', 'integer'),
        ('start_task_tracking', 'integer'),
        ('update_daily_summary', 'jsonb'),
        ('update_system_health', 'bigint'),
        ('update_task_progress', 'boolean')
    $$,
    'each gives back what it always gave'
);

-- Views

select set_has(
    $$
        select c.relname::text from pg_class as c
        where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'v'
    $$,
    $$
        values ('processing_metrics'), ('v_realtime_processing_status'), ('error_tracking'),
            ('error_groups'), ('v_error_summary'), ('performance_monitoring'),
            ('v_performance_trends'), ('v_task_trends'), ('v_error_trends'), ('v_queue_trends'),
            ('v_health_trends'), ('system_health'), ('v_system_health_summary'),
            ('queue_monitoring'), ('v_queue_performance'), ('v_active_alerts'), ('alerts'),
            ('alert_history'), ('etl_executions'), ('etl_logs'), ('etl_metrics'),
            ('alert_history'), ('batch_execution_logs'), ('batch_monitoring_alerts'),
            ('batch_performance_summary'), ('batch_workflow_config'), ('batch_monitoring_config'),
            ('v_batch_timeline'), ('v_batch_health'),
            ('invalid_records'), ('record_products'), ('processing_log'), ('daily_summary')
    $$,
    'the views that people name in their queries are there'
);

select * from finish(); -- noqa: AM04
rollback;
