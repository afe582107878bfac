-- What people decide about jobs. Whoever runs jobs is woken by a notice on monitoring_jobs.
-- Writes jobs.

-- Raises PV003 or PV004 unless the schedule is a cron expression, a time of day or an interval
-- of one second to ten years.
create or replace function monitoring._check_schedule(p_schedule text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._checked_name('schedule', p_schedule);
    if monitoring._is_cron(p_schedule) then
        perform monitoring._check_cron(p_schedule);
    else
        perform monitoring._seconds_between_runs(p_schedule);
    end if;
end
$$;

-- When a job is first due by a new schedule; by an interval that long after its last run, and at
-- once when there was none.
create or replace function monitoring._first_run_at(p_job monitoring.jobs) returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    if monitoring._is_cron(p_job.schedule) then
        return monitoring.next_cron_time(p_job.schedule, v_now, p_job.time_zone);
    end if;
    return greatest(
        v_now,
        case when p_job.last_started_at < v_now then p_job.last_started_at end
            + make_interval(secs => monitoring._seconds_between_runs(p_job.schedule))
    );
end
$$;

-- Tells whoever listens on monitoring_jobs that a job's plan has changed.
create or replace function monitoring._wake_runners(p_job_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_notify('monitoring_jobs', p_job_name);
end
$$;

create or replace function monitoring.schedule_job(
    p_job_name text,
    p_schedule text,
    p_procedure_name text,
    p_time_zone text default 'UTC',
    p_timeout interval default '10 minutes',
    p_description text default null
)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_timeout double precision := date_part('epoch', p_timeout);
    v_old monitoring.jobs;
    v_new monitoring.jobs;
begin
    perform monitoring._checked_name('job_name', p_job_name);
    perform monitoring._checked_name('the task of the job', 'pgvigil.' || p_job_name);
    perform monitoring._check_time_zone(p_time_zone);
    perform monitoring._check_schedule(p_schedule);
    perform monitoring._find_job_routine(p_procedure_name);
    if (v_timeout > 0 and v_timeout <= 315576000) is not true then
        perform monitoring._refuse_number('timeout', p_timeout::text,
            'an interval of more than 0 and at most 10 years');
    end if;

    insert into monitoring.jobs (job_name, schedule, procedure_name)
    values (p_job_name, '', '')
    on conflict (job_name) do nothing;
    select j.* into v_old from monitoring.jobs j where j.job_name = p_job_name for update;
    v_new := v_old;
    v_new.schedule := p_schedule;
    v_new.time_zone := p_time_zone;
    -- A deployment that says the same again must not move the next run.
    if (v_new.schedule, v_new.time_zone) is distinct from (v_old.schedule, v_old.time_zone) then
        v_new.next_run_at := monitoring._first_run_at(v_new);
    else
        v_new.next_run_at := monitoring._planned_run_at(v_new, monitoring.clock());
    end if;
    if v_new.next_run_at is null then
        perform monitoring._refuse_number('schedule', p_schedule, 'one that is due some day');
    end if;
    update monitoring.jobs
    set
        schedule = v_new.schedule,
        time_zone = v_new.time_zone,
        next_run_at = v_new.next_run_at,
        procedure_name = p_procedure_name,
        timeout_seconds = v_timeout,
        description = coalesce(monitoring._capped_text(p_description, 8000), description)
    where job_name = p_job_name;
    perform monitoring._wake_runners(p_job_name);
    return v_new.next_run_at;
end
$$;

comment on function monitoring.schedule_job(text, text, text, text, interval, text) is
'Adds a job or changes it: a function or procedure (schema.name) to call every so often, at a time '
'of day or by a cron expression, with the rights of the owner of pgvigil. Returns when it is due '
'next.';

create or replace function monitoring.unschedule_job(p_job_name text) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.jobs where job_name = p_job_name;
    return found;
end
$$;

comment on function monitoring.unschedule_job(text) is
'Removes a job; false when there is none of that name. A run that has begun goes on.';

create or replace function monitoring.enable_job(p_job_name text, p_is_enabled boolean default true)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job monitoring.jobs;
begin
    select j.* into v_job from monitoring.jobs j where j.job_name = p_job_name for update;
    if not found then
        perform monitoring._refuse_unknown(
            'job', p_job_name, 'Take the name from v_jobs, or schedule the job first.'
        );
    end if;
    if p_is_enabled and not v_job.is_enabled then
        v_job.is_enabled := true;
        -- What passed while it was disabled was not missed.
        select p.p_next_run_at into v_job.next_run_at
        from monitoring._plan_next_run(v_job, monitoring.clock()) p;
    end if;
    v_job.next_run_at := monitoring._planned_run_at(v_job, monitoring.clock());
    update monitoring.jobs
    set is_enabled = coalesce(p_is_enabled, true), next_run_at = v_job.next_run_at
    where job_name = p_job_name;
    perform monitoring._wake_runners(p_job_name);
end
$$;

comment on function monitoring.enable_job(text, boolean) is
'Lets a job''s schedule count, or not; a run that has begun goes on. What passed while it was '
'disabled does not count as missed.';

create or replace function monitoring.request_job(p_job_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.jobs
    set requested_at = coalesce(requested_at, monitoring.clock())
    where job_name = p_job_name;
    if not found then
        perform monitoring._refuse_unknown(
            'job', p_job_name, 'Take the name from v_jobs, or schedule the job first.'
        );
    end if;
    perform monitoring._wake_runners(p_job_name);
end
$$;

comment on function monitoring.request_job(text) is
'Makes a job due now, once, even a disabled one, and wakes the runners. Its schedule stays as it '
'is; while it runs, a further run follows.';
