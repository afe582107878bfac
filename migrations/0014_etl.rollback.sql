delete from monitoring.alert_rules
where rule_name in ('item_error_rate_high', 'item_success_rate_low');

-- What was said of them goes along, whoever said it.
delete from monitoring.alert_thresholds
where
    rule_name in ('item_error_rate_high', 'item_success_rate_low')
    or (
        rule_name = 'slow_processing'
        and (labels, medium, high, critical) = ('{"task_type": "etl"}', 3600, 7200, 14400)
    );
delete from monitoring.alert_inhibitions
where
    source_rule in ('item_error_rate_high', 'item_success_rate_low')
    or target_rule in ('item_error_rate_high', 'item_success_rate_low');
delete from monitoring.alert_rule_states
where rule_name in ('item_error_rate_high', 'item_success_rate_low');
delete from monitoring.installed_migrations where migration_id = '0014_etl';
