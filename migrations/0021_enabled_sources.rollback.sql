alter table monitoring.source_queries drop column enabled_at;
alter table monitoring.record_sources drop column enabled_at;
delete from monitoring.installed_migrations where migration_id = '0021_enabled_sources';
