delete from monitoring.raised_alerts where rule_name = 'names_over_limit';
delete from monitoring.alert_thresholds where rule_name = 'names_over_limit';
delete from monitoring.alert_rules where rule_name = 'names_over_limit';
delete from monitoring.retention_policies where table_name = 'known_names';
drop table monitoring.known_names;
drop table monitoring.name_limits;
delete from monitoring.installed_migrations where migration_id = '0026_bounded_names';
