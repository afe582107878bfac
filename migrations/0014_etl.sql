-- depends: 0013_rules

-- The built-in rules about the items of ETL executions. Executions, log lines and metrics of ETL
-- are tasks, log lines and metrics, so that there is no table of theirs.

set local lock_timeout = '5s';

insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters
)
values
(
    'item_error_rate_high', 'processing',
    'Many of the items of an ETL execution failed; of one that runs, as soon as enough are done.',
    '_find_failed_items', '_explain_items', '%', '>',
    '{"window_minutes": 60, "min_items": 1, "min_items_running": 20}'
),
(
    'item_success_rate_low', 'processing',
    'Few of the items of an ETL execution went well; of one that runs, as soon as enough are done.',
    '_find_low_item_success', '_explain_items', '%', '<',
    '{"window_minutes": 60, "min_items": 1, "min_items_running": 20}'
);

insert into monitoring.alert_thresholds (rule_name, labels, low, medium, high, critical)
values
('item_error_rate_high', '{}', null, 5, null, null),
('item_success_rate_low', '{}', null, null, 90, null),
-- An execution takes as long as a batch, not as long as a document. What people have set stands.
('slow_processing', '{"task_type": "etl"}', null, 3600, 7200, 14400)
on conflict do nothing;

insert into monitoring.alert_inhibitions (source_rule, target_rule, equal_labels)
values
('item_success_rate_low', 'item_error_rate_high', '{task_id}');

insert into monitoring.installed_migrations (migration_id) values ('0014_etl');
