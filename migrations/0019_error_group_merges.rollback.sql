drop table monitoring.error_group_merges cascade;
delete from monitoring.installed_migrations where migration_id = '0019_error_group_merges';
