drop table monitoring.metric_samples cascade;
delete from monitoring.partitioned_tables where table_name = 'metric_samples';
delete from monitoring.installed_migrations where migration_id = '0004_metrics';
