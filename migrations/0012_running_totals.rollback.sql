drop table monitoring.running_totals cascade;
delete from monitoring.retention_policies where table_name = 'running_totals';
delete from monitoring.installed_migrations where migration_id = '0012_running_totals';
