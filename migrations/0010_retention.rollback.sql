delete from monitoring.jobs where job_name = 'clean_up';
alter table monitoring.partitioned_tables drop column days_ahead;
drop type monitoring.removal cascade;
drop table monitoring.retention_policies cascade;
delete from monitoring.installed_migrations where migration_id = '0010_retention';
