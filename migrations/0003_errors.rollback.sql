drop table monitoring.error_group_states cascade;
drop table monitoring.errors cascade;
delete from monitoring.partitioned_tables where table_name = 'errors';
delete from monitoring.installed_migrations where migration_id = '0003_errors';
