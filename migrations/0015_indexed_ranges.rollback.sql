alter table monitoring.rollup_progress drop column indexed_ranges;
delete from monitoring.installed_migrations where migration_id = '0015_indexed_ranges';
