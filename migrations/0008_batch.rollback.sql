-- What was said of the steps of workflows goes along; how long their rows are kept stays.
delete from monitoring.alert_thresholds
where labels ->> 'task_type' in (select s.step_name from monitoring.workflow_steps as s)
    and rule_name in ('task_stuck', 'long_running_task', 'slow_processing', 'low_throughput');
delete from monitoring.alert_thresholds
where rule_name in ('step_late', 'step_missed');
delete from monitoring.alert_inhibitions
where
    source_rule in ('step_late', 'step_missed')
    or target_rule in ('step_late', 'step_missed');
delete from monitoring.alert_rule_states
where rule_name in ('step_late', 'step_missed');
delete from monitoring.alert_rules
where rule_name in ('step_late', 'step_missed');
drop type monitoring.batch_step cascade;
drop table monitoring.workflow_steps cascade;
drop table monitoring.workflows cascade;
delete from monitoring.installed_migrations where migration_id = '0008_batch';
