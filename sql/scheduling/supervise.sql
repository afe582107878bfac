-- Looking after runs of other sessions: those that take too long, and those whose session is gone.
-- Writes jobs, and tasks and errors through their recording functions.

-- Cancels the run of a job whose row is locked, or ends its session at the third time; false,
-- with a warning, when the caller may not.
create or replace function monitoring._cancel_job(p_job monitoring.jobs) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.jobs
    set cancelled_at = monitoring.clock(), cancellations = cancellations + 1
    where job_name = p_job.job_name;
    if p_job.cancellations < 2 then
        return pg_cancel_backend(p_job.running_pid);
    end if;
    raise warning 'job % goes on though it was cancelled twice: its session is ended',
        p_job.job_name;
    return pg_terminate_backend(p_job.running_pid);
exception
    when insufficient_privilege then
        raise warning 'job % runs too long and was not cancelled: %', p_job.job_name, sqlerrm
            using hint = 'Let all runners log in as the same role, or grant them pg_signal_backend.';
        return false;
end
$$;

create or replace function monitoring.cancel_overdue_jobs() returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_job monitoring.jobs;
    v_cancelled integer := 0;
begin
    perform monitoring._cancel_overdue_rules();
    for v_job in
        select j.*
        from monitoring.jobs j
        where j.running_pid <> pg_backend_pid()
            and j.last_started_at + make_interval(secs => j.timeout_seconds) < monitoring.clock()
            -- A second one must not meet a session that is busy obeying the first.
            and (
                j.cancelled_at not between monitoring.clock() - interval '10 seconds'
                and monitoring.clock()
            ) is not false
        -- A run cannot end without its row, so while we have that the session is at this job.
        for update skip locked
    loop
        -- Nobody is at it when its guard is to be had.
        if exists (
            select from monitoring.v_jobs v
            where v.job_name = v_job.job_name and v.running_pid = v_job.running_pid
        ) and not monitoring._try_guard('job ' || v_job.job_name) then
            v_cancelled := v_cancelled + monitoring._cancel_job(v_job)::integer;
        end if;
    end loop;
    return v_cancelled;
end
$$;

comment on function monitoring.cancel_overdue_jobs() is
'For runners: cancels the runs of jobs, and the queries of alert rules, that take too long, and '
'ends the sessions of those that go on all the same. Returns how many runs; such a run is undone '
'and ends as timeout.';

-- Notes runs whose session is gone as lost, so that their jobs run again when they are due;
-- returns how many.
create or replace function monitoring._close_lost_jobs() returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_job monitoring.jobs;
    v_closed integer := 0;
begin
    for v_job in
        select j.*
        from monitoring.jobs j
        where j.running_pid is not null
            -- Between claim and work a session holds no lock for a moment.
            and (
                j.last_started_at < monitoring.clock() - interval '10 seconds'
                or j.running_pid = pg_backend_pid()
                or not exists (select from pg_stat_activity a where a.pid = j.running_pid)
            )
        for update skip locked
    loop
        -- Held by nobody, and by us until the row is written.
        if monitoring._try_guard('job ' || v_job.job_name) then
            perform monitoring._finish_job(
                v_job.job_name, v_job.running_pid, 'lost', null,
                case
                    when v_job.cancellations > 2 then jsonb_build_object(
                        'message', 'it took longer than its timeout and went on when it was '
                            'cancelled, so its session was ended',
                        'hint', 'Catch no query_canceled in it. What it did was undone.'
                    )
                    else jsonb_build_object(
                        'message', format('the run that began at %s ended without a report',
                            v_job.last_started_at),
                        'hint', 'Its session was ended, or the server stopped. What it did was '
                            'undone.'
                    )
                end
            );
            v_closed := v_closed + 1;
        end if;
    end loop;
    return v_closed;
end
$$;
