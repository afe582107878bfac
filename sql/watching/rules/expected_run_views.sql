-- Expected runs as people see them: when each was due and is due next, when it last began, and
-- whether it is missing. Reads expected_runs, what is known of each, and active_tasks.

-- When each expected run was due and is due next, and when it last began.
create or replace function monitoring._times_of_expected_runs(p_now timestamptz)
returns table (
    expected monitoring.expected_runs,
    next_due_at timestamptz,
    last_due_at timestamptz,
    last_start_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with new_starts as materialized (
        select n.* from monitoring._newest_expected_starts(9223372036854775807, '{}') n
    ),

    running as materialized (
        select r.name, max(r.started_at) as started_at
        from (
            select t.task_type as name, t.started_at from monitoring.active_tasks t
            union all
            select i.task_id, i.started_at from monitoring.active_tasks i
        ) r
        where r.started_at <= p_now
        group by r.name
    ),

    known as (
        select
            e as expected,
            s.every_seconds,
            coalesce(
                monitoring._holds(s, e, p_now)
                and p_now < coalesce(f.following_at, s.next_due_at)
                and coalesce(n.last_start_at <= p_now, true),
                false
            ) as is_known,
            coalesce(f.due_at, s.last_due_at) as last_due_at,
            nullif(coalesce(f.following_at, s.next_due_at), 'infinity') as next_due_at,
            greatest(r.started_at, s.last_start_at, n.last_start_at) as last_start_at,
            greatest(
                r.started_at,
                monitoring._counted_start(
                    e,
                    greatest(s.last_start_at, n.last_start_at),
                    greatest(s.last_success_at, n.last_success_at)
                )
            ) as counted_at
        from monitoring.expected_runs e
        left join monitoring.expected_run_states s on s.task_type = e.task_type
        left join monitoring._following_due_times(p_now) f
            on f.schedule = e.schedule
            and f.time_zone = e.time_zone
            and f.due_at = s.next_due_at
        left join new_starts n on n.task_type = e.task_type
        left join running r on r.name = e.task_type
    ),

    -- Those that are not known, or no longer, are looked up.
    times as (
        select
            k.expected,
            case
                when k.is_known then k.last_start_at
                else monitoring._last_start_at((k.expected).task_type, p_now)
            end as last_start_at,
            case
                when not (k.expected).is_enabled then null
                when not k.is_known then monitoring._last_due_at(k.expected, p_now, p_now)
                when k.every_seconds is null then k.last_due_at
            end as last_due_at,
            case
                when not (k.expected).is_enabled then null
                when not k.is_known then monitoring._next_due_at(k.expected, p_now)
                when k.every_seconds is null then k.next_due_at
                else greatest(k.counted_at, (k.expected).expected_since_at)
                    + make_interval(secs => k.every_seconds)
            end as next_due_at,
            k.is_known and k.every_seconds is not null as is_counted
        from known k
    )

    select
        t.expected,
        t.next_due_at,
        case
            when t.is_counted and t.next_due_at <= p_now then t.next_due_at
            else t.last_due_at
        end,
        t.last_start_at
    from times t;
end
$$;

-- Reads expected runs for v_expected_runs, for people who may not read the tables.
create or replace function monitoring._read_expected_runs()
returns table (
    task_type text,
    schedule text,
    time_zone text,
    grace_seconds double precision,
    early_seconds double precision,
    is_enabled boolean,
    next_due_at timestamptz,
    last_due_at timestamptz,
    last_start_at timestamptz,
    is_missed boolean,
    changed_by text,
    changed_at timestamptz,
    counts text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    return query
    select
        (t.expected).task_type,
        (t.expected).schedule,
        (t.expected).time_zone,
        (t.expected).grace_seconds,
        (t.expected).early_seconds,
        (t.expected).is_enabled,
        t.next_due_at,
        t.last_due_at,
        t.last_start_at,
        m.task_type is not null,
        (t.expected).changed_by,
        (t.expected).changed_at,
        (t.expected).counts
    from monitoring._times_of_expected_runs(v_now) t
    left join monitoring._missed_runs(v_now) m on m.task_type = (t.expected).task_type;
end
$$;

create or replace view monitoring.v_expected_runs as
select
    r.task_type,
    r.schedule,
    r.time_zone,
    r.grace_seconds,
    r.early_seconds,
    r.is_enabled,
    r.next_due_at,
    r.last_due_at,
    r.last_start_at,
    r.is_missed,
    r.changed_by,
    r.changed_at,
    r.counts
from monitoring._read_expected_runs() as r;

comment on view monitoring.v_expected_runs is
'Runs that are expected by the clock, and whether one is missing.';
comment on column monitoring.v_expected_runs.task_type is
'What kind of work, or which task by its name, is expected.';
comment on column monitoring.v_expected_runs.schedule is
'Cron expression, time of day such as 02:30, or interval such as 5 minutes.';
comment on column monitoring.v_expected_runs.time_zone is
'Time zone by whose clocks it goes.';
comment on column monitoring.v_expected_runs.grace_seconds is
'Seconds by which a run may start late before it counts as missed.';
comment on column monitoring.v_expected_runs.early_seconds is
'Seconds by which a run may start early and still be the one that is due.';
comment on column monitoring.v_expected_runs.is_enabled is
'Whether runs are expected at present.';
comment on column monitoring.v_expected_runs.next_due_at is
'When the next run is due; null when none is expected at present.';
comment on column monitoring.v_expected_runs.last_due_at is
'When a run was last due; null when none has been since runs are expected.';
comment on column monitoring.v_expected_runs.last_start_at is
'When the newest attempt began, whether it runs or has ended; null when none is known of.';
comment on column monitoring.v_expected_runs.is_missed is
'Whether a run was due, its grace is over, and none that counts has come since.';
comment on column monitoring.v_expected_runs.changed_by is
'Who said so last.';
comment on column monitoring.v_expected_runs.changed_at is
'When they did.';
comment on column monitoring.v_expected_runs.counts is
'Which runs count: starts, whatever becomes of them, or successes.';
