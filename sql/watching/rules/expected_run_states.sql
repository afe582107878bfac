-- What is known of expected runs, kept so that a minute costs only what has changed. An evaluation
-- moves on the runs that were due meanwhile; roll-ups note starts (keeping/rollups/
-- expected_starts.sql). What a state says holds from worked_out_at until verdict_at, and while the
-- expected run is as it was then; otherwise it is looked up anew, so nothing depends on when states
-- are moved on.
-- Writes expected_run_states.

-- Whether what is known of an expected run holds at a time; null where nothing is known.
create or replace function monitoring._holds(
    p_state monitoring.expected_run_states,
    p_expected monitoring.expected_runs,
    p_now timestamptz
)
returns boolean
language sql
immutable
return (
    p_state.worked_out_at between p_expected.changed_at and p_now
    and p_now < p_state.verdict_at
    and coalesce(p_state.last_start_at <= p_now, true)
);

-- When the next time of a cron expression comes; infinity when none does.
create or replace function monitoring._cron_time_after(
    p_expression text, p_after timestamptz, p_time_zone text
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fields text [] := monitoring._split_cron(p_expression);
begin
    return coalesce(
        monitoring._next_cron_time(
            v_fields, monitoring._read_cron(v_fields), p_after, p_time_zone
        ),
        'infinity'
    );
end
$$;

-- What is known of an expected run, from its schedule and its history.
create or replace function monitoring._look_up_expected_run(
    p_expected monitoring.expected_runs, p_now timestamptz
)
returns monitoring.expected_run_states
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_grace constant interval := make_interval(secs => p_expected.grace_seconds);
    v_state monitoring.expected_run_states;
    v_next_due_at timestamptz;
begin
    v_state.task_type := p_expected.task_type;
    v_state.worked_out_at := p_now;
    select l.last_start_at, l.last_success_at into v_state.last_start_at, v_state.last_success_at
    from monitoring._last_ended_starts(p_expected.task_type, p_now) l;
    v_state.judged_due_at := monitoring._last_due_at(p_expected, p_now - v_grace, p_now);
    if monitoring._is_cron(p_expected.schedule) then
        v_state.last_due_at := monitoring._last_due_at(p_expected, p_now, p_now);
        v_state.next_due_at := coalesce(monitoring._next_due_at(p_expected, p_now), 'infinity');
        v_state.verdict_at := v_grace + case
            when v_state.judged_due_at = v_state.last_due_at then v_state.next_due_at
            else monitoring._cron_time_after(
                monitoring._expected_cron(p_expected.schedule),
                coalesce(v_state.judged_due_at, p_expected.expected_since_at),
                p_expected.time_zone
            )
        end;
    else
        v_state.every_seconds := monitoring._seconds_between_runs(p_expected.schedule);
        v_state.next_due_at := 'infinity';
        v_next_due_at := monitoring._next_by_interval(p_expected, p_now);
        v_state.verdict_at := case
            when v_state.judged_due_at is null then v_next_due_at + v_grace
            else 'infinity'
        end;
    end if;
    return v_state;
end
$$;

-- Keeps what is known of an expected run, looked up anew, and returns it.
create or replace function monitoring._keep_expected_run(
    p_expected monitoring.expected_runs, p_now timestamptz
)
returns monitoring.expected_run_states
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_state constant monitoring.expected_run_states := monitoring._look_up_expected_run(
        p_expected, p_now
    );
begin
    delete from monitoring.expected_run_states s where s.task_type = p_expected.task_type;
    if p_expected.is_enabled then
        insert into monitoring.expected_run_states
        select (v_state).*
        -- Somebody says at this moment that it is expected.
        on conflict do nothing;
    end if;
    return v_state;
end
$$;

-- What comes after times at which expected runs were due since they were last moved on. Those with
-- one schedule are due together, so it is worked out once for all of them.
create or replace function monitoring._following_due_times(p_now timestamptz)
returns table (
    schedule text, time_zone text, due_at timestamptz, following_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        d.schedule,
        d.time_zone,
        d.next_due_at,
        monitoring._cron_time_after(
            monitoring._expected_cron(d.schedule), d.next_due_at, d.time_zone
        )
    from (
        select distinct e.schedule, e.time_zone, s.next_due_at
        from monitoring.expected_run_states s
        inner join monitoring.expected_runs e on e.task_type = s.task_type
        where s.next_due_at <= p_now
    ) d;
end
$$;

-- Moves on the runs by the clock that were due meanwhile.
create or replace function monitoring._move_on_due_runs(p_task_types text[], p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.expected_run_states s
    set
        last_due_at = s.next_due_at,
        next_due_at = f.following_at,
        worked_out_at = p_now
    from unnest(p_task_types) t (task_type)
    inner join monitoring.expected_runs e on e.task_type = t.task_type
    inner join monitoring._following_due_times(p_now) f
        on f.schedule = e.schedule and f.time_zone = e.time_zone
    where s.task_type = t.task_type and s.next_due_at = f.due_at;
    -- The grace of the last one is over.
    update monitoring.expected_run_states s
    set
        judged_due_at = s.last_due_at,
        verdict_at = s.next_due_at + make_interval(secs => e.grace_seconds),
        worked_out_at = p_now
    from unnest(p_task_types) t (task_type)
    inner join monitoring.expected_runs e on e.task_type = t.task_type
    where s.task_type = t.task_type
        and s.every_seconds is null
        and s.verdict_at <= p_now
        and s.last_due_at + make_interval(secs => e.grace_seconds) <= p_now;
end
$$;

-- Brings what is known of expected runs up to a time, where that has passed by.
create or replace function monitoring._follow_expected_runs(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    -- An upgrade meets many at once; the others are looked up wherever they are asked for.
    v_most constant integer := 200;
    v_task_types text [];
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        return;
    end if;
    -- Those that a roll-up writes at this moment come the next time: nobody waits in a circle.
    v_task_types := array(
        select s.task_type
        from monitoring.expected_run_states s
        inner join monitoring.expected_runs e on e.task_type = s.task_type
        where s.worked_out_at >= e.changed_at
            and (s.next_due_at <= p_now or s.verdict_at <= p_now)
        for no key update of s skip locked
    );
    perform monitoring._move_on_due_runs(v_task_types, p_now);
    perform monitoring._keep_expected_run(e.expected, p_now)
    from (
        select r as expected
        from monitoring.expected_runs r
        left join monitoring.expected_run_states s on s.task_type = r.task_type
        left join unnest(v_task_types) t (task_type) on t.task_type = r.task_type
        where r.is_enabled
            and (
                s.task_type is null
                or s.worked_out_at < r.changed_at
                or t.task_type is not null
                and (s.next_due_at <= p_now or s.verdict_at <= p_now)
            )
        limit v_most
    ) e;
end
$$;
