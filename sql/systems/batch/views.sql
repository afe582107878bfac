-- Reading runs, alerts and the timeline of workflows as the authors of batch systems know them.

create or replace view monitoring.batch_execution_logs as
select
    s.workflow_name,
    s.step_name,
    monitoring._date_of_run(w, t.metadata, coalesce(t.start_time, t.end_time)) as business_date,
    t.task_id,
    t.attempt,
    t.status,
    t.start_time as started_at,
    t.end_time as finished_at,
    t.duration_ms / 1000 as duration_seconds,
    t.items_done as records_processed,
    t.items_total as records_total,
    monitoring._remaining(t.counters) as records_remaining,
    monitoring._small_number(t.metadata ->> 'threads') as threads,
    t.items_done / nullif(
        coalesce(
            t.duration_ms / 1000,
            greatest(date_part('epoch', t.progress_at - t.start_time), 0)
        ), 0
    ) as records_per_second,
    case
        when t.status <> 'completed'
            then monitoring._reason_of_end(t.task_id, t.metadata, t.start_time, t.end_time)
    end as error_message,
    t.worker_id,
    t.counters,
    nullif(t.metadata - 'error_message', '{}') as metadata,
    coalesce(t.start_time, t.end_time) as created_at
from monitoring.processing_metrics as t
inner join monitoring.workflow_steps as s on t.task_type = s.step_name
inner join monitoring.workflows as w on s.workflow_name = w.workflow_name;

create or replace view monitoring.batch_monitoring_alerts as
select
    s.workflow_name,
    s.step_name,
    a.alert_id,
    a.rule_name,
    a.severity,
    a.status,
    a.summary,
    a.value,
    a.threshold,
    a.unit,
    a.labels,
    a.occurrences,
    a.started_at,
    a.fired_at,
    a.last_seen_at,
    a.acknowledged_by,
    a.resolved_at,
    a.resolution,
    a.kind,
    a.reason,
    a.acknowledged_at is not null as acknowledged
from monitoring.alerts as a
inner join monitoring.workflow_steps as s on a.labels ->> 'task_type' = s.step_name;

create or replace view monitoring.v_batch_timeline as
select
    t.workflow_name,
    t.business_date,
    t.step_name,
    t.status,
    t.due_at,
    t.started_at,
    t.finished_at,
    t.duration_seconds,
    t.runs,
    t.records_processed,
    t.records_total,
    t.records_remaining,
    t.threads,
    t.records_per_second,
    t.progress_percent,
    t.eta_at,
    t.eta_from_at,
    t.eta_to_at,
    t.waits_for,
    t.is_optional,
    t.task_id
from monitoring.get_batch_timeline() as t;

comment on view monitoring.batch_execution_logs is
'Every attempt of every step of a workflow, running and ended.';
comment on column monitoring.batch_execution_logs.workflow_name is
'Workflow of the step.';
comment on column monitoring.batch_execution_logs.step_name is
'Name of the step: the task type of the run.';
comment on column monitoring.batch_execution_logs.business_date is
'Business day that it belongs to: the one it states, or else that in which it began.';
comment on column monitoring.batch_execution_logs.task_id is
'The caller''s name for the run.';
comment on column monitoring.batch_execution_logs.attempt is
'1 for a first try; one more for each restart of a run that has not succeeded since.';
comment on column monitoring.batch_execution_logs.status is
'running, completed, failed, cancelled, timeout or lost.';
comment on column monitoring.batch_execution_logs.started_at is
'When it began; null when only its end was reported.';
comment on column monitoring.batch_execution_logs.finished_at is
'When it ended; null while it runs.';
comment on column monitoring.batch_execution_logs.duration_seconds is
'Seconds from start to end; null while it runs.';
comment on column monitoring.batch_execution_logs.records_processed is
'Records done, as last reported.';
comment on column monitoring.batch_execution_logs.records_total is
'Records expected; null when unknown.';
comment on column monitoring.batch_execution_logs.records_remaining is
'Its counter remaining, of a step that runs until none remain.';
comment on column monitoring.batch_execution_logs.threads is
'Threads, from its metadata.';
comment on column monitoring.batch_execution_logs.records_per_second is
'Records done by second of its duration, of a running one up to its last progress.';
comment on column monitoring.batch_execution_logs.error_message is
'Why it did not complete: what its metadata say, else its last error.';
comment on column monitoring.batch_execution_logs.worker_id is
'Host, process or thread that worked on it.';
comment on column monitoring.batch_execution_logs.counters is
'Object of numbers, as last reported.';
comment on column monitoring.batch_execution_logs.metadata is
'Object of whatever the caller wanted to find again; why it ended is in error_message.';
comment on column monitoring.batch_execution_logs.created_at is
'When it began, or ended where only that was reported.';

comment on view monitoring.batch_monitoring_alerts is
'Alerts about steps of workflows: pending, firing, acknowledged and, for a while, resolved ones.';
comment on column monitoring.batch_monitoring_alerts.workflow_name is
'Workflow of the step.';
comment on column monitoring.batch_monitoring_alerts.step_name is
'Step that it is about.';
comment on column monitoring.batch_monitoring_alerts.alert_id is
'Number of the alert.';
comment on column monitoring.batch_monitoring_alerts.rule_name is
'Rule that found it.';
comment on column monitoring.batch_monitoring_alerts.severity is
'low, medium, high or critical, as last found.';
comment on column monitoring.batch_monitoring_alerts.status is
'pending (waiting to fire), firing, acknowledged or resolved.';
comment on column monitoring.batch_monitoring_alerts.summary is
'What is wrong, in a sentence.';
comment on column monitoring.batch_monitoring_alerts.value is
'Measured value, in the unit of the rule.';
comment on column monitoring.batch_monitoring_alerts.threshold is
'Threshold that it passed, in the unit of the rule.';
comment on column monitoring.batch_monitoring_alerts.unit is
'Unit of value and threshold; null for a mere number.';
comment on column monitoring.batch_monitoring_alerts.labels is
'Object of labels, such as {"task_type": "D1-IMD"}.';
comment on column monitoring.batch_monitoring_alerts.occurrences is
'How many evaluations found it.';
comment on column monitoring.batch_monitoring_alerts.started_at is
'When it was first found.';
comment on column monitoring.batch_monitoring_alerts.fired_at is
'When it began to fire; null while pending.';
comment on column monitoring.batch_monitoring_alerts.last_seen_at is
'When it was last found.';
comment on column monitoring.batch_monitoring_alerts.acknowledged_by is
'Who acknowledged it.';
comment on column monitoring.batch_monitoring_alerts.resolved_at is
'When it resolved; null while it is open.';
comment on column monitoring.batch_monitoring_alerts.resolution is
'Why it resolved.';
comment on column monitoring.batch_monitoring_alerts.kind is
'What kind of trouble it is: failed, stuck, long (runs for long), late or other.';
comment on column monitoring.batch_monitoring_alerts.reason is
'Why, such as the last error behind it or how a run goes that takes long; null when nobody said.';
comment on column monitoring.batch_monitoring_alerts.acknowledged is
'Whether somebody has acknowledged it.';

comment on view monitoring.v_batch_timeline is
'How far each step of each enabled workflow is on the business day of now.';
comment on column monitoring.v_batch_timeline.workflow_name is
'Workflow of the step.';
comment on column monitoring.v_batch_timeline.business_date is
'Business day.';
comment on column monitoring.v_batch_timeline.step_name is
'Name of the step: the task type of its runs.';
comment on column monitoring.v_batch_timeline.status is
'pending, running, complete, failed, late (was due and has not begun), skipped, or unknown where '
'the day was over before the step was applied.';
comment on column monitoring.v_batch_timeline.due_at is
'When it was to begin: by its schedule, or when all before it were through; null while that is '
'not known.';
comment on column monitoring.v_batch_timeline.started_at is
'When its newest run began, of a repeated step its first of the day.';
comment on column monitoring.v_batch_timeline.finished_at is
'When its newest run ended; null while it runs.';
comment on column monitoring.v_batch_timeline.duration_seconds is
'Seconds of its newest run so far, of a repeated step of all runs of the day.';
comment on column monitoring.v_batch_timeline.runs is
'How many attempts there were.';
comment on column monitoring.v_batch_timeline.records_processed is
'Records of its newest run, of a repeated step of all runs of the day.';
comment on column monitoring.v_batch_timeline.records_total is
'Records that its newest run expects.';
comment on column monitoring.v_batch_timeline.records_remaining is
'Counter remaining of its newest run, of a step that runs until none remain.';
comment on column monitoring.v_batch_timeline.threads is
'Threads of its newest run, from metadata.';
comment on column monitoring.v_batch_timeline.records_per_second is
'Records done by second of the duration.';
comment on column monitoring.v_batch_timeline.progress_percent is
'How much is done, 0 to 100; null when nobody knows.';
comment on column monitoring.v_batch_timeline.eta_at is
'When it is expected to be complete; null when it is, or when nobody knows.';
comment on column monitoring.v_batch_timeline.eta_from_at is
'The same, if all goes as in the best tenth of its runs.';
comment on column monitoring.v_batch_timeline.eta_to_at is
'The same, if all goes as in the worst tenth.';
comment on column monitoring.v_batch_timeline.waits_for is
'Steps before it that are not through.';
comment on column monitoring.v_batch_timeline.is_optional is
'Whether a day is complete without it.';
comment on column monitoring.v_batch_timeline.task_id is
'Task id of its newest run.';
