-- Reading workflows as the authors of batch systems know them: runs, days, limits and alerts.

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
    t.metadata ->> 'error_message' as error_message,
    t.worker_id,
    t.counters,
    t.metadata
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
    a.resolution
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
