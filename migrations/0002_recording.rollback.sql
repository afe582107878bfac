drop table monitoring.pings cascade;
drop table monitoring.senders cascade;
drop table monitoring.late_queue_samples, monitoring.queue_samples cascade;
drop table monitoring.late_health_probes, monitoring.health_probes cascade;
drop table monitoring.late_log_lines, monitoring.log_lines cascade;
drop table monitoring.late_metric_samples, monitoring.metric_samples cascade;
drop table monitoring.error_group_states cascade;
drop table monitoring.late_errors, monitoring.errors cascade;
drop table monitoring.late_finished_tasks, monitoring.finished_tasks cascade;
drop table monitoring.unsuccessful_attempts cascade;
drop table monitoring.active_tasks cascade;
delete from monitoring.partitioned_tables
where
    table_name in (
        'finished_tasks', 'errors', 'metric_samples', 'log_lines', 'health_probes', 'queue_samples'
    );
delete from monitoring.installed_migrations where migration_id = '0002_recording';
