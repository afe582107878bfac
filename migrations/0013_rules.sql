-- depends: 0012_task_rules
-- squawk-ignore-file require-concurrent-index-creation

-- The built-in rules about errors, health, queues and pgvigil itself.

set local lock_timeout = '5s';

-- Serves the search for new groups. When a group was first seen hardly ever changes, so that what
-- is rolled up still stays on its page.
create index error_group_totals_first_seen_ix on monitoring.error_group_totals (first_seen_at);

insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters,
    no_data
)
values
(
    'errors_per_hour', 'errors',
    'More errors than usual within the last hour: look at error_groups for which ones.',
    '_find_many_errors', '_explain_errors', 'errors', '>=',
    '{"window_minutes": 60, "by": "all"}', 'ok'
),
(
    'error_group_new', 'errors',
    'A kind of error that was never seen before: fix it, or mute or resolve its group.',
    '_find_new_error_groups', '_explain_error_groups', 'error groups', '>=',
    '{"window_minutes": 60, "most": 20}', 'ok'
),
(
    'error_group_regressed', 'errors',
    'An error that counted as resolved has come back: fix it, then resolve its group anew.',
    '_find_regressed_error_groups', '_explain_error_groups', 'error groups', '>=',
    '{"window_minutes": 1440}', 'ok'
),
(
    'component_unhealthy', 'health',
    'The newest check of a component found it unhealthy or degraded.',
    '_find_unhealthy_components', '_explain_component', null, '>=',
    '{"forget_after_days": 7}', 'keep'
),
(
    'component_silent', 'health',
    'A component is no longer checked, so that nobody knows how it is: look at what checks it.',
    '_find_silent_components', '_explain_component', 'seconds', '>',
    '{"forget_after_days": 7}', 'ok'
),
(
    'queue_backlog', 'queues',
    'Many items wait in a queue: look whether its workers run and keep up.',
    '_find_queue_backlogs', '_explain_queue', 'items', '>=',
    '{"window_minutes": 60, "forget_after_minutes": 1440}', 'keep'
),
(
    'queue_oldest_ready_age', 'queues',
    'An item has been ready for long and nobody takes it: its workers are stuck or too few.',
    '_find_old_queue_items', '_explain_queue', 'seconds', '>',
    '{"window_minutes": 60, "forget_after_minutes": 1440}', 'keep'
),
(
    'scheduler_late', 'self',
    'Jobs are due and nothing runs them: see whether the runner or pg_cron works.',
    '_find_late_scheduler', '_explain_self_check', 'seconds', '>', '{}', 'ok'
),
(
    'job_failed', 'self',
    'The last run of a job did not complete: v_jobs says why.',
    '_find_failed_jobs', '_explain_job', 'runs', '>=', '{}', 'ok'
),
(
    'job_late', 'self',
    'A job is due and does not begin, or does not end: v_jobs says since when.',
    '_find_late_jobs', '_explain_job', 'seconds', '>', '{}', 'ok'
),
(
    'rollups_late', 'self',
    'Roll-ups are behind: views stay right but take longer to read. See job roll_up.',
    '_find_late_rollups', '_explain_self_check', 'seconds', '>', '{}', 'ok'
),
(
    'partitions_missing', 'self',
    'The partition of today or tomorrow is missing: see job make_partitions.',
    '_find_missing_partitions', '_explain_self_check', 'seconds', '>', '{}', 'ok'
),
(
    'cleanup_late', 'self',
    'Rows are still there a day after they were due to go: see job clean_up and v_retention.',
    '_find_late_cleanup', '_explain_self_check', 'seconds', '>', '{}', 'ok'
),
(
    'rule_failed', 'self',
    'An alert rule cannot be evaluated: what it watches over is not watched. Mend or disable it.',
    '_find_failed_rules', '_explain_failed_rule', 'evaluations', '>=', '{}', 'ok'
),
(
    'notification_dead', 'self',
    'Messages could not be delivered and were given up: see v_notifications for why.',
    '_find_dead_notifications', '_explain_dead_notifications', 'messages', '>=',
    '{"window_minutes": 1440}', 'ok'
);

insert into monitoring.alert_thresholds (rule_name, low, medium, high, critical)
values
('errors_per_hour', 25, 50, 75, 100),
-- 1 stands for degraded, 2 for unhealthy.
('component_unhealthy', null, 1, null, 2),
('component_silent', null, 900, 3600, null),
('queue_backlog', 50, 100, 200, 500),
('queue_oldest_ready_age', null, 300, 900, 3600),
('scheduler_late', null, null, 180, 1800),
('job_failed', null, null, 1, null),
('job_late', null, 180, 3600, null),
('rollups_late', null, 180, 3600, null),
('cleanup_late', null, 86400, 259200, null),
('rule_failed', null, null, 1, null),
('notification_dead', null, null, 1, null);

-- While nothing runs the jobs, whatever they do is late.
insert into monitoring.alert_inhibitions (source_rule, target_rule)
values
('scheduler_late', 'job_late'),
('scheduler_late', 'rollups_late'),
('scheduler_late', 'partitions_missing'),
('scheduler_late', 'cleanup_late');

insert into monitoring.installed_migrations (migration_id) values ('0013_rules');
