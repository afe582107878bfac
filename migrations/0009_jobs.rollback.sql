drop table monitoring.jobs cascade;
delete from monitoring.installed_migrations where migration_id = '0009_jobs';
