delete from monitoring.jobs where job_name in ('clean_up', 'place_late_rows');
drop type monitoring.removal cascade;
drop table monitoring.retention_policies cascade;
delete from monitoring.installed_migrations where migration_id = '0005_retention';
