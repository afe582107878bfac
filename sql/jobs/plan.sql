-- When a job is due. An interval keeps its phase: runs are whole intervals apart from each other,
-- however late one of them began. A cron expression goes by the clock of the job's time zone.
-- What passed while nobody ran jobs is counted, and not caught up.

create or replace function monitoring._is_cron(p_schedule text) returns boolean
language sql
stable
-- No interval of five words is worth writing.
return p_schedule ~ '^\s*(@[a-zA-Z]+|\S+(\s+\S+){4})\s*$';

comment on function monitoring._is_cron(text) is
'Whether a schedule looks like a cron expression (five words, or one such as @daily) rather than '
'an interval.';

create or replace function monitoring._parse_interval(p_schedule text) returns interval
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_schedule::interval;
exception
    when data_exception then
        return null;
end
$$;

comment on function monitoring._parse_interval(text) is
'The interval that a text stands for, or null.';

create or replace function monitoring._seconds_between_runs(p_schedule text)
returns double precision
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_every interval := monitoring._parse_interval(p_schedule);
    v_seconds double precision := date_part('epoch', v_every);
begin
    -- A month has no length of its own; cron expressions know months.
    if (date_part('year', v_every) = 0 and date_part('month', v_every) = 0) is not true then
        raise exception using
            errcode = 'PV003',
            message = format('schedule is not known: "%s"', left(p_schedule, 100)),
            hint = 'Use an interval without months such as ''5 minutes'', or a cron expression '
                'such as ''0 2 * * *''.';
    end if;
    if v_seconds not between 1 and 315576000 then
        perform monitoring._refuse_number('schedule', p_schedule,
            'an interval of 1 second to 10 years');
    end if;
    return v_seconds;
end
$$;

comment on function monitoring._seconds_between_runs(text) is
'Length of an interval schedule in seconds, a day being 24 hours; PV003 when it is none or has '
'months, PV004 unless it is 1 second to 10 years.';

create or replace function monitoring._plan_next_run(
    p_job monitoring.jobs,
    p_now timestamptz,
    out p_next_run_at timestamptz,
    out p_missed_runs bigint
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_every interval;
    v_latest timestamptz;
begin
    p_next_run_at := p_job.next_run_at;
    p_missed_runs := 0;
    if p_job.next_run_at > p_now or not p_job.is_enabled then
        return;
    end if;
    if monitoring._is_cron(p_job.schedule) then
        p_next_run_at := monitoring.next_cron_time(p_job.schedule, p_now, p_job.time_zone);
        if p_job.next_run_at is not null then
            p_missed_runs := monitoring._count_cron_times(
                p_job.schedule, p_job.next_run_at, p_now, p_job.time_zone
            )::bigint;
        end if;
    else
        v_every := make_interval(secs => monitoring._seconds_between_runs(p_job.schedule));
        v_latest := date_bin(v_every, p_now, coalesce(p_job.next_run_at, p_now));
        p_next_run_at := v_latest + v_every;
        if p_job.next_run_at is not null then
            p_missed_runs := round(
                date_part('epoch', v_latest - p_job.next_run_at) / date_part('epoch', v_every)
            )::bigint;
        end if;
    end if;
end
$$;

comment on function monitoring._plan_next_run(monitoring.jobs, timestamptz) is
'When a job that begins now is due next, and how often it was due since it should have begun.';
