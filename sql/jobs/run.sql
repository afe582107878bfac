-- Working on a claimed job, in a transaction that outlives the job's failure.
-- Writes jobs, and tasks and errors through their recording functions.

create or replace function monitoring._lock_job_row(p_job_name text) returns monitoring.jobs
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job monitoring.jobs;
begin
    loop
        begin
            select j.* into v_job from monitoring.jobs j where j.job_name = p_job_name for update;
            exit;
        exception
            when query_canceled then
                -- It was meant for the job, which has ended already. Whoever sent it held the row,
                -- so none can come once the row is ours.
                null;
        end;
    end loop;
    return v_job;
end
$$;

comment on function monitoring._lock_job_row(text) is
'Locks and returns a job''s row, unmoved by a cancellation that comes too late.';

create or replace function monitoring._finish_job(
    p_job_name text, p_status text, p_result jsonb, p_error jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job monitoring.jobs := monitoring._lock_job_row(p_job_name);
    v_status text := p_status;
begin
    if v_status = 'cancelled' and v_job.cancelled_at is not null then
        v_status := 'timeout';
    end if;
    perform monitoring._complete_task(
        'pgvigil.' || p_job_name, v_status, null, null, null,
        case when p_result is not null then jsonb_build_object('result', p_result) end, null
    );
    perform monitoring._note_job_end(p_job_name, v_status, p_error);
end
$$;

comment on function monitoring._finish_job(text, text, jsonb, jsonb) is
'Ends the task of a job with its result and notes the end in the job''s row; a run cancelled '
'by cancel_overdue_jobs ends as timeout.';

create or replace function monitoring._is_own_run(p_job_name text) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return pg_try_advisory_xact_lock(monitoring._job_lock_key(p_job_name))
        and exists (
            select from monitoring.jobs j
            where j.job_name = p_job_name and j.running_pid = pg_backend_pid()
        );
end
$$;

comment on function monitoring._is_own_run(text) is
'Takes the lock of a job until the end of the transaction; false when the run that this session '
'claimed is no longer its own.';

create or replace function monitoring._end_task_of_removed_job(p_job_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from monitoring.jobs j where j.job_name = p_job_name) then
        perform monitoring._complete_task(
            'pgvigil.' || p_job_name, 'cancelled', null, null, null, null, null
        );
    end if;
end
$$;

comment on function monitoring._end_task_of_removed_job(text) is
'Ends the task of a job that was removed after it was claimed and before it began its work.';

create or replace function monitoring._run_job(p_job_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_result jsonb;
    v_status text := 'completed';
    v_message text;
    v_error jsonb;
    v_sqlstate text;
    v_detail text;
    v_hint text;
    v_context text;
begin
    if not monitoring._is_own_run(p_job_name) then
        perform monitoring._end_task_of_removed_job(p_job_name);
        return;
    end if;
    begin
        v_result := monitoring._call_job_routine(
            (select j.procedure_name from monitoring.jobs j where j.job_name = p_job_name)
        );
        -- Once the row is ours no cancellation is sent any more, and one that was is heeded here.
        perform from monitoring.jobs j where j.job_name = p_job_name for update;
    exception
        when query_canceled or assert_failure or others then
            get stacked diagnostics
                v_sqlstate = returned_sqlstate,
                v_message = message_text,
                v_detail = pg_exception_detail,
                v_hint = pg_exception_hint,
                v_context = pg_exception_context;
            v_status := case v_sqlstate when '57014' then 'cancelled' else 'failed' end;
            v_result := null;
            if v_sqlstate = '2D000' then
                v_hint := 'A job is one transaction and cannot commit: let it do a part of the '
                    'work at each run.';
            end if;
            v_error := jsonb_strip_nulls(jsonb_build_object(
                'message', v_message,
                'sqlstate', v_sqlstate,
                'detail', nullif(v_detail, ''),
                'hint', nullif(v_hint, ''),
                'context', nullif(v_context, '')
            ));
    end;
    perform monitoring._finish_job(p_job_name, v_status, v_result, v_error);
end
$$;

comment on function monitoring._run_job(text) is
'Calls the procedure of a job that this session claimed, with the rights of the owner, and notes '
'how it ended; never raises because of what the procedure did.';

create or replace function monitoring._with_last_run(p_runs jsonb, p_job_name text) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_runs || coalesce((
        select jsonb_build_object(
            'job', j.job_name,
            'status', j.last_status,
            'started_at', j.last_started_at,
            'duration_ms', round(
                (date_part('epoch', j.last_finished_at - j.last_started_at) * 1000)::numeric
            ),
            'error', j.last_error
        )
        from monitoring.jobs j
        where j.job_name = p_job_name
    ), '[]');
end
$$;

comment on function monitoring._with_last_run(jsonb, text) is
'An array of runs with the last one of a job added: job, status, started_at, duration_ms, error.';
