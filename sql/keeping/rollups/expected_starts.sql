-- What new attempts tell of the runs that are expected: when the last one began. Writes
-- expected_run_states, a row for each that is known (watching/rules/expected_run_states.sql).

-- Newest starts and successes of expected runs among new attempts; an attempt counts for its type
-- and for its name.
create or replace function monitoring._newest_expected_starts(
    p_below bigint, p_still_open bigint[]
)
returns table (task_type text, last_start_at timestamptz, last_success_at timestamptz)
language sql
stable
begin atomic
    with attempts as materialized (
        select
            n.task_type,
            n.task_id,
            n.status,
            -- Who tells only the end of a run has run all the same.
            coalesce(n.started_at, n.finished_at) as started_at
        from monitoring._new_tasks() as n
        where n.recorded_xid < p_below and n.recorded_xid <> all(p_still_open)
    )

    select
        s.task_type,
        max(a.started_at) as last_start_at,
        max(a.started_at) filter (where a.status = 'completed') as last_success_at
    from monitoring.expected_run_states as s
    inner join (
        select
            t.task_type as name,
            t.status,
            t.started_at
        from attempts as t
        union all
        select
            i.task_id as name,
            i.status,
            i.started_at
        from attempts as i
        where i.task_id <> i.task_type
    ) as a on s.task_type = a.name
    group by s.task_type;
end;

-- Of the newest start and the newest success of an expected run, the one that counts for it.
create or replace function monitoring._counted_start(
    p_expected monitoring.expected_runs,
    p_last_start_at timestamptz,
    p_last_success_at timestamptz
)
returns timestamptz
language sql
immutable
return case p_expected.counts when 'successes' then p_last_success_at else p_last_start_at end;

-- Notes when expected runs began last. What is counted from the last run is due again later.
create or replace function monitoring._note_expected_starts(p_below bigint, p_still_open bigint[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from monitoring.expected_run_states s) then
        return;
    end if;
    update monitoring.expected_run_states s
    set
        last_start_at = greatest(s.last_start_at, n.last_start_at),
        last_success_at = greatest(s.last_success_at, n.last_success_at),
        judged_due_at = case when s.every_seconds is null then s.judged_due_at end,
        verdict_at = case
            when s.every_seconds is null then s.verdict_at
            else greatest(
                    e.expected_since_at,
                    monitoring._counted_start(
                        e,
                        greatest(s.last_start_at, n.last_start_at),
                        greatest(s.last_success_at, n.last_success_at)
                    )
                ) + make_interval(secs => s.every_seconds + e.grace_seconds)
        end
    from monitoring._newest_expected_starts(p_below, p_still_open) n
    inner join monitoring.expected_runs e on e.task_type = n.task_type
    where s.task_type = n.task_type
        and (
            coalesce(n.last_start_at > s.last_start_at, true)
            or coalesce(
                n.last_success_at > s.last_success_at, n.last_success_at is not null
            )
        );
end
$$;
