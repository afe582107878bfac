-- What people say about when runs are expected, and when the newest run began. Writes expected_runs
-- and, through expected_run_states.sql, what is known of each.

-- Raises PV001 to PV004 unless the schedule goes by the clock: a cron expression, a time of day,
-- or an interval that divides an hour or a day.
create or replace function monitoring._check_expected_schedule(p_schedule text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._check_schedule(p_schedule);
    if not monitoring._is_cron(p_schedule) and monitoring._clock_of_interval(p_schedule) is null then
        perform monitoring._refuse_number('schedule', p_schedule,
            'an interval that divides an hour or a day, or goes by the clock');
    end if;
end
$$;

-- Seconds of an interval, or PV004 unless it is from 0 to 366 days.
create or replace function monitoring._checked_seconds(p_what text, p_length interval)
returns double precision
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seconds double precision := date_part('epoch', p_length);
begin
    if (v_seconds between 0 and 31622400) is not true then
        perform monitoring._refuse_number(
            p_what, p_length::text, 'an interval from 0 to 366 days'
        );
    end if;
    return v_seconds;
end
$$;

-- Writes down when runs are expected; PV001 to PV004 or PV007 where that cannot be. What is known
-- of them is looked up by the next evaluation.
create or replace function monitoring._set_expected_runs(
    p_task_type text,
    p_schedule text,
    p_time_zone text,
    p_grace interval,
    p_early interval,
    p_is_enabled boolean,
    p_by text,
    p_counts text
)
returns monitoring.expected_runs
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_grace double precision := monitoring._checked_seconds('grace', p_grace);
    v_early double precision := monitoring._checked_seconds('early', p_early);
    v_expected monitoring.expected_runs;
begin
    perform monitoring._checked_name('task_type', p_task_type);
    perform monitoring._check_time_zone(p_time_zone);
    perform monitoring._check_schedule(p_schedule);
    if (p_counts in ('starts', 'successes')) is not true then
        perform monitoring._refuse_choice('counts', p_counts, array['starts', 'successes']);
    end if;
    if monitoring._is_cron(p_schedule)
        and monitoring.next_cron_time(p_schedule, v_now, p_time_zone) is null
    then
        perform monitoring._refuse_number('schedule', p_schedule, 'one that is due some day');
    end if;
    insert into monitoring.expected_runs as e (
        task_type, schedule, time_zone, grace_seconds, early_seconds, counts, is_enabled,
        expected_since_at, changed_by, changed_at
    )
    values (
        p_task_type, p_schedule, p_time_zone, v_grace, v_early, p_counts,
        coalesce(p_is_enabled, true), v_now, coalesce(p_by, session_user), v_now
    )
    on conflict (task_type) do update
        set
            schedule = excluded.schedule,
            time_zone = excluded.time_zone,
            grace_seconds = excluded.grace_seconds,
            early_seconds = excluded.early_seconds,
            counts = excluded.counts,
            is_enabled = excluded.is_enabled,
            -- A deployment that says the same again must not excuse a run that was missed.
            expected_since_at = case
                when (e.schedule, e.time_zone) = (excluded.schedule, excluded.time_zone)
                    and e.is_enabled
                    then e.expected_since_at
                else excluded.expected_since_at
            end,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at
    returning * into v_expected;
    return v_expected;
end
$$;

create or replace function monitoring.define_expected_runs(
    p_task_type text,
    p_schedule text,
    p_time_zone text default 'UTC',
    p_grace interval default '5 minutes',
    p_early interval default '1 minute',
    p_is_enabled boolean default true,
    p_by text default null,
    p_counts text default 'starts'
)
returns timestamptz
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_expected constant monitoring.expected_runs := monitoring._set_expected_runs(
        p_task_type, p_schedule, p_time_zone, p_grace, p_early, p_is_enabled, p_by, p_counts
    );
    v_state constant monitoring.expected_run_states := monitoring._keep_expected_run(
        v_expected, v_expected.changed_at
    );
begin
    return coalesce(
        nullif(v_state.next_due_at, 'infinity'),
        monitoring._next_due_at(v_expected, v_expected.changed_at)
    );
end
$$;

comment on function monitoring.define_expected_runs(
    text, text, text, interval, interval, boolean, text, text
) is
'Has an alert raised when a run of a task type, or a task of that name, does not come: by a cron '
'expression, a time of day or an interval such as 5 minutes, so much late or early at most, '
'counting starts or successes. Returns when one is due next.';

create or replace function monitoring.remove_expected_runs(p_task_type text) returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.expected_run_states s where s.task_type = p_task_type;
    delete from monitoring.expected_runs e where e.task_type = p_task_type;
    return found;
end
$$;

comment on function monitoring.remove_expected_runs(text) is
'Expects runs of a task type no longer; false when none were.';

-- When the newest attempt of a type, or of that name, began that has ended within a year, and the
-- newest that completed; their ends where no start is known.
create or replace function monitoring._last_ended_starts(
    p_task_type text,
    p_now timestamptz,
    p_statuses text[] default null,
    out last_start_at timestamptz,
    out last_success_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_since constant timestamptz := p_now - interval '1 year';
    -- Where attempts overlap, the newest one to begin need not be the last to end.
    v_enough constant integer := 100;
begin
    select max(a.started_at), max(a.started_at) filter (where a.status = 'completed')
    into last_start_at, last_success_at
    from (
        select t.status, coalesce(t.started_at, t.finished_at) as started_at
        from monitoring._newest_attempts(p_task_type, p_statuses, v_since, p_now, v_enough) t
        union all
        -- A program that only ever tells its ends has but a name.
        (
            select t.status, coalesce(t.started_at, t.finished_at)
            from monitoring._all_finished_tasks t
            where t.task_id = p_task_type
                and t.finished_at > v_since
                and t.finished_at <= p_now
                and (p_statuses is null or t.status = any(p_statuses))
            order by t.finished_at desc
            limit v_enough
        )
    ) a;
    -- There may be one behind all that failed since.
    if last_success_at is null and last_start_at is not null and p_statuses is null then
        last_success_at := (
            monitoring._last_ended_starts(p_task_type, p_now, array['completed'])
        ).last_start_at;
    end if;
end
$$;

-- When the newest attempt of a type, or of that name, began that is running or has ended within a
-- year with one of the statuses.
create or replace function monitoring._last_start_at(
    p_task_type text, p_now timestamptz, p_statuses text[] default null
)
returns timestamptz
language sql
stable
return greatest(
    (
        select max(a.started_at) from monitoring.active_tasks as a
        where (a.task_type = p_task_type or a.task_id = p_task_type) and a.started_at <= p_now
    ),
    (monitoring._last_ended_starts(p_task_type, p_now, p_statuses)).last_start_at
);
