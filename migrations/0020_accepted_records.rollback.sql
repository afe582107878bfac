drop index monitoring.invalid_record_states_accepted_ix;
delete from monitoring.installed_migrations where migration_id = '0020_accepted_records';
