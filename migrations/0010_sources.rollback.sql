delete from monitoring.jobs where job_name = 'sync_sources';
delete from monitoring.alert_rules
where
    rule_name in (
        'source_trouble', 'source_not_synchronised'
    );

-- What was said of them goes along, whoever said it.
delete from monitoring.alert_thresholds
where rule_name not in (select r.rule_name from monitoring.alert_rules as r);
delete from monitoring.alert_inhibitions
where
    source_rule not in (select r.rule_name from monitoring.alert_rules as r)
    or target_rule not in (select r.rule_name from monitoring.alert_rules as r);
delete from monitoring.alert_rule_states
where rule_name not in (select r.rule_name from monitoring.alert_rules as r);
delete from monitoring.retention_policies
where table_name in ('source_runs', 'source_troubles', 'source_loads');
drop table monitoring.staged_rows cascade;
drop table monitoring.source_loads cascade;
drop table monitoring.source_queries cascade;
drop table monitoring.records_to_read cascade;
drop table monitoring.source_troubles cascade;
drop table monitoring.source_runs cascade;
drop table monitoring.sources cascade;
delete from monitoring.guards where guard_name ~ '^source ';
drop type monitoring.run_change cascade;
drop type monitoring.source_run cascade;
delete from monitoring.installed_migrations where migration_id = '0010_sources';
