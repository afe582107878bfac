drop table monitoring.finished_tasks cascade;
drop table monitoring.unsuccessful_attempts cascade;
drop table monitoring.active_tasks cascade;
delete from monitoring.partitioned_tables where table_name = 'finished_tasks';
delete from monitoring.installed_migrations where migration_id = '0002_tasks';
