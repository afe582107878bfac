drop table monitoring.clock_keys;
delete from monitoring.installed_migrations where migration_id = '0024_moved_clocks';
