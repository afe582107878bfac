-- When expected runs are due, worked out from their schedules. What is known already stands in
-- expected_run_states (expected_run_states.sql).

-- The cron expression that a schedule is, or that a time of day or an interval stands for.
create or replace function monitoring._expected_cron(p_schedule text) returns text
language sql
stable
return coalesce(
    monitoring._cron_of(p_schedule), monitoring._clock_of_interval(p_schedule), p_schedule
);

-- When a cron expression was last due after one time and until another, the latter included;
-- null when it was not.
create or replace function monitoring._last_cron_time(
    p_expression text, p_after timestamptz, p_until timestamptz, p_time_zone text
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fields text [] := monitoring._split_cron(p_expression);
    v_sets bit varying [] := monitoring._read_cron(v_fields);
    v_back interval;
    v_from timestamptz;
    v_to timestamptz := p_until;
    v_last timestamptz;
    v_next timestamptz;
begin
    -- The expression tells what comes next, so go back until something comes, ever further.
    foreach v_back in array array[
        '3 minutes', '70 minutes', '25 hours', '8 days', '32 days', '367 days', '3000 days', '50 years'
    ]::interval [] loop
        v_from := greatest(p_until - v_back, p_after);
        v_last := monitoring._next_cron_time(v_fields, v_sets, v_from, p_time_zone);
        exit when v_last <= p_until or v_from = p_after;
    end loop;
    if (v_last <= p_until) is not true then
        return null;
    end if;
    -- What comes last lies between v_last and v_to.
    loop
        v_next := monitoring._next_cron_time(v_fields, v_sets, v_last, p_time_zone);
        exit when (v_next <= p_until) is not true;
        v_last := v_next;
        v_from := v_last + (v_to - v_last) / 2;
        v_next := monitoring._next_cron_time(v_fields, v_sets, v_from, p_time_zone);
        if v_next <= p_until then
            v_last := v_next;
        else
            v_to := v_from;
        end if;
    end loop;
    return v_last;
end
$$;

-- Statuses of ended attempts that count as runs; null for all.
create or replace function monitoring._counted_statuses(p_counts text) returns text[]
language sql
immutable
return case p_counts when 'successes' then array['completed'] end;

-- When a run that is expected every so often is due, counted from the last that had begun by a
-- time.
create or replace function monitoring._next_by_interval(
    p_expected monitoring.expected_runs, p_until timestamptz
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return greatest(
        monitoring._last_start_at(
            p_expected.task_type, p_until, monitoring._counted_statuses(p_expected.counts)
        ),
        p_expected.expected_since_at
    ) + make_interval(secs => monitoring._seconds_between_runs(p_expected.schedule));
end
$$;

do $$
begin
    perform monitoring._drop_former('_last_due_at(monitoring.expected_runs,timestamptz)');
end
$$;

-- When a run was last due until a time, since it has been expected; null when none was, and of
-- one that is expected every so often when it has come by now, which is that time if left out.
create or replace function monitoring._last_due_at(
    p_expected monitoring.expected_runs, p_until timestamptz, p_now timestamptz default null
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_due_at timestamptz;
begin
    if p_expected.expected_since_at >= p_until then
        return null;
    end if;
    if monitoring._is_cron(p_expected.schedule) then
        return monitoring._last_cron_time(
            monitoring._expected_cron(p_expected.schedule), p_expected.expected_since_at, p_until,
            p_expected.time_zone
        );
    end if;
    v_due_at := monitoring._next_by_interval(p_expected, coalesce(p_now, p_until));
    return case when v_due_at <= p_until then v_due_at end;
end
$$;

-- When the next run is due; of one that is expected every so often also when that is past.
create or replace function monitoring._next_due_at(
    p_expected monitoring.expected_runs, p_now timestamptz
)
returns timestamptz
language sql
stable
return case
    when monitoring._is_cron(p_expected.schedule)
        then monitoring.next_cron_time(
                monitoring._expected_cron(p_expected.schedule), p_now, p_expected.time_zone
            )
    else monitoring._next_by_interval(p_expected, p_now)
end;
