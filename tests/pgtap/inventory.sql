-- All there is in schema monitoring. What an older version left behind shows up here.

begin;
select plan(6);

select functions_are(
    'monitoring',
    array[
        -- recording
        'start_task_tracking', 'update_task_progress', 'complete_task_tracking',
        'record_finished_tasks', 'record_error', 'record_errors', 'record_performance_metric',
        'record_metrics', 'record_log', 'record_logs', 'update_system_health',
        'record_queue_metrics',
        '_start_task', '_update_task', '_complete_task', '_add_finished_task', '_says_nothing_new',
        '_is_told_again', '_drop_former', '_recount_hour', '_recount_day', '_countable_since',
        '_recount_taken_back',
        '_known_attempt', '_correct_lost', '_await_start', '_note_end',
        '_meet_early_end',
        '_remember_attempt', '_record_error', '_record_metric', '_record_log', '_record_probe',
        '_record_queue',
        '_record_rows',
        '_insert_rows',
        '_is_in_history',
        '_insert_finished_tasks',
        '_insert_errors',
        '_insert_metric_samples', '_insert_log_lines', '_name_bad_row', '_name_bad_insert',
        '_rows_with_known_keys', '_given_rows', '_told_time', '_told_number',
        '_readable_field', '_readable_row', '_insert_each_row', '_insert_readable_rows',
        '_is_late_row', '_insert_rows_apart', '_insert_late_finished_tasks', '_insert_late_errors',
        '_insert_late_metric_samples', '_insert_late_log_lines', '_told_finished_tasks',
        '_told_errors', '_told_metric_samples', '_told_log_lines',
        -- what goes into a record
        'clock', '_set_time', '_read_set_time', '_seal_of', '_sealed_time', '_event_time',
        '_checked_moment', '_fault_of_date', '_is_possible_date', '_checked_date',
        '_checked_business_date', '_possible_time', '_put_alerts_right',
        '_is_recent_past', '_is_recent', '_yesterday', '_remove_finished_task',
        'message_template', 'error_fingerprint',
        'fingerprint_version', '_capped_text', '_capped_json', '_merged', '_merge_objects',
        '_is_small_object',
        '_is_small_numbers', '_is_small_json', '_checked_name', '_checked_optional_name',
        '_checked_severity', '_checked_size', '_checked_object', '_checked_own_id', '_checked_time',
        '_raise', '_fault_of_name', '_fault_of_choice', '_fault_of_number', '_fault_of_json',
        '_fault_of_time', '_fault_of_span',
        '_refuse_name', '_refuse_choice', '_refuse_number', '_refuse_json', '_refuse_time',
        -- and how it is repaired
        '_known_words', '_meaning', '_meaning_of_letters', '_is_strict', '_refuse_if_strict',
        '_show_repair',
        '_tell_repair', '_begin_repairs', '_end_repairs', '_printable_name', '_is_plain_name',
        '_is_printable',
        '_mend_name', '_mended_name', '_mended_optional_name', '_mended_key', '_mend_word',
        '_mended_severity',
        '_mended_end_status', '_mended_health', '_mended_level', '_mend_size', '_mended_size',
        '_whole',
        '_mend_length', '_mended_length', '_mend_value', '_mended_value', '_mend_own_id',
        '_mended_own_id', '_mend_attempt', '_mended_attempt', '_mended_time', '_mend_start',
        '_mended_start', '_without_bad_escapes', '_parsed_json', '_told_json', '_decoded',
        '_mend_object', '_mended_object', '_counted', '_mend_numbers', '_mended_numbers',
        '_untold_end', '_refuse_untold_end',
        -- guards
        '_guard', '_guard_one_of_many', '_try_guard',
        -- names
        'set_name_limit', '_name_limit', '_see_again', '_admit_names', '_note_names',
        '_folded_samples', '_meet_names', '_meet_error_groups', '_reaches_limit',
        '_find_names_over_limit', '_explain_names_over_limit', '_pair_findings', '_more_findings',
        -- partitions
        'ensure_partitions', '_partition_name', '_has_partition', '_make_partition',
        '_lock_partitions', '_look_again_at_partitions',
        'set_partitions_ahead', '_index_past_days', 'prepare_backfill', '_check_partitioned_table',
        -- late rows
        '_is_late', '_table_for', '_tell_late', '_recent_time', '_most_days', '_remove_late_rows',
        '_remove_all_late_rows',
        '_waiting_days', '_place_day', '_place_rows_of', 'place_late_rows', '_not_new',
        '_policy_condition', '_check_late_rows',
        -- retention
        'cleanup_old_monitoring_data', 'set_retention', '_kept_from', '_days', '_days_due_before',
        '_check_keep', '_check_category', '_hold_roll_up', '_note_removed', '_not_removed',
        '_slice_end', '_delete_slice', '_due_policies', '_delete_span', '_delete_due_rows',
        '_look_at_day', '_due_days', '_empty_day', '_empty_due_days', '_drop_day', '_drop_days',
        '_drop_empty_days',
        -- alerts: the engine
        '_severity_rank', '_label_matches', '_matches', '_is_matcher', '_checked_matchers',
        '_found_rule', '_refuse_unknown_keys', '_checked_thresholds', '_checked_labels',
        'set_alert_thresholds', 'enable_alert_rule', '_checked_parameters', '_checked_setting',
        'change_alert_rule', '_lock_alerts', '_suppressions_at', 'silence_alerts',
        'unsilence_alerts', '_end_needless_silences', 'inhibit_alerts', 'uninhibit_alerts',
        '_note_transition', '_is_due_to_fire', '_begin_alert', '_fire_alert', '_change_severity',
        '_find_alert_again', '_lose_alert', '_close_alert', '_end_acknowledgement', '_find',
        '_classify', '_apply_findings', '_apply_finding', '_note_evaluation', '_apply_outcome',
        '_find_all', '_note_rule_at_work', '_find_as_told', '_blame_rule_at_work', '_apply_all',
        '_resolve_cleared',
        '_count_transitions', '_evaluate',
        'evaluate_alerts', 'check_error_rate_alerts', 'check_processing_performance_alerts',
        'check_system_health_alerts', 'check_queue_backlog_alerts', 'resolve_resolved_alerts',
        '_firing_alert', 'acknowledge_alert', 'unacknowledge_alert', 'resolve_alert',
        '_stopwatch_ms',

        -- alerts: errors, health, queues and pgvigil itself
        'explain_alert', '_explain_rule', '_span_of', '_find_many_errors',
        '_unrolled_error_groups', '_error_group_parts_at', '_new_error_groups',
        '_find_new_error_groups',
        '_error_group_in_words', '_resolved_error_group_parts', '_find_regressed_error_groups',
        '_errors_between', '_explain_errors', '_explain_error_groups', '_component_states_at',
        '_component_fingerprint', '_find_unhealthy_components', '_find_silent_components',
        '_explain_component', '_newest_queue_samples', '_find_queue_backlogs',
        '_find_old_queue_items', '_explain_queue', '_finding_of_check', '_find_late_scheduler',
        '_find_late_rollups', '_find_missing_partitions', '_find_late_cleanup',
        '_find_failed_jobs', '_find_late_jobs', '_find_failed_rules', '_find_dead_notifications',
        '_explain_self_check', '_explain_job', '_explain_failed_rule',
        '_explain_dead_notifications',

        -- alerts: tasks
        '_minutes_stored_since', '_counted_by_minute', '_counted_between', '_figure',
        '_minutes_of', '_number_in', '_has_thresholds', '_least_threshold',
        '_find_slow_processing', '_find_fast_tasks', '_work_done', '_find_low_throughput',
        '_same_hours', '_find_unusual_durations', '_attempt_fingerprint', '_task_labels',
        '_hours_of_long_attempts', '_ran_at', '_find_long_running_tasks', '_find_stuck_tasks',
        '_find_gone_backends', '_find_failed_tasks', '_ended_by_type', '_find_low_success_rates',
        '_find_high_error_rates', '_ends_by_bucket', '_failures_after_last_completion',
        '_failure_streaks', '_find_consecutive_failures', '_expected_cron', '_cron_of',
        '_schedule_hint', '_clock_of_interval', '_time_of_day',
        '_next_by_interval', '_next_due_at', '_last_cron_time',
        '_last_due_at', '_has_ended_since', '_hours_to_read', '_has_started_since',
        '_missed_runs', '_find_missed_runs', '_check_expected_schedule', '_checked_seconds',
        'expect_runs', 'forget_expected_runs', '_last_start_at', '_read_expected_runs',
        '_failures', '_is_failure', '_work_of', '_work_done_at', '_undone_work',
        '_retries_left', '_failed_tasks_summary', '_failed_findings', '_error_of_attempt',
        '_owner_of', 'set_alert_owner', 'set_page_url', '_alert_link', '_count_of',
        '_window_of', '_attempt_details', '_running_details', '_newest_attempts',
        '_explain_attempts', '_explain_unsuccessful_attempts', '_explain_failed_tasks',
        '_explain_task', '_explain_missed_run',

        -- alerts: own rules and backtests
        '_seconds_since_epoch', '_deadline', '_run_rule_query',
        '_rule_fingerprint', '_rule_labels', '_rule_finding', '_find_by_query', '_explain_by_query',
        '_end_session', '_begin_time_limit', '_end_time_limit', '_cancel_overdue_rule',
        '_kept_by_session', '_call_for_lock', '_give_back_lock', '_leave_session_as',
        '_limited_rule_query', 'cancel_overdue_rules', '_refuse_rule_query', '_rule_query_hint',
        '_try_rule_query', '_rule_query_types', '_check_rule_column', '_check_rule_columns',
        '_checked_rule_query', '_check_new_rule_name', '_number_setting', 'create_alert_rule',
        'drop_alert_rule', '_hand_over_rule_queries', '_check_backtest', '_copy_rule',
        '_backtest_step', '_worst_values', '_backtest_slice', 'backtest_alert_rule',

        -- records
        'key_of_record',
        -- records: invalid ones, products, runs, days
        'log_invalid_records', 'sync_invalid_records', 'auto_resolve_invalid_records',
        'resolve_invalid_records', 'track_record_products', 'log_program_execution',
        'update_daily_summary',
        '_given_records', '_is_readable_record', '_readable_record', '_readable_records',
        '_tell_refusal', '_given_products', '_apply_told_statuses', '_mended_change_source',
        '_mended_date', '_mended_interval', '_mended_scope', '_has_records_left_out', '_key_of_row',
        '_name_bad_record', '_read_invalid_records',
        '_time_zone_of', '_given_invalid_records', '_found_invalid_records',
        '_upsert_invalid_records', '_opens_again', '_status_after', '_write_invalid_records',
        '_apply_invalid_records', '_checked_scope', '_open_invalid_records',
        '_closing_invalid_records', '_resolve_invalid_records', '_check_failing_in_scope',
        '_last_complete_check', '_read_products', '_checked_products', '_write_products',
        '_fitted_name', '_end_program_run', '_log_program_execution', '_program_run', '_seconds',
        '_counters_like', '_removed_before', '_sum_of', '_summarize_runs',
        '_summarize_invalid_records', '_summarize_changes', '_kept_figures', '_open_spells_at',
        '_find_many_invalid_records', '_find_old_invalid_records', '_explain_invalid_records',

        -- records: statuses
        'configure_dataset', 'set_allowed_transitions', 'remove_dataset', 'add_change_source',
        '_check_dataset_settings', '_checked_change_source', '_statuses_told',
        '_statuses_applied', '_statuses_found', '_statuses_counted', '_status_change_statement',
        'track_status_changes', '_track_status_changes', '_track_statuses_of_day',
        '_track_told_statuses', '_status_records_query',
        '_told_counts', 'attach_status_trigger',
        '_cells_as_reader', '_reader_of_relations', '_may_read', '_relations_under',
        '_is_trusted_object', '_foreign_code_in', '_reads_as_reader', '_query_as_reader',
        '_source_rows_query', '_functions_of_readers', '_base_type', '_is_our_kind_of_type',
        '_refuse_type', '_text_of_column', '_write_refusing_trigger',
        'detach_status_trigger', '_joined_key', '_rows_of_table', '_rows_of_trigger',
        '_status_rows_query', '_record_trigger_error', '_track_trigger', '_tables_under',
        '_drop_status_triggers', '_make_status_triggers', '_check_trigger_table',
        '_parts_of_rows', '_rows_updated', '_first_rows', '_batches_of_rows',
        '_teller_of_changes', '_track_rows', '_track_late_rows', '_tracking_query',
        '_tracking_code', '_write_trigger_function',
        '_make_trigger_function', '_is_status_trigger', '_count_watched_tables',
        '_drop_unused_trigger_functions',
        '_remake_trigger_functions',
        '_take_over_statuses', 'record_timeline', '_tasks_of_record', '_errors_of_record',
        '_validations_of_record', '_alerts_of_record', '_unexpected_status_changes',
        '_find_unexpected_status_changes', '_explain_unexpected_status_changes',
        '_pending_since', '_runs_without_effect', '_find_bots_without_effect',
        '_explain_bot_without_effect',

        -- records: loading what happened before
        'load_invalid_records', '_insert_invalid_record_states', '_past_invalid_records',
        '_timed_invalid_records', '_checked_resolution',
        '_load_spells', '_load_invalid_states', '_extend_invalid_states', '_refuse_spell',
        'load_status_changes', '_insert_status_changes', '_past_status_changes',
        '_with_status_before', '_remember_statuses', '_new_status_changes', '_statuses_before',

        -- sources of records
        '_found_source_query', '_checked_query_columns', '_checked_span',
        'register_source_query', 'enable_source_query', 'remove_source_query',
        '_is_loading_elsewhere', '_may_continue_load', '_give_up_load', '_begun_load',
        '_give_up_dead_load', '_failed_reading',
        'begin_source_load', 'note_source_progress', '_sync_sources_of_query',
        'finish_source_load', 'fail_source_load', '_relation_columns',
        '_check_relation_columns', '_load_to_read', '_relation_rows', '_fields_of_records',
        '_columns_of_records', '_key_of_source', '_status_expression',
        '_date_filter', '_expressions_of_records', '_query_of_records',
        '_found_record_source', '_check_source_name', '_check_record_columns',
        '_checked_status_names', 'register_record_source',
        'enable_record_source', 'remove_record_source', '_bad_records',
        '_told_records_query', '_resolve_gone_records', '_read_record_source',
        '_record_source_to_read', '_sync_record_source', '_note_unreadable_records',
        'sync_record_source', 'sync_record_sources', 'track_all_status_changes_from_source',
        '_last_successes', '_find_sources_not_synchronised',
        '_explain_source_not_synchronised',

        -- sources
        '_is_made_up_for', '_as_time', '_as_count', '_as_date', '_source_fields',
        '_source_conversion',
        '_source_fault', '_source_columns', '_source_time_filter', '_source_filter',
        '_source_query', '_read_run_source', '_status_code', '_run_fault', '_judged_runs',
        '_how_backwards', '_run_action', '_changes_of_runs', '_run_metadata',
        '_finish_run_attempts', '_close_lost_runs', '_end_runs', '_record_run_errors',
        '_start_runs', '_remember_runs', '_apply_run_changes', '_tell_troubles', '_end_troubles',
        '_troubles_of_rows', '_find_source_troubles', '_explain_source_troubles',
        '_check_run_source', '_checked_source_relation', '_check_source_columns',
        '_checked_source_statuses', '_check_source_rights', 'register_run_source',
        '_checked_look_back', 'enable_run_source', 'remove_run_source', '_lose_vanished_runs',
        '_counts_of_sync', '_sync_readable_source', '_note_unreadable_source', '_tell_unreadable',
        '_sync_run_source',
        'sync_run_source', 'sync_run_sources',

        -- notifications
        'set_notification_channel', 'enable_notification_channel', 'remove_notification_channel',
        'send_test_notification', '_found_channel', '_refuse_target', '_checked_targets',
        '_check_channel_limits', '_check_summary_time', '_known_time_zone', '_local_time',
        '_is_foldable', '_channel_of', '_alerts_in', '_given_up', '_digest_notices',
        '_written_digest', '_fold_notifications', '_waiting_notifications', '_fold_failed',
        '_fold_stale', '_follow_up', 'release_notification', '_claimable_notifications',
        '_put_off_notifications',
        '_reason_in', '_reason_of_alert', '_give_reasons',
        'claim_notifications', 'note_notification_sent', 'note_notification_failed',
        'next_notification_at', 'retry_notification', '_wake_senders', '_is_due_notification',
        '_is_in_turn', '_current_payload', '_max_attempts', '_abandoned',
        '_bury_abandoned_notifications', '_next_attempt_at',
        '_plan_notifications', '_due_notices', '_tell_channel', '_note_told', '_notice_rank',
        '_is_told_through', '_all_labels', '_hold_back', '_release_held_back', '_is_at_limit',
        '_close_told',
        '_pull_back_times', '_notices_of', '_notice_title', '_notice_block', '_message_subject',
        '_message_body', '_held_back_text', '_queue_message', '_iso_time', '_spell_time',
        '_spell_seconds', '_spell_value', '_one_line', '_shortened',
        '_hand_over_alerts', '_due_hand_overs', '_note_hand_over', '_alertmanager_labels',
        '_alertmanager_alert', '_is_summary_due', '_summarize_day', '_alerts_of_day',
        '_count_severities', '_summary_line', '_summary_section', '_summary_figures',

        -- ETL
        'start_etl_execution', '_start_etl_execution', 'finish_etl_execution',
        '_finish_etl_execution', 'log_etl_event', '_log_etl_event',
        'record_etl_metric', '_record_etl_metric', '_etl_status', '_mended_etl_end',
        '_etl_counters', '_etl_document', '_fitted_json', '_counter', '_item_counts',
        '_summarize_etl_chunks', '_count_etl_errors',
        'get_etl_execution_summary', '_summarize_etl_executions', '_last_etl_execution',
        '_summarize_etl_logs', '_count_all_etl_errors', 'get_etl_health_status', '_etl_items',
        '_find_failed_items', '_find_low_item_success', '_explain_items',

        -- configuration
        'get_config', 'get_config_schema', 'apply_config', '_meant_part', '_is_of_json_type',
        '_fits_limits',
        '_fits_schema',
        '_config_problems',
        '_key_problems',
        '_refuse_config',
        '_rule_config', '_channel_config', '_length_in_words', '_expected_run_config',
        '_job_config', '_time_in_utc', '_silence_config', '_best_known_rules',
        '_replace_rule_query', '_set_overrides', '_make_rule', '_change_rule',
        '_merged_settings', '_wanted_retention', '_policies_config',
        '_transitions_config', '_note_group_decision',
        '_config_entries', '_config_sections', '_config_section', '_apply_section',
        '_check_config', '_config_schema_of_alerts', '_config_schema_of_systems',
        '_page_url_config', '_configure_page_url', '_name_limits_config',
        '_configure_name_limits', '_partitions_ahead_config', '_configure_partitions_ahead',
        '_change_sources_config', '_configure_change_sources', '_datasets_config',
        '_configure_datasets', '_alert_thresholds_config', '_configure_alert_thresholds',
        '_workflows_config', '_configure_workflows', '_rules_config', '_configure_rules',
        '_inhibitions_config', '_configure_inhibitions', '_channels_config',
        '_configure_channels', '_alert_owners_config', '_configure_alert_owners',
        '_silences_config', '_configure_silences', '_expected_runs_config',
        '_configure_expected_runs', '_retention_config', '_configure_retention',
        '_jobs_config', '_configure_jobs', '_error_groups_config', '_configure_error_groups',
        '_config_changes',

        -- workflows
        '_day_start', '_business_date', '_found_workflow', 'business_date_of', '_stated_date',
        '_date_of_run', 'get_workflow_schema', '_seconds_in', '_clock_problem', '_steps_in',
        '_instant_of', '_told_twice_before', '_was_watched', 'get_step_runs', '_date_of_alert',
        '_step_time', '_plan_of_day',
        '_workflow_warnings', '_ordered_steps', '_cycle_in', '_step_problems', '_check_workflow',
        '_spelled_seconds',
        '_step_document', 'get_workflow', '_set_step_limit', '_set_step_limits',
        '_forget_steps', '_wanted_steps', '_apply_steps', 'apply_workflow', '_workflow_changes',
        'remove_workflow', '_step_names', '_spans_with_ends', '_ended_attempts',
        '_reason_of_end',
        '_small_number', '_remaining', '_runs_of_day', '_worked_steps', '_usual_seconds',
        '_whole_seconds', '_sensible_seconds', '_running_estimate', '_next_start', '_runs_left',
        '_estimated_step', '_clear_times', '_first_due_at', '_late_after', '_is_passed',
        '_status_of_step', '_judged_step', '_steps_of_day', 'get_batch_timeline',
        '_progress_percent', '_step_finding', '_find_late_steps', '_find_missed_steps',
        '_explain_step', 'get_batch_performance', '_days_of_runs', '_ended_runs',
        '_recent_failures', '_batch_health', 'get_batch_health',

        -- jobs
        'run_due_jobs', '_commit_outside_a_transaction_block', '_find_job_routine',
        '_call_job_routine', '_is_cron', '_parse_interval', '_seconds_between_runs',
        '_not_after', '_put_sources_right', '_put_decisions_right', '_put_states_right',
        '_is_jump', '_look_at_clock', '_planned_run_at', '_put_jobs_right',
        '_clean_up_waits_until', 'confirm_clock', '_is_to_come', '_check_clock',
        '_plan_next_run', '_check_job_owner', '_note_job_end', '_find_due_job', '_claim_job',
        '_lock_job_row', '_finish_job', '_is_own_run', '_end_task_of_removed_job', '_attempt_job',
        '_run_job', '_with_last_run', '_cancel_job',
        'cancel_overdue_jobs', '_close_lost_jobs', '_check_time_zone',
        '_check_schedule', '_first_run_at', '_wake_runners', '_refuse_unknown_job',
        'schedule_job', 'unschedule_job', 'enable_job', 'request_job', 'self_check',
        '_is_session_expected', '_freshness', '_looked_at', '_fresh_until', '_rules_evaluated_at',
        '_check_scheduler', '_check_jobs', '_check_partitions', '_check_rollups',
        '_check_retention', '_check_alerts', '_check_notifications', 'next_cron_time',
        '_next_cron_time', '_next_elapsed_cron_time', '_next_cron_local_time', '_next_cron_day',
        '_next_in_set', '_count_cron_times', '_cron_clock', '_first_time_shown',
        '_find_clock_change', '_utc_offset', '_check_cron', '_split_cron', '_read_cron',
        '_read_cron_field', '_read_cron_term', '_read_cron_value', '_refuse_cron_field',
        'schedule_with_pg_cron', 'unschedule_from_pg_cron', 'purge_pg_cron_history',
        'import_pg_cron_runs', '_pg_cron_schema', '_own_pg_cron_entries', '_remove_pg_cron_entries',
        '_refuse_without_pg_cron', '_schedule_import_of_pg_cron', '_read_pg_cron_runs',
        '_find_new_pg_cron_runs', '_read_recent_pg_cron_runs',
        -- deciding and reading
        'resolve_error_group', 'mute_error_group', 'reopen_error_group', '_decide_error_group',
        'get_dashboard_cards', 'get_ended_tasks', 'get_ended_batch_runs',
        'get_dashboard_summary', '_summarize_tasks', '_summarize_errors', '_summarize_health',
        '_summarize_queues', '_summarize_alerts', '_summarize_freshness',
        -- the daily report
        'get_daily_report', '_report_span', '_report_workflows', '_report_alerts',
        '_report_tasks', '_report_errors', '_report_records',
        -- roll-ups
        'histogram_cell', 'histogram_value', 'approx_percentile', 'merge_histograms',
        '_merge_histograms', '_clamped_percentile', '_add_up', '_add_up_error_groups',
        '_newest_probes', '_add_up_uptime', '_uptime_of_new_checks', 'roll_up', '_roll_up_table',
        '_uptime_checks', '_spell_buckets', '_checks_around', '_summable', '_short_name',
        '_open_since', '_new_tasks', '_new_errors', '_new_queues', '_new_probes',
        '_running_transactions', '_close_days', '_reopen_days', '_merge_latest_checks',
        '_find_latest_checks', '_oldest_day',
        '_merge_rollups', '_merge_uptime', '_merge_error_groups', '_merge_component_states',
        '_ended_transactions', '_system_identifier', '_follow_transaction_numbers',
        '_adopt_restored_rows', '_minutes_kept_since', '_has_new_rows', 'rebuild_rollups',
        '_check_rebuild', '_count_uptime', '_trends_of', '_uptime_trends', '_bucket_hours',
        '_rollups_between', '_last_day', '_last_day_since', 'get_task_statistics', '_read_samples',
        '_trends_between', 'get_trend_resolution', '_queue_trends', 'get_queue_trends',
        '_hours_and_days', '_counts_between', '_trends_since', '_points_of_tasks',
        '_points_of_sources', 'get_trend_points',
        -- installation
        'version', 'get_installation', 'note_code_checksum', '_missing_roles',
        '_describe_partitions', '_hand_over_to_admin', '_grant_functions', '_grant_views',
        '_grant_everything'
    ],
    'these are all the functions'
);

select is_empty(
    $$
        select p.proname, array_agg(p.oid::regprocedure)
        from pg_proc as p
        where p.pronamespace = 'monitoring'::regnamespace
            -- These take one argument in several types; their tests call each.
            and p.proname not in (
                'log_program_execution', 'track_status_changes', 'record_errors', 'record_metrics',
                'record_logs', 'record_finished_tasks', '_record_rows'
            )
        group by p.proname having count(*) > 1
    $$,
    'no function has two signatures, so no call is ambiguous'
);

select set_eq(
    $$
        select c.relname::text from pg_class as c
        where c.relnamespace = 'monitoring'::regnamespace and c.relkind in ('r', 'p')
            and not c.relispartition
    $$,
    array[
        'installed_migrations', 'installed_code', 'installed_objects', 'clock_keys',
        'clock_readings', 'guards',
        'partitioned_tables', 'active_tasks',
        'unsuccessful_attempts', 'finished_tasks', 'errors', 'error_group_states',
        'metric_samples', 'log_lines', 'health_probes', 'queue_samples', 'rollups',
        'rollup_progress', 'error_group_totals', 'component_states',
        'jobs', 'retention_policies', 'name_limits', 'known_names', 'recounts',
        'alert_rules', 'alert_thresholds', 'alert_rule_states', 'raised_alerts',
        'alert_transitions', 'alert_silences', 'alert_inhibitions', 'notification_channels',
        'alert_owners', 'page_addresses',
        'queued_notifications', 'expected_runs',
        'workflows', 'workflow_steps',
        'run_sources', 'run_source_runs', 'run_source_troubles',
        'datasets', 'invalid_record_states', 'invalid_record_spells', 'products_of_records',
        'program_runs', 'daily_summaries',
        'change_sources', 'record_states', 'status_changes', 'allowed_transitions',
        'status_triggers',
        'source_queries', 'source_loads', 'staged_rows', 'record_sources',
        'late_finished_tasks', 'late_errors', 'late_metric_samples', 'late_log_lines',
        'late_health_probes', 'late_queue_samples', 'late_status_changes'
    ],
    'these are all the tables'
);

select views_are(
    'monitoring',
    array[
        'processing_metrics', 'v_realtime_processing_status', 'v_task_statistics',
        'error_tracking', 'error_groups', 'v_error_summary', 'performance_monitoring',
        'v_performance_trends', 'application_logs', 'health_history', 'system_health',
        'v_system_health_summary', 'queue_monitoring', 'v_queue_performance', 'v_active_alerts',
        'v_task_trends', 'v_error_trends', 'v_queue_trends', 'v_health_trends',
        'v_unsuccessful_tasks',
        -- for our own views and roll-ups
        '_claims', '_marked_tasks', '_marked_errors', '_marked_metrics', '_marked_queues',
        '_marked_probes',
        '_samples_of_tasks', '_samples_of_errors', '_samples_of_metrics', '_samples_of_queues',
        '_samples_of_health', '_minutes_kept', '_uptime_kept', '_rolled_up_states',
        '_all_finished_tasks', '_all_errors', '_all_metric_samples', '_all_log_lines',
        '_all_health_probes', '_all_queue_samples', '_all_status_changes',
        '_stored_trends', '_error_group_parts', '_component_states',
        'v_jobs', 'v_freshness', 'v_expected_runs',
        'batch_execution_logs', 'batch_monitoring_alerts', 'v_batch_timeline',
        'batch_performance_summary', 'v_batch_health', 'batch_workflow_config',
        'batch_monitoring_config',
        'v_pg_cron_runs',
        'alerts', 'alert_history', 'v_alert_rules', 'v_silences', 'v_inhibitions', '_open_alerts',
        'v_notifications', 'v_notification_channels',
        'v_name_limits', '_reached_limits', '_known_names', '_name_room',
        'v_retention', '_retained_tables', '_all_days', '_counted_days',
        'monitoring_config',
        'etl_executions', 'etl_logs', 'etl_metrics',
        'v_run_sources', 'v_run_source_troubles',
        -- records: invalid ones, products, runs, days
        'invalid_records', 'record_products', 'processing_log', 'daily_summary', 'v_top_issues',
        'v_resolution_times',

        -- records: statuses
        'v_datasets', 'v_change_sources', 'v_status_triggers', 'status_history', 'record_status',
        'v_time_in_status', 'v_bot_performance',
        -- sources of records
        'v_record_sources', 'v_source_queries', 'v_source_loads',

        'monitoring_config'
    ],
    'these are all the views'
);

select sequences_are(
    'monitoring',
    array[
        'errors_error_id_seq', 'metric_samples_sample_id_seq', 'log_lines_log_id_seq',
        'health_probes_probe_id_seq', 'queue_samples_sample_id_seq',
        'raised_alerts_alert_id_seq', 'alert_transitions_transition_id_seq',
        'alert_silences_silence_id_seq', 'queued_notifications_notification_id_seq',
        'run_source_troubles_trouble_id_seq', 'invalid_record_spells_spell_id_seq',
        'status_changes_change_id_seq', 'source_loads_load_id_seq',
        -- time limits of own rules
        'rule_query_1', 'rule_query_2', 'rule_query_3', 'rule_query_4', 'explanation_1',
        'explanation_2', 'evaluated_rule'
    ],
    'these are all the sequences'
);

select is_empty(
    $$
        select t.typname from pg_type as t
        where t.typnamespace = 'monitoring'::regnamespace and t.typtype in ('d', 'e', 'r', 'm')
    $$,
    'there are no domains, enums or ranges'
);

select * from finish(); -- noqa: AM04
rollback;
