-- Claiming a job, noting what became of it, and the lock that shows that it works.
-- Writes jobs, and tasks and errors through their recording functions.
--
-- A run takes two transactions: one claims the job and notes the start of its task, one does the
-- work and notes the end. That a job runs is told by its row (running_pid) and shown by its guard
-- (sql/core/guards.sql), which the transaction that does the work has, and which ends with it in
-- any case. A row that says running while nobody has the guard belongs to a session that is gone. A
-- session that begins the work and finds the row no longer its own leaves the job alone: no two
-- runs overlap.
--
-- Lock order: the guard of a job, then its row. Whoever has the row first (to claim, to cancel, to
-- close what is lost) waits for nothing: "skip locked", and a try at the guard.

-- Notes in a job's row how its run ended, and records an error unless it completed.
create or replace function monitoring._note_job_end(
    p_job_name text, p_status text, p_error jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_failures integer := case p_status when 'completed' then 0 else 1 end;
begin
    update monitoring.jobs
    set
        running_pid = null,
        cancelled_at = null,
        cancellations = 0,
        last_finished_at = monitoring.clock(),
        last_status = p_status,
        last_error = case
            when p_error is not null then monitoring._capped_text(
                concat_ws(
                    E'\n', p_error ->> 'message', 'SQLSTATE: ' || (p_error ->> 'sqlstate'),
                    'Hint: ' || (p_error ->> 'hint')
                ),
                8000
            )
        end,
        failures = failures + v_failures,
        consecutive_failures = (consecutive_failures + v_failures) * v_failures
    where job_name = p_job_name;
    if p_status <> 'completed' then
        perform monitoring._record_error(
            'pgvigil.' || p_job_name, 'job_' || p_status, 'high', p_error ->> 'message', 'pgvigil',
            p_error - 'message' - 'context', p_error ->> 'context', null, null
        );
    end if;
end
$$;

-- Locks and returns the job that has been due longest, names passed over left out; null when
-- there is none.
create or replace function monitoring._find_due_job(p_due_until timestamptz, p_passed_over text[])
returns monitoring.jobs
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job monitoring.jobs;
begin
    select j.* into v_job
    from monitoring.jobs j
    where j.running_pid is null
        and least(j.requested_at, case when j.is_enabled then j.next_run_at end) <= p_due_until
        and j.job_name <> all (coalesce(p_passed_over, '{}'))
    order by least(j.requested_at, j.next_run_at), j.job_name
    limit 1
    for update skip locked;
    return v_job;
end
$$;

-- Marks the job that has been due longest as run by this session, plans its next run and starts
-- its task; returns its name, or null when none is due.
create or replace function monitoring._claim_job(p_due_until timestamptz, p_passed_over text[])
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz;
    v_job monitoring.jobs;
    v_next_run_at timestamptz;
    v_missed_runs bigint;
    v_task_id text;
begin
    if coalesce(cardinality(p_passed_over), 0) = 0 then
        perform monitoring._look_at_clock();
        perform monitoring._put_jobs_right(monitoring.clock());
    end if;
    loop
        v_job := monitoring._find_due_job(p_due_until, p_passed_over);
        if v_job.job_name is null then
            return null;
        end if;
        v_now := monitoring.clock();
        begin
            select p.p_next_run_at, p.p_missed_runs into v_next_run_at, v_missed_runs
            from monitoring._plan_next_run(v_job, v_now) p;
            exit;
        exception
            when others then
                -- A time zone may be gone after an update. The other jobs go on.
                perform monitoring._note_job_end(
                    v_job.job_name, 'failed',
                    jsonb_build_object('message', sqlerrm, 'sqlstate', sqlstate)
                );
                update monitoring.jobs
                set requested_at = null, next_run_at = v_now + interval '1 hour'
                where job_name = v_job.job_name;
        end;
    end loop;

    update monitoring.jobs
    set
        running_pid = pg_backend_pid(),
        requested_at = null,
        next_run_at = v_next_run_at,
        last_started_at = v_now,
        runs = runs + 1,
        missed_runs = missed_runs + v_missed_runs
    where job_name = v_job.job_name;
    v_task_id := 'pgvigil.' || v_job.job_name;
    perform monitoring._start_task(
        v_task_id, v_task_id, null, nullif(current_setting('application_name'), ''), null,
        case when v_missed_runs > 0 then jsonb_build_object('missed_runs', v_missed_runs) end,
        null, null
    );
    return v_job.job_name;
end
$$;
