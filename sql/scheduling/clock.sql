-- A clock that moves. Where it stood is noted whenever somebody looks for due jobs. What it wrote
-- while it was ahead is put right once it has been put back: a time that cannot be, is now. What
-- removes rows waits after it went on by far more than usual: that may be a pause, and may be a
-- clock that is wrong. Writes clock_readings and jobs, and errors through their recording function.

-- Notes where the clock stands, and whether it has moved by far more than usual. When it was put
-- back, what it had noted is put right, and an error tells of it.
create or replace function monitoring._look_at_clock() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_seen monitoring.clock_readings;
begin
    select r.* into v_seen from monitoring.clock_readings r for update skip locked;
    if not found or v_now - v_seen.seen_at between interval '0' and interval '30 seconds' then
        return;
    end if;
    if monitoring._is_jump(v_seen.seen_at, v_now, v_seen.last_step_ms) then
        v_seen.moved_at := v_now;
        v_seen.moved_from_at := v_seen.seen_at;
    elsif v_seen.moved_at > v_now then
        v_seen.moved_at := null;
        v_seen.moved_from_at := null;
    end if;
    update monitoring.clock_readings
    set
        seen_at = v_now,
        last_step_ms = case
            when v_now > v_seen.seen_at then date_part('epoch', v_now - v_seen.seen_at) * 1000
            else v_seen.last_step_ms
        end,
        moved_at = v_seen.moved_at,
        moved_from_at = v_seen.moved_from_at;
    if v_now < v_seen.seen_at - interval '1 minute' then
        perform monitoring._put_sources_right(v_now);
        perform monitoring._put_decisions_right(v_now);
        perform monitoring._put_states_right(v_now);
    end if;
    if v_now < v_seen.seen_at - interval '5 minutes' then
        perform monitoring._record_error(
            '', 'ClockPutBack', 'high',
            format('the clock was put back by %s, to %s',
                monitoring._spell_seconds(date_part('epoch', v_seen.seen_at - v_now)),
                to_char(v_now at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')),
            'pgvigil', jsonb_build_object('from', v_seen.seen_at, 'to', v_now), null, null, null
        );
    end if;
end
$$;

-- When a job is due next: what is planned for later than its schedule would have it was planned
-- by a clock that was ahead, and is due as its schedule says.
create or replace function monitoring._planned_run_at(
    p_job monitoring.jobs, p_now timestamptz
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_job.next_run_at > p_now + interval '1 minute') is not true then
        return p_job.next_run_at;
    end if;
    if monitoring._is_cron(p_job.schedule) then
        return least(p_job.next_run_at, monitoring.next_cron_time(
            p_job.schedule,
            -- One that is put back by less than three hours makes nothing run twice, as in cron.
            case
                when p_job.last_started_at between p_now and p_now + interval '3 hours'
                    then p_job.last_started_at
                else p_now
            end,
            p_job.time_zone
        ));
    elsif p_job.next_run_at > p_now + interval '1 minute'
        + make_interval(secs => monitoring._seconds_between_runs(p_job.schedule)) then
        return p_now;
    end if;
    return p_job.next_run_at;
exception
    when others then
        -- A time zone may be gone; whoever claims the job notes it.
        return p_job.next_run_at;
end
$$;

-- Plans jobs anew that a clock which was ahead has planned, or noted as run, in the time to
-- come.
create or replace function monitoring._put_jobs_right(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job monitoring.jobs;
    v_next_run_at timestamptz;
begin
    for v_job in
        select j.*
        from monitoring.jobs j
        where j.next_run_at > p_now + interval '1 minute'
            or greatest(j.requested_at, j.last_started_at, j.last_finished_at) > p_now + interval '1 minute'
        for update skip locked
    loop
        v_next_run_at := monitoring._planned_run_at(v_job, p_now);
        update monitoring.jobs
        set
            next_run_at = v_next_run_at,
            requested_at = case when requested_at > p_now then p_now else requested_at end,
            -- A cancellation in the time to come keeps no other off, see cancel_overdue_jobs().
            -- How long a run has been going on counts from now; a schedule goes by its last run.
            last_started_at = case
                when last_started_at > p_now + interval '3 hours'
                    or (last_started_at > p_now and running_pid is not null)
                    then p_now
                else last_started_at
            end,
            last_finished_at = case
                when last_finished_at > p_now + interval '3 hours' then p_now
                else last_finished_at
            end
        where job_name = v_job.job_name
            and (
                next_run_at is distinct from v_next_run_at
                or requested_at > p_now
                or greatest(last_started_at, last_finished_at) > p_now + interval '3 hours'
                or (running_pid is not null and last_started_at > p_now)
            );
    end loop;
end
$$;

create or replace function monitoring.confirm_clock() returns timestamptz
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
begin
    update monitoring.clock_readings
    set seen_at = v_now, moved_at = null, moved_from_at = null;
    return v_now;
end
$$;

comment on function monitoring.confirm_clock() is
'Says that the clock is right although it has just gone on by far more than usual, so that '
'clean-ups go on at once. Returns the time that was confirmed.';
