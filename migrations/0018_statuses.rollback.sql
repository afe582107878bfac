delete from monitoring.alert_rule_states
where rule_name in ('status_change_unexpected', 'bot_without_effect');
delete from monitoring.alert_inhibitions
where
    source_rule in ('status_change_unexpected', 'bot_without_effect')
    or target_rule in ('status_change_unexpected', 'bot_without_effect');
delete from monitoring.alert_thresholds
where rule_name in ('status_change_unexpected', 'bot_without_effect');
delete from monitoring.alert_rules
where rule_name in ('status_change_unexpected', 'bot_without_effect');
delete from monitoring.retention_policies
where table_name in ('status_changes', 'record_states');
delete from monitoring.partitioned_tables where table_name = 'status_changes';
drop table monitoring.status_triggers cascade;
drop table monitoring.allowed_transitions cascade;
drop table monitoring.status_changes cascade;
drop table monitoring.record_states cascade;
drop table monitoring.change_sources cascade;
drop type monitoring.status_counts cascade;
delete from monitoring.installed_migrations where migration_id = '0018_statuses';
