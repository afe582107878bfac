drop table monitoring.health_probes cascade;
delete from monitoring.partitioned_tables where table_name = 'health_probes';
delete from monitoring.installed_migrations where migration_id = '0006_health';
