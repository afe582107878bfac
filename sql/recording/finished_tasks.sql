-- Finished tasks by the thousand, for backfills and for programs that report at their end.
-- Writes finished_tasks.

-- Raises PV006 when this session wants a task without an end refused.
create or replace function monitoring._refuse_untold_end() returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._refuse_if_strict(monitoring._fault_of_span(null, null));
    return null;
end
$$;

-- The end of a task that did not tell it but its start and length; null, and told of, when that
-- is not known either. With monitoring.strict = on _refuse_untold_end() has the last word.
create or replace function monitoring._untold_end(p_end timestamptz) returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if monitoring._is_strict() then
        return monitoring.clock();
    elsif p_end is null then
        perform monitoring._tell_repair(
            'end_time', monitoring._fault_of_span(null, null), 'the task is left out'
        );
        return null;
    end if;
    return monitoring._event_time(p_end);
end
$$;

-- An array of finished tasks as rows, each repaired; one that is older than p_since is refused
-- as a missing partition is.
create or replace function monitoring._told_finished_tasks(p_rows jsonb, p_since timestamptz)
returns table (
    task_id text,
    attempt integer,
    task_type text,
    status text,
    started_at timestamptz,
    finished_at timestamptz,
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
language sql
stable -- a stricter mark than its body's keeps a function from being inlined
begin atomic
    select
        monitoring._mended_name('task_id', r.task_id) as task_id,
        coalesce(monitoring._mended_attempt(r.attempt), 1) as attempt,
        monitoring._mended_name('task_type', r.task_type) as task_type,
        monitoring._mended_end_status(coalesce(r.status, 'completed')) as status,
        s.started_at,
        case when r.end_time is null then coalesce(monitoring._refuse_untold_end(), e.ended_at)
            else e.ended_at
        end as finished_at,
        date_part('epoch', e.ended_at - s.started_at) * 1000 as duration_ms,
        monitoring._mended_size('input_size', r.input_size) as input_size,
        monitoring._mended_size('output_size', r.output_size) as output_size,
        monitoring._mended_size('items_done', r.items_done) as items_done,
        monitoring._mended_size('items_total', r.items_total) as items_total,
        monitoring._mended_optional_name('worker_id', r.worker_id) as worker_id,
        monitoring._mended_optional_name('parent_task_id', r.parent_task_id) as parent_task_id,
        monitoring._mended_numbers('step_durations', r.step_durations) as step_durations,
        monitoring._mended_numbers('counters', r.counters) as counters,
        monitoring._mended_object('metadata', r.metadata) as metadata
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
    cross join
        lateral (
            select
                make_interval(
                    secs => case
                        when l.ms > 1e13 then 1e10
                        else l.ms / 1000
                    end
                ) as taken
            from (select monitoring._mended_length('duration_ms', r.duration_ms) as ms) as l
        ) as d
    cross join
        lateral (
            -- Which run it was is known by its end: now would make another run of it.
            select coalesce(r.end_time, monitoring._untold_end(r.start_time + d.taken)) as told_at
        ) as u
    cross join
        lateral (
            select
                case when u.told_at is not null then monitoring._recent_time(u.told_at, p_since) end
                    as ended_at
        ) as e
    cross join
        lateral (
            -- Who knows only how long it took has told the start as well.
            select monitoring._mended_start(
                coalesce(r.start_time, e.ended_at - d.taken), e.ended_at
            ) as started_at
        ) as s
    where e.ended_at is not null;
end;

-- Inserts an array of finished tasks; those already there are passed over, and a late one is
-- refused as a missing partition is.
create or replace function monitoring._insert_finished_tasks(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_since timestamptz := monitoring._yesterday();
    v_written bigint;
begin
    insert into monitoring.finished_tasks (
        task_id, attempt, task_type, status, started_at, finished_at, duration_ms,
        input_size, output_size, items_done, items_total, worker_id, parent_task_id,
        step_durations, counters, metadata
    )
    select r.* from monitoring._told_finished_tasks(p_rows, v_since) r
    on conflict do nothing;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

-- Inserts an array of finished tasks into the late table; those already there are passed over.
create or replace function monitoring._insert_late_finished_tasks(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Each row is looked up by its key, whatever the planner thinks.
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    v_written bigint;
begin
    insert into monitoring.late_finished_tasks (
        task_id, attempt, task_type, status, started_at, finished_at, duration_ms,
        input_size, output_size, items_done, items_total, worker_id, parent_task_id,
        step_durations, counters, metadata
    )
    select r.*
    from (
        -- Each row is made up once, before it is looked for.
        select x.* from monitoring._told_finished_tasks(p_rows, '1970-01-01 00:00+00') x offset 0
    ) r
    -- Apart: of a view of both, all days would be asked.
    where not exists (
        select from monitoring.finished_tasks t
        where t.task_id = r.task_id
            and t.finished_at = r.finished_at
            and t.attempt = r.attempt
    )
    and not exists (
        select from monitoring.late_finished_tasks t
        where t.task_id = r.task_id
            and t.finished_at = r.finished_at
            and t.attempt = r.attempt
    )
    on conflict do nothing;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

create or replace function monitoring.record_finished_tasks(p_tasks jsonb) returns bigint
language sql
volatile
return monitoring._record_rows('finished_tasks', 'processing_metrics', 'end_time', p_tasks);

comment on function monitoring.record_finished_tasks(jsonb) is
'Records an array of finished tasks, keys as the columns of processing_metrics (task_id, '
'task_type and end_time needed), bad rows left out. Returns how many were new: the same task_id, '
'attempt and end_time again is passed over.';

create or replace function monitoring.record_finished_tasks(p_tasks text) returns bigint
language sql
volatile
return monitoring._record_rows('finished_tasks', 'processing_metrics', 'end_time', p_tasks);

comment on function monitoring.record_finished_tasks(text) is
'The same for JSON that is a plain text, as drivers send it; what JSON cannot hold is left out.';

call monitoring._ship_retention('unsuccessful_attempts', '90 days');
