drop table monitoring.clock_readings cascade;
drop table monitoring.jobs cascade;
delete from monitoring.installed_migrations where migration_id = '0004_jobs';
