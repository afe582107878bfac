drop table monitoring.alert_rule_changes cascade;
delete from monitoring.retention_policies where table_name = 'alert_rule_changes';
delete from monitoring.installed_migrations where migration_id = '0017_rule_changes';
