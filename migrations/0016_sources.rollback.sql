delete from monitoring.jobs where job_name = 'sync_run_sources';
delete from monitoring.alert_rule_states where rule_name = 'source_trouble';
delete from monitoring.alert_inhibitions
where 'source_trouble' in (source_rule, target_rule);
delete from monitoring.alert_thresholds where rule_name = 'source_trouble';
delete from monitoring.alert_rules where rule_name = 'source_trouble';
delete from monitoring.retention_policies
where table_name in ('run_source_runs', 'run_source_troubles');
drop table monitoring.run_source_troubles cascade;
drop table monitoring.run_source_runs cascade;
drop table monitoring.run_sources cascade;
drop type monitoring.run_change cascade;
drop type monitoring.source_run cascade;
delete from monitoring.installed_migrations where migration_id = '0016_sources';
