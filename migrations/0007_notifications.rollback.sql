delete from monitoring.retention_policies where table_name = 'queued_notifications';
drop table monitoring.page_addresses cascade;
drop table monitoring.queued_notifications cascade;
drop table monitoring.notification_channels cascade;
delete from monitoring.installed_migrations where migration_id = '0007_notifications';
