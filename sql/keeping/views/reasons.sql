-- Why attempts did not complete. Reads tasks and errors.

-- Why an attempt that did not complete ended: what its metadata say, else the last error
-- recorded while it ran; null where nobody said.
create or replace function monitoring._reason_of_end(
    p_task_id text, p_metadata jsonb, p_started_at timestamptz, p_ended_at timestamptz
)
returns text
language sql
stable
return coalesce(
    p_metadata ->> 'error_message',
    (
        select e.message
        from monitoring.error_tracking as e
        where
            e.task_id = p_task_id
            and e.occurred_at between coalesce(p_started_at, '-infinity') and p_ended_at
        order by e.occurred_at desc, e.error_id desc
        limit 1
    )
);

create or replace view monitoring.v_unsuccessful_tasks as
select
    t.task_id,
    t.task_type,
    t.status,
    t.attempt,
    t.worker_id,
    t.parent_task_id,
    t.started_at as start_time,
    t.finished_at as end_time,
    t.duration_ms,
    monitoring._reason_of_end(
        t.task_id, t.metadata, t.started_at, t.finished_at
    ) as error_message,
    monitoring._is_failure(t.status) as is_failure
from monitoring._all_finished_tasks as t
where t.status <> 'completed';

comment on view monitoring.v_unsuccessful_tasks is
'Attempts that failed, timed out, were cancelled or got lost, and why.';
comment on column monitoring.v_unsuccessful_tasks.task_id is
'The caller''s name for the task.';
comment on column monitoring.v_unsuccessful_tasks.task_type is
'What kind of work it is; unknown when only its end was reported.';
comment on column monitoring.v_unsuccessful_tasks.status is
'failed, cancelled, timeout or lost (restarted or ended without a report).';
comment on column monitoring.v_unsuccessful_tasks.attempt is
'1 for a first try; one more for each restart of a task that has not succeeded since.';
comment on column monitoring.v_unsuccessful_tasks.worker_id is
'Host, process or thread that worked on it.';
comment on column monitoring.v_unsuccessful_tasks.parent_task_id is
'Task that this one is a part of.';
comment on column monitoring.v_unsuccessful_tasks.start_time is
'When the attempt began; null when only its end was reported.';
comment on column monitoring.v_unsuccessful_tasks.end_time is
'When the attempt ended.';
comment on column monitoring.v_unsuccessful_tasks.duration_ms is
'Milliseconds from start to end.';
comment on column monitoring.v_unsuccessful_tasks.is_failure is
'Whether it counts as failed: failed, timed out or lost, and not cancelled.';
comment on column monitoring.v_unsuccessful_tasks.error_message is
'Why: what its metadata say, else the last error recorded while it ran; null where nobody said.';
