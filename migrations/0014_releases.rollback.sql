drop table monitoring.releases cascade;
delete from monitoring.retention_policies where table_name = 'releases';
delete from monitoring.installed_migrations where migration_id = '0014_releases';
