-- When steps are expected to be complete. Reads and writes nothing; docs/batch.md has the formula.

-- Seconds that a run takes in all. For what is left its own rate counts by the share that it has
-- done, what is usual by the rest.
create or replace function monitoring._whole_seconds(
    p_usual double precision,
    p_elapsed double precision,
    p_fraction double precision,
    p_own double precision
)
returns double precision
language sql
immutable
return greatest(
    case
        when p_fraction > 0 and p_own > 0
            then p_fraction * p_own
                + (1 - p_fraction) * case
                    when p_usual is null then p_own
                    else p_fraction * p_own + (1 - p_fraction) * greatest(p_usual, p_elapsed)
                end
        else p_usual
    end,
    p_elapsed
);

-- The seconds, or null when they are more than 366 days: that is no estimate.
create or replace function monitoring._sensible_seconds(p_seconds double precision)
returns double precision
language sql
immutable
return case when p_seconds <= 31622400 then p_seconds end;

-- Seconds that a running step takes in all: at best, most likely and at worst.
create or replace function monitoring._running_estimate(
    p_step monitoring.batch_step, p_usual double precision[], p_now timestamptz
)
returns double precision[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_elapsed double precision := greatest(
        date_part('epoch', p_now - p_step.run_started_at), 0
    );
    v_fraction double precision := coalesce(p_step.run_fraction, 0);
    v_own double precision := greatest(date_part(
        'epoch', least(p_step.run_progress_at, p_now) - p_step.run_started_at
    ), 0) / nullif(v_fraction, 0);
begin
    if v_own > 0 then
        return array(
            -- Its own rate alone says nothing of a range.
            select case when u.place = 2 or u.seconds is not null
                then monitoring._sensible_seconds(
                    monitoring._whole_seconds(u.seconds, v_elapsed, v_fraction, v_own)
                ) end
            from unnest(p_usual) with ordinality u (seconds, place)
            order by u.place
        );
    end if;
    return array[
        case when p_usual[1] is not null then greatest(p_usual[1], v_elapsed) end,
        -- Past what is usual, half way to the slowest; past that nobody knows.
        case
            when v_elapsed <= p_usual[2] then p_usual[2]
            when v_elapsed < p_usual[3] then (v_elapsed + p_usual[3]) / 2
        end,
        case when v_elapsed < p_usual[3] then p_usual[3] end
    ];
end
$$;

-- When a step that does not run begins next, or with several runs to come the last of them.
create or replace function monitoring._next_start(
    p_workflow monitoring.workflows,
    p_step monitoring.batch_step,
    p_schedule text,
    p_runs integer,
    p_now timestamptz
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_day_end timestamptz := monitoring._day_start(p_workflow, p_step.business_date + 1);
    v_at timestamptz := p_step.run_started_at;
    v_next timestamptz;
begin
    if v_at is null or p_schedule is null then
        return greatest(p_step.due_at, p_now);
    end if;
    for v_run in 1 .. p_runs loop
        v_next := monitoring.next_cron_time(
            monitoring._expected_cron(p_schedule), v_at, p_workflow.time_zone
        );
        exit when (v_next < v_day_end) is not true;
        v_at := v_next;
    end loop;
    return greatest(v_at, p_now);
end
$$;

-- How many runs a repeated step needs for what remains, each doing as much as those before: 1 to
-- 100.
create or replace function monitoring._runs_left(p_step monitoring.batch_step) returns integer
language sql
immutable
return least(
    greatest(
        ceil(
            p_step.records_remaining::double precision * p_step.runs
            / nullif(p_step.records_processed, 0)
        ),
        1
    ),
    100
)::integer;

-- A judged step with when it is expected to be complete, and when those after it need not wait
-- any longer; null where nobody knows.
create or replace function monitoring._estimated_step(
    p_workflow monitoring.workflows,
    p_setting monitoring.workflow_steps,
    p_step monitoring.batch_step,
    p_before monitoring.batch_step[],
    p_usual double precision[],
    p_now timestamptz
)
returns monitoring.batch_step
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_step monitoring.batch_step := p_step;
    v_clear timestamptz [] := monitoring._clear_times(p_before);
    v_seconds double precision [] := coalesce(
        p_usual, array[null, p_setting.expected_seconds, null]
    );
    v_runs integer := 1;
    v_start timestamptz;
    v_is_over boolean := p_now >= monitoring._day_start(p_workflow, p_step.business_date + 1);
begin
    if p_setting.is_repeated and p_step.runs > 0 then
        v_runs := monitoring._runs_left(p_step);
    end if;
    if v_step.status = 'running' then
        v_seconds := monitoring._running_estimate(p_step, v_seconds, p_now);
        v_step.eta_from_at := p_step.run_started_at + make_interval(secs => v_seconds[1]);
        v_step.eta_at := p_step.run_started_at + make_interval(secs => v_seconds[2]);
        v_step.eta_to_at := p_step.run_started_at + make_interval(secs => v_seconds[3]);
    elsif v_step.status in ('pending', 'late') and not v_is_over then
        v_start := monitoring._next_start(p_workflow, p_step, p_setting.schedule, v_runs, p_now);
        if v_start > p_now and v_runs > 1 and p_setting.schedule is not null then
            -- Runs before the last have their own times.
            v_runs := 1;
        end if;
        v_step.eta_from_at := case when v_clear[1] is not null
            then greatest(v_start, v_clear[1]) + make_interval(secs => v_runs * v_seconds[1]) end;
        v_step.eta_at := case when v_clear[2] is not null
            then greatest(v_start, v_clear[2]) + make_interval(secs => v_runs * v_seconds[2]) end;
        v_step.eta_to_at := case when v_clear[3] is not null
            then greatest(v_start, v_clear[3]) + make_interval(secs => v_runs * v_seconds[3]) end;
    end if;
    if v_step.status = 'skipped' or v_step.is_optional then
        v_step.clear_from_at := v_clear[1];
        v_step.clear_at := v_clear[2];
        v_step.clear_to_at := v_clear[3];
    else
        v_step.clear_from_at := coalesce(v_step.through_at, v_step.eta_from_at);
        v_step.clear_at := coalesce(v_step.through_at, v_step.eta_at);
        v_step.clear_to_at := coalesce(v_step.through_at, v_step.eta_to_at);
    end if;
    return v_step;
end
$$;

-- When all of some steps are through: at best, most likely and at worst; null where that is not
-- known of one, -infinity where there are none.
create or replace function monitoring._clear_times(p_before monitoring.batch_step[])
returns timestamptz[]
language sql
immutable
begin atomic
    select
        array[
            case
                when count(*) = count(b.clear_from_at)
                    then coalesce(max(b.clear_from_at), '-infinity')
            end,
            case when count(*) = count(b.clear_at) then coalesce(max(b.clear_at), '-infinity') end,
            case
                when count(*) = count(b.clear_to_at)
                    then coalesce(max(b.clear_to_at), '-infinity')
            end
        ]
    from unnest(p_before) as b;
end;
