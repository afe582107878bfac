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

create or replace function monitoring.define_job(
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
    v_settings jsonb;
    v_is_new boolean;
    v_job monitoring.jobs;
    v_next_run_at timestamptz;
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

    v_settings := jsonb_strip_nulls(jsonb_build_object(
        'schedule', p_schedule,
        'time_zone', p_time_zone,
        'procedure_name', p_procedure_name,
        'timeout_seconds', v_timeout,
        'description', monitoring._capped_text(p_description, 8000)
    ));
    insert into monitoring.jobs (job_name, decided, changed_by, changed_at)
    values (p_job_name, v_settings, session_user, monitoring.clock())
    on conflict (job_name) do nothing;
    v_is_new := found;
    select j.* into v_job from monitoring.jobs j where j.job_name = p_job_name for update;
    -- A deployment that says the same again must not move the next run.
    if v_is_new or (v_job.schedule, v_job.time_zone) <> (p_schedule, p_time_zone) then
        v_job.schedule := p_schedule;
        v_job.time_zone := p_time_zone;
        v_next_run_at := monitoring._first_run_at(v_job);
    else
        v_next_run_at := monitoring._planned_run_at(v_job, monitoring.clock());
    end if;
    if v_next_run_at is null then
        perform monitoring._refuse_number('schedule', p_schedule, 'one that is due some day');
    end if;
    perform monitoring._decide_job(
        v_job, v_job.decided - array['time_zone', 'procedure_name', 'timeout_seconds'] || (
            select jsonb_object_agg(s.key, s.value)
            from jsonb_each(v_settings) s
            where s.key = 'schedule' or s.value is distinct from v_job.shipped -> s.key
        ),
        v_next_run_at
    );
    return v_next_run_at;
end
$$;

comment on function monitoring.define_job(text, text, text, text, interval, text) is
'Adds a job or changes it: a function or procedure (schema.name) to call every so often, at a time '
'of day or by a cron expression, with the rights of the owner of pgvigil. Returns when it is due '
'next.';

-- Notes what people decided about a job and when it is due next, and wakes the runners.
create or replace function monitoring._decide_job(
    p_job monitoring.jobs, p_decided jsonb, p_next_run_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.jobs
    set
        decided = p_decided,
        changed_by = case when p_decided <> '{}' then session_user end,
        changed_at = case when p_decided <> '{}' then monitoring.clock() end,
        next_run_at = p_next_run_at
    where job_name = p_job.job_name;
    perform monitoring._wake_runners(p_job.job_name);
end
$$;

-- Locks and returns the job of that name, or raises PV007.
create or replace function monitoring._found_job(p_job_name text) returns monitoring.jobs
language plpgsql
volatile
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
    return v_job;
end
$$;

create or replace function monitoring.remove_job(p_job_name text) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.jobs where job_name = p_job_name and shipped = '{}';
    if found then
        return true;
    elsif exists (select from monitoring.jobs j where j.job_name = p_job_name) then
        raise exception using
            errcode = 'PV003',
            message = format('job "%s" is built in and cannot be removed', p_job_name),
            hint = format('Disable it: select disable_job(%L).', p_job_name);
    end if;
    return false;
end
$$;

comment on function monitoring.remove_job(text) is
'Removes a job that was added, and returns whether there was one; built-in ones are disabled '
'instead. A run that has begun goes on.';

-- Whether a job's schedule counts; null is as shipped.
create or replace function monitoring._switch_job(
    p_job_name text, p_is_enabled boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job monitoring.jobs := monitoring._found_job(p_job_name);
    v_is_enabled constant boolean := coalesce(
        p_is_enabled, (v_job.shipped ->> 'is_enabled')::boolean, true
    );
begin
    if v_is_enabled and not v_job.is_enabled then
        v_job.is_enabled := true;
        -- What passed while it was disabled was not missed.
        select p.p_next_run_at into v_job.next_run_at
        from monitoring._plan_next_run(v_job, monitoring.clock()) p;
    end if;
    perform monitoring._decide_job(
        v_job,
        jsonb_strip_nulls(v_job.decided || jsonb_build_object('is_enabled', p_is_enabled)),
        monitoring._planned_run_at(v_job, monitoring.clock())
    );
end
$$;

create or replace function monitoring.enable_job(p_job_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_job(p_job_name, true);
end
$$;

comment on function monitoring.enable_job(text) is
'Lets a job''s schedule count again. What passed while it was disabled does not count as '
'missed.';

create or replace function monitoring.disable_job(p_job_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_job(p_job_name, false);
end
$$;

comment on function monitoring.disable_job(text) is
'Has a job no longer begin by its schedule; a run that has begun goes on, and request_job() '
'still has it run.';

create or replace function monitoring.reset_job(p_job_name text) returns timestamptz
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job monitoring.jobs := monitoring._found_job(p_job_name);
    v_next_run_at timestamptz;
begin
    if v_job.shipped = '{}' then
        raise exception using
            errcode = 'PV003',
            message = format('job "%s" is your own, so there is nothing shipped to go back to', p_job_name),
            hint = 'Change it, or remove it with remove_job().';
    end if;
    perform monitoring._decide_job(v_job, '{}', v_job.next_run_at);
    select j.* into v_job from monitoring.jobs j where j.job_name = p_job_name;
    v_next_run_at := monitoring._first_run_at(v_job);
    update monitoring.jobs set next_run_at = v_next_run_at where job_name = p_job_name;
    return v_next_run_at;
end
$$;

comment on function monitoring.reset_job(text) is
'Takes back all that people set about a built-in job, so that it is as shipped. Returns when it is '
'due next.';

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
