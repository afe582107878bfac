drop table monitoring.expected_runs cascade;
delete from monitoring.alert_inhibitions
where source_rule in ('task_stuck', 'success_rate_low');
delete from monitoring.alert_thresholds
where rule_name in (
        select r.rule_name from monitoring.alert_rules as r where r.family = 'processing'
    );
delete from monitoring.alert_rules where family = 'processing';
drop index monitoring.unsuccessful_attempts_time_ix;
alter table monitoring.unsuccessful_attempts drop column task_type;
alter table monitoring.unsuccessful_attempts drop column status;
delete from monitoring.installed_migrations where migration_id = '0012_task_rules';
