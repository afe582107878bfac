delete from monitoring.jobs where job_name = 'evaluate_alerts';
delete from monitoring.retention_policies
where table_name in ('raised_alerts', 'alert_transitions', 'alert_silences');
drop table
monitoring.reported_alerts,
monitoring.expected_runs,
monitoring.alert_owners,
monitoring.alert_inhibitions,
monitoring.alert_silences,
monitoring.alert_transitions,
monitoring.raised_alerts,
monitoring.alert_rule_states,
monitoring.alert_thresholds,
monitoring.alert_rules cascade;
drop type monitoring.rule_outcome cascade;
drop type monitoring.finding cascade;
delete from monitoring.installed_migrations where migration_id = '0006_alerts';
