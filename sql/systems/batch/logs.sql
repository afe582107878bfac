-- The newest runs of steps that ended, page by page. Reads what batch_execution_logs reads, but
-- only the minutes in which steps ended.

create or replace function monitoring.get_ended_batch_runs(
    p_from timestamptz default null,
    p_to timestamptz default null,
    p_workflow_name text default null,
    p_step text default null,
    p_status text default null,
    p_limit integer default 100,
    p_before_time timestamptz default null,
    p_before_task_id text default null,
    p_before_attempt integer default null,
    p_before_workflow text default null,
    p_from_day date default null,
    p_to_day date default null
)
returns table (
    workflow_name text,
    step_name text,
    business_date date,
    task_id text,
    attempt integer,
    status text,
    started_at timestamptz,
    finished_at timestamptz,
    duration_seconds double precision,
    records_processed bigint,
    records_total bigint,
    records_remaining bigint,
    threads integer,
    records_per_second double precision,
    error_message text,
    worker_id text,
    counters jsonb,
    metadata jsonb,
    created_at timestamptz
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_from timestamptz := coalesce(
        monitoring._checked_moment('from', p_from), monitoring.clock() - interval '7 days'
    );
    v_until timestamptz := least(
        monitoring._checked_moment('to', p_to),
        monitoring._checked_moment('before_time', p_before_time) + interval '1 microsecond',
        'infinity'
    );
    v_steps text [];
begin
    if p_limit is null or p_limit not between 0 and 10000 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 0 to 10000');
    end if;
    v_steps := array(
        select distinct s.step_name
        from monitoring.workflow_steps s
        where (p_workflow_name is null or s.workflow_name = p_workflow_name)
            and (p_step is null or s.step_name = p_step)
    );
    return query
    select
        w.workflow_name, s.step_name, d.business_date, t.task_id, t.attempt, t.status,
        t.started_at, t.finished_at, t.duration_ms / 1000, t.items_done, t.items_total, monitoring._remaining(t.counters),
        monitoring._small_number(t.metadata ->> 'threads'),
        t.items_done / nullif(t.duration_ms / 1000, 0),
        case
            when t.status <> 'completed'
                then monitoring._reason_of_end(t.task_id, t.metadata, t.started_at, t.finished_at)
        end, t.worker_id, t.counters, nullif(t.metadata - 'error_message', '{}'),
        coalesce(t.started_at, t.finished_at)
    from monitoring._ended_attempts(v_steps, v_from, v_until) t
    inner join monitoring.workflow_steps s on s.step_name = t.task_type
    inner join monitoring.workflows w on w.workflow_name = s.workflow_name
    cross join lateral (
        select monitoring._date_of_run(
            w, t.metadata, coalesce(t.started_at, t.finished_at)
        ) as business_date
    ) d
    where (p_workflow_name is null or w.workflow_name = p_workflow_name)
        and (p_status is null or t.status = p_status)
        and (p_from_day is null or d.business_date >= p_from_day)
        and (p_to_day is null or d.business_date <= p_to_day)
        and (
            p_before_time is null
            or (t.finished_at, t.task_id, t.attempt, w.workflow_name) < (
                p_before_time, coalesce(p_before_task_id, ''), coalesce(p_before_attempt, 0),
                coalesce(p_before_workflow, '')
            )
        )
    order by t.finished_at desc, t.task_id desc, t.attempt desc, w.workflow_name desc
    limit p_limit;
end
$$;

comment on function monitoring.get_ended_batch_runs(
    timestamptz, timestamptz, text, text, text, integer, timestamptz, text, integer, text, date,
    date
) is
'Rows of batch_execution_logs that ended in a span (from 7 days ago when left out), the newest '
'first, of some business days where these are given. p_before_... say where the page before ended: '
'its last finished_at and what follows it.';
