-- Finished tasks by the thousand, for backfills and for programs that report at their end.
-- Writes finished_tasks.

create or replace function monitoring._insert_finished_tasks(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_written bigint;
begin
    insert into monitoring.finished_tasks (
        task_id, attempt, task_type, status, started_at, finished_at, duration_ms,
        input_size, output_size, items_done, items_total, worker_id, parent_task_id,
        step_durations, counters, metadata
    )
    select
        monitoring._checked_name('task_id', r.task_id),
        monitoring._checked_attempt(coalesce(r.attempt, 1)),
        monitoring._checked_name('task_type', r.task_type),
        monitoring._checked_end_status(coalesce(r.status, 'completed')),
        monitoring._checked_start(s.started_at, r.end_time),
        monitoring._event_time(monitoring._checked_end(r.end_time)),
        date_part('epoch', r.end_time - s.started_at) * 1000,
        monitoring._checked_size('input_size', r.input_size),
        monitoring._checked_size('output_size', r.output_size),
        monitoring._checked_size('items_done', r.items_done),
        monitoring._checked_size('items_total', r.items_total),
        monitoring._checked_optional_name('worker_id', r.worker_id),
        monitoring._checked_optional_name('parent_task_id', r.parent_task_id),
        monitoring._checked_numbers('step_durations', r.step_durations),
        monitoring._checked_numbers('counters', r.counters),
        monitoring._checked_object('metadata', r.metadata)
    from jsonb_to_recordset(p_rows) as r (
        task_id text,
        attempt bigint,
        task_type text,
        status text,
        start_time timestamptz,
        end_time timestamptz,
        duration_ms double precision,
        input_size bigint,
        output_size bigint,
        items_done bigint,
        items_total bigint,
        worker_id text,
        parent_task_id text,
        step_durations jsonb,
        counters jsonb,
        metadata jsonb
    )
    -- Who knows only how long it took has told the start as well.
    cross join lateral (
        select coalesce(
            r.start_time,
            r.end_time
                - make_interval(secs => monitoring._checked_length('duration_ms', r.duration_ms) / 1000)
        ) as started_at
    ) as s
    on conflict do nothing;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

comment on function monitoring._insert_finished_tasks(jsonb) is
'Inserts an array of finished tasks; those already there are passed over.';

create or replace function monitoring.record_finished_tasks(p_tasks jsonb) returns bigint
language sql
volatile
return monitoring._record_rows('finished_tasks', 'processing_metrics', 'end_time', p_tasks);

comment on function monitoring.record_finished_tasks(jsonb) is
'Records an array of finished tasks, keys as the columns of processing_metrics (task_id, '
'task_type and end_time needed), all or nothing. Returns how many were new: the same task_id, '
'attempt and end_time again is passed over.';
