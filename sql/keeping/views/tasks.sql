-- Reading tasks: running and ended together, what runs now, and what the last day was like.

create or replace view monitoring.processing_metrics as
select
    t.task_id,
    t.task_type,
    'running' as status,
    t.started_at as start_time,
    null::timestamptz as end_time,
    null::double precision as duration_ms,
    t.input_size,
    null::bigint as output_size,
    t.worker_id,
    null::jsonb as step_durations,
    t.counters,
    t.metadata,
    t.attempt,
    t.parent_task_id,
    t.items_done,
    t.items_total,
    t.heartbeat_at,
    t.progress_at,
    t.backend_pid
from monitoring.active_tasks as t
union all
select
    f.task_id,
    f.task_type,
    f.status,
    f.started_at as start_time,
    f.finished_at as end_time,
    f.duration_ms,
    f.input_size,
    f.output_size,
    f.worker_id,
    f.step_durations,
    f.counters,
    f.metadata,
    f.attempt,
    f.parent_task_id,
    f.items_done,
    f.items_total,
    null::timestamptz as heartbeat_at,
    null::timestamptz as progress_at,
    f.backend_pid
from monitoring._all_finished_tasks as f;

-- Whether the session that recorded a task is to stay for as long as it runs: true where the
-- rule backend_gone is enabled and has a threshold for it.
create or replace function monitoring._is_session_expected(
    p_task_type text, p_task_id text, p_worker_id text
)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        select from monitoring.alert_rules r
        where r.rule_name = 'backend_gone'
            and r.is_enabled
            and (
                select coalesce(t.low, t.medium, t.high, t.critical)
                from monitoring.alert_thresholds t
                where t.rule_name = r.rule_name
                    and monitoring._task_labels(p_task_type, p_task_id, p_worker_id) @> t.labels
                    and not t.is_empty
                order by (select count(*) from jsonb_object_keys(t.labels)) desc, t.labels
                limit 1
            ) is not null
    );
end
$$;

create or replace view monitoring.v_realtime_processing_status as
select
    t.task_id,
    t.task_type,
    t.attempt,
    t.worker_id,
    t.parent_task_id,
    t.started_at as start_time,
    -- Another machine's clock may be ahead of ours.
    greatest(date_part('epoch', n.now - t.started_at) * 1000, 0) as running_ms,
    t.items_done,
    t.items_total,
    case
        when
            t.items_total > 0 and t.items_done is not null
            then round(100.0 * least(t.items_done, t.items_total) / t.items_total, 1)
    end as progress_percent,
    t.counters,
    t.heartbeat_at,
    t.progress_at,
    greatest(date_part('epoch', n.now - t.progress_at), 0) as seconds_without_progress,
    t.backend_pid,
    -- That a session has ended means something only where it was to stay.
    case
        when a.pid is not null then true
        when t.backend_pid is null then null
        when monitoring._is_session_expected(t.task_type, t.task_id, t.worker_id) then false
    end as is_backend_alive
from monitoring.active_tasks as t
cross join (select monitoring.clock() as now) as n
-- A process id is used again after a while: a session younger than the heartbeat is another.
left join pg_catalog.pg_stat_activity as a
    on t.backend_pid = a.pid and (a.backend_start is null or t.heartbeat_at >= a.backend_start);

create or replace view monitoring.v_task_statistics as
select
    s.task_type,
    s.tasks,
    s.completed,
    s.failed,
    s.tasks - s.completed - s.failed as ended_otherwise,
    round(100.0 * s.completed / s.tasks, 2) as success_percent,
    s.avg_duration_ms,
    monitoring._clamped_percentile(s.histogram, 0.5, s.min_duration_ms, s.max_duration_ms)
        as p50_duration_ms,
    monitoring._clamped_percentile(s.histogram, 0.95, s.min_duration_ms, s.max_duration_ms)
        as p95_duration_ms,
    monitoring._clamped_percentile(s.histogram, 0.99, s.min_duration_ms, s.max_duration_ms)
        as p99_duration_ms,
    s.max_duration_ms
from (
    select
        t.name as task_type,
        sum(t.row_count)::bigint as tasks,
        coalesce(sum(t.row_count) filter (where t.label = 'completed'), 0)::bigint as completed,
        coalesce(
            sum(t.row_count) filter (where monitoring._is_failure(t.label)), 0
        )::bigint as failed,
        sum(t.value_sum) / nullif(sum(t.value_count), 0)::double precision as avg_duration_ms,
        min(t.value_min) as min_duration_ms,
        max(t.value_max) as max_duration_ms,
        monitoring.merge_histograms(t.histogram) as histogram
    from monitoring._last_day('tasks') as t
    group by t.name
) as s;

comment on view monitoring.processing_metrics is
'Every attempt of every task, running and ended. A view, so it has no index of its own '
'and needs none: by hour or type v_task_trends answers from roll-ups.';
comment on column monitoring.processing_metrics.task_id is
'The caller''s name for the task.';
comment on column monitoring.processing_metrics.task_type is
'What kind of work it is; unknown when only its end was reported.';
comment on column monitoring.processing_metrics.status is
'running, completed, failed, cancelled, timeout or lost (restarted or ended without a report).';
comment on column monitoring.processing_metrics.start_time is
'When the attempt began; null when only its end was reported.';
comment on column monitoring.processing_metrics.end_time is
'When the attempt ended; null while it runs.';
comment on column monitoring.processing_metrics.duration_ms is
'Milliseconds from start to end; null while it runs.';
comment on column monitoring.processing_metrics.input_size is
'Size of the input, in the unit the caller chose, usually bytes.';
comment on column monitoring.processing_metrics.output_size is
'Size of the output, in the unit the caller chose, usually bytes.';
comment on column monitoring.processing_metrics.worker_id is
'Host, process or thread that works on it.';
comment on column monitoring.processing_metrics.step_durations is
'Object of milliseconds by step; null while it runs.';
comment on column monitoring.processing_metrics.counters is
'Object of numbers, such as {"succeeded": 12, "failed": 1}.';
comment on column monitoring.processing_metrics.metadata is
'Object of whatever the caller wanted to find again.';
comment on column monitoring.processing_metrics.attempt is
'1 for a first try; one more for each restart of a task that has not succeeded since.';
comment on column monitoring.processing_metrics.parent_task_id is
'Task that this one is a part of.';
comment on column monitoring.processing_metrics.items_done is
'Items done, as last reported.';
comment on column monitoring.processing_metrics.items_total is
'Items expected altogether; null when unknown.';
comment on column monitoring.processing_metrics.heartbeat_at is
'When a running task last spoke.';
comment on column monitoring.processing_metrics.progress_at is
'When a running task last made progress.';
comment on column monitoring.processing_metrics.backend_pid is
'Process id of the database session that last spoke for the task; null where it came in a batch, '
'in bulk or from a source.';

comment on view monitoring.v_realtime_processing_status is
'Tasks that are running now, with how far they are and how long they have been silent.';
comment on column monitoring.v_realtime_processing_status.task_id is
'The caller''s name for the task.';
comment on column monitoring.v_realtime_processing_status.task_type is
'What kind of work it is.';
comment on column monitoring.v_realtime_processing_status.attempt is
'Number of the attempt; see processing_metrics.';
comment on column monitoring.v_realtime_processing_status.worker_id is
'Host, process or thread that works on it.';
comment on column monitoring.v_realtime_processing_status.parent_task_id is
'Task that this one is a part of.';
comment on column monitoring.v_realtime_processing_status.start_time is
'When the attempt began.';
comment on column monitoring.v_realtime_processing_status.running_ms is
'Milliseconds since the start.';
comment on column monitoring.v_realtime_processing_status.items_done is
'Items done so far.';
comment on column monitoring.v_realtime_processing_status.items_total is
'Items expected altogether; null when unknown.';
comment on column monitoring.v_realtime_processing_status.progress_percent is
'Items done of items expected, 0 to 100; null when the number expected is unknown.';
comment on column monitoring.v_realtime_processing_status.counters is
'Object of numbers, as last reported.';
comment on column monitoring.v_realtime_processing_status.heartbeat_at is
'When the task last spoke.';
comment on column monitoring.v_realtime_processing_status.progress_at is
'When the task last made progress.';
comment on column monitoring.v_realtime_processing_status.seconds_without_progress is
'Seconds since the task last made progress.';
comment on column monitoring.v_realtime_processing_status.backend_pid is
'Process id of the database session that last spoke for the task; null where it came in a batch or '
'from a source.';
comment on column monitoring.v_realtime_processing_status.is_backend_alive is
'Whether that session is still there; null when it has ended and need not have stayed, which only '
'the rule backend_gone says, or there was none of its own.';

comment on view monitoring.v_task_statistics is
'Attempts that ended in this hour and the 23 before it, by task type.';
comment on column monitoring.v_task_statistics.task_type is
'What kind of work it was.';
comment on column monitoring.v_task_statistics.tasks is
'Attempts that ended.';
comment on column monitoring.v_task_statistics.completed is
'Attempts that completed.';
comment on column monitoring.v_task_statistics.failed is
'Attempts that failed, timed out or got lost.';
comment on column monitoring.v_task_statistics.ended_otherwise is
'Attempts that neither completed nor failed: they were cancelled.';
comment on column monitoring.v_task_statistics.success_percent is
'Completed of ended, 0 to 100.';
comment on column monitoring.v_task_statistics.avg_duration_ms is
'Mean milliseconds from start to end.';
comment on column monitoring.v_task_statistics.p50_duration_ms is
'Median of the milliseconds from start to end.';
comment on column monitoring.v_task_statistics.p95_duration_ms is
'95 % took no longer than this, in milliseconds.';
comment on column monitoring.v_task_statistics.p99_duration_ms is
'99 % took no longer than this, in milliseconds.';
comment on column monitoring.v_task_statistics.max_duration_ms is
'Milliseconds that the longest took.';

-- Labels of an alert about one task.
create or replace function monitoring._task_labels(
    p_task_type text, p_task_id text, p_worker_id text
)
returns jsonb
language sql
immutable
return jsonb_build_object('task_type', p_task_type, 'task_id', p_task_id)
|| case
    when p_worker_id is null then '{}'::jsonb
    else jsonb_build_object('worker_id', p_worker_id)
end;
