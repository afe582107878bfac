drop table monitoring.expected_run_states cascade;
delete from monitoring.installed_migrations where migration_id = '0013_expected_run_states';
