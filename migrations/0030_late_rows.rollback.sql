delete from monitoring.jobs where job_name = 'place_late_rows';
alter table monitoring.component_states
drop column latest_checked_at,
drop column latest_probe_id,
drop column latest_status;
alter table monitoring.rollup_progress
drop column open_since_at,
drop column closing_to_at,
drop column closing_sessions;
drop table monitoring.late_finished_tasks cascade;
drop table monitoring.late_errors cascade;
drop table monitoring.late_metric_samples cascade;
drop table monitoring.late_log_lines cascade;
drop table monitoring.late_health_probes cascade;
drop table monitoring.late_queue_samples cascade;
drop table monitoring.late_status_changes cascade;
delete from monitoring.installed_migrations where migration_id = '0030_late_rows';
