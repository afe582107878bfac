drop table monitoring.known_names cascade;
drop table monitoring.name_limits cascade;
drop table monitoring.component_states cascade;
drop table monitoring.error_group_totals cascade;
drop table monitoring.recounts cascade;
drop table monitoring.rollup_progress cascade;
drop table monitoring.rollups cascade;
drop type monitoring.histogram cascade;
delete from monitoring.installed_migrations where migration_id = '0003_rollups';
