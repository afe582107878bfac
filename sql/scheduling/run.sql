-- Working on a claimed job, in a transaction that outlives the job's failure.
-- Writes jobs, and tasks and errors through their recording functions.

-- Locks and returns a job's row; nulls when there is none.
create or replace function monitoring._lock_job_row(p_job_name text) returns monitoring.jobs
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job monitoring.jobs;
begin
    select j.* into v_job from monitoring.jobs j where j.job_name = p_job_name for update;
    return v_job;
end
$$;

-- Ends the task of a job with its result and notes the end in the job's row, unless another has;
-- a run cancelled by cancel_overdue_jobs ends as timeout.
create or replace function monitoring._finish_job(
    p_job_name text, p_running_pid integer, p_status text, p_result jsonb, p_error jsonb
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
    if v_job.running_pid is distinct from p_running_pid and v_job.job_name is not null then
        return;
    end if;
    if v_status = 'cancelled' and v_job.cancelled_at is not null
        or v_status = 'lost' and v_job.cancellations > 2
    then
        v_status := 'timeout';
    end if;
    perform monitoring._complete_task(
        'pgvigil.' || p_job_name, v_status, null, null, null,
        case when p_result <> 'null' then jsonb_build_object('result', p_result) end, null
    );
    perform monitoring._note_job_end(p_job_name, v_status, p_error);
end
$$;

-- Takes the guard of a job until the end of the transaction; false when the run that this
-- session claimed is no longer its own.
create or replace function monitoring._is_own_run(p_job_name text) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Waits, since others see that a run has ended a moment before its transaction lets go.
    perform monitoring._guard('job ' || p_job_name);
    return exists (
        select from monitoring.jobs j
        where j.job_name = p_job_name and j.running_pid = pg_backend_pid()
    );
end
$$;

-- Ends the task of a job that was removed after it was claimed and before it began its work.
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

-- Calls the procedure of a job and returns how it went: an object of status and result, or
-- error; never raises because of what the procedure did.
create or replace function monitoring._attempt_job(p_procedure_name text) returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_message text;
    v_sqlstate text;
    v_detail text;
    v_hint text;
    v_context text;
begin
    return jsonb_build_object(
        'status', 'completed', 'result', monitoring._call_job_routine(p_procedure_name)
    );
exception
    when query_canceled or assert_failure or others then
        get stacked diagnostics
            v_sqlstate = returned_sqlstate,
            v_message = message_text,
            v_detail = pg_exception_detail,
            v_hint = pg_exception_hint,
            v_context = pg_exception_context;
        if v_sqlstate = '2D000' then
            v_hint := 'A job is one transaction and cannot commit: let it do a part of the work at '
                'each run.';
        end if;
        return jsonb_build_object(
            'status', case v_sqlstate when '57014' then 'cancelled' else 'failed' end,
            'error', jsonb_strip_nulls(jsonb_build_object(
                'message', v_message,
                'sqlstate', v_sqlstate,
                'detail', nullif(v_detail, ''),
                'hint', nullif(v_hint, ''),
                'context', nullif(v_context, '')
            ))
        );
end
$$;

-- Works on a job that this session claimed, with the rights of the owner, and notes how that
-- ended.
create or replace function monitoring._run_job(p_job_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_kept constant text [] := monitoring._kept_by_session();
    v_job monitoring.jobs;
    v_attempt jsonb;
    v_outcome jsonb;
begin
    begin
        if not monitoring._is_own_run(p_job_name) then
            perform monitoring._end_task_of_removed_job(p_job_name);
            return;
        end if;
        v_attempt := monitoring._attempt_job(
            (select j.procedure_name from monitoring.jobs j where j.job_name = p_job_name)
        );
        -- Cancellations are sent by who has this row. Once it is ours there will be no other; one
        -- that was sent while the job was ending may still be on its way, and is waited for.
        v_job := monitoring._lock_job_row(p_job_name);
        if v_job.cancelled_at is not null and v_attempt ->> 'status' <> 'cancelled' then
            perform pg_sleep(1);
        end if;
        v_outcome := v_attempt;
    exception
        when query_canceled then
            v_outcome := jsonb_build_object(
                'status', 'cancelled',
                'error', jsonb_build_object('message', sqlerrm, 'sqlstate', sqlstate)
            );
    end;
    perform monitoring._leave_session_as(v_kept);
    perform monitoring._finish_job(
        p_job_name, pg_backend_pid(), v_outcome ->> 'status', v_outcome -> 'result',
        v_outcome -> 'error'
    );
end
$$;

-- An array of runs with the last one of a job added: job, status, started_at, duration_ms,
-- error.
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
                (date_part('epoch', greatest(
                    j.last_finished_at - j.last_started_at, interval '0'
                )) * 1000)::numeric
            ),
            'error', j.last_error
        )
        from monitoring.jobs j
        where j.job_name = p_job_name
    ), '[]');
end
$$;
