-- The newest tasks that ended, page by page. Reads finished_tasks.

-- Goes back in spans that grow: the newest are found without reading the day that they are of.
create or replace function monitoring.get_ended_tasks(
    p_from timestamptz default null,
    p_to timestamptz default null,
    p_task_type text default null,
    p_status text default null,
    p_worker_id text default null,
    p_limit integer default 100,
    p_before_time timestamptz default null,
    p_before_task_id text default null,
    p_before_attempt integer default null
)
returns table (
    task_id text,
    task_type text,
    status text,
    attempt integer,
    worker_id text,
    parent_task_id text,
    start_time timestamptz,
    end_time timestamptz,
    duration_ms double precision,
    items_done bigint,
    items_total bigint,
    input_size bigint,
    output_size bigint,
    counters jsonb,
    step_durations jsonb,
    metadata jsonb
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
-- Planned for the times: only the partitions of a span are looked at.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_from timestamptz := coalesce(
        monitoring._checked_moment('from', p_from), v_now - interval '24 hours'
    );
    v_until timestamptz := least(
        monitoring._checked_moment('to', p_to),
        monitoring._checked_moment('before_time', p_before_time) + interval '1 microsecond',
        'infinity'
    );
    v_begin timestamptz;
    v_span interval := interval '1 minute';
    v_left integer := p_limit;
    v_found integer;
begin
    if p_limit is null or p_limit not between 0 and 10000 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 0 to 10000');
    end if;
    while v_left > 0 and v_until > v_from loop
        v_begin := greatest(least(v_until, v_now) - v_span, v_from);
        return query
        select
            t.task_id, t.task_type, t.status, t.attempt, t.worker_id, t.parent_task_id,
            t.started_at, t.finished_at, t.duration_ms, t.items_done, t.items_total,
            t.input_size, t.output_size, t.counters, t.step_durations, t.metadata
        from monitoring._all_finished_tasks t
        where t.finished_at >= v_begin
            and t.finished_at < v_until
            and (p_task_type is null or t.task_type = p_task_type)
            and (p_status is null or t.status = p_status)
            and (p_worker_id is null or t.worker_id = p_worker_id)
            and (p_before_time is null or (t.finished_at, t.task_id, t.attempt) < (
                p_before_time, coalesce(p_before_task_id, ''), coalesce(p_before_attempt, 0)
            ))
        order by t.finished_at desc, t.task_id desc, t.attempt desc
        limit v_left;
        get diagnostics v_found = row_count;
        v_left := v_left - v_found;
        v_until := v_begin;
        v_span := v_span * 4;
    end loop;
end
$$;

comment on function monitoring.get_ended_tasks(
    timestamptz, timestamptz, text, text, text, integer, timestamptz, text, integer
) is
'The newest attempts that ended in a span (from 24 hours ago when left out), of one type, status '
'or worker if given. p_before_... say where the page before ended: its last end_time, task_id and '
'attempt.';
