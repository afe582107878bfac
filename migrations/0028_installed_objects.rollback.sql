drop table monitoring.installed_objects;
delete from monitoring.installed_migrations where migration_id = '0028_installed_objects';
