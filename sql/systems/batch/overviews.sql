-- Workflows by day and altogether, and what they were told to go by.

create or replace view monitoring.batch_performance_summary as
select
    p.workflow_name,
    p.business_date,
    p.step_name,
    p.runs,
    p.completed,
    p.failed,
    p.first_started_at,
    p.last_finished_at,
    p.duration_seconds,
    p.avg_duration_seconds,
    p.max_duration_seconds,
    p.records_processed,
    p.records_per_second
from monitoring.get_batch_performance() as p;

create or replace view monitoring.v_batch_health as
select
    h.workflow_name,
    h.business_date,
    h.is_enabled,
    h.steps,
    h.complete,
    h.running,
    h.late,
    h.failed,
    h.success_percent,
    h.failed_runs,
    h.records_per_second,
    h.active_alerts,
    h.recent_failures
from monitoring._batch_health() as h;

create or replace view monitoring.batch_workflow_config as
select
    w.workflow_name,
    w.description as workflow_description,
    w.time_zone,
    w.cutover_time,
    w.is_enabled,
    s.position,
    s.step_name,
    s.description,
    s.after_steps,
    s.schedule,
    s.expected_seconds,
    s.late_after_seconds,
    s.stuck_after_seconds,
    s.long_after_seconds,
    s.minimum_rate,
    s.is_optional,
    s.is_repeated,
    s.expected_since_at,
    w.changed_by,
    w.changed_at
from monitoring.workflows as w
inner join monitoring.workflow_steps as s on w.workflow_name = s.workflow_name
order by w.workflow_name asc, s.position asc;

create or replace view monitoring.batch_monitoring_config as
select
    s.workflow_name,
    s.step_name,
    r.rule_name,
    t.low,
    t.medium,
    t.high,
    t.critical,
    r.unit,
    r.comparison,
    t.labels <> '{}' as is_own,
    r.is_enabled
from monitoring.workflow_steps as s
cross join monitoring.alert_rules as r
inner join lateral (
    select h.*
    from monitoring.alert_thresholds as h
    where
        h.rule_name = r.rule_name
        and h.labels in ('{}'::jsonb, jsonb_build_object('task_type', s.step_name))
        and not h.is_empty
    order by h.labels = '{}' asc
    limit 1
) as t on true
where r.family = 'processing'
order by s.workflow_name asc, s.position asc, r.rule_name asc;

comment on view monitoring.batch_performance_summary is
'Runs of steps that ended, by business day: of the last 7, newest first.';
comment on column monitoring.batch_performance_summary.workflow_name is
'Workflow of the step.';
comment on column monitoring.batch_performance_summary.business_date is
'Business day.';
comment on column monitoring.batch_performance_summary.step_name is
'Name of the step: the task type of its runs.';
comment on column monitoring.batch_performance_summary.runs is
'Attempts that ended.';
comment on column monitoring.batch_performance_summary.completed is
'Attempts that completed.';
comment on column monitoring.batch_performance_summary.failed is
'Attempts that failed, timed out or got lost.';
comment on column monitoring.batch_performance_summary.first_started_at is
'When the first began.';
comment on column monitoring.batch_performance_summary.last_finished_at is
'When the last ended.';
comment on column monitoring.batch_performance_summary.duration_seconds is
'Seconds of all together.';
comment on column monitoring.batch_performance_summary.avg_duration_seconds is
'Mean seconds from start to end.';
comment on column monitoring.batch_performance_summary.max_duration_seconds is
'Seconds of the longest.';
comment on column monitoring.batch_performance_summary.records_processed is
'Records of all together.';
comment on column monitoring.batch_performance_summary.records_per_second is
'Records by second of the runs that reported records.';

comment on view monitoring.v_batch_health is
'How each workflow does: today, and its runs of the last day and week.';
comment on column monitoring.v_batch_health.workflow_name is
'Name of the workflow.';
comment on column monitoring.v_batch_health.business_date is
'Business day of now.';
comment on column monitoring.v_batch_health.is_enabled is
'Whether its steps are expected at present.';
comment on column monitoring.v_batch_health.steps is
'How many steps it has.';
comment on column monitoring.v_batch_health.complete is
'Steps that are complete today.';
comment on column monitoring.v_batch_health.running is
'Steps that run.';
comment on column monitoring.v_batch_health.late is
'Steps that were due and have not begun.';
comment on column monitoring.v_batch_health.failed is
'Steps whose newest run today did not complete.';
comment on column monitoring.v_batch_health.success_percent is
'Completed of ended runs of the last 7 days, 0 to 100; null when none ended.';
comment on column monitoring.v_batch_health.failed_runs is
'Runs of the last 24 hours that failed, timed out or got lost.';
comment on column monitoring.v_batch_health.records_per_second is
'Records per second today, over all steps that count records.';
comment on column monitoring.v_batch_health.active_alerts is
'Alerts about its steps that fire, acknowledged ones among them.';
comment on column monitoring.v_batch_health.recent_failures is
'Array of the newest runs that failed within 7 days, at most 5.';

comment on view monitoring.batch_workflow_config is
'Workflows and their steps, as applied.';
comment on column monitoring.batch_workflow_config.workflow_name is
'Name of the workflow.';
comment on column monitoring.batch_workflow_config.workflow_description is
'What the workflow is about.';
comment on column monitoring.batch_workflow_config.time_zone is
'Time zone by whose clocks its days begin and its steps are scheduled.';
comment on column monitoring.batch_workflow_config.cutover_time is
'Time of day at which a business day begins.';
comment on column monitoring.batch_workflow_config.is_enabled is
'Whether its steps are expected at present.';
comment on column monitoring.batch_workflow_config.position is
'Place of the step, from 1.';
comment on column monitoring.batch_workflow_config.step_name is
'Name of the step: the task type of its runs.';
comment on column monitoring.batch_workflow_config.description is
'What the step does.';
comment on column monitoring.batch_workflow_config.after_steps is
'Steps that must be through before it.';
comment on column monitoring.batch_workflow_config.schedule is
'Cron expression or time of day at which it is to begin; null for as soon as those before it '
'are through.';
comment on column monitoring.batch_workflow_config.expected_seconds is
'How long it is expected to take, in seconds.';
comment on column monitoring.batch_workflow_config.late_after_seconds is
'Seconds by which it may begin late; null for what rule step_late says.';
comment on column monitoring.batch_workflow_config.stuck_after_seconds is
'Seconds without progress after which it is stuck; null for what rule task_stuck says.';
comment on column monitoring.batch_workflow_config.long_after_seconds is
'Seconds after which it runs for long; null for twice what is expected.';
comment on column monitoring.batch_workflow_config.minimum_rate is
'Records a second below which it is slow; null for no limit.';
comment on column monitoring.batch_workflow_config.is_optional is
'Whether a day is complete without it, and no other step waits for it.';
comment on column monitoring.batch_workflow_config.is_repeated is
'Whether it runs several times a day, until none remain.';
comment on column monitoring.batch_workflow_config.expected_since_at is
'What was due before is not expected.';
comment on column monitoring.batch_workflow_config.changed_by is
'Who applied the workflow last.';
comment on column monitoring.batch_workflow_config.changed_at is
'When they did.';

comment on view monitoring.batch_monitoring_config is
'Limits that the rules about tasks go by for each step: its own, or else those for all task '
'types.';
comment on column monitoring.batch_monitoring_config.workflow_name is
'Workflow of the step.';
comment on column monitoring.batch_monitoring_config.step_name is
'Name of the step.';
comment on column monitoring.batch_monitoring_config.rule_name is
'Rule that has the limit.';
comment on column monitoring.batch_monitoring_config.low is
'Threshold of severity low, in the unit of the rule.';
comment on column monitoring.batch_monitoring_config.medium is
'Threshold of severity medium.';
comment on column monitoring.batch_monitoring_config.high is
'Threshold of severity high.';
comment on column monitoring.batch_monitoring_config.critical is
'Threshold of severity critical.';
comment on column monitoring.batch_monitoring_config.unit is
'Unit of the thresholds; null for a mere number.';
comment on column monitoring.batch_monitoring_config.comparison is
'How a value passes a threshold: >, >=, < or <=.';
comment on column monitoring.batch_monitoring_config.is_own is
'Whether it is the step''s own limit.';
comment on column monitoring.batch_monitoring_config.is_enabled is
'Whether the rule is evaluated.';
