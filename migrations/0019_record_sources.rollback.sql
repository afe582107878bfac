delete from monitoring.jobs where job_name = 'sync_record_sources';
delete from monitoring.alert_rule_states where rule_name = 'source_not_synchronised';
delete from monitoring.alert_inhibitions
where 'source_not_synchronised' in (source_rule, target_rule);
delete from monitoring.alert_thresholds where rule_name = 'source_not_synchronised';
delete from monitoring.alert_rules where rule_name = 'source_not_synchronised';
delete from monitoring.retention_policies where table_name = 'source_loads';
drop table monitoring.record_sources cascade;
drop table monitoring.staged_rows cascade;
drop table monitoring.source_loads cascade;
drop table monitoring.source_queries cascade;
delete from monitoring.installed_migrations where migration_id = '0019_record_sources';
