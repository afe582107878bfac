alter table monitoring.jobs drop column cancellations;
alter table monitoring.source_loads drop column loader_pid;
drop table monitoring.guards cascade;
delete from monitoring.installed_migrations where migration_id = '0025_guards';
