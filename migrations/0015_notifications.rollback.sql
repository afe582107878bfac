drop index monitoring.raised_alerts_untold_ix;
delete from monitoring.installed_migrations where migration_id = '0015_notifications';
