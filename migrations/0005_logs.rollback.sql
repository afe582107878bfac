drop table monitoring.log_lines cascade;
delete from monitoring.partitioned_tables where table_name = 'log_lines';
delete from monitoring.installed_migrations where migration_id = '0005_logs';
