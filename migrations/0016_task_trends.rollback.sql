drop table monitoring.task_trends, monitoring.trend_progress, monitoring.unsettled_spans cascade;
delete from monitoring.installed_migrations where migration_id = '0016_task_trends';
