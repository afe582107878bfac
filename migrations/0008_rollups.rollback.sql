drop table monitoring.component_states cascade;
drop table monitoring.error_group_totals cascade;
drop table monitoring.rollup_progress cascade;
drop table monitoring.rollups cascade;
drop type monitoring.histogram cascade;
drop index monitoring.finished_tasks_time_ix;
drop index monitoring.errors_time_ix;
drop index monitoring.metric_samples_time_ix;
drop index monitoring.health_probes_time_ix;
drop index monitoring.queue_samples_time_ix;
alter table monitoring.finished_tasks drop column recorded_xid cascade;
alter table monitoring.errors drop column recorded_xid cascade;
alter table monitoring.metric_samples drop column recorded_xid cascade;
alter table monitoring.health_probes drop column recorded_xid cascade;
alter table monitoring.queue_samples drop column recorded_xid cascade;
create index finished_tasks_time_ix on monitoring.finished_tasks
using brin (finished_at) with (pages_per_range = 16, autosummarize = on);
create index errors_time_ix on monitoring.errors
using brin (occurred_at) with (pages_per_range = 16, autosummarize = on);
create index metric_samples_time_ix on monitoring.metric_samples
using brin (recorded_at) with (pages_per_range = 16, autosummarize = on);
create index health_probes_time_ix on monitoring.health_probes
using brin (checked_at) with (pages_per_range = 16, autosummarize = on);
create index queue_samples_time_ix on monitoring.queue_samples
using brin (recorded_at) with (pages_per_range = 16, autosummarize = on);
delete from monitoring.installed_migrations where migration_id = '0008_rollups';
