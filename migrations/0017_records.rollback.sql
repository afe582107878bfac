delete from monitoring.alert_rule_states
where rule_name in ('invalid_records_many', 'invalid_records_old');
delete from monitoring.alert_inhibitions
where
    source_rule in ('invalid_records_many', 'invalid_records_old')
    or target_rule in ('invalid_records_many', 'invalid_records_old');
delete from monitoring.alert_thresholds
where rule_name in ('invalid_records_many', 'invalid_records_old');
delete from monitoring.alert_rules
where rule_name in ('invalid_records_many', 'invalid_records_old');
alter table monitoring.alert_rules drop constraint alert_rules_family_is_known_ck;
alter table monitoring.alert_rules add constraint alert_rules_family_is_known_ck check (
    family in ('errors', 'processing', 'health', 'queues', 'self', 'own')
);
delete from monitoring.retention_policies
where table_name in (
        'invalid_record_states', 'invalid_record_spells', 'products_of_records', 'program_runs',
        'daily_summaries'
    );
drop table monitoring.daily_summaries cascade;
drop table monitoring.program_runs cascade;
drop table monitoring.products_of_records cascade;
drop table monitoring.invalid_record_spells cascade;
drop table monitoring.invalid_record_states cascade;
drop table monitoring.datasets cascade;
delete from monitoring.installed_migrations where migration_id = '0017_records';
