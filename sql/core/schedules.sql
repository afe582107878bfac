-- What a schedule may be, wherever one is taken: jobs, expected runs, steps of workflows, daily
-- summaries. A cron expression or a word such as @daily, a time of day such as 02:30, or an
-- interval such as every 5 minutes. Reads and writes nothing.

-- The cron expression that a schedule is or stands for: five words, one such as @daily, or a
-- time of day such as 02:30. Null when it looks like none, for an interval.
create or replace function monitoring._cron_of(p_schedule text) returns text
language sql
stable
return case
    -- A time of day is one of every day.
    when p_schedule ~* '^\s*((every\s+day|daily)\s+)?(at\s+)?\d{1,2}:\d{2}(:00)?\s*$'
        then regexp_replace(p_schedule, '^\D*(\d{1,2}):(\d{2}).*$', '\2 \1 * * *')
    when p_schedule ~* '^\s*@?every\s' then null
    -- No interval of five words is worth writing.
    when p_schedule ~ '^\s*(@[a-zA-Z]+|\S+(\s+\S+){4})\s*$' then p_schedule
end;

-- Whether a schedule goes by the clock (a cron expression, a time of day) rather than being an
-- interval.
create or replace function monitoring._is_cron(p_schedule text) returns boolean
language sql
stable
return monitoring._cron_of(p_schedule) is not null;

-- The interval that a text stands for, with every before it or not; or null.
create or replace function monitoring._parse_interval(p_schedule text) returns interval
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_text text := regexp_replace(p_schedule, '^[[:space:]]*@?every[[:space:]]+', '', 'i');
begin
    -- "every hour" is one.
    return (case when v_text <> p_schedule and v_text !~ '[0-9]' then '1 ' else '' end || v_text)
        ::interval;
exception
    when data_exception then
        return null;
end
$$;

-- What is said to whoever gives a schedule that is none.
create or replace function monitoring._schedule_hint() returns text
language sql
stable
return concat(
    'Use an interval without months such as ''5 minutes'', a time of day such as ''02:30'', or a ',
    'cron expression such as ''30 2 * * mon-fri''.'
);

-- Length of an interval schedule in seconds, a day being 24 hours; PV003 when it is none or has
-- months, PV004 unless it is 1 second to 10 years.
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
            hint = monitoring._schedule_hint();
    end if;
    if v_seconds not between 1 and 315576000 then
        perform monitoring._refuse_number('schedule', p_schedule,
            'an interval of 1 second to 10 years');
    end if;
    return v_seconds;
end
$$;

-- The cron expression that an interval stands for where runs go by the clock; null unless it
-- divides an hour or a day.
create or replace function monitoring._clock_of_interval(p_schedule text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_minutes double precision := date_part('epoch', monitoring._parse_interval(p_schedule)) / 60;
begin
    return case
        when v_minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
            then format('*/%s * * * *', v_minutes)
        when v_minutes in (60, 120, 180, 240, 360, 480, 720)
            then format('0 */%s * * *', v_minutes / 60)
        when v_minutes = 1440 then '0 0 * * *'
    end;
end
$$;

-- The time of day of a schedule that is due once a day, as hours and minutes; else as it is.
create or replace function monitoring._time_of_day(p_schedule text) returns text
language sql
stable
return case
    when p_schedule ~* '^\s*@(daily|midnight)\s*$' then '00:00'
    when monitoring._cron_of(p_schedule) ~ '^\s*\d{1,2}\s+\d{1,2}(\s+\*){3}\s*$'
        then regexp_replace(
                regexp_replace(
                    monitoring._cron_of(p_schedule), '^\s*(\d+)\s+(\d+).*$', '0\2:0\1'
                ),
                '^0?(\d\d):0?(\d\d)$', '\1:\2'
            )
    else p_schedule
end;

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
