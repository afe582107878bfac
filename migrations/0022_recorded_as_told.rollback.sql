drop table monitoring.recounts;

delete from monitoring.unsuccessful_attempts where attempt = 0;

alter table monitoring.unsuccessful_attempts drop column early_end_at;

delete from monitoring.installed_migrations where migration_id = '0022_recorded_as_told';
