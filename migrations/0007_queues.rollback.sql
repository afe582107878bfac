drop table monitoring.queue_samples cascade;
delete from monitoring.partitioned_tables where table_name = 'queue_samples';
delete from monitoring.installed_migrations where migration_id = '0007_queues';
