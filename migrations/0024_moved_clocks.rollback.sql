alter table monitoring.datasets drop column login_name;
alter table monitoring.error_group_states drop column login_name;
alter table monitoring.alert_silences drop column ended_login_name;
alter table monitoring.alert_silences drop column login_name;
alter table monitoring.alert_transitions drop column login_name;
alter table monitoring.status_changes drop column login_name;
drop table monitoring.clock_readings;
drop table monitoring.clock_keys;
delete from monitoring.installed_migrations where migration_id = '0024_moved_clocks';
